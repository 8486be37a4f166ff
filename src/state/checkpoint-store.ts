import { Injectable, Logger } from '@nestjs/common';
import { Cache } from '../cache/index.js';
import { CheckpointsRepository } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { messageOf } from '../domain/errors.js';
import { isHash, type Address, type Hash } from '../domain/hex.js';

/** Postgres hears of a block this often, and at once where there are new borrowers; the cache hears of each. */
const DURABLE_EVERY_BLOCKS = 10;
/** How long a cached block may be used: after that the one in Postgres is near enough. */
const CACHED_FOR_MS = 24 * 3600 * 1000;

/** Up to `number` no borrower is missing, provided that Postgres still holds the checkpoint with the hash `base`. */
interface CachedProgress {
  readonly base: Hash;
  readonly number: number;
}

/**
 * Which borrowers a market has, and up to which block that is known. Postgres holds both; the cache holds how far the
 * blocks without new borrowers went since, so that a restart looks for new ones over fewer blocks.
 */
@Injectable()
export class CheckpointStore {
  private readonly logger = new Logger(CheckpointStore.name);
  /** Borrowers that Postgres has not taken yet: they go along with the next write, however many fail before. */
  private readonly unsaved = new Map<string, Set<Address>>();
  /** The last checkpoint in Postgres, by market. */
  private readonly bases = new Map<string, Hash>();
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly checkpoints: CheckpointsRepository,
    private readonly cache: Cache,
  ) {}

  /**
   * The known borrowers, and the block up to which there are no others; undefined before the first backfill.
   * @throws RetryError when the database is away.
   */
  async load(market: string): Promise<{ borrowers: readonly Address[]; upTo: number | undefined }> {
    const { borrowers, checkpoint } = await this.checkpoints.load(market);
    if (!checkpoint) return { borrowers, upTo: undefined };
    this.bases.set(market, checkpoint.hash);
    const cached = await this.cache.get(keyOf(market), readProgress);
    const further = cached?.base === checkpoint.hash && cached.number > checkpoint.number;
    return { borrowers, upTo: further ? cached.number : checkpoint.number };
  }

  /** Borrowers and block in one database transaction. @throws RetryError when the database is away. */
  async save(market: string, newBorrowers: Iterable<Address>, { number, hash }: Block): Promise<void> {
    const borrowers = [...newBorrowers];
    await this.checkpoints.save(market, borrowers, { number, hash });
    this.bases.set(market, hash);
    for (const borrower of borrowers) this.unsaved.get(market)?.delete(borrower);
  }

  /** Takes note of a block, one after the other in the background: no pass waits for it, and a failure is made up for later. */
  noteSoon(market: string, newBorrowers: readonly Address[], block: Block): void {
    const unsaved = this.unsaved.get(market) ?? new Set();
    for (const borrower of newBorrowers) unsaved.add(borrower);
    this.unsaved.set(market, unsaved);
    this.writing = this.writing
      .then(() => this.note(market, unsaved, block))
      .catch((error: unknown) => {
        this.logger.warn(`checkpoint of ${market} at ${block.number}: ${messageOf(error)}`);
      });
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.writing;
  }

  private async note(market: string, unsaved: ReadonlySet<Address>, block: Block): Promise<void> {
    if (unsaved.size > 0 || block.number % DURABLE_EVERY_BLOCKS === 0) {
      await this.save(market, unsaved, block);
      return;
    }
    const base = this.bases.get(market);
    if (base) await this.cache.set(keyOf(market), { base, number: block.number }, CACHED_FOR_MS);
  }
}

const keyOf = (market: string): string => `checkpoint:${market}`;

function readProgress(value: unknown): CachedProgress | undefined {
  if (typeof value !== 'object' || value === null || !('number' in value) || !('base' in value))
    return undefined;
  const { number, base } = value;
  return typeof number === 'number' && Number.isSafeInteger(number) && isHash(base)
    ? { number, base }
    : undefined;
}
