import type { Block } from '../../src/domain/block.js';
import type { Address } from '../../src/domain/hex.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../../src/rpc/chain/logs-bloom.js';
import type { Read } from '../../src/rpc/chain/read.js';
import type { BlockStep, Followed } from '../../src/state/followed.js';

interface FakeStep extends BlockStep {
  readonly logs: readonly RawLog[];
}

/**
 * Follows only logs: its view is the data of all logs of its contracts, in order. It writes each call into a
 * journal, which several of these objects may share.
 */
export class FakeFollowed implements Followed<readonly string[], FakeStep, number, undefined> {
  watched: WatchedLogs;
  /** The result of the next prepared block, besides its logs. */
  next: Partial<BlockStep> & { readonly watched?: readonly Address[]; readonly fails?: Error } = {};
  /** A log with this data counts as malformed. */
  malformed: string | undefined;
  private seen: string[] = [];

  constructor(
    readonly name: string,
    contract: Address,
    private readonly journal: string[] = [],
  ) {
    this.watched = new Map([[contract, []]]);
  }

  check({ data }: RawLog): void {
    if (data === this.malformed) throw new RangeError('the log is malformed');
  }

  async prepare(block: Block, logs: readonly RawLog[]): Promise<FakeStep> {
    this.journal.push(`${this.name} prepares ${block.number}`);
    await Promise.resolve();
    const { fails, watched, ...step } = this.next;
    this.next = {};
    if (fails) throw fails;
    if (watched) this.watched = new Map(watched.map((address) => [address, []]));
    const own = logs.filter(({ address }) => this.watched.has(address));
    return { readsChange: false, contradicted: [], ...step, logs: own };
  }

  commit({ logs }: FakeStep, block: Pick<Block, 'number'>): number {
    this.journal.push(`${this.name} commits ${block.number}`);
    const before = this.seen.length;
    this.seen = [...this.seen, ...logs.map(({ data }) => data)];
    return before;
  }

  undo(before: number): void {
    this.journal.push(`${this.name} undoes`);
    this.seen = this.seen.slice(0, before);
  }

  prepareRange(): Promise<FakeStep> {
    return Promise.resolve({ readsChange: true, contradicted: [], logs: [] });
  }

  commitRange(step: FakeStep, block: Pick<Block, 'number'>): void {
    this.seen = [];
    this.commit(step, block);
  }

  reads(): Read<undefined> {
    return { calls: [], decode: () => undefined };
  }

  view(): readonly string[] {
    return this.seen;
  }
}
