import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { FakeRpc, hex, NodeRefusal, type BatchLimit } from '../../../testing/nodes/fake-rpc.js';
import { Clock } from '../../domain/clock.js';
import { Secret } from '../../domain/secret.js';
import { toNumber } from '../quantities.js';
import { JsonRpcEndpoint, type RpcRequest } from './json-rpc-endpoint.js';
import { faultBegins } from '../../../testing/fault-times.js';

const DEADLINE_MS = 5_000;

let node: FakeRpc;
let endpoint: JsonRpcEndpoint;
let closing: AbortController;

beforeEach(async () => {
  node = await FakeRpc.start();
  node.on('eth_getBalance', ([number]) => hex(number as number));
  closing = new AbortController();
  endpoint = new JsonRpcEndpoint('primary', new Secret(node.url('http')), new Clock(), closing.signal);
});

afterEach(async () => {
  closing.abort();
  await node.stop();
});

const calls = (count: number): RpcRequest[] =>
  Array.from({ length: count }, (_, index) => ({ method: 'eth_getBalance', params: [index] }));
const answersTo = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ result: hex(index) }));

const error = (code: number, message: string, data?: string): object => ({
  jsonrpc: '2.0',
  id: null,
  error: { code, message, ...(data !== undefined && { data }) },
});
const refusal = (status: number, body: unknown): BatchLimit['refusal'] => ({ status, body });

const PROVIDERS: [string, number, BatchLimit['refusal']][] = [
  ['drpc', 3, refusal(500, error(31, 'Batch of more than 3 requests are not allowed on free tier'))],
  ['erigon', 50, refusal(200, error(-32000, 'batch limit 50 exceeded: 100 requests given'))],
  ['older erigon', 50, 'cut'],
  ['besu', 50, refusal(400, error(-32005, 'Number of requests in batch exceeds --rpc-max-batch-size'))],
  ['polygon', 10, refusal(200, [error(-32600, 'Too many ["eth_getBlockByNumber"] methods in the batch')])],
  ['geth', 50, refusal(200, [error(-32600, 'batch too large')])],
  ['proxyd', 10, refusal(429, error(-32014, 'over batch size custom message'))],
  ['jsonrpsee', 7, refusal(200, error(-32010, 'The batch request was too large', 'Exceeded max limit of 7'))],
  ['a provider without batches', 1, refusal(400, error(-32600, 'Batch requests are not supported'))],
  ['a provider that says nothing', 1, refusal(200, error(-32600, 'Invalid Request'))],
  ['a gateway that limits the body', 20, refusal(413, '<html>413 Request Entity Too Large</html>')],
  ['a gateway without words', 4, refusal(400, 'Bad Request')],
  ['a gateway that counts calls', 5, refusal(429, '<html>Too Many Requests</html>')],
  ['a gateway that cuts lists', 6, 'partial'],
  ['a gateway that takes the first call', 2, refusal(200, { jsonrpc: '2.0', id: 1, result: '0x0' })],
  ['a gateway with an error in words', 8, refusal(200, { error: 'batch is disabled' })],
  ['a gateway with an internal error', 9, refusal(500, error(-32603, 'Internal error'))],
];

describe('F46 an endpoint that takes small batches only', () => {
  it.each(PROVIDERS)('F46 %s takes %i calls: the size adapts and is remembered', async (_name, most, how) => {
    node.batchLimit = { most, refusal: how };
    expect(await endpoint.batch(calls(60), DEADLINE_MS)).toEqual(answersTo(60));
    const refused = node.refusedBatches;
    expect(refused).toBeGreaterThan(0);
    expect(endpoint.stats.failed).toBe(0);

    node.requests = 0;
    for (let i = 0; i < 3; i++) expect(await endpoint.batch(calls(20), DEADLINE_MS)).toEqual(answersTo(20));
    // At most a few tries of a larger size.
    expect(node.refusedBatches - refused).toBeLessThanOrEqual(1);
    expect(node.requests).toBeLessThanOrEqual(60);
  });

  it('F46 one error of a batch that was answered is the answer to its call, and nothing is asked twice', async () => {
    node.on('eth_call', () => new NodeRefusal(3, 'execution reverted: batch too large', '0x01'));
    const [first, second] = await endpoint.batch([{ method: 'eth_call', params: [] }, ...calls(1)], 500);
    expect(first).toHaveProperty('error');
    expect(second).toEqual({ result: '0x0' });
    expect(node.requests).toBe(1);
  });

  it('F46 answers that did not fit into one batch are asked for in smaller ones', async () => {
    node.fault = {
      kind: 'tampered',
      tamper: (answers) =>
        answers.map((answer, index) =>
          index < 4
            ? answer
            : { ...answer, result: undefined, error: { code: -32003, message: 'response too large' } },
        ),
    };
    expect(await endpoint.batch(calls(16), DEADLINE_MS)).toEqual(answersTo(16));
  });

  it('F46 when the provider takes large batches again, they are sent again', async () => {
    const fault = faultBegins();
    node.batchLimit = { most: 3, refusal: refusal(400, error(-32600, 'batch too large')) };
    await endpoint.batch(calls(60), DEADLINE_MS);
    fault.detected();
    fault.over();
    node.batchLimit = undefined;
    for (let i = 0; i < 80; i++) await endpoint.batch(calls(60), DEADLINE_MS);
    node.requests = 0;
    await endpoint.batch(calls(60), DEADLINE_MS);
    expect(node.requests).toBe(1);
    fault.recovered();
  });

  it('F46 an outage is not taken for a batch limit: one single call shows it, and no more are sent', async () => {
    node.fault = { kind: 'status', status: 500, body: 'oops' };
    await expect(endpoint.batch(calls(60), DEADLINE_MS)).rejects.toMatchObject({ kind: 'provider' });
    expect(node.requests).toBe(2);
    node.fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } };
    await expect(endpoint.batch(calls(60), DEADLINE_MS)).rejects.toMatchObject({ retryAfterMs: 7_000 });
    expect(node.requests).toBe(3);
    node.fault = undefined;
    expect(await endpoint.batch(calls(60), DEADLINE_MS)).toEqual(answersTo(60));
    expect(node.requests).toBe(4);
  });
});

describe('F46 the pool', () => {
  let fakes: FakePool;
  beforeEach(async () => {
    fakes = await startFakePool({ timings: { deadlineMs: 5_000 } });
  });
  afterEach(() => fakes.close());

  it('F46 an endpoint without batches stays the first, and its health is as before', async () => {
    const { primary, backup, pool } = fakes;
    primary.batchLimit = { most: 1, refusal: refusal(400, error(-32600, 'no batches')) };
    const heads = Array.from({ length: 20 }, () => ({
      method: 'eth_blockNumber',
      params: [],
      parse: toNumber,
    }));
    for (let i = 0; i < 5; i++) expect(await pool.batch(heads)).toEqual(heads.map(() => 100));
    expect(await pool.checkEndpoints()).toEqual([]);
    expect(pool.status()[0]).toMatchObject({ state: 'ok', struggling: false, failed: 0 });
    expect(backup.seenOf('eth_chainId')).toHaveLength(1); // the probe of the check
    expect(primary.refusedBatches).toBeLessThan(10);
  });
});
