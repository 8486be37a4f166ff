import { afterEach, beforeEach, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { EMITTER, hashOf, html502, NodeRefusal, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { Chain } from './chain.js';
import type { SecondOpinion } from './second-opinion.js';

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
const opinion = (calls = 1): Promise<SecondOpinion> =>
  new Chain(fakes.pool).secondOpinion(
    Array.from({ length: calls }, () => ({ to: EMITTER, data: '0x01' as const })),
    BLOCK,
    { deadlineMs: 300 },
  );

it('F09 two endpoints with the same answer agree, and each is asked about the same block', async () => {
  for (const node of [primary, backup]) node.on(SIMULATE, () => simulated(true));
  expect(await opinion()).toEqual({ kind: 'agree' });
  for (const node of [primary, backup]) {
    expect(node.seenOf(SIMULATE)).toHaveLength(1);
    expect(node.seenOf(SIMULATE)[0]?.params[1]).toEqual({ blockHash: BLOCK });
  }
});

it.each([
  ['primary', 'backup'],
  ['backup', 'primary'],
] as const)(
  'F09 when the %s answers success and the %s answers a revert, they disagree',
  async (approving, reverting) => {
    fakes[approving].on(SIMULATE, () => simulated(true));
    fakes[reverting].on(SIMULATE, () => simulated(false));
    expect(await opinion()).toEqual({ kind: 'disagree', endpoint: reverting, revertData: '0xabcdef01' });
    fakes[reverting].on(SIMULATE, () => simulated(true));
    expect(await opinion()).toEqual({ kind: 'agree' });
  },
);

it('only the result of the last call counts, because the calls before it are already sent', async () => {
  for (const node of [primary, backup]) node.on(SIMULATE, () => simulated(false, true));
  expect(await opinion(2)).toEqual({ kind: 'agree' });
});

it('an endpoint that does not have the block yet is asked again until it has', async () => {
  let asked = 0;
  primary.on(SIMULATE, () => simulated(true));
  backup.on(SIMULATE, () => (++asked < 5 ? new NodeRefusal(-32000, 'header not found') : simulated(false)));
  expect(await opinion()).toMatchObject({ kind: 'disagree', endpoint: 'backup' });
});

it.each<[string, (node: FakeRpc) => void, RegExp]>([
  ['is broken', (node) => (node.fault = html502), /^backup: HTTP 502$/],
  ['never answers', (node) => (node.fault = { kind: 'black-hole' }), /^backup: no answer to eth_simulateV1/],
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
  ['does not know the method', () => undefined, /^the node answers -32601/],
  [
    'never gets the block',
    (node) => node.on(SIMULATE, () => new NodeRefusal(-32000, 'header not found')),
    /^backup: .*(header not found|no answer)/,
  ],
])(
  'the opinion is unavailable when the second endpoint %s, and that endpoint is asked again next time',
  async (_name, breakNode, detail) => {
    primary.on(SIMULATE, () => simulated(true));
    breakNode(backup);
    const first = await opinion();
    expect(first).toMatchObject({ kind: 'unavailable', detail: expect.stringMatching(detail) as string });
    backup.fault = undefined;
    backup.on(SIMULATE, () => simulated(true));
    expect(await opinion()).toEqual({ kind: 'agree' });
  },
);

it('a single endpoint cannot agree with itself, but its revert counts', async () => {
  await fakes.close();
  fakes = await startFakePool({ withBackup: false });
  fakes.primary.on(SIMULATE, () => simulated(true));
  expect(await opinion()).toEqual({ kind: 'unavailable', detail: 'only one endpoint may be used now' });
  expect(fakes.primary.seenOf(SIMULATE)).toHaveLength(1);
  fakes.primary.on(SIMULATE, () => simulated(false));
  expect(await opinion()).toMatchObject({ kind: 'disagree', endpoint: 'primary' });
});
