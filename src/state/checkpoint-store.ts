import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Cache } from '../cache/index.js';
import {
  CheckpointsRepository,
  type Checkpoint,
  type History,
  type KnownPositions,
  type StoredPosition,
} from '../database/index.js';
import { messageOf } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { isAddress, isHash, type Address, type Hash } from '../domain/hex.js';
import type { Json } from '../domain/json.js';
import { SerialQueue } from '../domain/serial-queue.js';
import type { AccountChanges } from './followed.js';

/** Postgres is written this often. The cache is written for the blocks between. */
const DURABLE_EVERY_BLOCKS = 10;
/**
 * So long after its block: what a pass signs there has to be durable first, and the disk makes one write
 * durable after the other.
 */
const AFTER_PASS_MS = 100;
/**
 * Beyond it the cache keeps what it has: catching up from there costs a restart less than this costs each
 * block.
 */
const MOST_CACHED_ACCOUNTS = 500;
/** How long a cached block may be used. After that, the block in Postgres is near enough. */
const CACHED_FOR_MS = 24 * 3600 * 1000;

/**
 * What a restart begins with: the accounts of a market as of `checkpoint`. That block may have left the
 * chain, see {@link CheckpointStore.forgetStates}.
 */
export type SavedAccounts = KnownPositions;

/**
 * The accounts that differ between two blocks, as they are at the later one; undefined: not followed any
 * more.
 */
type Changes = ReadonlyMap<Address, Json | undefined>;

/** Where a market is, and what Postgres does not have of it yet. */
interface Progress {
  /** What Postgres holds. */
  durable: Checkpoint | undefined;
  /** The block that `changes` lead to from `durable`. */
  latest: Checkpoint | undefined;
  changes: Map<Address, Json | undefined>;
  /** A write is queued that has not begun. It will include everything that is noted until then. */
  writeQueued: boolean;
}

/** What leads to `latest`, provided that Postgres holds the checkpoint with the hash `base`. */
interface CachedProgress {
  readonly base: Hash;
  readonly latest: Checkpoint;
  readonly changes: Changes;
}

/**
 * The accounts of each market as of a block. Postgres holds all of them at its checkpoint. The cache holds
 * what changed since, so that a restart catches up over fewer blocks. One write at a time.
 */
@Injectable()
export class CheckpointStore {
  private readonly markets = new Map<string, Progress>();
  private readonly queue = new SerialQueue();

  constructor(
    private readonly checkpoints: CheckpointsRepository,
    private readonly cache: Cache,
    private readonly events: Events,
  ) {}

  /** To be called before the first {@link note}. @throws RetryError when the database is away. */
  load(market: string): Promise<SavedAccounts> {
    return this.queue.run(async () => {
      const { checkpoint, history, positions, unread } = await this.checkpoints.load(market);
      const accounts = new Map(positions.map(({ account, state }) => [account, state]));
      const toRead = new Set(unread);
      const cached = await this.cachedBeyond(market, checkpoint);
      for (const [account, state] of cached?.changes ?? []) {
        toRead.delete(account);
        if (state === undefined) accounts.delete(account);
        else accounts.set(account, state);
      }
      // The next write makes durable what only the cache knows.
      this.markets.set(market, {
        durable: checkpoint,
        latest: cached?.latest ?? checkpoint,
        changes: new Map(cached?.changes),
        writeQueued: false,
      });
      return {
        checkpoint: cached?.latest ?? checkpoint,
        history,
        positions: [...accounts].map(([account, state]) => ({ account, state })),
        unread: [...toRead],
      };
    });
  }

  /**
   * Accounts that a search found, and how far it came, in one transaction.
   *
   * @throws RetryError when the database is away.
   */
  saveHistory(market: string, accounts: readonly Address[], history: History): Promise<void> {
    return this.queue.run(() => this.checkpoints.saveHistory(market, accounts, history));
  }

  /**
   * Takes note of a block in the background. No pass waits for it, and a later note makes up for a failure.
   *
   * @param changes every account that is not at `block` as it was loaded or noted last. After a reorg these
   *   are also the accounts that went back, and after `unread` accounts were read, those.
   */
  note(market: string, { number, hash }: Checkpoint, changes: AccountChanges): void {
    const progress = this.progressOf(market);
    for (const { account, state } of changes.changed) progress.changes.set(account, state);
    for (const account of changes.gone) progress.changes.set(account, undefined);
    progress.latest = { number, hash };
    if (progress.writeQueued) return;
    progress.writeQueued = true;
    void this.attempt(market, async () => {
      progress.writeQueued = false;
      await this.keep(market);
    });
  }

  /**
   * Every account has to be read again, because the chain does not have the loaded checkpoint any more. To be
   * called before the first {@link note}.
   *
   * @throws RetryError when the database is away.
   */
  forgetStates(market: string, history: History): Promise<void> {
    return this.queue.run(async () => {
      await this.checkpoints.forgetStates(market, history);
      this.markets.delete(market);
    });
  }

  /** Resolves when nothing is being written any more. Never rejects. */
  settled(): Promise<void> {
    return this.queue.idle();
  }

  /** Writes what is not durable yet. A failure becomes an event. Never rejects. */
  async flush(): Promise<void> {
    for (const market of this.markets.keys())
      await this.attempt(market, async () => {
        const { durable, latest, changes } = this.progressOf(market);
        if (latest && (changes.size > 0 || latest.hash !== durable?.hash))
          await this.keepDurably(market, latest);
      });
  }

  private progressOf(market: string): Progress {
    const known = this.markets.get(market);
    if (known) return known;
    const progress = { durable: undefined, latest: undefined, changes: new Map(), writeQueued: false };
    this.markets.set(market, progress);
    return progress;
  }

  private async keep(market: string): Promise<void> {
    const { durable, latest, changes } = this.progressOf(market);
    if (!latest) return;
    if (!durable) await this.keepDurably(market, latest);
    else if (isDue(durable, latest)) {
      await sleep(AFTER_PASS_MS);
      // By now it may be another block.
      await this.keepDurably(market, this.progressOf(market).latest ?? latest);
    } else if (changes.size <= MOST_CACHED_ACCOUNTS)
      await this.cache.set(
        this.keyOf(market),
        cachedJson({ base: durable.hash, latest, changes }),
        CACHED_FOR_MS,
      );
  }

  private async keepDurably(market: string, latest: Checkpoint): Promise<void> {
    const progress = this.progressOf(market);
    const { changes } = progress;
    progress.changes = new Map();
    try {
      const gone = [...changes].flatMap(([account, state]) => (state === undefined ? [account] : []));
      await this.checkpoints.saveCheckpoint(market, latest, statesIn(changes), gone, progress.durable);
      progress.durable = latest;
    } catch (error) {
      // The next write tries again, with the newer state of accounts that changed once more.
      progress.changes = new Map([...changes, ...progress.changes]);
      throw error;
    }
  }

  private async cachedBeyond(
    market: string,
    checkpoint: Checkpoint | undefined,
  ): Promise<CachedProgress | undefined> {
    if (!checkpoint) return undefined;
    const cached = await this.cache.get(this.keyOf(market), readProgress);
    return cached?.base === checkpoint.hash ? cached : undefined;
  }

  /** Bots of several chains may share a cache. */
  private keyOf(market: string): string {
    return `checkpoint:${this.checkpoints.chainId}:${market}`;
  }

  private attempt(market: string, write: () => Promise<void>): Promise<void> {
    return this.queue.run(write).catch((error: unknown) => {
      this.events.emit({ event: 'checkpoint-not-saved', market, message: messageOf(error) });
    });
  }
}

/** Ten blocks later, or on another branch: the durable block may not be on the chain any more. */
function isDue(durable: Checkpoint, { number, hash }: Checkpoint): boolean {
  return (
    number >= durable.number + DURABLE_EVERY_BLOCKS || (number <= durable.number && hash !== durable.hash)
  );
}

function* statesIn(changes: Changes): Generator<StoredPosition> {
  for (const [account, state] of changes) if (state !== undefined) yield { account, state };
}

function cachedJson({ base, latest: { number, hash }, changes }: CachedProgress): Json {
  const accounts = [...changes].map(([account, state]): [Address, Json] => [account, state ?? null]);
  return { base, number, hash, accounts };
}

/** undefined where anything is not as {@link cachedJson} writes it. */
function readProgress(value: unknown): CachedProgress | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('base' in value && 'number' in value && 'hash' in value && 'accounts' in value)) return undefined;
  const { base, number, hash, accounts } = value;
  if (!isHash(base) || !isHash(hash) || !Array.isArray(accounts)) return undefined;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  const changes = new Map<Address, Json | undefined>();
  for (const entry of accounts as readonly unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [account, state] = entry as readonly unknown[];
    if (!isAddress(account) || !(typeof state === 'string' || state === null)) return undefined;
    changes.set(account, state ?? undefined);
  }
  return { base, latest: { number, hash }, changes };
}
