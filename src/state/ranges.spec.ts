import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakePool, type FakePool } from '../../testing/nodes/fake-pool.js';
import {
  GatewayFault,
  html200,
  html502,
  NodeRefusal,
  logOf,
  type Fault,
  type FakeRpc,
} from '../../testing/nodes/fake-rpc.js';
import { Chain } from '../rpc/chain/chain.js';
import { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';
import { inRanges } from './ranges.js';
import { faultBegins } from '../../testing/fault-times.js';

const HEAD = 20_000;
/** One log in each five hundred blocks. */
const blocksWithLogs = (from: number, to: number): number[] =>
  Array.from(
    { length: Math.floor(to / 500) - Math.floor((from - 1) / 500) },
    (_, index) => (Math.floor((from - 1) / 500) + 1 + index) * 500,
  );

let fakes: FakePool;
let chain: Chain;
let asked: number;
let refused: number;

beforeEach(async () => {
  fakes = await startFakePool({ withArchive: true, timings: { deadlineMs: 2_000 } });
  chain = new Chain(fakes.pool);
  asked = 0;
  refused = 0;
  for (const node of [fakes.archive, fakes.primary, fakes.backup]) node.head = HEAD;
});

afterEach(() => fakes.close());

/** A node that serves at most `limit` blocks in a range, and otherwise refuses as `refuse` says. */
function limited(node: FakeRpc, limit: number, refuse: () => unknown): void {
  node.on('eth_getLogs', ([filter]) => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    asked++;
    if (to - from + 1 <= limit) return blocksWithLogs(from, to).map((number) => logOf(number));
    refused++;
    return refuse();
  });
}

async function logsIn(
  from: number,
  to: number,
  archive = true,
): Promise<{ found: number[]; upTo: number[] }> {
  const found: number[] = [];
  const upTo: number[] = [];
  await inRanges(
    (fromBlock, toBlock) => chain.getLogs({ fromBlock, toBlock }, [], [], { archive }),
    from,
    to,
    (logs, reached) => {
      found.push(...logs.map(({ blockNumber }) => blockNumber));
      upTo.push(reached);
    },
    { span: () => chain.logSpan({ archive }) },
  );
  return { found, upTo };
}

const words = (code: number, message: string) => (): NodeRefusal => new NodeRefusal(code, message);
/** The gateway answers in the place of the node, whatever the node says. */
const gateway = (fault: Fault) => (): GatewayFault => new GatewayFault(fault);

const REFUSALS: [string, () => unknown][] = [
  ['infura', words(-32602, 'range 10000 exceeds limit of 1000')],
  ['drpc free', words(35, 'ranges over 1000 blocks are not supported on freetier')],
  ['reth', words(-32602, 'query exceeds max results 20000, retry with the range 1-500')],
  ['thirdweb', words(-32005, 'Try with this block range [0x1, 0x3e8].')],
  ['alchemy', words(-32600, 'this block range should work: [0x0, 0x3e7]')],
  ['scroll', words(-32000, 'block range is bigger than maxBlockRange')],
  ['geth slow', words(-32002, 'request timed out')],
  ['erigon', words(-32000, 'context deadline exceeded')],
  ['a refusal that nobody has heard before', words(-31999, 'computer says no')],
  ['an internal error', words(-32603, 'Internal error')],
  ['HTTP 413', gateway({ kind: 'status', status: 413 })],
  ['HTTP 502', gateway(html502)],
  ['HTTP 503', gateway({ kind: 'status', status: 503 })],
  ['HTTP 504', gateway({ kind: 'status', status: 504 })],
  ['cloudflare 524', gateway({ kind: 'status', status: 524 })],
  ['a web page', gateway(html200)],
  ['a cut connection', gateway({ kind: 'reset' })],
];

describe('F11 a range of logs that the provider does not serve', () => {
  it.each(REFUSALS)('F11 %s: it is cut until it is served, and no log is missing', async (name, refuse) => {
    limited(fakes.archive, 1_000, refuse);
    expect((await logsIn(1, HEAD)).found).toEqual(blocksWithLogs(1, HEAD));
    expect(fakes.pool.status()[2]).toMatchObject({ role: 'archive', state: 'ok', struggling: false });

    // Remembered: a second search begins with what was served.
    refused = 0;
    expect((await logsIn(1, HEAD)).found).toEqual(blocksWithLogs(1, HEAD));
    // A read over a cut connection is made twice, and the answers to its neighbours are cut too.
    expect(refused).toBeLessThanOrEqual(name === 'a cut connection' ? 16 : 8);
  });

  it('F11 with a limit of 500, of all questions only a handful are refused', async () => {
    limited(fakes.archive, 500, words(-32000, 'no'));
    for (let i = 0; i < 20; i++) await logsIn(1, HEAD);
    expect(asked).toBeGreaterThan(800);
    expect(refused).toBeLessThan(20);
  });

  it('F11 when the provider serves more again, the ranges grow again', async () => {
    const fault = faultBegins();
    limited(fakes.archive, 10, words(-32600, 'up to a 10 block range'));
    await logsIn(1, 300);
    fault.detected();
    fault.over();
    limited(fakes.archive, Infinity, words(0, ''));
    await logsIn(1, HEAD);
    asked = 0;
    await logsIn(1, HEAD);
    expect(asked).toBeLessThan(10);
    fault.recovered();
  });

  it('F11 each endpoint has a length of its own', async () => {
    limited(fakes.archive, 100, words(-32000, 'limited to 100 blocks'));
    limited(fakes.primary, 5_000, words(-32000, 'limited to 5000 blocks'));
    await logsIn(1, 1_000, true);
    await logsIn(1, HEAD, false);
    expect([chain.logSpan({ archive: true }).size, chain.logSpan().size]).toEqual([100, 5_000]);
  });

  it('F11 several pieces are on their way at once, and are handed over in the order of the blocks', async () => {
    let waiting = 0;
    let most = 0;
    limited(fakes.archive, 1_000, words(-32000, 'limited to 1000 blocks'));
    const size = new AdaptiveSize({ first: 1_000, largest: 1_000, patience: 8 });
    const upTo: number[] = [];
    await inRanges(
      async (from, to) => {
        most = Math.max(most, ++waiting);
        await new Promise((resolve) => setTimeout(resolve, (HEAD - from) / 2_000));
        waiting--;
        return to;
      },
      1,
      HEAD,
      (_piece, reached) => void upTo.push(reached),
      { span: () => size },
    );
    expect(most).toBe(4);
    expect(upTo).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 1_000));
  });

  it('F11 an outage is not taken for a long range: it is reported, and the length is as before', async () => {
    limited(fakes.archive, Infinity, words(0, ''));
    fakes.archive.fault = html502;
    await expect(logsIn(1, HEAD)).rejects.toMatchObject({ kind: 'provider' });
    fakes.archive.fault = undefined;
    asked = 0;
    await logsIn(1, HEAD);
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('F11 a live endpoint whose gateway gives up on long ranges keeps its place', async () => {
    limited(fakes.primary, 1_000, gateway(html502));
    limited(fakes.backup, 1_000, gateway(html502));
    expect((await logsIn(1, HEAD, false)).found).toEqual(blocksWithLogs(1, HEAD));
    expect(fakes.pool.status()[0]).toMatchObject({ role: 'primary', state: 'ok', struggling: false });
  });

  it('F01 a rate limit is none of these: the range stays as it is, and the search waits', async () => {
    limited(fakes.archive, Infinity, words(0, ''));
    fakes.archive.fault = { kind: 'status', status: 429, headers: { 'retry-after': '1' } };
    await expect(logsIn(1, HEAD)).rejects.toMatchObject({ kind: 'rate-limit', retryAfterMs: 1_000 });
    expect(chain.logSpan({ archive: true }).size).toBe(10_000);
  });
});
