import { createServer, type Server } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestClock } from '../../../testing/fakes/test-clock.js';
import {
  FakeRpc,
  html200,
  html502,
  NodeRefusal,
  type Answer,
  type Fault,
} from '../../../testing/nodes/fake-rpc.js';
import { Clock } from '../../domain/clock.js';
import { Secret } from '../../domain/secret.js';
import { JsonRpcEndpoint } from './json-rpc-endpoint.js';
import { CallReverted, RpcError } from '../rpc-errors.js';

const DEADLINE_MS = 500;
const CHAIN_ID = { method: 'eth_chainId', params: [] };
const HEAD = { method: 'eth_blockNumber', params: [] };

let node: FakeRpc;
let endpoint: JsonRpcEndpoint;
let closing: AbortController;

beforeEach(async () => {
  node = await FakeRpc.start();
  closing = new AbortController();
  endpoint = new JsonRpcEndpoint('primary', new Secret(node.url('http')), new Clock(), closing.signal);
});

afterEach(async () => {
  closing.abort();
  await node.stop();
});

const failure = async (work: Promise<unknown>): Promise<RpcError> => {
  const error = await work.then(
    (value) => expect.fail(`it answered ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RpcError);
  return error as RpcError;
};

describe('a healthy node', () => {
  it('a call takes one request, and so does a batch', async () => {
    expect(await endpoint.call(CHAIN_ID, DEADLINE_MS)).toEqual({ result: '0x7a69' });
    expect(await endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS)).toEqual([
      { result: '0x7a69' },
      { result: '0x64' },
    ]);
    expect(node.requests).toBe(2);
    expect(endpoint.stats).toMatchObject({ ok: 2, failed: 0 });
    expect(endpoint.stats.lastLatencyMs).toBeGreaterThan(0);
  });

  it('the error of one call in a batch is the answer to that call only', async () => {
    node.on('eth_call', () => new NodeRefusal(3, 'execution reverted', '0x1234'));
    const [first, second] = await endpoint.batch([{ method: 'eth_call', params: [] }, CHAIN_ID], DEADLINE_MS);
    expect(first).toMatchObject({ error: { data: '0x1234' } });
    expect(first).toHaveProperty('error', expect.any(CallReverted));
    expect(second).toEqual({ result: '0x7a69' });
  });

  it('a batch that is too large for a provider is sent as several requests', async () => {
    const answers = await endpoint.batch(
      Array.from({ length: 250 }, () => HEAD),
      DEADLINE_MS,
    );
    expect(answers).toHaveLength(250);
    expect(node.requests).toBe(3);
  });

  it('a call over an idle connection that the node has closed is sent once more', async () => {
    await endpoint.call(CHAIN_ID, DEADLINE_MS);
    node.dropConnections();
    expect(await endpoint.call(CHAIN_ID, DEADLINE_MS)).toEqual({ result: '0x7a69' });
  });

  it('F05 a read over a connection that breaks before an answer is sent once more, a transaction is not', async () => {
    let asked = 0;
    const oncePerTest = (): string => {
      node.fault = ++asked === 1 ? { kind: 'reset' } : undefined;
      return '0x1';
    };
    node.on('eth_chainId', oncePerTest);
    expect(await endpoint.call(CHAIN_ID, DEADLINE_MS)).toEqual({ result: '0x1' });
    expect(endpoint.stats).toMatchObject({ ok: 1, failed: 0 });
    asked = 0;
    node.on('eth_sendRawTransaction', oncePerTest);
    const send = { method: 'eth_sendRawTransaction', params: [] };
    expect(await failure(endpoint.call(send, DEADLINE_MS))).toMatchObject({ kind: 'provider' });
    expect(asked).toBe(1);
  });

  it('a null result is returned as null, and the parser decides what it means', async () => {
    node.on('eth_getTransactionReceipt', () => null);
    const answer = await endpoint.call({ method: 'eth_getTransactionReceipt', params: [] }, DEADLINE_MS);
    expect(answer).toEqual({ result: null });
  });
});

describe('F01 HTTP 429', () => {
  it('F01 Retry-After is read as seconds', async () => {
    node.fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } };
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({
      kind: 'rate-limit',
      retryAfterMs: 7_000,
    });
  });

  it('F01 Retry-After is read as a date', async () => {
    const clock = new TestClock();
    endpoint = new JsonRpcEndpoint('primary', new Secret(node.url('http')), clock, closing.signal);
    const date = new Date(clock.wallMs() + 30_000).toUTCString();
    node.fault = { kind: 'status', status: 429, headers: { 'retry-after': date } };
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ retryAfterMs: 30_000 });
  });

  it.each([[undefined], ['soon']])(
    'F01 without a valid Retry-After (%s) the pause is 1 s',
    async (header) => {
      node.fault = {
        kind: 'status',
        status: 429,
        ...(header !== undefined && { headers: { 'retry-after': header } }),
      };
      expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ retryAfterMs: 1_000 });
    },
  );
});

it('A08 a redirect of a node is not followed: it may lead into the network of the operator', async () => {
  const inside = await FakeRpc.start();
  for (const status of [301, 302, 307, 308]) {
    node.fault = { kind: 'status', status, headers: { location: inside.url('http') } };
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ kind: 'provider' });
  }
  expect(inside.requests).toBe(0);
  await inside.stop();
});

describe('F02, F03, F06 malformed answers', () => {
  const body = (text: string): Fault => ({ kind: 'body', body: text });
  const tampered = (tamper: (answers: Answer[]) => unknown): Fault => ({ kind: 'tampered', tamper });

  it.each<[string, Fault, RpcError['kind']]>([
    ['F02 HTML with status 200', html200, 'provider'],
    ['F02 HTML with status 502', html502, 'provider'],
    ['F02 status 403', { kind: 'status', status: 403 }, 'provider'],
    [
      'F02 a redirect',
      { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'provider',
    ],
    ['F03 garbage', body('\u0000\u0001 not json'), 'bad-answer'],
    ['F03 a cut JSON text', body('{"jsonrpc":"2.0","id":1,"result":"0x'), 'bad-answer'],
    ['F03 null', body('null'), 'bad-answer'],
    ['F03 an empty answer', body(''), 'bad-answer'],
    ['F03 a number', body('7'), 'bad-answer'],
    ['F03 an empty object', body('{}'), 'bad-answer'],
    ['F03 very deep JSON', body('['.repeat(200_000)), 'bad-answer'],
    ['F03 an error that is a text', body('{"error":"no"}'), 'provider'],
    ['F03 a connection cut in mid-answer', { kind: 'truncated' }, 'provider'],
    ['F05 a connection reset', { kind: 'reset' }, 'provider'],
  ])('%s', async (_name, fault, kind) => {
    node.fault = fault;
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ kind, endpoint: 'primary' });
    expect(await failure(endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS))).toMatchObject({ kind });
    node.fault = undefined;
    expect(await endpoint.call(CHAIN_ID, DEADLINE_MS)).toEqual({ result: '0x7a69' });
  });

  it('F06 a wrong id in a single answer is rejected', async () => {
    node.fault = tampered(([answer]) => ({ ...answer, id: 999 }));
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ kind: 'bad-answer' });
  });

  it('F06 an id with the right number and the wrong type is rejected', async () => {
    node.fault = tampered(([answer]) => ({ ...answer, id: String(answer?.id) }));
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ kind: 'bad-answer' });
  });

  it('F06 the answers of a reordered batch are sorted by their ids', async () => {
    node.fault = tampered((answers) => answers.reverse());
    expect(await endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS)).toEqual([
      { result: '0x7a69' },
      { result: '0x64' },
    ]);
  });

  it.each<[string, (answers: Answer[]) => unknown]>([
    ['a missing answer', (answers) => answers.slice(1)],
    ['one answer too many', (answers) => [...answers, answers[0]]],
    ['one id twice', ([first]) => [first, first]],
    ['a foreign id', ([first, second]) => [first, { ...second, id: 12_345 }]],
    ['an id that is null', ([first, second]) => [first, { ...second, id: null }]],
    ['a result and an error', ([first, second]) => [first, { ...second, error: { code: 1, message: 'x' } }]],
    ['neither a result nor an error', ([first, second]) => [first, { jsonrpc: '2.0', id: second?.id }]],
    ['something that is not an object', ([first]) => [first, 'x']],
  ])('F06 a batch with %s is rejected', async (_name, tamper) => {
    node.fault = tampered(tamper);
    expect(await failure(endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS))).toMatchObject({
      kind: 'bad-answer',
    });
  });

  it('a refusal of everything fails the batch, and so does a rate limit of one call', async () => {
    node.fault = tampered(() => ({ jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no' } }));
    expect(await failure(endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS))).toMatchObject({ kind: 'refused' });
    node.fault = undefined;
    node.on('eth_blockNumber', () => new NodeRefusal(429, 'Too Many Requests'));
    expect(await failure(endpoint.batch([CHAIN_ID, HEAD], DEADLINE_MS))).toMatchObject({
      kind: 'rate-limit',
    });
  });

  it('a revert under status 400 is an answer, a result under status 500 is not', async () => {
    const answer = (fields: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...fields });
    node.fault = {
      kind: 'status',
      status: 400,
      body: answer({ error: { code: 3, message: 'execution reverted' } }),
    };
    expect(await endpoint.call({ method: 'eth_call', params: [] }, DEADLINE_MS)).toEqual({
      error: expect.any(CallReverted) as unknown,
    });
    node.fault = { kind: 'status', status: 500, body: answer({ result: '0x1' }).replace('1,', '2,') };
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({ kind: 'provider' });
  });

  it('the words of a node are cut to one short line', async () => {
    node.on('eth_foo', () => new NodeRefusal(-32000, `line\nbreak \u001b[31m${'x'.repeat(9_999)}`));
    const { detail } = await failure(endpoint.call({ method: 'eth_foo', params: [] }, DEADLINE_MS));
    expect(detail.length).toBeLessThan(300);
    expect(detail).toMatch(/^eth_foo was answered with -32000: line break {2}\[31mx+…$/);
  });
});

describe('F04 no answer', () => {
  it('F04 a call to a node that never answers ends at the deadline', async () => {
    node.fault = { kind: 'black-hole' };
    expect(await failure(endpoint.call(CHAIN_ID, 60))).toMatchObject({ kind: 'timeout' });
  });

  it('F04 a call to a port that accepts connections and sends nothing ends at the deadline', async () => {
    const hole: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    const { port } = hole.address() as { port: number };
    const silent = new JsonRpcEndpoint(
      'backup',
      new Secret(`http://127.0.0.1:${port}/`),
      new Clock(),
      closing.signal,
    );
    expect(await failure(silent.batch([CHAIN_ID], 60))).toMatchObject({
      kind: 'timeout',
      endpoint: 'backup',
    });
    hole.close();
  });

  it('the shut-down ends calls in flight and refuses later ones', async () => {
    node.fault = { kind: 'black-hole' };
    const inFlight = failure(endpoint.call(CHAIN_ID, 5_000));
    setTimeout(() => closing.abort(), 20);
    expect(await inFlight).toMatchObject({ message: 'primary: closed' });
    expect(await failure(endpoint.call(CHAIN_ID, 5_000))).toMatchObject({ message: 'primary: closed' });
  });

  it('a port without a listener is a fault of the provider', async () => {
    await node.stop();
    expect(await failure(endpoint.call(CHAIN_ID, DEADLINE_MS))).toMatchObject({
      kind: 'provider',
      message: 'primary: connection refused (ECONNREFUSED)',
    });
  });
});
