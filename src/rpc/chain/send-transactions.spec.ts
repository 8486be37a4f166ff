import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { NodeRefusal, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import type { Hash, Hex } from '../../domain/hex.js';
import type { CallOptions } from '../endpoints/rpc-call.js';
import { Chain } from './chain.js';
import type { RawTransaction, SendOutcome } from './send-transaction.js';

const SEND = 'eth_sendRawTransaction';
let fakes: FakePool;
let primary: FakeRpc;
let backup: FakeRpc;
let chain: Chain;

const start = async (withBackup = true): Promise<void> => {
  fakes = await startFakePool({ withBackup });
  ({ primary, backup } = fakes);
  chain = new Chain(fakes.pool);
  [primary, backup].forEach(takes);
};

const rawOf = (nonce: number): Hex => `0x02${nonce.toString(16).padStart(4, '0')}`;
const hashOf = (raw: unknown): Hash => `0x${String(raw).slice(2).padStart(64, '0')}`;
const transactions = (count: number): RawTransaction[] =>
  Array.from({ length: count }, (_, nonce) => ({ raw: rawOf(nonce), hash: hashOf(rawOf(nonce)) }));
const raws = (count: number): Hex[] => transactions(count).map(({ raw }) => raw);
const send = (count: number, options?: CallOptions): Promise<SendOutcome[]> =>
  Promise.all(chain.sendRawTransactions(transactions(count), options));
const sentTo = (node: FakeRpc): unknown[] => node.seenOf(SEND).map(({ params: [raw] }) => raw);
const takes = (node: FakeRpc): void => node.on(SEND, ([raw]) => hashOf(raw));

const ACCEPTED: SendOutcome = { kind: 'accepted', alreadyKnown: false };

describe('sending the transactions of a pass', () => {
  beforeEach(() => start());
  afterEach(() => fakes.close());

  it('each endpoint gets all of them in the order of their nonces, as one request', async () => {
    expect(await send(20)).toEqual(Array<SendOutcome>(20).fill(ACCEPTED));
    for (const node of [primary, backup]) {
      expect(sentTo(node)).toEqual(raws(20));
      expect(node.requests).toBe(1);
    }
  });

  it('each answer is judged by itself', async () => {
    const words: Record<string, string> = {
      [rawOf(1)]: 'already known',
      [rawOf(2)]: 'nonce too low: next nonce 5, tx nonce 4',
      [rawOf(3)]: 'insufficient funds for gas * price + value',
    };
    const answer = ([raw]: readonly unknown[]): unknown => {
      const refusal = words[String(raw)];
      return refusal === undefined ? hashOf(raw) : new NodeRefusal(-32000, refusal);
    };
    for (const node of [primary, backup]) node.on(SEND, answer);
    expect(await send(5)).toMatchObject([
      ACCEPTED,
      { kind: 'accepted', alreadyKnown: true },
      { kind: 'refused', error: { reason: words[rawOf(2)] } },
      { kind: 'refused', error: { reason: words[rawOf(3)] } },
      ACCEPTED,
    ]);
  });

  it('F10 one that is answered with another hash is not accepted; the others are', async () => {
    for (const node of [primary, backup])
      node.on(SEND, ([raw]) => hashOf(raw === rawOf(1) ? rawOf(99) : raw));
    expect(await send(3)).toMatchObject([ACCEPTED, { kind: 'unknown' }, ACCEPTED]);
  });

  it('F01 one that meets the rate limit of a provider is unknown; the others are accepted', async () => {
    for (const node of [primary, backup])
      node.on(SEND, ([raw]) =>
        raw === rawOf(1) ? new NodeRefusal(-32005, 'rate limit exceeded') : hashOf(raw),
      );
    expect(await send(3)).toMatchObject([ACCEPTED, { kind: 'unknown' }, ACCEPTED]);
  });

  it('none waits for an endpoint that never answers when the other one has them', async () => {
    primary.fault = { kind: 'black-hole' };
    // Longer than this test may take.
    expect(await send(3, { deadlineMs: 60_000 })).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
  });

  it('F05 after a timeout of every endpoint each of them is unknown', async () => {
    for (const node of [primary, backup]) node.fault = { kind: 'black-hole' };
    expect(await send(3, { deadlineMs: 300 })).toMatchObject(Array(3).fill({ kind: 'unknown' }));
  });

  it.each([
    ['cuts the connection', 'cut'],
    ['gives the first answers only', 'partial'],
    ['answers 413', { status: 413, body: 'too large' }],
    ['says so', { status: 200, body: { error: { code: -32600, message: 'batch too large' } } }],
    ['answers 500', { status: 500, body: 'oops' }],
  ] as const)(
    'an endpoint that refuses the batch and %s gets them one by one, and in the next pass at once',
    async (_, refusal) => {
      await fakes.close();
      await start(false);
      primary.batchLimit = { most: 1, refusal };
      expect(await send(4)).toEqual(Array<SendOutcome>(4).fill(ACCEPTED));
      expect(new Set(sentTo(primary))).toEqual(new Set(raws(4)));
      for (let pass = 0; pass < 2; pass += 1) await send(4);
      const { refusedBatches } = primary;
      expect(await send(4)).toEqual(Array<SendOutcome>(4).fill(ACCEPTED));
      expect(primary.refusedBatches).toBe(refusedBatches);
    },
  );

  it('an endpoint that names the size it takes gets batches of that size', async () => {
    await fakes.close();
    await start(false);
    const error = { code: -32600, message: 'batch too large: at most 10 calls in a batch' };
    primary.batchLimit = { most: 10, refusal: { status: 200, body: { error } } };
    expect(await send(30)).toEqual(Array<SendOutcome>(30).fill(ACCEPTED));
    expect(primary.requests).toBe(1 + 3);
  });

  it('rejects each when no endpoint may be used, and sends nothing', async () => {
    for (const node of [primary, backup])
      node.fault = { kind: 'status', status: 429, headers: { 'retry-after': '60' } };
    await send(1);
    const settled = await Promise.allSettled(chain.sendRawTransactions(transactions(3)));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
