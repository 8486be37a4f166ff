import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { Block } from '../domain/block.js';
import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Address, Hash } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { Asset } from '../domain/opportunity.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import { each, together, type Read } from '../rpc/chain/read.js';
import type { BlockStep, Followed, FollowedName, RangeLogs } from '../state/followed.js';
import { POOL_KINDS } from './pool-kinds.js';
import { pairsOf, type KnownPool, type PoolReader } from './pool-reader.js';
import { pairKey, type Pool, type TokenPair } from './pool.js';

/** So many pools are read together at most. */
const READ_AT_ONCE = 40;
/** How often fees are asked, and some pools are compared with the chain, by turns. */
const ASK_EVERY_MS = 5_000;
const COMPARED_AT_ONCE = 20;
/** A pool that holds too little, and a pair that had no pool, are looked at again after this time. */
const LOOK_AGAIN_MS = 10 * 60_000;
/** After a read that failed. */
const PAUSE_MS = 1_000;
const WITHOUT_PRICE = { decimals: 0, priceUsd8: 0n };
/** A state that was read so many blocks ago is not used any more. */
const MOST_BLOCKS_BEHIND = 256;

export interface PoolBookSettings {
  /** A pool is followed when what it holds is worth so much. USD with 8 decimals. */
  readonly minPoolUsd8: bigint;
  /** Tokens of no market over which routes may lead. */
  readonly hubs: readonly Address[];
}

/** The states of all followed pools. Replaced, never changed: the undo of a block is the map before it. */
export type PoolStates = ReadonlyMap<Address, Pool>;

interface PoolStep extends BlockStep {
  readonly logs: readonly RawLog[];
  /** The states at the end of a range; undefined: the present ones, and `logs` lead on from them. */
  readonly states: PoolStates | undefined;
}

/** What was asked at a head, for the states at that head. */
interface PoolAnswers {
  readonly floating: ReadonlyMap<Address, (pool: Pool) => Pool>;
  readonly sameness: ReadonlyMap<Address, (pool: Pool) => boolean>;
}

const NOTHING_ASKED: PoolAnswers = { floating: new Map(), sameness: new Map() };

/** What was read beside the blocks, and waits for its commit. */
interface Reading {
  readonly block: Hash;
  readonly states: ReadonlyMap<Address, Pool | undefined>;
}

export interface PoolsView {
  readonly pools: PoolStates;
  /** All pools of all tokens have been looked for and read. Before that a route may be missing. */
  readonly isWhole: boolean;
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
  /** Everything whose logs are watched. */
  private known = new Map<Address, KnownPool>();
  /** Watched, but not read yet. */
  private readonly unread = new Set<Address>();
  /** The pairs that were looked for, and when: monotonic milliseconds. */
  private readonly lookedFor = new Map<string, number>();
  private readonly leftOut = new Map<Address, KnownPool>();
  private watchesChanged = false;
  private readings: Reading[] = [];
  /** The last blocks with the logs of the pools: what was read at one catches up by those after it. */
  private recent: { readonly hash: Hash; readonly logs: readonly RawLog[] }[] = [];
  private turn = 0;
  private askedAtMs = -Infinity;
  private working: Promise<void> | undefined;
  private pausedUntilMs = 0;
  private readAtOnce = READ_AT_ONCE;
  private stopped = false;

  private tokens: () => readonly Asset[] = () => [];

  constructor(
    private readonly reader: PoolReader,
    private readonly settings: PoolBookSettings,
    private readonly events: Events,
    private readonly clock: Clock = new Clock(),
  ) {}

  /** @param tokens of all markets at the moment; none while their prices are not known. */
  serve(tokens: () => readonly Asset[]): void {
    this.tokens = tokens;
  }

  get watched(): WatchedLogs {
    return new Map(
      [...this.known.values()].map(({ address, venue }) => [address, POOL_KINDS[venue.kind].topics]),
    );
  }

  /** Whether everything that is known by now was looked for and read. */
  get isWhole(): boolean {
    return this.unread.size === 0 && this.missingPairs().length === 0 && this.tokens().length > 0;
  }

  check(log: RawLog): void {
    const pool = this.known.get(log.address);
    if (pool) POOL_KINDS[pool.venue.kind].check(log);
  }

  prepare(_: Block, logs: readonly RawLog[]): Promise<PoolStep> {
    const own = logs.filter(({ address }) => this.known.has(address));
    return Promise.resolve({
      logs: own,
      states: undefined,
      readsChange: this.watchesChanged,
      contradicted: [],
    });
  }

  commit({ logs, states, readsChange }: PoolStep, { hash }: Block): PoolStates {
    const before = this.states;
    if (readsChange) this.watchesChanged = false;
    let after: Map<Address, Pool> | undefined;
    if (states) after = new Map(states);
    for (const log of logs) {
      if (!(after ?? this.states).has(log.address)) continue;
      after ??= new Map(this.states);
      if (!this.applyTo(after, log)) this.doubt(after, log.address);
    }
    this.recent.push({ hash, logs });
    if (this.recent.length > MOST_BLOCKS_BEHIND) this.recent.shift();
    for (const reading of this.readings) {
      after ??= new Map(this.states);
      this.takeOver(reading, after);
    }
    const hasRead = this.readings.length > 0;
    this.readings = [];
    if (after) this.states = after;
    if (hasRead && this.unread.size === 0) this.events.emit({ event: 'pools-read', pools: this.states.size });
    setImmediate(() => this.wake(hash));
    return before;
  }

  undo(before: PoolStates): void {
    this.recent.pop();
    for (const address of this.states.keys())
      if (!before.has(address) && this.known.has(address)) this.unread.add(address);
    // What is to be read again, or was left out since, may be wrong in the former states.
    this.states = new Map(
      [...before].filter(([address]) => this.known.has(address) && !this.unread.has(address)),
    );
  }

  async prepareRange(_: Block, logs: RangeLogs | undefined): Promise<PoolStep> {
    if (!logs || this.states.size === 0)
      return { logs: [], states: new Map(), readsChange: true, contradicted: [] };
    const states = new Map(this.states);
    await logs([...states.keys()], (piece) => {
      // One that is missing in the end is read again: see commitRange.
      for (const log of piece) if (!this.applyTo(states, log)) states.delete(log.address);
    });
    return { logs: [], states, readsChange: true, contradicted: [] };
  }

  commitRange(step: PoolStep, block: Block): void {
    this.recent = [];
    this.readings = [];
    this.commit(step, block);
    for (const address of this.known.keys()) if (!this.states.has(address)) this.unread.add(address);
  }

  /** A block without a log costs no call: what logs do not tell is asked every few seconds. */
  reads(): Read<PoolAnswers> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.askedAtMs < ASK_EVERY_MS) return { calls: [], decode: () => NOTHING_ASKED };
    this.askedAtMs = nowMs;
    const pools = [...this.states.keys()].flatMap((address) => this.known.get(address) ?? []);
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
    this.stopped = true;
    await this.working;
  }

  private take({ floating, sameness }: PoolAnswers): void {
    const states = new Map(this.states);
    for (const [address, withAnswer] of floating) {
      const pool = states.get(address);
      if (pool) states.set(address, withAnswer(pool));
    }
    for (const [address, isSame] of sameness) {
      const pool = states.get(address);
      if (!pool || isSame(pool)) continue;
      this.doubt(states, address);
    }
    this.states = states;
  }

  /** @returns false for a log that cannot belong to the state: then the state is wrong. */
  private applyTo(states: Map<Address, Pool>, log: RawLog): boolean {
    const [known, pool] = [this.known.get(log.address), states.get(log.address)];
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
    this.unread.add(address);
    this.events.emit({ event: 'pool-differs', pool: address });
  }

  /** What was read at an earlier block, with the logs since then. */
  private takeOver({ block, states }: Reading, into: Map<Address, Pool>): void {
    const at = this.recent.findIndex(({ hash }) => hash === block);
    // The block is gone or long ago: they are read again.
    if (at < 0) return;
    const logs = this.recent.slice(at + 1).flatMap((one) => one.logs);
    for (const [address, state] of states) {
      if (!this.unread.delete(address)) continue;
      if (!state) {
        this.leaveOut(address);
        continue;
      }
      into.set(address, state);
      const own = logs.filter((log) => log.address === address);
      if (!own.every((log) => this.applyTo(into, log))) this.doubt(into, address);
    }
  }

  /** It has no price yet, or nothing to trade. */
  private leaveOut(address: Address): void {
    const pool = this.known.get(address);
    if (!pool) return;
    this.known.delete(address);
    this.leftOut.set(address, pool);
    this.watchesChanged = true;
  }

  /** Looks for what is missing, and reads it, beside the blocks. One piece of work at a time. */
  private wake(block: Hash): void {
    if (this.working || this.stopped || this.clock.monotonicMs() < this.pausedUntilMs) return;
    this.working = this.work(block)
      .catch((error: unknown) => {
        this.pausedUntilMs = this.clock.monotonicMs() + PAUSE_MS;
        this.events.emit({ event: 'pools-not-read', message: messageOf(error) });
      })
      .finally(() => (this.working = undefined));
  }

  private async work(block: Hash): Promise<void> {
    // What was read waits for its block.
    if (this.readings.length > 0) return;
    const pairs = this.missingPairs();
    if (pairs.length > 0) await this.lookFor(pairs, block);
    // Its logs are watched since a later block than this one: it is read at one of the next blocks.
    else if (this.unread.size > 0 && !this.watchesChanged) await this.readSome(block);
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
    const found = (await this.reader.find(pairs, block)).filter(({ address }) => !this.known.has(address));
    const balances = await this.reader.balances(found, block);
    const worth = new Map(this.tokens().map((token) => [token.address, token]));
    const nowMs = this.clock.monotonicMs();
    for (const pair of pairs) this.lookedFor.set(pairKey(pair), nowMs);
    for (const [index, pool] of found.entries()) {
      const held = pool.tokens.map((token, side) => {
        const units = balances[index]?.[side];
        return units === undefined ? 0n : valueUsd8(units, worth.get(token) ?? WITHOUT_PRICE);
      });
      if (held.reduce((sum, usd8) => sum + usd8, 0n) < this.settings.minPoolUsd8) {
        this.leftOut.set(pool.address, pool);
        continue;
      }
      this.leftOut.delete(pool.address);
      this.known.set(pool.address, pool);
      this.unread.add(pool.address);
      this.watchesChanged = true;
    }
    this.events.emit({ event: 'pools-found', followed: this.known.size, leftOut: this.leftOut.size });
  }

  private async readSome(block: Hash): Promise<void> {
    const addresses = [...this.unread].slice(0, this.readAtOnce);
    const pools = addresses.flatMap((address) => this.known.get(address) ?? []);
    try {
      const states = await this.reader.states(pools, block);
      // Only now: blocks were committed meanwhile, and each took the list of before with it.
      this.readings.push({ block, states });
      this.readAtOnce = Math.min(READ_AT_ONCE, this.readAtOnce * 2);
    } catch (error) {
      // One that cannot be read keeps back fewer and fewer others, and then none: it is the last in turn.
      if (this.readAtOnce > 1) this.readAtOnce = Math.ceil(this.readAtOnce / 2);
      else for (const address of addresses) if (this.unread.delete(address)) this.unread.add(address);
      throw error;
    }
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
