import { afterEach, beforeEach, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { EMITTER, hashOf, html502, NodeRefusal, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { Chain } from './chain.js';
import type { EndpointAnswer } from '../endpoints/rpc-call.js';
import type { Testimony } from './testimony.js';

const SIMULATE = 'eth_simulateV1';
const BLOCK = hashOf(9);

let fakes: FakePool;
let primary: FakeRpc;
let backup: FakeRpc;

beforeEach(async () => {
  fakes = await startFakePool();
  ({ primary, backup } = fakes);
});
afterEach(() => fakes.close());

const simulated = (...success: boolean[]): unknown => [
  {
    calls: success.map((one) => ({
      status: one ? '0x1' : '0x0',
      returnData: one ? '0x' : '0xabcdef01',
      gasUsed: '0x5208',
      logs: [],
    })),
  },
];
const NOTHING = { calls: [], decode: () => 'nothing read' };
const CALLS = [{ to: EMITTER, data: '0x01' as const }];
const all = (): Promise<EndpointAnswer<Testimony<string>>[]> =>
  new Chain(fakes.pool).testimonies(
    { simulations: [CALLS], read: NOTHING, block: BLOCK },
    { deadlineMs: 2_000 },
  );

it('F42 each endpoint is asked once, about the same block, and each answer keeps its endpoint', async () => {
  primary.on(SIMULATE, () => simulated(true));
  backup.on(SIMULATE, () => simulated(false));
  expect(await all()).toMatchObject([
    {
      role: 'primary',
      value: { block: { number: 9 }, simulated: [[{ success: true }]], values: 'nothing read' },
    },
    {
      role: 'backup',
      value: { block: { number: 9 }, simulated: [[{ success: false, returnData: '0xabcdef01' }]] },
    },
  ]);
  for (const node of [primary, backup]) {
    expect(node.seenOf(SIMULATE)).toHaveLength(1);
    expect(node.seenOf(SIMULATE)[0]?.params[1]).toEqual({ blockHash: BLOCK });
  }
});

it('an endpoint that does not have the block yet is asked again until it has', async () => {
  let asked = 0;
  primary.on(SIMULATE, () => simulated(true));
  backup.on(SIMULATE, () => (++asked < 5 ? new NodeRefusal(-32000, 'header not found') : simulated(true)));
  expect(await all()).toMatchObject([
    { role: 'primary' },
    { role: 'backup', value: { block: { number: 9 } } },
  ]);
});

it.each<[string, (node: FakeRpc) => void, RegExp]>([
  ['is broken', (node) => (node.fault = html502), /^backup: HTTP 502$/],
  ['never answers', (node) => (node.fault = { kind: 'black-hole' }), /^backup: no answer to/],
  [
    'gives a malformed answer',
    (node) => node.on(SIMULATE, () => 7),
    /^backup: the answer .* was not accepted/,
  ],
  [
    'answers for another number of calls',
    (node) => node.on(SIMULATE, () => simulated()),
    /1 results were expected/,
  ],
  ['does not know the method', () => undefined, /-32601/],
  [
    'never gets the block',
    (node) => node.on(SIMULATE, () => new NodeRefusal(-32000, 'header not found')),
    /^backup: .*(header not found|no answer)/,
  ],
])(
  'an endpoint that %s gives no testimony, the other one does, and both are asked again next time',
  async (_name, breakNode, detail) => {
    primary.on(SIMULATE, () => simulated(true));
    breakNode(backup);
    const [first, second] = await all();
    expect(first).toMatchObject({ role: 'primary', value: { block: { number: 9 } } });
    expect(second?.error?.message).toMatch(detail);
    backup.fault = undefined;
    backup.on(SIMULATE, () => simulated(true));
    expect((await all())[1]).toMatchObject({ role: 'backup', value: { simulated: [[{ success: true }]] } });
  },
);

it('one testimony comes from the backup when the primary does not serve it', async () => {
  primary.fault = html502;
  backup.on(SIMULATE, () => simulated(true));
  const request = { simulations: [CALLS], read: NOTHING, block: BLOCK };
  expect(await new Chain(fakes.pool).testimony(request)).toMatchObject({ simulated: [[{ success: true }]] });
});
