import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { Block } from '../domain/block.js';
import type { Events } from '../domain/events/events.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Asset } from '../domain/opportunity.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import { each, together, type Read } from '../rpc/chain/read.js';
import type { BlockStep, Followed, FollowedName, RangeLogs } from '../state/followed.js';
import { POOL_KINDS } from './pool-kinds.js';
import type { KnownPool, PoolReader } from './pool-reader.js';
import {
  PoolSearch,
  type PoolCounts,
  type PoolSearchSettings,
  type Reading,
  type SavedPools,
} from './pool-search.js';
import type { Pool } from './pool.js';

/** How often fees are asked, and some pools are compared with the chain, by turns. */
const ASK_EVERY_MS = 5_000;
const COMPARED_AT_ONCE = 20;
/** A state that was read so many blocks ago is not used any more. */
const MOST_BLOCKS_BEHIND = 256;

/** The states of all followed pools. Replaced, never changed: the undo of a block is the map before it. */
export type PoolStates = ReadonlyMap<Address, Pool>;

interface PoolStep extends BlockStep {
  readonly logs: readonly RawLog[];
  /** Pools that this block is the first of which all logs are known. */
  readonly fresh: readonly Address[];
  /** The states at the end of a range; undefined: the present ones, and `logs` lead on from them. */
  readonly states: PoolStates | undefined;
}

/** What was asked at a head, for the states at that head. */
interface PoolAnswers {
  readonly floating: ReadonlyMap<Address, (pool: Pool) => Pool>;
  readonly sameness: ReadonlyMap<Address, (pool: Pool) => boolean>;
}

const NOTHING_ASKED: PoolAnswers = { floating: new Map(), sameness: new Map() };

export interface PoolsView {
  readonly pools: PoolStates;
  /** All pools of all tokens have been looked for and read. Before that a route may be missing. */
  readonly isWhole: boolean;
}

/** What an operator sees of the pools. */
export interface PoolsStatus {
  /** By kind. */
  readonly counts: PoolCounts;
  /** Followed, and not read yet: they are not used. */
  readonly unread: number;
  /** When some of them were compared with the chain last: Unix milliseconds; undefined: not yet. */
  readonly comparedAtMs: number | undefined;
}

/** By which {@link StateView} has the pools. */
export const POOLS: FollowedName<PoolsView> = { name: 'pools' };

/**
 * The pools of all tokens that can be seized, repaid or led over, kept exact by their logs.
 *
 * Pools are looked for and read in the background, at a block, and are taken over at a later block with the
 * logs since then. Until then their logs are kept. What no log tells, the fee of some pools, is asked every
 * few seconds beside everything else at a head. Some pools are then compared with the chain: one that differs
 * is read again.
 */
@Injectable()
export class PoolBook implements Followed<PoolsView, PoolStep, PoolStates, PoolAnswers>, OnModuleDestroy {
  readonly name = POOLS.name;
  private states: PoolStates = new Map();
  private readonly search: PoolSearch;
  /** The first block of which all logs of a pool are known. */
  private readonly watchedSince = new Map<Address, Hash>();
  /** The last blocks with the logs of the pools: what was read at one catches up by those after it. */
  private recent: { readonly hash: Hash; readonly logs: readonly RawLog[] }[] = [];
  private turn = 0;
  private askedAtMs = -Infinity;
  private comparedAtMs: number | undefined;

  constructor(
    reader: PoolReader,
    settings: PoolSearchSettings,
    private readonly events: Events,
    private readonly clock: Clock = new Clock(),
    saved?: SavedPools,
  ) {
    this.search = new PoolSearch(reader, settings, events, clock, saved);
  }

  /** @param tokens of all markets at the moment; none while their prices are not known. */
  serve(tokens: () => readonly Asset[]): void {
    this.search.tokens = tokens;
  }

  get watched(): WatchedLogs {
    return new Map(
      [...this.search.known.values()].map(({ address, venue }) => [address, POOL_KINDS[venue.kind].topics]),
    );
  }

  /** Whether everything that is known by now was looked for and read. */
  get isWhole(): boolean {
    return this.search.isWhole;
  }

  /** It walks over all pools: for whom looks now and then. */
  status(): PoolsStatus {
    const { search, comparedAtMs } = this;
    return { counts: search.counts(), unread: search.unread.size, comparedAtMs };
  }

  /** Whether pools are being looked for or read. */
  get isWorking(): boolean {
    return this.search.isWorking;
  }

  check(log: RawLog): void {
    const pool = this.search.known.get(log.address);
    if (pool) POOL_KINDS[pool.venue.kind].check(log);
  }

  /** The logs were asked for before some pools were known: those are asked for by themselves. */
  async prepare(
    _: Block,
    logs: readonly RawLog[],
    fetchLogs: (addresses: readonly Address[]) => Promise<readonly RawLog[]>,
  ): Promise<PoolStep> {
    const own = logs.filter(({ address }) => this.watchedSince.has(address));
    const fresh = [...this.search.known.keys()].filter((address) => !this.watchedSince.has(address));
    const more = fresh.length > 0 ? await fetchLogs(fresh) : [];
    const readsChange = fresh.length > 0;
    return { logs: [...own, ...more], fresh, states: undefined, readsChange, contradicted: [] };
  }

  commit({ logs, states, fresh }: PoolStep, { hash }: Block): PoolStates {
    const before = this.states;
    for (const address of fresh) this.watchedSince.set(address, hash);
    let after: Map<Address, Pool> | undefined;
    if (states) after = new Map(states);
    for (const log of logs) {
      if (!(after ?? this.states).has(log.address)) continue;
      after ??= new Map(this.states);
      if (!this.applyTo(after, log)) this.doubt(after, log.address);
    }
    this.recent.push({ hash, logs });
    if (this.recent.length > MOST_BLOCKS_BEHIND) this.recent.shift();
    for (const address of this.search.takeDropped()) {
      this.watchedSince.delete(address);
      if (!this.states.has(address)) continue;
      after ??= new Map(this.states);
      after.delete(address);
    }
    const readings = this.search.take();
    for (const reading of readings) {
      after ??= new Map(this.states);
      this.takeOver(reading, after);
    }
    if (after) this.states = after;
    if (readings.length > 0 && this.search.unread.size === 0)
      this.events.emit({ event: 'pools-read', pools: this.states.size });
    setImmediate(() => this.search.wake(() => this.recent.at(-1)?.hash));
    return before;
  }

  undo(before: PoolStates): void {
    const gone = this.recent.pop();
    for (const [address, hash] of this.watchedSince)
      if (hash === gone?.hash) this.watchedSince.delete(address);
    for (const address of this.states.keys())
      if (!before.has(address) && this.search.known.has(address)) this.search.unread.add(address);
    // What is to be read again, or was left out since, may be wrong in the former states.
    this.states = new Map(
      [...before].filter(([address]) => this.search.known.has(address) && !this.search.unread.has(address)),
    );
  }

  async prepareRange(_: Block, logs: RangeLogs | undefined): Promise<PoolStep> {
    await this.search.restore();
    const fresh = [...this.search.known.keys()];
    if (!logs || this.states.size === 0)
      return { logs: [], fresh, states: new Map(), readsChange: true, contradicted: [] };
    const states = new Map(this.states);
    await logs([...states.keys()], (piece) => {
      // One that is missing in the end is read again: see commitRange.
      for (const log of piece) if (!this.applyTo(states, log)) states.delete(log.address);
    });
    return { logs: [], fresh, states, readsChange: true, contradicted: [] };
  }

  commitRange(step: PoolStep, block: Block): void {
    this.recent = [];
    this.search.take();
    this.watchedSince.clear();
    this.commit(step, block);
    for (const address of this.search.known.keys())
      if (!this.states.has(address)) this.search.unread.add(address);
  }

  /** A block without a log costs no call: what logs do not tell is asked every few seconds. */
  reads(): Read<PoolAnswers> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.askedAtMs < ASK_EVERY_MS) return { calls: [], decode: () => NOTHING_ASKED };
    this.askedAtMs = nowMs;
    const pools = [...this.states.keys()].flatMap((address) => this.search.known.get(address) ?? []);
    const from = pools.length === 0 ? 0 : (this.turn * COMPARED_AT_ONCE) % pools.length;
    this.turn += 1;
    const both = together(
      ofEach(pools, (pool) => POOL_KINDS[pool.venue.kind].floating(pool)),
      ofEach(pools.slice(from, from + COMPARED_AT_ONCE), (pool) =>
        POOL_KINDS[pool.venue.kind].sameness(pool),
      ),
    );
    return {
      calls: both.calls,
      decode: (results) => {
        const [floating, sameness] = both.decode(results);
        return { floating, sameness };
      },
    };
  }

  view(answers: PoolAnswers): PoolsView {
    if (answers !== NOTHING_ASKED) this.take(answers);
    return { pools: this.states, isWhole: this.isWhole };
  }

  /** Ends the background work. */
  async onModuleDestroy(): Promise<void> {
    await this.search.stop();
  }

  private take({ floating, sameness }: PoolAnswers): void {
    const states = new Map(this.states);
    for (const [address, withAnswer] of floating) {
      const pool = states.get(address);
      if (pool) states.set(address, withAnswer(pool));
    }
    if (sameness.size > 0) this.comparedAtMs = this.clock.wallMs();
    for (const [address, isSame] of sameness) {
      const pool = states.get(address);
      if (!pool || isSame(pool)) continue;
      this.doubt(states, address);
    }
    this.states = states;
  }

  /** @returns false for a log that cannot belong to the state: then the state is wrong. */
  private applyTo(states: Map<Address, Pool>, log: RawLog): boolean {
    const [known, pool] = [this.search.known.get(log.address), states.get(log.address)];
    if (!known || !pool) return true;
    try {
      states.set(log.address, POOL_KINDS[known.venue.kind].apply(pool, log));
      return true;
    } catch {
      return false;
    }
  }

  /** It is read again, and not used until then. */
  private doubt(states: Map<Address, Pool>, address: Address): void {
    states.delete(address);
    this.search.unread.add(address);
    const known = this.search.known.get(address);
    if (known) this.events.emit({ event: 'pool-differs', pool: address, kind: known.venue.kind });
  }

  /** What was read at an earlier block, with the logs since then. */
  private takeOver({ block, states }: Reading, into: Map<Address, Pool>): void {
    const at = this.indexOf(block);
    // The block is gone or long ago: they are read again.
    if (at === undefined) return;
    const logs = this.recent.slice(at + 1).flatMap((one) => one.logs);
    for (const [address, state] of states) {
      const since = this.watchedSince.get(address);
      // Logs between may be missing: it is read again.
      if (since === undefined || (this.indexOf(since) ?? 0) > at + 1) continue;
      if (!this.search.unread.delete(address)) continue;
      if (!state) {
        this.search.leaveOut(address);
        continue;
      }
      into.set(address, state);
      const own = logs.filter((log) => log.address === address);
      if (!own.every((log) => this.applyTo(into, log))) this.doubt(into, address);
    }
  }

  private indexOf(block: Hash): number | undefined {
    const index = this.recent.findIndex(({ hash }) => hash === block);
    return index < 0 ? undefined : index;
  }
}

/** One read of each pool, by its address. */
function ofEach<T>(
  pools: readonly KnownPool[],
  read: (pool: KnownPool) => Read<T>,
): Read<ReadonlyMap<Address, T>> {
  const reads = pools
    .map((pool) => [pool.address, read(pool)] as const)
    .filter(([, { calls }]) => calls.length > 0);
  const all = each(reads.map(([, one]) => one));
  return {
    calls: all.calls,
    decode: (results) => {
      const values = all.decode(results);
      return new Map(
        reads.flatMap(([address], index) => {
          const value = values[index];
          return value === undefined ? [] : [[address, value] as const];
        }),
      );
    },
  };
}
