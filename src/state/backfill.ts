import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { History } from '../database/index.js';
import { messageOf, RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import { CheckpointStore } from './checkpoint-store.js';
import { inRanges } from './ranges.js';

/** Accounts read from the chain at once: some 30 calls each, in a round trip of a few seconds at most. */
const ACCOUNTS_AT_ONCE = 500;
/** The wait after a failure, doubled each time. Milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface BackfillRange {
  readonly fromBlock: number;
  /** Looked through up to here. */
  readonly atBlock: number;
  readonly toBlock: number;
}

export interface BackfillProgress extends BackfillRange {
  /** Found so far by this process. */
  readonly borrowers: number;
}

/** What the backfill needs of the picture. */
export interface BackfillTarget {
  readonly name: string;
  /** The archive's word on who borrowed in a range of blocks, both ends included. @throws RpcError */
  borrowersIn(fromBlock: number, toBlock: number): Promise<ReadonlySet<Address>>;
  /** Reads these positions and follows them from now on. @throws RetryError */
  adopt(accounts: readonly Address[]): Promise<void>;
}

interface Work {
  history: History;
  readonly fromBlock: number;
  readonly unread: Set<Address>;
}

/**
 * Looks for everybody who ever borrowed, in the background of the live work: range by range through the history, each range
 * durable before the next, so that it goes on where it was after whatever happened. Whoever is found is read and followed at once.
 */
@Injectable()
export class Backfill {
  private readonly logger = new Logger(Backfill.name);
  private readonly work = new Map<string, Work>();
  private readonly running = new Map<string, Promise<void>>();
  /** Markets whose search was told to be finished. */
  private readonly told = new Set<string>();

  constructor(private readonly checkpoints: CheckpointStore) {}

  /** What is left to do for a market: blocks to look through, and accounts that were found and not read yet. */
  expect(market: string, history: History, unread: Iterable<Address>): void {
    const left = new Set([...(this.work.get(market)?.unread ?? []), ...unread]);
    if (history.scannedTo >= history.goal && left.size === 0) return;
    this.work.set(market, { history, fromBlock: history.scannedTo + 1, unread: left });
  }

  get isFinished(): boolean {
    return this.work.size === 0;
  }

  /** Whether there is something to do that nobody does. */
  get needsRun(): boolean {
    return [...this.work.keys()].some((market) => !this.running.has(market));
  }

  /** How far it is, and how many were found but not read; undefined for a market whose borrowers are all known. */
  progressOf(market: string): (BackfillRange & { readonly unread: number }) | undefined {
    const work = this.work.get(market);
    return work && { ...rangeOf(work), unread: work.unread.size };
  }

  /**
   * Works until nothing is left or the signal is aborted; never throws. A market that cannot be read, the archive being down, is
   * tried again after a pause while the others go on. Whoever calls it again meanwhile waits for the same work.
   *
   * @param onFinished called when a market is through, the first time also when there was nothing to do.
   */
  run(
    targets: readonly BackfillTarget[],
    onProgress: (market: string, progress: BackfillProgress) => void,
    onFinished: (market: string, borrowers: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const runs = targets.map((target) => {
      const run =
        this.running.get(target.name) ??
        this.untilDone(target, onProgress, onFinished, signal).finally(() =>
          this.running.delete(target.name),
        );
      this.running.set(target.name, run);
      return run;
    });
    return Promise.all(runs).then(() => undefined);
  }

  private async untilDone(
    target: BackfillTarget,
    onProgress: (market: string, progress: BackfillProgress) => void,
    onFinished: (market: string, borrowers: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const isNews = this.work.has(target.name) || !this.told.has(target.name);
    let pauseMs = FIRST_PAUSE_MS;
    let borrowers = 0;
    for (let work = this.work.get(target.name); work; work = this.work.get(target.name)) {
      try {
        borrowers += await this.readUnread(target, work, signal);
        const { history } = work;
        await inRanges(
          (from, to) => target.borrowersIn(from, to),
          history.scannedTo + 1,
          history.goal,
          async (found, upTo) => {
            borrowers += await this.piece(target, work, found, upTo, signal);
            onProgress(target.name, { ...rangeOf(work), borrowers });
            pauseMs = FIRST_PAUSE_MS;
          },
          signal,
        );
        if (this.work.get(target.name) === work) this.work.delete(target.name);
      } catch (error) {
        if (signal.aborted) return;
        // A bug would not go away by itself, but the live work may go on without those who are not found.
        const how = error instanceof RetryError ? 'pauses' : 'failed';
        this.logger.warn(`the backfill of ${target.name} ${how} for ${pauseMs} ms: ${messageOf(error)}`);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
    this.told.add(target.name);
    if (isNews) onFinished(target.name, borrowers);
  }

  private async piece(
    target: BackfillTarget,
    work: Work,
    found: ReadonlySet<Address>,
    upTo: number,
    signal: AbortSignal,
  ): Promise<number> {
    if (this.work.get(target.name) !== work)
      throw new RetryError('there is more to look for since the search began');
    const history = { ...work.history, scannedTo: upTo };
    await this.checkpoints.saveHistory(target.name, [...found], history);
    work.history = history;
    for (const account of found) work.unread.add(account);
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
