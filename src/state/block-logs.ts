import type { Block } from '../domain/block.js';
import type { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import { logKey, type RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { LogOptions } from '../rpc/chain/log-reads.js';
import { excludes, makeUp, mayHold, type WatchedLogs } from '../rpc/chain/logs-bloom.js';
import { RpcError } from '../rpc/rpc-errors.js';
import { inRanges } from './ranges.js';

/**
 * The logs that WebSockets delivered. They may be incomplete, so they are never used in place of an answer.
 * But an answer about a block that lacks one of them is not accepted.
 */
export interface DeliveredLogs {
  listenTo(addresses: readonly Address[]): void;
  /** The same list as long as it does not change. */
  heard(blockHash: Hash): readonly RawLog[];
  /** The block does not hold this log: who delivered it is not believed. */
  invented(log: RawLog): void;
}

/** How many blocks are remembered with what was applied of them. */
const REMEMBERED_BLOCKS = 64;
/** How often the whole of a block is asked for, at most: milliseconds. */
const PROOF_INTERVAL_MS = 1_000;
/** Blocks whose proof is asked for at once. */
const MOST_PROOFS = 4;
/** Second looks on their way at once. */
const MOST_LOOKS = 4;
/** A log that no endpoint has for so long does not exist, when all of them answer, … */
const ABSENT_EVERYWHERE_MS = 2_000;
/** … or when one of them does. */
const ABSENT_MS = 10_000;

/** What was applied of a block. */
interface Applied {
  readonly watched: WatchedLogs;
  readonly keys: ReadonlySet<string>;
  /** What was known when nothing was lacking: the same lists need no second look. */
  complete?: { readonly heard: readonly RawLog[]; readonly found: readonly RawLog[] };
}

const NONE: readonly RawLog[] = [];

/**
 * The logs of blocks, and what is believed of them (F44). An endpoint may leave logs out, or a WebSocket may
 * deliver invented ones. What is known of a block beside the answer of one endpoint:
 *
 * - its bloom. It excludes logs for certain. It never proves that one exists.
 * - logs that WebSockets delivered, and logs that another endpoint gave at a second look. An answer that
 *   lacks one of them is not accepted, unless the log is shown to be invented.
 * - the whole: all logs of the block, of any contract, set exactly the bits of its bloom.
 */
export class BlockLogs {
  private readonly applied = new Map<Hash, Applied>();
  /** What second looks found. */
  private readonly found = new Map<Hash, readonly RawLog[]>();
  /** Since when no endpoint has a log that is known, in monotonic milliseconds. */
  private readonly absentSinceMs = new Map<string, number>();
  private readonly invented = new Set<string>();
  private readonly provedAtMs = new Map<Hash, number>();
  /** Second looks that are on their way. */
  private readonly looks = new Set<Promise<void>>();

  /** @param delivered the logs of WebSockets, where there are any. */
  constructor(
    private readonly chain: Chain,
    private readonly clock: Clock,
    private readonly delivered?: DeliveredLogs,
  ) {}

  listenTo(watched: WatchedLogs): void {
    this.delivered?.listenTo([...watched.keys()]);
  }

  /**
   * The logs of blocks, each in the order of the chain. The node is asked only for blocks whose bloom says
   * that they may hold watched logs, and for blocks of which more is known.
   *
   * @param blocks each the child of the one before it.
   * @param check throws when a log is malformed. Then nothing of the answer is used.
   * @throws RpcError when the chain could not be read, or the node answered for another branch.
   */
  async read(
    blocks: readonly Block[],
    watched: WatchedLogs,
    check: (log: RawLog) => void,
  ): Promise<RawLog[][]> {
    const mustHold = blocks.flatMap((block) => this.known(block, watched));
    const known = new Set(mustHold.map(({ blockHash }) => blockHash));
    const wanted = blocks.filter(({ hash, logsBloom }) => known.has(hash) || mayHold(logsBloom, watched));
    try {
      return byBlock(blocks, await this.answerFor(wanted, watched, { mustHold, check }));
    } catch (error) {
      if (mustHold.length === 0 || !(error instanceof RetryError)) throw error;
      const suspects = wanted.filter(({ hash }) => known.has(hash)).slice(0, MOST_PROOFS);
      const cleared = await Promise.all(suspects.map((block) => this.dropInvented(block, watched)));
      if (!cleared.includes(true)) throw error;
      return this.read(blocks, watched, check);
    }
  }

  /** These logs of a block were applied. */
  note(block: Block, logs: readonly RawLog[], watched: WatchedLogs): void {
    this.applied.delete(block.hash);
    // Nothing that was only heard: a WebSocket may have delivered it since the answer.
    this.applied.set(block.hash, { watched, keys: new Set(logs.map(logKey)) });
    const [oldest] = this.applied.keys();
    if (this.applied.size <= REMEMBERED_BLOCKS || oldest === undefined) return;
    this.applied.delete(oldest);
    this.found.delete(oldest);
  }

  /** Whether more logs of the block are known by now than were applied. */
  lacks(block: Block): boolean {
    const applied = this.applied.get(block.hash);
    if (!applied) return false;
    const heard = this.delivered?.heard(block.hash) ?? NONE;
    const found = this.found.get(block.hash) ?? NONE;
    if (applied.complete?.heard === heard && applied.complete.found === found) return false;
    if (this.known(block, applied.watched, applied.keys).length > 0) return true;
    applied.complete = { heard, found };
    return false;
  }

  /**
   * Asks another endpoint about blocks whose bloom speaks of logs that the answer did not hold: in the
   * background, because nearly always the bloom says so by coincidence. Where there is no other endpoint, the
   * same one is asked again. Never throws.
   */
  async lookAgain(blocks: readonly Block[], watched: WatchedLogs, logs: readonly RawLog[]): Promise<void> {
    const look = this.look(blocks, watched, logs).finally(() => this.looks.delete(look));
    this.looks.add(look);
    await look;
  }

  /** Waits for the second looks that are on their way. */
  async looked(): Promise<void> {
    await Promise.all(this.looks);
  }

  private async look(blocks: readonly Block[], watched: WatchedLogs, logs: readonly RawLog[]): Promise<void> {
    const doubtful = blocks.filter(({ hash, logsBloom }) => {
      if (logsBloom === undefined) return false;
      const own = logs.filter(({ blockHash }) => blockHash === hash);
      return mayHold(logsBloom, watched, own);
    });
    const [first] = doubtful;
    const last = doubtful.at(-1);
    if (!first || !last || this.looks.size >= MOST_LOOKS) return;
    const range =
      first === last ? { blockHash: first.hash } : { fromBlock: first.number, toBlock: last.number };
    const answers = await this.chain.logsElsewhere(range, [...watched.keys()]);
    const seen = answers.flatMap(({ value }) => value ?? []);
    for (const block of doubtful) {
      const more = seen.filter((log) => log.blockHash === block.hash && this.isMissing(log));
      if (more.length > 0) await this.take(block, more);
    }
  }

  private isMissing(log: RawLog): boolean {
    return this.applied.get(log.blockHash)?.keys.has(logKey(log)) === false;
  }

  /** Keeps what a second look found, when it is shown to exist. */
  private async take(block: Block, more: readonly RawLog[]): Promise<void> {
    const { whole, answers } = await this.wholeOf(block);
    const shown = more.filter((log) =>
      whole.length > 0 ? whole.some((logs) => has(logs, log)) : answers.every((logs) => has(logs, log)),
    );
    if (answers.length > 0 && shown.length > 0) this.found.set(block.hash, shown);
  }

  /**
   * What is known to be in the block beside the answers, of the contracts that are watched.
   *
   * @param without the keys of logs that are left out.
   */
  private known(
    { hash, logsBloom }: Block,
    watched: WatchedLogs,
    without: ReadonlySet<string> = new Set(),
  ): RawLog[] {
    const heard = [...(this.delivered?.heard(hash) ?? []), ...(this.found.get(hash) ?? [])];
    return heard.filter((log) => {
      const key = logKey(log);
      if (without.has(key) || !watched.has(log.address) || this.invented.has(key)) return false;
      // Only a header whose hash was computed from its fields has a bloom that nobody can change.
      if (!this.chain.headersAreProven || !excludes(logsBloom, log)) return true;
      this.drop(log);
      return false;
    });
  }

  /** Whether logs that are known of this block were found to be invented. */
  private async dropInvented(block: Block, watched: WatchedLogs): Promise<boolean> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - (this.provedAtMs.get(block.hash) ?? Number.NEGATIVE_INFINITY) < PROOF_INTERVAL_MS)
      return false;
    this.provedAtMs.delete(block.hash);
    this.provedAtMs.set(block.hash, nowMs);
    forgetOldest(this.provedAtMs);
    const { whole, answers, asked } = await this.wholeOf(block);
    let dropped = false;
    for (const log of this.known(block, watched)) {
      const key = logKey(log);
      if ((whole.length > 0 ? whole : answers).some((logs) => has(logs, log))) {
        this.absentSinceMs.delete(key);
        continue;
      }
      const sinceMs = this.absentSinceMs.get(key) ?? nowMs;
      this.absentSinceMs.set(key, sinceMs);
      forgetOldest(this.absentSinceMs);
      const patienceMs = answers.length === asked ? ABSENT_EVERYWHERE_MS : ABSENT_MS;
      if (whole.length === 0 && (answers.length === 0 || nowMs - sinceMs < patienceMs)) continue;
      this.drop(log);
      dropped = true;
    }
    return dropped;
  }

  private drop(log: RawLog): void {
    this.invented.add(logKey(log));
    forgetOldest(this.invented);
    this.delivered?.invented(log);
  }

  /** All logs of a block as each endpoint gives them, and those answers that set the bits of its bloom. */
  private async wholeOf({ hash, logsBloom }: Block): Promise<{
    readonly whole: readonly (readonly RawLog[])[];
    readonly answers: readonly (readonly RawLog[])[];
    readonly asked: number;
  }> {
    const each = await this.chain.logsEverywhere({ blockHash: hash }, []);
    const answers = each.flatMap(({ value }) => (value ? [value] : []));
    const whole = logsBloom === undefined ? [] : answers.filter((logs) => makeUp(logsBloom, logs));
    return { whole, answers, asked: each.length };
  }

  private async answerFor(
    blocks: readonly Block[],
    watched: WatchedLogs,
    options: Pick<LogOptions, 'mustHold' | 'check'>,
  ): Promise<RawLog[]> {
    const [first] = blocks;
    const last = blocks.at(-1);
    if (!first || !last) return [];
    const addresses = [...watched.keys()];
    // The node answers for this very block or not at all.
    if (first === last) return this.chain.getLogs({ blockHash: first.hash }, addresses, [], options);
    const logs: RawLog[] = [];
    await inRanges(
      (fromBlock, toBlock) => this.chain.getLogs({ fromBlock, toBlock }, addresses, [], options),
      first.number,
      last.number,
      (piece) => {
        logs.push(...piece);
      },
      { span: () => this.chain.logSpan() },
    );
    return logs;
  }
}

/** The most marks of one kind that are kept. */
const MOST_MARKS = 10_000;

function forgetOldest(marks: Map<string, unknown> | Set<string>): void {
  const [oldest] = marks.keys();
  if (marks.size > MOST_MARKS && oldest !== undefined) marks.delete(oldest);
}

function has(logs: readonly RawLog[], wanted: RawLog): boolean {
  const key = logKey(wanted);
  return logs.some((log) => logKey(log) === key && log.address === wanted.address);
}

function byBlock(blocks: readonly Block[], logs: readonly RawLog[]): RawLog[][] {
  const sorted = new Map<Hash, RawLog[]>(blocks.map(({ hash }) => [hash, []]));
  for (const log of logs) {
    const own = sorted.get(log.blockHash);
    // A question by block numbers is answered for the node's present branch, which may have changed.
    if (!own) throw new RpcError('out-of-sync', 'rpc', `block ${log.blockNumber} was replaced meanwhile`);
    own.push(log);
  }
  return [...sorted.values()];
}
