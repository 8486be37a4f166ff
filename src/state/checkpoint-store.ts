import { Injectable, Logger } from '@nestjs/common';
import { Cache } from '../cache/index.js';
import {
  CheckpointsRepository,
  type Checkpoint,
  type History,
  type StoredPosition,
} from '../database/index.js';
import { messageOf } from '../domain/errors.js';
import type { Json } from '../domain/json.js';
import { isAddress, isHash, type Address, type Hash } from '../domain/hex.js';
import type { AaveAccount } from '../protocols/aave-v3/market.js';
import { decodeAccount, encodeAccount } from '../protocols/aave-v3/stored-account.js';

/** Postgres hears of a block this often; the cache hears of those between. */
const DURABLE_EVERY_BLOCKS = 10;
/** Beyond it the cache keeps what it has: catching up from there costs a restart less than this costs each block. */
const MOST_CACHED_ACCOUNTS = 500;
/** How long a cached block may be used: after that the one in Postgres is near enough. */
const CACHED_FOR_MS = 24 * 3600 * 1000;

/** What a restart begins with. */
export interface SavedMarket {
  /** The block of which `accounts` are. It may have left the chain meanwhile: see {@link CheckpointStore.forgetStates}. */
  readonly checkpoint: Checkpoint | undefined;
  readonly history: History | undefined;
  readonly accounts: readonly AaveAccount[];
  /** Known borrowers whose positions have to be read from the chain. */
  readonly unread: readonly Address[];
}

/** The accounts that differ between two blocks, as they are at the later one; undefined: not a borrower any more. */
type Changes = ReadonlyMap<Address, AaveAccount | undefined>;

/** Where a market is, and what Postgres has not taken of it. */
interface Progress {
  /** What Postgres holds. */
  durable: Checkpoint | undefined;
  /** The block that `changes` lead to from `durable`. */
  latest: Checkpoint | undefined;
  changes: Map<Address, AaveAccount | undefined>;
  /** A write is to come that has not begun, and will take along whatever is noted until then. */
  awaitsWrite: boolean;
}

/** What leads to `latest`, provided that Postgres holds the checkpoint with the hash `base`. */
interface CachedProgress {
  readonly base: Hash;
  readonly latest: Checkpoint;
  readonly changes: Changes;
}

/**
 * The accounts of each market as of a block. Postgres holds all of them at its checkpoint; the cache holds what changed
 * since, so that a restart catches up over fewer blocks. One write at a time.
 */
@Injectable()
export class CheckpointStore {
  private readonly logger = new Logger(CheckpointStore.name);
  private readonly markets = new Map<string, Progress>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly checkpoints: CheckpointsRepository,
    private readonly cache: Cache,
  ) {}

  /** To be called before the first {@link note}. @throws RetryError when the database is away. */
  load(market: string): Promise<SavedMarket> {
    return this.alone(async () => {
      const { checkpoint, history, positions, unread } = await this.checkpoints.load(market);
      const accounts = new Map<Address, AaveAccount>();
      const toRead = new Set(unread);
      for (const { account, state } of positions) {
        const decoded = checkpoint && decodeAccount(account, state);
        if (decoded) accounts.set(account, decoded);
        else toRead.add(account);
      }
      const cached = await this.cachedBeyond(market, checkpoint);
      for (const [address, account] of cached?.changes ?? []) {
        toRead.delete(address);
        if (account) accounts.set(address, account);
        else accounts.delete(address);
      }
      // What only the cache knows goes along with the next write.
      this.markets.set(market, {
        durable: checkpoint,
        latest: cached?.latest ?? checkpoint,
        changes: new Map(cached?.changes),
        awaitsWrite: false,
      });
      return {
        checkpoint: cached?.latest ?? checkpoint,
        history,
        accounts: [...accounts.values()],
        unread: [...toRead],
      };
    });
  }

  /** Borrowers that a search found, and how far it came, in one transaction. @throws RetryError when the database is away. */
  saveHistory(market: string, borrowers: readonly Address[], history: History): Promise<void> {
    return this.alone(() => this.checkpoints.saveHistory(market, borrowers, history));
  }

  /**
   * Takes note of a block in the background: no pass waits for it, and a failure is made up for by a later note.
   *
   * @param changes every account that is not at `block` as it was loaded or noted last: after a reorg also those that
   *   went back, after `unread` was read also those.
   */
  note(
    market: string,
    { number, hash }: Checkpoint,
    changes: { readonly changed: readonly AaveAccount[]; readonly gone: readonly Address[] },
  ): void {
    const progress = this.progressOf(market);
    for (const account of changes.changed) progress.changes.set(account.address, account);
    for (const address of changes.gone) progress.changes.set(address, undefined);
    progress.latest = { number, hash };
    if (progress.awaitsWrite) return;
    progress.awaitsWrite = true;
    void this.attempt(market, async () => {
      progress.awaitsWrite = false;
      await this.keep(market);
    });
  }

  /**
   * Every borrower is to be read again: the loaded checkpoint is not on the chain any more. To be called before the first
   * {@link note}. @throws RetryError when the database is away.
   */
  forgetStates(market: string, history: History): Promise<void> {
    return this.alone(async () => {
      await this.checkpoints.forgetStates(market, history);
      this.markets.delete(market);
    });
  }

  /** Resolves when nothing is being written any more. Never rejects. */
  async settled(): Promise<void> {
    await this.last;
  }

  /** Writes what is not durable yet; what cannot be written is in the log. Never rejects. */
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
    const progress = { durable: undefined, latest: undefined, changes: new Map(), awaitsWrite: false };
    this.markets.set(market, progress);
    return progress;
  }

  private async keep(market: string): Promise<void> {
    const { durable, latest, changes } = this.progressOf(market);
    if (!latest) return;
    if (!durable || isDue(durable, latest)) await this.keepDurably(market, latest);
    else if (changes.size <= MOST_CACHED_ACCOUNTS)
      await this.cache.set(keyOf(market), cachedJson({ base: durable.hash, latest, changes }), CACHED_FOR_MS);
  }

  private async keepDurably(market: string, latest: Checkpoint): Promise<void> {
    const progress = this.progressOf(market);
    const { changes } = progress;
    progress.changes = new Map();
    try {
      const gone = [...changes.keys()].filter((address) => !changes.get(address));
      await this.checkpoints.saveCheckpoint(market, latest, statesIn(changes), gone);
      progress.durable = latest;
    } catch (error) {
      // For the next write, unless they changed again.
      progress.changes = new Map([...changes, ...progress.changes]);
      throw error;
    }
  }

  private async cachedBeyond(
    market: string,
    checkpoint: Checkpoint | undefined,
  ): Promise<CachedProgress | undefined> {
    if (!checkpoint) return undefined;
    const cached = await this.cache.get(keyOf(market), readProgress);
    return cached?.base === checkpoint.hash ? cached : undefined;
  }

  /** A failure is in the log, and the next write makes up for it. */
  private attempt(market: string, write: () => Promise<void>): Promise<void> {
    return this.alone(write).catch((error: unknown) => {
      this.logger.warn(`checkpoint of ${market}: ${messageOf(error)}`);
    });
  }

  /** After whatever was begun before, whether that succeeded or not. */
  private alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }
}

/** Ten blocks on, or on another branch: there the durable block may be none of the chain's. */
function isDue(durable: Checkpoint, { number, hash }: Checkpoint): boolean {
  return (
    number >= durable.number + DURABLE_EVERY_BLOCKS || (number <= durable.number && hash !== durable.hash)
  );
}

const keyOf = (market: string): string => `checkpoint:${market}`;

function* statesIn(changes: Changes): Generator<StoredPosition> {
  for (const [account, state] of changes) if (state) yield { account, state: encodeAccount(state) };
}

function cachedJson({ base, latest: { number, hash }, changes }: CachedProgress): Json {
  const accounts = [...changes].map(([address, state]): [Address, Json] => [
    address,
    state ? encodeAccount(state) : null,
  ]);
  return { base, number, hash, accounts };
}

/** undefined where anything is not as {@link cachedJson} writes it. */
function readProgress(value: unknown): CachedProgress | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('base' in value && 'number' in value && 'hash' in value && 'accounts' in value)) return undefined;
  const { base, number, hash, accounts } = value;
  if (!isHash(base) || !isHash(hash) || !Array.isArray(accounts)) return undefined;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  const changes = new Map<Address, AaveAccount | undefined>();
  for (const entry of accounts as readonly unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [address, state] = entry as readonly unknown[];
    if (!isAddress(address)) return undefined;
    const account = state === null ? undefined : decodeAccount(address, state);
    if (state !== null && !account) return undefined;
    changes.set(address, account);
  }
  return { base, latest: { number, hash }, changes };
}
