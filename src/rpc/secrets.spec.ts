import { inspect } from 'node:util';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import {
  EMITTER,
  eventually,
  FakeRpc,
  html200,
  html502,
  NodeRefusal,
  type Fault,
} from '../../testing/nodes/fake-rpc.js';
import { Clock } from '../domain/clock.js';
import { Secret } from '../domain/secret.js';
import { Chain } from './chain/chain.js';
import { HeadStream } from './heads/head-stream.js';
import { RpcPool } from './endpoints/rpc-pool.js';

// The URL holds a host name and not 127.0.0.1, so that the test also finds a leak of the name.
const HOST = 'localhost';
const KEY = 'k3y-0f-the-provider';
const PASSWORD = 'hunter22';
const QUERY = 'T0kenInQuery';

let node: FakeRpc;

beforeEach(async () => {
  node = await FakeRpc.start();
});
afterEach(() => node.stop());

const secretUrl = (scheme: 'http' | 'ws' | 'https'): Secret => {
  const { port } = new URL(node.url('http'));
  return new Secret(`${scheme}://user:${PASSWORD}@${HOST}:${port}/v2/${KEY}?token=${QUERY}`);
};

const poolTo = (http: Secret): RpcPool =>
  new RpcPool({
    chainId: 31337,
    primary: { http },
    backup: { http },
    timings: { deadlineMs: 200, checkDeadlineMs: 200 },
  });

/** Every form in which a value may get into a log. */
function everyFormOf(value: unknown): string {
  const forms = [
    String(value),
    JSON.stringify(value),
    inspect(value, { depth: 10, showHidden: true, getters: true }),
  ];
  if (value instanceof Error) forms.push(value.message, value.stack ?? '', everyFormOf(value.cause ?? ''));
  return forms.join('\n');
}

function expectNoSecret(value: unknown): void {
  const text = everyFormOf(value).toLowerCase();
  const { port } = new URL(node.url('http'));
  for (const secret of [HOST, KEY, PASSWORD, QUERY, `:${port}`, '127.0.0.1', 'http://', 'ws://'])
    expect(text).not.toContain(secret.toLowerCase());
}

const NODE_WORDS = `see http://${HOST}/v2/${KEY}, or ask ${KEY} at ${HOST.toUpperCase()}?token=${QUERY} https://other.host/x`;

const FAULTS: [string, Fault][] = [
  ['HTML 200', html200],
  ['HTML 502', html502],
  ['429', { kind: 'status', status: 429, body: NODE_WORDS }],
  ['403', { kind: 'status', status: 403, body: NODE_WORDS }],
  ['a redirect', { kind: 'status', status: 302, headers: { location: `http://${HOST}/${KEY}` } }],
  ['an error that is a text', { kind: 'body', body: JSON.stringify({ error: NODE_WORDS }) }],
  ['garbage', { kind: 'body', body: NODE_WORDS }],
  ['a black hole', { kind: 'black-hole' }],
  ['a reset', { kind: 'reset' }],
  ['a cut answer', { kind: 'truncated' }],
];

it.each(FAULTS)('F02 %s: the error holds no part of the URL', async (_name, fault) => {
  node.fault = fault;
  const pool = poolTo(secretUrl('http'));
  for (const work of [
    () => pool.call('eth_chainId', [], String),
    () => pool.batch([{ method: 'eth_chainId', params: [], parse: String }]),
  ]) {
    const error = await work().then(
      () => expect.fail('it answered'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    expectNoSecret(error);
  }
  expectNoSecret(await pool.checkEndpoints());
  expectNoSecret(pool.status());
  expectNoSecret(pool);
  pool.close();
});

it.each([
  [-32000, NODE_WORDS],
  [-32603, NODE_WORDS],
  [429, NODE_WORDS],
  [3, `execution reverted: ${NODE_WORDS}`],
  [-32000, `nonce too low ${NODE_WORDS}`],
])('F02 the words of the node are shown without secrets (%i %s)', async (code, message) => {
  node.on('eth_sendRawTransaction', () => new NodeRefusal(code, message));
  const pool = poolTo(secretUrl('http'));
  const error = await pool.call('eth_sendRawTransaction', [], String).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expectNoSecret(error);
  const outcome = await new Chain(poolTo(secretUrl('http'))).sendRawTransaction('0x', `0x${'1'.repeat(64)}`);
  expectNoSecret(outcome);
  pool.close();
});

it('F02 without TLS, and without a listener, no part of the URL is shown', async () => {
  const noTls = poolTo(secretUrl('https'));
  expectNoSecret(await noTls.checkEndpoints());
  noTls.close();

  await node.stop();
  const refused = poolTo(secretUrl('http'));
  const problems = await refused.checkEndpoints();
  expect(problems).toHaveLength(2);
  expectNoSecret(problems);
  expectNoSecret(await refused.call('eth_chainId', [], String).catch((thrown: unknown) => thrown));
  refused.close();
});

it.each([`ftp://${HOST}/${KEY}`, `${HOST}/${KEY}`, `http://${HOST}:99999/${KEY}`])(
  'a malformed URL is not shown',
  (text) => {
    try {
      poolTo(new Secret(text));
      expect.fail('it was accepted');
    } catch (error) {
      const forms = everyFormOf(error);
      expect(forms).toContain('the URL of the primary RPC endpoint is not valid');
      expect(forms).not.toContain(KEY);
      expect(forms.split('\n')[0]).not.toContain(HOST);
    }
  },
);

it('F02 the events of the head stream hold no part of the URL', async () => {
  const events = new RecordedEvents();
  const stream = new HeadStream(
    {
      chainId: 31337,
      sources: [{ role: 'primary', url: secretUrl('ws') }],
      timings: { reconnectMinMs: 2, reconnectMaxMs: 2, silenceMs: 20, pollIntervalMs: 5 },
    },
    async () => {
      const pool = poolTo(secretUrl('http'));
      node.fault = html502;
      return new Chain(pool).getBlock('latest').finally(() => pool.close());
    },
    new Clock(),
    events,
  );
  stream.listenTo([EMITTER]);
  stream.start(() => undefined);
  await eventually(() => node.subscribers === 1 && node.logFilters.length === 1);
  node.pushFrame(NODE_WORDS);
  node.push({ hash: NODE_WORDS, number: NODE_WORDS });
  node.pushLog({ address: NODE_WORDS });
  await eventually(() => events.named('websocket-message-ignored').length === 3);
  await eventually(() => events.named('head-poll-failed').length > 0);
  await node.stop();
  await eventually(() => events.named('websocket-lost').length > 0);
  expectNoSecret(events.all);
  expectNoSecret(stream);
  stream.stop();
});
