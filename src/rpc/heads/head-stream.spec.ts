import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { fakeBlock, HeadStreamWorld } from '../../../testing/head-stream.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import { blockOf, eventually, FakeRpc, hashOf } from '../../../testing/nodes/fake-rpc.js';
import type { Head } from '../../domain/block.js';
import { faultBegins } from '../../../testing/fault-times.js';

let world: HeadStreamWorld;
let node: FakeRpc;
let second: FakeRpc;
let heads: Head[];
let events: RecordedEvents;

beforeEach(async () => {
  world = await HeadStreamWorld.open();
  ({ node, second, heads, events } = world);
});

afterEach(() => world.close());
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

describe('a false head far ahead of all others', () => {
  it('hides lower heads for a while, not for ever', async () => {
    await world.start({ timings: { silenceMs: 3_000, ignoreLowerMs: 50 } });
    node.push(blockOf(2 ** 34));
    await eventually(() => world.numbers.includes(2 ** 34));
    node.mine(101);
    await settle();
    expect(world.numbers).not.toContain(101);
    await settle();
    await settle();
    node.mine(102);
    await eventually(() => world.numbers.at(-1) === 102);
  });
});

describe('heads over WebSocket', () => {
  it('heads come at once with the time of their arrival, and the first one is the present head', async () => {
    const running = await world.start({ timings: { silenceMs: 3_000 } });
    const minedAtMs = performance.now();
    node.mine();
    await eventually(() => heads.length === 2);
    expect(heads[1]).toMatchObject({
      number: 101,
      hash: hashOf(101),
      parentHash: hashOf(100),
      baseFeePerGas: 5_000_000n,
    });
    expect(heads[1]?.receivedAtMs).toBeGreaterThanOrEqual(minedAtMs);
    expect(heads[1]?.receivedAtMs).toBeLessThan(minedAtMs + 1_000);
    expect(world.numbers).toEqual([100, 101]);
    expect(running.status).toMatchObject({ via: 'websocket', head: { number: 101 } });
    expect(world.polls).toBe(1);
  });

  it('F14 repeated and older heads are dropped, a sibling is given', async () => {
    await world.start({ timings: { silenceMs: 3_000 } });
    for (const head of [
      blockOf(102),
      blockOf(101),
      blockOf(102),
      blockOf(102, 1),
      blockOf(102),
      blockOf(103),
    ])
      node.push(head);
    await eventually(() => heads.length === 4);
    await settle();
    expect(heads.map(({ hash }) => hash)).toEqual([hashOf(100), hashOf(102), hashOf(102, 1), hashOf(103)]);
  });

  it('F14 a head that two endpoints send is given once', async () => {
    await world.start({ sources: [node, second], timings: { silenceMs: 3_000 } });
    for (const number of [101, 102, 103]) {
      node.mine(number);
      second.mine(number);
    }
    await eventually(() => heads.length === 4);
    await settle();
    expect(world.numbers).toEqual([100, 101, 102, 103]);
  });

  it('F03 malformed heads and frames are ignored, and each is an event', async () => {
    await world.start({ timings: { silenceMs: 3_000 } });
    node.push({ ...blockOf(101), hash: '0x12' });
    node.push(null);
    node.pushFrame('{{{');
    node.pushFrame('[]');
    node.mine(102);
    await eventually(() => heads.length === 2);
    expect(world.numbers).toEqual([100, 102]);
    expect(events.named('websocket-message-ignored').map(({ message, reason }) => [message, reason])).toEqual(
      [
        ['head', 'hash is not a hash'],
        ['head', 'the node does not have the block'],
        ['frame', 'it is not JSON-RPC'],
      ],
    );
  });

  it('F56 a frame of nested JSON is ignored before it is parsed, and one above 1 MiB ends the connection', async () => {
    await world.start({ timings: { silenceMs: 3_000 } });
    node.pushFrame('['.repeat(500_000));
    node.mine();
    await eventually(() => heads.at(-1)?.number === 101);
    expect(events.named('websocket-message-ignored')).toMatchObject([{ reason: 'it nests deeper than 32' }]);
    const fault = faultBegins();
    node.pushFrame(`"${'x'.repeat(1024 * 1024)}"`);
    await eventually(() => node.wsConnections === 2 && node.subscribers === 1);
    fault.detected();
    fault.over();
    await eventually(() => {
      node.push(blockOf(102));
      return heads.at(-1)?.number === 102;
    });
    fault.recovered();
  });

  it('F55 a flood of frames is one line for each reason, and ends the connection; then heads come again', async () => {
    await world.start({ clock: new TestClock(), timings: { silenceMs: 60_000 } }); // all within one second
    node.mine();
    await eventually(() => heads.at(-1)?.number === 101);
    const fault = faultBegins();
    for (let i = 0; i < 5_000; i++) node.pushFrame('{{{');
    await eventually(() => node.wsConnections === 2 && node.subscribers === 1);
    fault.detected();
    fault.over();
    await eventually(() => {
      node.push(blockOf(102));
      return heads.at(-1)?.number === 102;
    });
    fault.recovered();
    expect(events.named('websocket-message-ignored')).toHaveLength(1);
    expect(events.named('websocket-lost')).toHaveLength(1);
  });

  it('a handler that throws or rejects does not stop the stream', async () => {
    await world.start({
      timings: { silenceMs: 3_000 },
      onHead: ({ number }) => {
        if (number === 101) throw new Error('thrown at 101');
        return number === 102 ? Promise.reject(new Error('rejected at 102')) : undefined;
      },
    });
    await eventually(() => node.subscribers > 0 && heads.length === 1);
    for (const number of [101, 102, 103]) node.mine(number);
    await eventually(() => heads.length === 4);
    await settle();
    expect(events.all).toEqual([
      { event: 'head-handler-failed', block: 101, reason: 'thrown at 101' },
      { event: 'head-handler-failed', block: 102, reason: 'rejected at 102' },
    ]);
  });
});

describe('F13 silence', () => {
  it('F13 when a WebSocket stalls, heads are polled and it is reconnected until it gives heads again', async () => {
    const running = await world.start();
    node.mine();
    await eventually(() => heads.length === 2);
    const fault = faultBegins();
    node.wsSilent = true;
    node.mine();
    node.mine();
    const stalledAtMs = performance.now();
    await eventually(() => heads.at(-1)?.number === 103);
    expect(performance.now() - stalledAtMs).toBeLessThan(3_000);
    expect(running.status.via).toBe('polling');
    fault.detected();
    await eventually(() => node.wsConnections === 2);

    fault.over();
    node.wsSilent = false;
    await eventually(() => node.subscribers === 1);
    await settle();
    node.mine();
    await eventually(() => running.status.via === 'websocket');
    fault.recovered();
    expect(heads.at(-1)?.number).toBe(104);
  });

  it('F13 silence is noticed after the time of three blocks', async () => {
    const clock = new TestClock();
    const running = await world.start({
      clock,
      timings: { silenceMs: 60_000, pollIntervalMs: 60_000, watchIntervalMs: 60_000 },
    });
    for (let i = 0; i < 5; i++) {
      clock.advance(100);
      node.mine();
      await eventually(() => heads.at(-1)?.number === node.head);
    }
    clock.advance(300);
    running.watch();
    expect(running.status.via).toBe('websocket');
    clock.advance(1);
    running.watch();
    expect(running.status.via).toBe('polling');
    expect(events.all).toEqual([{ event: 'heads-silent', silentMs: 301 }]);
  });

  it('F13 a silence of 250 ms is jitter even on a chain of faster blocks', async () => {
    const clock = new TestClock();
    const running = await world.start({
      clock,
      timings: { silenceMs: 60_000, pollIntervalMs: 60_000, watchIntervalMs: 60_000 },
    });
    for (let i = 0; i < 5; i++) {
      clock.advance(20);
      node.mine();
      await eventually(() => heads.at(-1)?.number === node.head);
    }
    clock.advance(250);
    running.watch();
    expect(running.status.via).toBe('websocket');
    clock.advance(1);
    running.watch();
    expect(running.status.via).toBe('polling');
    expect(events.all).toEqual([{ event: 'heads-silent', silentMs: 251 }]);
  });

  it('F13 a chain that makes no blocks does not cause a reconnection', async () => {
    const running = await world.start();
    await eventually(() => running.status.via === 'polling');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(node.wsConnections).toBe(1);
    node.mine();
    await eventually(() => running.status.via === 'websocket' && heads.length === 2);
  });

  it('F13 a silent WebSocket is reconnected while the other one gives the heads', async () => {
    const running = await world.start({ sources: [node, second], timings: { silenceMs: 100 } });
    second.wsSilent = true;
    for (let i = 0; i < 100 && second.wsConnections < 2; i++) {
      node.mine();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(second.wsConnections).toBe(2);
    expect(node.wsConnections).toBe(1);
    expect(running.status.head?.number).toBe(node.head);
  });

  it('a lost connection is opened again', async () => {
    await world.start({ timings: { silenceMs: 3_000 } });
    node.dropConnections();
    await eventually(() => node.wsConnections === 2 && node.subscribers === 1);
    await settle();
    node.mine();
    await eventually(() => heads.at(-1)?.number === 101);
    expect(events.all).toEqual([
      { event: 'websocket-lost', endpoint: 'primary', reason: 'the connection was closed (1006)' },
      { event: 'websocket-restored', endpoint: 'primary' },
    ]);
  });

  it('a node that accepts the connection and sends nothing is reconnected after the connect timeout', async () => {
    node.wsIgnoresRequests = true;
    await world.start({ timings: { connectTimeoutMs: 30 } });
    await eventually(() => node.wsConnections >= 2);
    node.wsIgnoresRequests = false;
    await eventually(() => node.subscribers >= 1);
    await settle();
    node.mine();
    await eventually(() => heads.at(-1)?.number === 101);
  });
});

describe('without a WebSocket', () => {
  it('heads are polled', async () => {
    const running = await world.start({ sources: [] });
    node.head = 103;
    await eventually(() => heads.length === 2);
    expect(running.status).toMatchObject({ via: 'polling', head: { number: 103 } });
  });

  it('F07 an older head from a poll is dropped, and an outage of polling is one event', async () => {
    await world.start({ sources: [] });
    node.head = 90;
    await settle();
    world.pollHead = () => Promise.reject(new Error('primary: HTTP 502'));
    await settle();
    world.pollHead = () => Promise.resolve(fakeBlock(101));
    await eventually(() => heads.length === 2);
    expect(world.numbers).toEqual([100, 101]);
    expect(events.all).toEqual([{ event: 'head-poll-failed', reason: 'primary: HTTP 502' }]);
  });

  it('after the stop no head comes and nothing is polled', async () => {
    const running = await world.start();
    running.stop();
    const before = world.polls;
    node.mine();
    await settle();
    expect(world.numbers).toEqual([100]);
    expect(world.polls).toBe(before);
    expect(node.subscribers).toBe(0);
  });
});

it('F12 heads of another chain are not given, even when they look right', async () => {
  node.chainId = 1;
  await world.start();
  await eventually(() => node.wsConnections >= 2);
  node.push(blockOf(500));
  await settle();
  expect(world.numbers).toEqual([100]);
  expect(events.named('websocket-lost')).toEqual([
    {
      event: 'websocket-lost',
      endpoint: 'primary',
      reason: 'it answers chain id 1, 31337 was expected',
    },
  ]);

  node.chainId = 31337;
  await eventually(() => {
    node.push(blockOf(101)); // until the next connection has subscribed
    return heads.at(-1)?.number === 101;
  });
});
