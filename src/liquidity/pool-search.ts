import type { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Address, Hash } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { Asset } from '../domain/opportunity.js';
import type { PoolKindName } from './pool-kinds.js';
import { pairsOf, type KnownPool, type PoolReader } from './pool-reader.js';
import { pairKey, type Pool, type TokenPair } from './pool.js';

/** So many pools are read together at most. */
const READ_AT_ONCE = 40;
/** A pool that holds too little, and a pair that had no pool, are looked at again after this time. */
const LOOK_AGAIN_MS = 10 * 60_000;
/** After a read that failed. */
const PAUSE_MS = 1_000;
const WITHOUT_PRICE = { decimals: 0, priceUsd8: 0n };

export interface PoolSearchSettings {
  /** A pool is followed when what it holds is worth so much. USD with 8 decimals. */
  readonly minPoolUsd8: bigint;
  /** Tokens of no market over which routes may lead. */
  readonly hubs: readonly Address[];
}

/** Where the known pools are kept for the next start. */
export interface SavedPools {
  /** Those of configured factories. @throws RetryError when the database is away. */
  load(): Promise<readonly KnownPool[]>;
  /** @throws RetryError when the database is away. */
  save(pools: readonly KnownPool[]): Promise<void>;
}

export type PoolCounts = ReadonlyMap<PoolKindName, { readonly followed: number; readonly leftOut: number }>;

/** What was read beside the blocks, and waits for its commit. */
export interface Reading {
  readonly block: Hash;
  readonly states: ReadonlyMap<Address, Pool | undefined>;
}

/**
 * Which pools there are: looks for them and reads them beside the blocks, one piece of work at a time. What
 * was read is handed over at the next block.
 */
export class PoolSearch {
  /** Everything whose logs are watched. */
  readonly known = new Map<Address, KnownPool>();
  readonly leftOut = new Map<Address, KnownPool>();
  /** Known, but not read yet. */
  readonly unread = new Set<Address>();
  tokens: () => readonly Asset[] = () => [];
  /** The pairs that were looked for, and when: monotonic milliseconds. */
  private readonly lookedFor = new Map<string, number>();
  private readings: Reading[] = [];
  private dropped: Address[] = [];
  /** Read, and not handed over yet. */
  private readonly waiting = new Set<Address>();
  private working: Promise<void> | undefined;
  private pausedUntilMs = 0;
  private readAtOnce = READ_AT_ONCE;
  private restored = false;
  private unsaved = false;
  private stopped = false;

  constructor(
    private readonly reader: PoolReader,
    private readonly settings: PoolSearchSettings,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly saved?: SavedPools,
  ) {}

  /** Whether everything that is known by now was looked for and read. */
  get isWhole(): boolean {
    return this.unread.size === 0 && this.missingPairs().length === 0 && this.tokens().length > 0;
  }

  get isWorking(): boolean {
    return this.working !== undefined;
  }

  /** Begins with the pools of the last run. They are read before they are used. Never throws. */
  async restore(): Promise<void> {
    if (this.restored || !this.saved) return;
    this.restored = true;
    try {
      for (const pool of await this.saved.load()) this.follow(pool);
    } catch (error) {
      this.events.emit({ event: 'pools-not-read', message: messageOf(error) });
    }
  }

  /** How many pools of each kind are followed, and how many left out. */
  counts(): PoolCounts {
    const counts = new Map<PoolKindName, { followed: number; leftOut: number }>();
    const add = (pools: Iterable<KnownPool>, what: 'followed' | 'leftOut'): void => {
      for (const { venue } of pools) {
        const own = counts.get(venue.kind) ?? { followed: 0, leftOut: 0 };
        counts.set(venue.kind, { ...own, [what]: own[what] + 1 });
      }
    };
    for (const { kind } of this.reader.venues) counts.set(kind, { followed: 0, leftOut: 0 });
    add(this.known.values(), 'followed');
    add(this.leftOut.values(), 'leftOut');
    return counts;
  }

  /** What was read since this was asked last. */
  take(): readonly Reading[] {
    const { readings } = this;
    this.readings = [];
    this.waiting.clear();
    return readings;
  }

  /** The pools that are not known any more since this was asked last. */
  takeDropped(): readonly Address[] {
    const { dropped } = this;
    this.dropped = [];
    return dropped;
  }

  /** It has no price yet, or nothing to trade. */
  leaveOut(address: Address): void {
    const pool = this.known.get(address);
    if (!pool) return;
    this.known.delete(address);
    this.leftOut.set(address, pool);
    this.dropped.push(address);
  }

  /** @param tip the block that was applied last. */
  wake(tip: () => Hash | undefined): void {
    if (this.working || this.stopped || this.clock.monotonicMs() < this.pausedUntilMs) return;
    this.working = this.work(tip)
      .catch((error: unknown) => {
        this.pausedUntilMs = this.clock.monotonicMs() + PAUSE_MS;
        this.events.emit({ event: 'pools-not-read', message: messageOf(error) });
      })
      .finally(() => (this.working = undefined));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  /** What is known already comes first: plans can be made on it. */
  private async work(tip: () => Hash | undefined): Promise<void> {
    await this.readAll(tip);
    const pairs = this.missingPairs();
    const block = tip();
    if (pairs.length > 0 && block) {
      await this.lookFor(pairs, block);
      await this.readAll(tip);
    }
    if (!this.unsaved) return;
    await this.saved?.save([...this.known.values()]);
    this.unsaved = false;
  }

  private missingPairs(): TokenPair[] {
    const nowMs = this.clock.monotonicMs();
    const tokens = [...new Set([...this.tokens().map(({ address }) => address), ...this.settings.hubs])];
    return pairsOf(tokens).filter((pair) => {
      const atMs = this.lookedFor.get(pairKey(pair));
      return atMs === undefined || nowMs - atMs >= LOOK_AGAIN_MS;
    });
  }

  private async lookFor(pairs: readonly TokenPair[], block: Hash): Promise<void> {
    const all = await this.reader.find(pairs, block);
    const before = new Set(this.known.values());
    this.dropUnnamed(pairs, all);
    const found = all.filter(({ address }) => !this.known.has(address));
    const balances = await this.reader.balances(found, block);
    const worth = new Map(this.tokens().map((token) => [token.address, token]));
    const nowMs = this.clock.monotonicMs();
    for (const pair of pairs) this.lookedFor.set(pairKey(pair), nowMs);
    for (const [index, pool] of found.entries()) {
      const held = pool.tokens.map((token, side) => {
        const units = balances[index]?.[side];
        return units === undefined ? 0n : valueUsd8(units, worth.get(token) ?? WITHOUT_PRICE);
      });
      if (held.reduce((sum, usd8) => sum + usd8, 0n) < this.settings.minPoolUsd8)
        this.leftOut.set(pool.address, pool);
      else this.follow(pool);
    }
    this.events.emit({ event: 'pools-found', followed: this.known.size, leftOut: this.leftOut.size });
    const now = new Set(this.known.values());
    if (before.size !== now.size || ![...before].every((one) => now.has(one))) this.unsaved = true;
  }

  /** A saved pool that its factory does not name so is none. */
  private dropUnnamed(pairs: readonly TokenPair[], named: readonly KnownPool[]): void {
    const nameOf = ({ address, venue, parameter }: KnownPool): string =>
      `${address} ${venue.factory} ${parameter}`;
    const names = new Set(named.map(nameOf));
    const keys = new Set(pairs.map(pairKey));
    for (const pool of this.known.values()) {
      if (names.has(nameOf(pool)) || !keys.has(pairKey(pool.tokens))) continue;
      this.known.delete(pool.address);
      this.unread.delete(pool.address);
      this.dropped.push(pool.address);
    }
  }

  private follow(pool: KnownPool): void {
    this.leftOut.delete(pool.address);
    this.known.set(pool.address, pool);
    this.unread.add(pool.address);
  }

  private async readAll(tip: () => Hash | undefined): Promise<void> {
    for (;;) {
      const next = [...this.unread].filter((one) => !this.waiting.has(one)).slice(0, this.readAtOnce);
      const block = tip();
      if (next.length === 0 || !block || this.stopped) return;
      await this.readSome(next, block);
    }
  }

  private async readSome(addresses: readonly Address[], block: Hash): Promise<void> {
    const pools = addresses.flatMap((address) => this.known.get(address) ?? []);
    try {
      const states = await this.reader.states(pools, block);
      // Only now: blocks were committed meanwhile, and each took the list of before with it.
      this.readings.push({ block, states });
      for (const address of addresses) this.waiting.add(address);
      this.readAtOnce = Math.min(READ_AT_ONCE, this.readAtOnce * 2);
    } catch (error) {
      // One that cannot be read keeps back fewer and fewer others, and then none: it is the last in turn.
      if (this.readAtOnce > 1) this.readAtOnce = Math.ceil(this.readAtOnce / 2);
      else for (const address of addresses) if (this.unread.delete(address)) this.unread.add(address);
      throw error;
    }
  }
}
