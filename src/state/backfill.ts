import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { History } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { messageOf, RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Address } from '../domain/hex.js';
import { Chain } from '../rpc/chain/chain.js';
import type { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';
import { CheckpointStore } from './checkpoint-store.js';
import { Completeness } from './completeness.js';
import { inRanges } from './ranges.js';

/** Accounts read from the chain at once: some 30 calls each, in a round trip of a few seconds at most. */
const ACCOUNTS_AT_ONCE = 500;
/** The wait after a failure, doubled each time. Milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How long a stop waits for a question to the archive that is on its way. The next start asks again. */
const STOP_MS = 1_000;
/** From the newest block on, so many ranges are searched in one step: a step is durable as a whole. */
const RANGES_OF_STEP = 4;

export interface BackfillRange {
  readonly fromBlock: number;
  /** Searched up to and including this block. */
  readonly atBlock: number;
  readonly toBlock: number;
}

/** One market, as the backfill needs it. */
export interface BackfillTarget {
  readonly name: string;
  /**
   * The accounts that appear in a range of blocks, both ends included, as the archive tells.
   *
   * @throws RpcError
   */
  accountsIn(fromBlock: number, toBlock: number): Promise<ReadonlySet<Address>>;
  /** Reads these accounts and follows them from now on. @throws RetryError */
  adopt(accounts: readonly Address[]): Promise<void>;
  /** Whether the account is followed already. */
  isKnown(account: Address): boolean;
  /** Looks whether the search found every account. @throws RetryError */
  prove(): Promise<void>;
}

/** Makes what was found in a range durable, and reads it. */
type Take = (found: ReadonlySet<Address>, history: History) => Promise<void>;

interface Work {
  history: History;
  readonly fromBlock: number;
  readonly unread: Set<Address>;
}

/**
 * Searches the history of each market for accounts, in the background of the live work. It goes range by
 * range, from the oldest block up or from the newest block down, and each range is durable before the next
 * one, so that a restart goes on where it was. An account that was found is read and followed at once.
 */
@Injectable()
export class Backfill {
  private targets: readonly BackfillTarget[] = [];
  private readonly work = new Map<string, Work>();
  private readonly running = new Map<string, Promise<void>>();
  /** Markets whose search was reported as finished. */
  private readonly reported = new Set<string>();
  private readonly stopping = new AbortController();
  private isNewestFirst = false;
  /** Whether the searches found every account. */
  readonly completeness: Completeness;

  constructor(
    private readonly checkpoints: CheckpointStore,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly chain: Chain,
  ) {
    this.completeness = new Completeness(events, clock, (reason) => chain.distrustHistory(reason));
  }

  /** Who was active last is found first. To be called before the start. */
  newestFirst(): void {
    this.isNewestFirst = true;
  }

  /** The markets to search for. To be called once. */
  serve(targets: readonly BackfillTarget[]): void {
    this.targets = targets;
  }

  /** What is left to do for a market: blocks to search, and known accounts that have not been read. */
  expect(market: string, history: History, unread: Iterable<Address>): void {
    const left = new Set([...(this.work.get(market)?.unread ?? []), ...unread]);
    if (history.scannedTo >= history.goal && left.size === 0) return;
    this.work.set(market, { history, fromBlock: history.scannedTo + 1, unread: left });
  }

  get isFinished(): boolean {
    return this.work.size === 0;
  }

  /** How far it is, and how many accounts are known but not read; undefined for a market that is through. */
  progressOf(market: string): (BackfillRange & { readonly unread: number }) | undefined {
    const work = this.work.get(market);
    return work && { ...rangeOf(work), unread: work.unread.size };
  }

  /**
   * Starts to work on every market that is not being worked on. A market that cannot be read, for example
   * because the archive is down, is tried again after a pause, while the others go on. The first time each
   * market is reported as finished, also when there was nothing to do.
   */
  wake(): void {
    if (this.stopping.signal.aborted) return;
    for (const target of this.targets) {
      const { name } = target;
      const hasNews = this.work.has(name) || !this.reported.has(name);
      if (!hasNews || this.running.has(name)) continue;
      const run = this.untilDone(target, this.stopping.signal).finally(() => this.running.delete(name));
      this.running.set(name, run);
    }
  }

  /** Resolves when no market is being worked on. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.running.values());
  }

  /** Ends the work; what is left is taken up by the next start. Never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.race([this.idle(), sleep(STOP_MS, undefined, { ref: false })]);
  }

  private async untilDone(target: BackfillTarget, signal: AbortSignal): Promise<void> {
    const { name: market } = target;
    const startedAtMs = this.clock.monotonicMs();
    let pauseMs = FIRST_PAUSE_MS;
    let borrowers = 0;
    for (let work = this.work.get(market); work; work = this.work.get(market)) {
      try {
        borrowers += await this.readUnread(target, work, signal);
        const searching = work;
        const take: Take = async (found, history) => {
          const before = searching.history;
          borrowers += await this.takeIn(target, searching, found, history, signal);
          pauseMs = FIRST_PAUSE_MS;
          if (history.scannedTo !== before.scannedTo || history.from !== before.from)
            this.events.emit({ event: 'backfill-range', market, ...newsOf(searching), borrowers });
        };
        await (this.isNewestFirst
          ? this.searchDown(target, work.history, take, signal)
          : this.searchUp(target, work.history, take, signal));
        if (this.work.get(market) === work) this.work.delete(market);
      } catch (error) {
        if (signal.aborted) return;
        // A bug does not go away by itself. But the live work goes on without the accounts that are not
        // found.
        const expected = error instanceof RetryError;
        this.events.emit({ event: 'backfill-paused', market, pauseMs, expected, message: messageOf(error) });
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
    await this.proved(target);
    this.reported.add(market);
    const tookMs = Math.round(this.clock.monotonicMs() - startedAtMs);
    this.events.emit({ event: 'backfill-finished', market, borrowers, tookMs });
  }

  private async searchUp(
    target: BackfillTarget,
    history: History,
    take: Take,
    signal: AbortSignal,
  ): Promise<void> {
    const { scannedTo, goal, from = goal + 1 } = history;
    await this.search(target, [scannedTo + 1, from - 1], signal, (found, upTo) =>
      take(found, { ...history, scannedTo: upTo }),
    );
    if (from <= goal) await take(new Set(), { scannedTo: goal, goal });
  }

  private async searchDown(
    target: BackfillTarget,
    { scannedTo, goal, from = goal + 1 }: History,
    take: Take,
    signal: AbortSignal,
  ): Promise<void> {
    if (scannedTo >= goal) return;
    let reached: History = { scannedTo, goal, ...(from <= goal && { from }) };
    for (let lowest = from; lowest > scannedTo + 1;) {
      const to = lowest - 1;
      lowest = Math.max(scannedTo + 1, lowest - RANGES_OF_STEP * this.chain.logSpan({ archive: true }).size);
      // Its ranges count when all of them were searched.
      const step = reached;
      await this.search(target, [lowest, to], signal, (found) => take(found, step));
      reached = { scannedTo, goal, from: lowest };
      await take(new Set(), reached);
    }
    await take(new Set(), { scannedTo: goal, goal });
  }

  private search(
    target: BackfillTarget,
    [from, to]: readonly [number, number],
    signal: AbortSignal,
    onRange: (found: ReadonlySet<Address>, upTo: number) => Promise<void>,
  ): Promise<void> {
    const span = (): AdaptiveSize => this.chain.logSpan({ archive: true });
    return inRanges((first, last) => target.accountsIn(first, last), from, to, onRange, { span, signal });
  }

  /** A failure does not matter: the comparison after each pass looks again. */
  private async proved(target: BackfillTarget): Promise<void> {
    try {
      await target.prove();
    } catch (error) {
      if (!(error instanceof RetryError)) throw error;
    }
  }

  /** Makes the accounts of a range durable, and reads them. @returns how many were read. */
  private async takeIn(
    target: BackfillTarget,
    work: Work,
    found: ReadonlySet<Address>,
    history: History,
    signal: AbortSignal,
  ): Promise<number> {
    if (this.work.get(target.name) !== work)
      throw new RetryError('there is more to search since this search began');
    await this.checkpoints.saveHistory(target.name, [...found], history);
    work.history = history;
    for (const account of found) if (!target.isKnown(account)) work.unread.add(account);
    return this.readUnread(target, work, signal);
  }

  private async readUnread(target: BackfillTarget, { unread }: Work, signal: AbortSignal): Promise<number> {
    let read = 0;
    while (unread.size > 0) {
      signal.throwIfAborted();
      const some = [...firstOf(unread, ACCOUNTS_AT_ONCE)];
      await target.adopt(some);
      for (const account of some) unread.delete(account);
      read += some.length;
    }
    return read;
  }
}

function rangeOf({ fromBlock, history }: Work): BackfillRange {
  return { fromBlock, atBlock: history.scannedTo, toBlock: history.goal };
}

/** As its event tells it. */
function newsOf(work: Work): BackfillRange & { readonly downTo?: number } {
  const { from } = work.history;
  return { ...rangeOf(work), ...(from !== undefined && { downTo: from }) };
}

function* firstOf<T>(items: Iterable<T>, howMany: number): Generator<T> {
  for (const item of items) {
    if (howMany-- <= 0) return;
    yield item;
  }
}
