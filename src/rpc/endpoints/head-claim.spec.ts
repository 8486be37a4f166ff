import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { blockOf, hashOf, hex, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { toNumber } from '../quantities.js';
import { faultBegins } from '../../../testing/fault-times.js';

const HEAD = 2_000;

let fakes: FakePool;
let primary: FakeRpc;
let backup: FakeRpc;

beforeEach(async () => {
  fakes = await startFakePool({ timings: { probeDeadlineMs: 2_000, deadlineMs: 2_000 } });
  ({ primary, backup } = fakes);
  primary.head = HEAD;
  backup.head = HEAD;
});
afterEach(() => fakes.close());

const states = (): unknown => fakes.pool.status().map(({ state }) => state);

/** The node answers its latest block as it likes, and everything else truly. */
const claims = (node: FakeRpc, latest: object, shown: (number: number) => unknown = () => null): void => {
  node.on('eth_blockNumber', () => (latest as { number: string }).number);
  node.on('eth_getBlockByNumber', ([tag]) => {
    if (tag === 'latest') return latest;
    const number = Number(tag);
    return number <= HEAD ? blockOf(number) : shown(number);
  });
};
const honest = (node: FakeRpc, head: number): void => {
  node.head = head;
  node.on('eth_blockNumber', () => hex(head));
  node.on('eth_getBlockByNumber', ([tag]) => blockOf(tag === 'latest' ? head : Number(tag)));
};

const far = blockOf(HEAD + 1_000);
const invented = (number: number): object => blockOf(number, 9);

describe('F41 an endpoint that claims a far higher block', () => {
  it.each<[string, object, ((number: number) => unknown)?]>([
    ['a header 1,000 ahead, and none below it', far],
    ['a header 1,000 ahead with the time of now', { ...far, timestamp: blockOf(HEAD)['timestamp'] }],
    ['a header of the year 2030', { ...far, timestamp: hex(1_900_000_000) }, blockOf],
    ['a header 2^34 ahead', blockOf(2 ** 34)],
    ['headers that do not begin at the chain', blockOf(HEAD + 100, 9), invented],
    ['headers of which one is missing', blockOf(HEAD + 100), (n) => (n === HEAD + 50 ? null : blockOf(n))],
    [
      'headers of which one has another parent',
      blockOf(HEAD + 100),
      (n) => (n === HEAD + 50 ? { ...blockOf(n), parentHash: hashOf(1) } : blockOf(n)),
    ],
    ['a head with another hash than its headers', { ...blockOf(HEAD + 50), hash: hashOf(5) }, blockOf],
  ])('F41 with %s: it is set aside, and the honest one stays', async (_name, latest, shown) => {
    for (const [liar, other] of [
      [backup, primary],
      [primary, backup],
    ] as const) {
      claims(liar, latest, shown);
      await fakes.pool.probe();
      expect(states()).toEqual(liar === backup ? ['ok', 'not-believed'] : ['not-believed', 'ok']);
      other.on('eth_chainId', () => '0x7a69');
      expect(await fakes.pool.call('eth_blockNumber', [], toNumber)).toBe(HEAD);
      expect(await fakes.pool.checkEndpoints()).toEqual([]);

      honest(liar, HEAD + 1);
      await fakes.pool.probe();
      expect(states()).toEqual(['ok', 'ok']);
      liar.head = HEAD;
      honest(liar, HEAD);
    }
  });

  it('F41 and shows it over a WebSocket too: the honest one keeps its place, and both have it when the claim ends', async () => {
    claims(primary, far);
    fakes.pool.sawHead(HEAD + 1_000);
    await fakes.pool.probe();
    fakes.pool.sawHead(HEAD + 1_001);
    await fakes.pool.probe();
    expect(states()).toEqual(['not-believed', 'ok']);
    honest(primary, HEAD + 1);
    await fakes.pool.probe();
    expect(states()).toEqual(['ok', 'ok']);
  });

  it('F07 with headers that lead there: the other one is behind, until it has caught up', async () => {
    const fault = faultBegins();
    honest(backup, HEAD + 400);
    await fakes.pool.probe();
    expect(states()).toEqual(['out-of-sync', 'ok']);
    fault.detected();
    honest(backup, HEAD + 1_000); // more than are all read
    await fakes.pool.probe();
    expect(states()).toEqual(['out-of-sync', 'ok']);
    fault.over();
    honest(primary, HEAD + 1_000);
    await fakes.pool.probe();
    expect(states()).toEqual(['ok', 'ok']);
    fault.recovered();
  });

  it('F07 an endpoint that hangs on a block that the chain has left is behind too', async () => {
    primary.on('eth_getBlockByNumber', ([tag]) => {
      const number = tag === 'latest' ? HEAD : Number(tag);
      return number > HEAD - 3 ? blockOf(number, 1) : blockOf(number);
    });
    honest(backup, HEAD + 100);
    await fakes.pool.probe();
    expect(states()).toEqual(['out-of-sync', 'ok']);
  });

  it('F41 a claim is believed when the other endpoint is down: there is nothing to compare it with', async () => {
    primary.fault = { kind: 'status', status: 500 };
    claims(backup, far);
    await fakes.pool.probe();
    expect(states()).toEqual(['ok', 'ok']);
  });
});
