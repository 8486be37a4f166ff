import { Injectable, Logger } from '@nestjs/common';
import { Cache } from '../cache/index.js';
import { CheckpointsRepository } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { messageOf } from '../domain/errors.js';
import { isHash, type Address, type Hash } from '../domain/hex.js';

interface Checkpoint {
  readonly number: number;
  readonly hash: Hash;
}

/** How long a cached checkpoint may be used: after that the one in Postgres is near enough. */
const CACHED_FOR_MS = 24 * 3600 * 1000;

/**
 * Which borrowers a market has, and up to which block that is known. Postgres holds both; the cache holds a newer block
 * number where it can, so that a restart looks for new borrowers over fewer blocks.
 */
@Injectable()
export class CheckpointStore {
  private readonly logger = new Logger(CheckpointStore.name);
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly checkpoints: CheckpointsRepository,
    private readonly cache: Cache,
  ) {}

  /** @throws RetryError when the database is away. */
  async load(market: string): Promise<{ borrowers: readonly Address[]; checkpoint: Checkpoint | undefined }> {
    const [saved, cached] = await Promise.all([
      this.checkpoints.load(market),
      this.cache.get(keyOf(market), readCheckpoint),
    ]);
    const newer = saved.checkpoint && cached && cached.number > saved.checkpoint.number;
    return { borrowers: saved.borrowers, checkpoint: newer ? cached : saved.checkpoint };
  }

  /** Borrowers and block in one database transaction. @throws RetryError when the database is away. */
  async save(market: string, newBorrowers: readonly Address[], { number, hash }: Block): Promise<void> {
    await this.checkpoints.save(market, newBorrowers, { number, hash });
    await this.cache.set(keyOf(market), { number, hash }, CACHED_FOR_MS);
  }

  /** As {@link save}, one after the other in the background: a pass does not wait for it, a failure is only logged. */
  saveSoon(market: string, newBorrowers: readonly Address[], block: Block): void {
    this.writing = this.writing
      .then(() => this.save(market, newBorrowers, block))
      .catch((error: unknown) =>
        this.logger.warn(`checkpoint of ${market} at ${block.number}: ${messageOf(error)}`),
      );
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.writing;
  }
}

const keyOf = (market: string): string => `checkpoint:${market}`;

function readCheckpoint(value: unknown): Checkpoint | undefined {
  if (typeof value !== 'object' || value === null || !('number' in value) || !('hash' in value))
    return undefined;
  const { number, hash } = value;
  return typeof number === 'number' && Number.isSafeInteger(number) && isHash(hash)
    ? { number, hash }
    : undefined;
}
