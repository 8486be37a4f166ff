import type { HypersyncClient as RealClient, Query, QueryResponse } from '@envio-dev/hypersync-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import { addressWord, type Address, type Hash } from '../../domain/hex.js';
import {
  type HypersyncAnswer,
  type HypersyncClient,
  type HypersyncLog,
  type HypersyncQuery,
} from './hypersync-client.js';
import { HypersyncHistory } from './hypersync-history.js';

const POOL: Address = '0x00000000000000000000000000000000000000aa';
const BORROW: Hash = `0x${'b0'.repeat(32)}`;
const word = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;

const logAt = (blockNumber: number, changes: Partial<HypersyncLog> = {}): HypersyncLog => ({
  ...{ address: POOL, data: '0x', topics: [BORROW, `0x${addressWord(POOL)}`, null, undefined] },
  ...{ blockNumber, blockHash: word(blockNumber), logIndex: 0, transactionHash: word(1) },
  ...changes,
});

/** A log in each hundredth block, and so many blocks in an answer. */
class FakeServer implements HypersyncClient {
  chainId = 8453;
  height: number | undefined = 1_000_000;
  most = 300;
  answer: (() => Promise<HypersyncAnswer>) | undefined;
  change = (log: HypersyncLog): HypersyncLog => log;
  readonly asked: HypersyncQuery[] = [];

  getChainId(): Promise<number> {
    return Promise.resolve(this.chainId);
  }

  get(query: HypersyncQuery): Promise<HypersyncAnswer> {
    this.asked.push(query);
    if (this.answer) return this.answer();
    const end = Math.min(query.toBlock, query.fromBlock + this.most, (this.height ?? Infinity) + 1);
    const logs: HypersyncLog[] = [];
    for (let block = query.fromBlock; block < end; block++)
      if (block % 100 === 0) logs.push(this.change(logAt(block)));
    const archiveHeight = this.height === undefined ? {} : { archiveHeight: this.height };
    return Promise.resolve({ ...archiveHeight, nextBlock: Math.max(end, query.fromBlock), data: { logs } });
  }
}

let server: FakeServer;
let events: RecordedEvents;
let clock: TestClock;
let history: HypersyncHistory;

beforeEach(() => {
  [server, events, clock] = [new FakeServer(), new RecordedEvents(), new TestClock()];
  history = new HypersyncHistory(server, 8453, events, clock);
});

const read = (fromBlock: number, toBlock: number): ReturnType<HypersyncHistory['read']> =>
  history.read({ fromBlock, toBlock }, [POOL], [BORROW]);
const blocks = async (fromBlock: number, toBlock: number): Promise<unknown> => {
  const found = await read(fromBlock, toBlock);
  return found && { upTo: found.upTo, blocks: found.logs.map(({ blockNumber }) => blockNumber) };
};
const told = (): unknown[] =>
  events.named('history-left-to-nodes').map(({ fromBlock, toBlock, reason }) => [fromBlock, toBlock, reason]);

describe('old logs from HyperSync', () => {
  it('are asked for page by page, with the last block included, in the form of a node', async () => {
    expect(await blocks(50, 700)).toEqual({ upTo: 700, blocks: [100, 200, 300, 400, 500, 600, 700] });
    expect(server.asked.map(({ fromBlock, toBlock }) => [fromBlock, toBlock])).toEqual([
      [50, 701],
      [350, 701],
      [650, 701],
    ]);
    expect(server.asked[0]).toMatchObject({ logs: [{ address: [POOL], topics: [[BORROW]] }], joinMode: 2 });
    expect((await read(100, 100))?.logs).toEqual([
      {
        ...{ address: POOL, topics: [BORROW, `0x${addressWord(POOL)}`], data: '0x' },
        ...{ blockNumber: 100, blockHash: word(100), transactionHash: word(1), logIndex: 0 },
      },
    ]);
    expect(told()).toEqual([]);
    server.height = undefined;
    expect(await blocks(0, 100)).toEqual({ upTo: 100, blocks: [0, 100] });
  });

  it('the newest 64 blocks are left to a node, and nothing is said of it', async () => {
    server.height = 1_020;
    expect(await blocks(700, 1_010)).toEqual({ upTo: 956, blocks: [700, 800, 900] });
    expect(await blocks(957, 1_010)).toEqual({ upTo: 956, blocks: [] });
    expect(told()).toEqual([]);
  });

  it('of a server that lags, what it lacks is left to a node', async () => {
    server.height = 500;
    expect(await blocks(0, 1_000)).toEqual({ upTo: 436, blocks: [0, 100, 200, 300, 400] });
    expect(told()).toEqual([[437, 1_000, 'it is at block 500']]);
    expect(history.span()?.size).toBe(1_000_000);
    expect(await blocks(437, 1_000)).toEqual({ upTo: 436, blocks: [] });
    // It is not asked for each of the ranges that follow.
    expect(history.span()).toBeUndefined();
  });

  it('of a server that fails, a node is asked for a minute', async () => {
    server.answer = () =>
      Promise.reject(
        new Error('run inner query\n0: http response status code 503 of https://server.example/x'),
      );
    const [one, other] = await Promise.all([read(0, 10), read(11, 20)]);
    expect([one, other]).toEqual([undefined, undefined]);
    expect(told()).toEqual([[0, 10, 'it answers with the status 503']]);
    expect(history.span()).toBeUndefined();
    server.answer = undefined;
    expect(await read(0, 10)).toBeUndefined();
    clock.advance(60_000);
    expect(history.span()?.size).toBe(1_000_000);
    expect(await blocks(0, 10)).toEqual({ upTo: 10, blocks: [0] });
  });

  it('of another chain are not taken', async () => {
    server.chainId = 1;
    expect(await read(0, 10)).toBeUndefined();
    expect(told()).toEqual([[0, 10, 'it is of chain 1']]);
    expect(server.asked).toEqual([]);
  });

  it.each<[string, Partial<HypersyncLog>, string]>([
    ['of another contract', { address: word(7).slice(0, 42) }, 'a log is from an address not asked for'],
    ['of another event', { topics: [word(9)] }, 'a log has topics that were not asked for'],
    ['of another block', { blockNumber: 5_000 }, 'a log is from a block not asked for'],
    ['without its block', { blockNumber: -1 }, 'blockNumber'],
    ['without its place', { logIndex: 0.5 }, 'logIndex'],
    ['without data', { data: 'none' }, 'data'],
  ])('with a log %s, the whole answer is not taken', async (_, changes, reason) => {
    server.change = (log) => ({ ...log, ...changes });
    expect(await read(0, 10)).toBeUndefined();
    expect(told()).toEqual([[0, 10, expect.stringContaining(reason)]]);
  });

  it('are not asked for any more when some were left out', async () => {
    history.distrust('debts are missing');
    history.distrust('debts are missing');
    clock.advance(3_600_000);
    expect([history.span(), await read(0, 10)]).toEqual([undefined, undefined]);
    expect(events.all).toEqual([{ event: 'history-distrusted', reason: 'debts are missing' }]);
  });

  it('of a server that does not get on are not waited for', async () => {
    server.most = 0;
    expect(await read(5, 10)).toBeUndefined();
    expect(told()).toEqual([[5, 10, 'it does not get on']]);
  });
});

describe('the client of HyperSync', () => {
  it('is asked in the words of its types', () => {
    // The server of the integration spec reads the join mode.
    const query = (own: Omit<HypersyncQuery, 'joinMode'>): Query => own;
    const answer = (real: QueryResponse): HypersyncAnswer => real;
    const chainId = (real: RealClient): Promise<number> => real.getChainId();
    expect([query, answer, chainId]).toHaveLength(3);
  });
});
