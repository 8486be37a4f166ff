import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { History } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { messageOf, RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Address } from '../domain/hex.js';
import { Chain } from '../rpc/chain/chain.js';
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

interface Work {
  history: History;
  readonly fromBlock: number;
  readonly unread: Set<Address>;
}

/**
 * Searches the history of each market for accounts, in the background of the live work. It goes range by
 * range, and each range is durable before the next one, so that a restart goes on where it was. An account
 * that was found is read and followed at once.
 */
@Injectable()
export class Backfill {
  private targets: readonly BackfillTarget[] = [];
  private readonly work = new Map<string, Work>();
  private readonly running = new Map<string, Promise<void>>();
  /** Markets whose search was reported as finished. */
  private readonly reported = new Set<string>();
  private readonly stopping = new AbortController();
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
        const { history } = work;
        await inRanges(
          (from, to) => target.accountsIn(from, to),
          history.scannedTo + 1,
          history.goal,
          async (found, upTo) => {
            borrowers += await this.takeIn(target, work, found, upTo, signal);
            this.events.emit({ event: 'backfill-range', market, ...rangeOf(work), borrowers });
            pauseMs = FIRST_PAUSE_MS;
          },
          { span: () => this.chain.logSpan({ archive: true }), signal },
        );
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
    upTo: number,
    signal: AbortSignal,
  ): Promise<number> {
    if (this.work.get(target.name) !== work)
      throw new RetryError('there is more to search since this search began');
    const history = { ...work.history, scannedTo: upTo };
    await this.checkpoints.saveHistory(target.name, [...found], history);
    work.history = history;
    for (const account of found) if (!target.isKnown(account)) work.unread.add(account);
    return this.readUnread(target, work, signal);
  }

  private async readUnread(target: BackfillTarget, { unread }: Work, signal: AbortSignal): Promise<number> {
    let read = 0;
    while (unread.size > 0) {
      signal.throwIfAborted();
      const some = [...take(unread, ACCOUNTS_AT_ONCE)];
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

function* take<T>(items: Iterable<T>, howMany: number): Generator<T> {
  for (const item of items) {
    if (howMany-- <= 0) return;
    yield item;
  }
}
