import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { blockOf, EMITTER, eventually, FakeRpc, hashOf, logOf } from '../../../testing/nodes/fake-rpc.js';
import type { Head } from '../../domain/block.js';
import type { Address } from '../../domain/hex.js';
import { Clock } from '../../domain/clock.js';
import { Secret } from '../../domain/secret.js';
import { HeaderHashes } from '../header-hashes.js';
import { parseBlock, parseLog } from '../chain/chain-answers.js';
import { HeadStream } from './head-stream.js';

const OTHER: Address = `0x${'22'.repeat(20)}`;

let node: FakeRpc;
let second: FakeRpc;
let stream: HeadStream;
let heads: Head[];
let events: RecordedEvents;

beforeEach(async () => {
  [node, second] = await Promise.all([FakeRpc.start(), FakeRpc.start()]);
  heads = [];
  events = new RecordedEvents();
  stream = new HeadStream(
    {
      chainId: 31337,
      sources: [
        { role: 'primary', url: new Secret(node.url('ws')) },
        { role: 'backup', url: new Secret(second.url('ws')) },
      ],
      timings: { silenceMs: 60_000, watchIntervalMs: 5, reconnectMinMs: 5, reconnectMaxMs: 20 },
    },
    () => Promise.resolve(parseBlock(blockOf(100), new HeaderHashes(new Clock()))),
    new Clock(),
    events,
  );
});

afterEach(async () => {
  stream.stop();
  await Promise.all([node.stop(), second.stop()]);
});

const filter = (...address: Address[]): object => ({ address });
const start = async (): Promise<void> => {
  stream.start((head) => heads.push(head));
  await eventually(() => node.subscribers === 1 && second.subscribers === 1 && heads.length === 1);
};
const listening = async (...addresses: Address[]): Promise<void> => {
  stream.listenTo(addresses);
  await start();
  await eventually(() => node.logFilters.length === 1 && second.logFilters.length === 1);
};
const heard = (number: number): number[] => stream.heard(hashOf(number)).map(({ logIndex }) => logIndex);
/** What was pushed before has been read when the next head has come. */
const passed = async (...nodes: FakeRpc[]): Promise<void> => {
  for (const each of nodes) {
    each.mine();
    await eventually(() => heads.at(-1)?.number === each.head);
  }
};

describe('logs over WebSocket', () => {
  it('the logs of all endpoints are joined, each once, in the order of the chain', async () => {
    await listening(EMITTER);
    expect(node.logFilters).toEqual([filter(EMITTER)]);
    node.pushLog(logOf(101));
    node.pushLog(logOf(101, { logIndex: '0x1' }));
    second.pushLog(logOf(101, { logIndex: '0x1' }));
    second.pushLog(logOf(101, { logIndex: '0x5' }));
    await eventually(() => heard(101).length === 3);
    expect(heard(101)).toEqual([0, 1, 5]);
    expect(stream.heard(hashOf(101))[0]).toEqual(parseLog(logOf(101)));
    expect(heard(102)).toEqual([]);
  });

  it('F14 a log may come before its head, after it or twice, and the heads are given', async () => {
    await listening(EMITTER);
    node.pushLog(logOf(102));
    node.mine(102);
    node.pushLog(logOf(102));
    node.pushLog(logOf(101));
    node.pushLog(logOf(102, { logIndex: '0x2' }));
    await eventually(() => heard(102).length === 2);
    expect(heard(101)).toEqual([0]);
    expect(heads.map(({ number }) => number)).toEqual([100, 102]);
  });

  it('a log of a block that a reorg removed is forgotten', async () => {
    await listening(EMITTER);
    node.pushLog(logOf(101));
    node.pushLog(logOf(101, { logIndex: '0x1' }));
    node.pushLog(logOf(101, { removed: true }));
    node.pushLog(logOf(100, { removed: true }));
    await passed(node);
    expect(heard(101)).toEqual([1]);
    expect(events.all).toEqual([]);
  });

  it('F03 malformed logs are ignored with one event, and so are logs of other addresses', async () => {
    await listening(EMITTER);
    for (const log of [null, {}, logOf(101, { logIndex: null }), logOf(101, { topics: ['0x1'] })])
      node.pushLog(log);
    node.pushLog(logOf(101, { address: OTHER, logIndex: '0x3' }));
    node.pushLog(logOf(101, { logIndex: '0x4' }));
    await passed(node);
    expect(heard(101)).toEqual([4]);
    expect(events.all).toEqual([
      {
        event: 'websocket-message-ignored',
        endpoint: 'primary',
        message: 'log',
        reason: 'an object was expected',
      },
    ]);
  });

  it('without addresses no subscription is made', async () => {
    await start();
    await passed(node, second);
    expect(node.wsSubscribing).toEqual([{ method: 'eth_subscribe', params: ['newHeads'] }]);
  });
});

describe('a change of the addresses', () => {
  it('it subscribes again on the same connection, and then ends the old subscription', async () => {
    await listening(EMITTER);
    stream.listenTo([EMITTER, OTHER]);
    await eventually(() => node.wsSubscribing.length === 4 && second.wsSubscribing.length === 4);
    expect(node.logFilters).toEqual([filter(EMITTER, OTHER)]);
    expect(node.wsSubscribing.map(({ method }) => method)).toEqual([
      'eth_subscribe', // to heads
      'eth_subscribe',
      'eth_subscribe',
      'eth_unsubscribe',
    ]);
    node.pushLog(logOf(101, { address: OTHER }));
    await eventually(() => heard(101).length === 1);
    expect(node.wsConnections).toBe(1);
  });

  it('two changes in a row leave one subscription, to the addresses of the last', async () => {
    await listening(EMITTER);
    stream.listenTo([OTHER]);
    stream.listenTo([EMITTER, OTHER]);
    await eventually(() => node.wsSubscribing.length === 6);
    expect(node.logFilters).toEqual([filter(EMITTER, OTHER)]);
  });

  it('a change to no address ends the subscription, even one that is not confirmed yet', async () => {
    await listening(EMITTER);
    stream.listenTo([OTHER]);
    stream.listenTo([]);
    await eventually(() => node.wsSubscribing.length === 5);
    expect(node.logFilters).toEqual([]);
    await passed(node);
  });
});

it('F13 after a lost connection it subscribes again, to the present addresses', async () => {
  await listening(EMITTER);
  node.dropConnections();
  stream.listenTo([OTHER]);
  await eventually(() => node.wsConnections === 2 && node.logFilters.length === 1);
  expect(node.logFilters).toEqual([filter(OTHER)]);
  node.pushLog(logOf(101, { address: OTHER }));
  await eventually(() => heard(101).length === 1);
});

it('a node that refuses logs still gives heads, and is asked again on the next connection', async () => {
  node.wsRefusesLogs = true;
  stream.listenTo([EMITTER]);
  await start();
  await eventually(() => second.logFilters.length === 1 && node.wsSubscribing.length === 2);
  await passed(node);
  second.pushLog(logOf(101));
  await eventually(() => heard(101).length === 1);
  expect(events.all).toEqual([{ event: 'log-subscription-refused', endpoint: 'primary' }]);
  expect(node.wsConnections).toBe(1);

  node.wsRefusesLogs = false;
  node.dropConnections();
  await eventually(() => node.logFilters.length === 1);
});

it('logs of another chain are not kept', async () => {
  node.chainId = 1;
  stream.listenTo([EMITTER]);
  stream.start((head) => heads.push(head));
  await eventually(() => node.wsConnections >= 2 && second.logFilters.length === 1);
  node.pushLog(logOf(101));
  second.pushLog(logOf(102));
  await eventually(() => heard(102).length === 1);
  expect(heard(101)).toEqual([]);
});
