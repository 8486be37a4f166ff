import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { aMessage } from '../../testing/builders/message.js';
import { FakeChannel } from '../../testing/fakes/fake-channel.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { Message } from '../domain/alert.js';
import { ChannelWorker, DEADLINE_MS, MOST_PENDING } from './channel-worker.js';
import { DeliveryError } from './channels/channel.js';
import { faultBegins } from '../../testing/fault-times.js';

describe('the worker of a channel', () => {
  let clock: TestClock;
  let events: RecordedEvents;
  let channel: FakeChannel;
  let worker: ChannelWorker;
  let ended: string[];

  beforeEach(() => {
    clock = new TestClock(Date.UTC(2026, 0, 1));
    events = new RecordedEvents();
    channel = new FakeChannel();
    worker = new ChannelWorker(channel, clock, events);
    ended = [];
  });

  const add = (message: Message, notBeforeMs = 0): void =>
    worker.add({ message, notBeforeMs, ended: () => ended.push(message.id) });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let n = 0; n < 5; n++) await turn();
  };

  it('delivers at once, and measures how long it took since it was raised', async () => {
    const message = aMessage({ atMs: clock.wallMs() });
    clock.advance(250);
    add(message);
    await pass(0);
    expect(channel.taken).toEqual([message]);
    expect(ended).toEqual([message.id]);
    expect(events.all).toEqual([
      {
        ...{ event: 'alert-sent', channel: 'fake', kind: 'fake', severity: 'HIGH', key: 'throttled' },
        ...{ attempts: 1, latencyMs: 250 },
      },
    ]);
    expect(worker.status).toMatchObject({ pending: 0, sent: 1, lastLatencyMs: 250, failedInARow: 0 });
  });

  it('takes the most urgent first, and one trouble in its order', async () => {
    channel.problem = new DeliveryError('it answered 503');
    for (const [key, severity, status] of [
      ['a', 'LOW', 'firing'],
      ['b', 'HIGH', 'firing'],
      ['c', 'CRITICAL', 'firing'],
      ['b', 'HIGH', 'resolved'],
    ] as const)
      add(aMessage({ key, severity, status }));
    await pass(0);
    channel.problem = undefined;
    await pass(1_000);
    expect(channel.taken.map(({ key, status }) => `${key} ${status}`)).toEqual([
      'c firing',
      'b firing',
      'b resolved',
      'a firing',
    ]);
  });

  it('F37 tries again at doubling distances up to a minute, and delivers everything after the fault', async () => {
    channel.problem = new DeliveryError('it answered 500');
    add(aMessage({ key: 'a' }));
    add(aMessage({ key: 'b' }));
    await pass(0);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = channel.asked;
      await pass(seconds * 1_000 - 1);
      expect(channel.asked).toBe(before);
      await pass(1);
      expect(channel.asked).toBe(before + 1);
    }
    expect(worker.status).toMatchObject({ pending: 2, failedInARow: 9, lastError: 'it answered 500' });
    expect(events.named('alert-failed').at(-1)).toMatchObject({ retryInMs: 60_000 });
    channel.problem = undefined;
    await pass(60_000);
    expect(channel.taken).toHaveLength(2);
    expect(worker.status).toMatchObject({ pending: 0, failedInARow: 0, lastError: undefined });
  });

  it('waits as long as the other side asks for', async () => {
    channel.problem = new DeliveryError('it answered 429', { retryAfterMs: 120_000 });
    add(aMessage());
    await pass(0);
    channel.problem = undefined;
    await pass(119_999);
    expect(channel.taken).toEqual([]);
    await pass(1);
    expect(channel.taken).toHaveLength(1);
  });

  it('F37 ends an attempt that is not answered, and tries again', async () => {
    const fault = faultBegins(() => clock.monotonicMs());
    channel.problem = 'silence';
    add(aMessage());
    await pass(DEADLINE_MS - 1);
    expect(channel.signals[0]?.aborted).toBe(false);
    await pass(1);
    expect(channel.signals[0]?.aborted).toBe(true);
    expect(worker.status).toMatchObject({ pending: 1, lastError: 'it did not answer in time' });
    fault.detected();
    fault.over();
    channel.problem = undefined;
    await pass(1_000);
    expect(channel.taken).toHaveLength(1);
    fault.recovered();
  });

  it('gives up a message that is at fault, and goes on with the next', async () => {
    channel.problem = new DeliveryError('it answered 400', { isFinal: true });
    add(aMessage());
    await pass(0);
    channel.problem = undefined;
    add(aMessage());
    await pass(0);
    expect(channel.taken).toHaveLength(1);
    expect(ended).toHaveLength(2);
    expect(worker.status).toMatchObject({ givenUp: 1, sent: 1 });
    expect(events.named('alert-failed')).toMatchObject([{ reason: 'it answered 400', retryInMs: undefined }]);
  });

  it('gives up what is older than a day', async () => {
    channel.problem = new DeliveryError('it answered 500');
    add(aMessage({ atMs: clock.wallMs() }));
    for (let minute = 0; minute <= 24 * 60 + 2; minute++) await pass(60_000);
    expect(worker.status).toMatchObject({ pending: 0, givenUp: 1 });
  });

  it('holds back what is not due, and nothing else', async () => {
    add(aMessage({ severity: 'LOW', key: 'held' }), clock.wallMs() + 90_000);
    add(aMessage({ key: 'due' }));
    await pass(0);
    expect(channel.taken.map(({ key }) => key)).toEqual(['due']);
    await pass(60_000);
    expect(channel.taken).toHaveLength(1);
    await pass(30_000);
    expect(channel.taken.map(({ key }) => key)).toEqual(['due', 'held']);
    expect(worker.status.lastLatencyMs).toBe(0);
  });

  it('F38 keeps so many and no more: the least urgent is given up', async () => {
    channel.problem = new DeliveryError('it answered 500');
    add(aMessage({ severity: 'CRITICAL', key: 'first' }));
    for (let n = 0; n < MOST_PENDING + 10; n++) add(aMessage({ severity: 'MEDIUM', key: `${n}` }));
    add(aMessage({ severity: 'CRITICAL', key: 'last' }));
    expect(worker.status.pending).toBe(MOST_PENDING);
    await pass(0);
    channel.problem = undefined;
    await pass(1_000);
    await pass(0);
    expect(channel.taken.filter(({ severity }) => severity === 'CRITICAL')).toHaveLength(2);
    expect(events.named('alert-failed').filter(({ retryInMs }) => retryInMs === undefined)).toHaveLength(12);
  });

  it('sends nothing after it was stopped', async () => {
    channel.problem = new DeliveryError('it answered 500');
    add(aMessage());
    await pass(0);
    worker.stop();
    channel.problem = undefined;
    await pass(3_600_000);
    expect(channel.taken).toEqual([]);
    expect(ended).toEqual([]);
  });

  it('F37 a message that the other side never takes holds up no other one, and is tried on beside them', async () => {
    channel.refuses = ({ key }) => key === 'poison';
    add(aMessage({ severity: 'CRITICAL', key: 'poison' }));
    await pass(0);
    for (let n = 0; n < 20; n++) add(aMessage({ severity: 'LOW', key: `${n}` }));
    for (let second = 0; second < 10; second++) await pass(1_000);
    expect(channel.taken).toHaveLength(20);
    expect(worker.status).toMatchObject({ pending: 1, givenUp: 0 });
    for (let minute = 0; minute < 10; minute++) await pass(60_000);
    add(aMessage({ key: 'later' }));
    await pass(0);
    expect(channel.taken.at(-1)).toMatchObject({ key: 'later' });
    channel.refuses = () => false;
    await pass(60_000);
    expect(channel.taken.at(-1)).toMatchObject({ key: 'poison' });
  });

  it('F37 an end that is behind a beginning which is not taken waits for it', async () => {
    channel.refuses = ({ status }) => status === 'firing';
    add(aMessage({ key: 'a' }));
    add(aMessage({ key: 'a', status: 'resolved' }));
    add(aMessage({ key: 'b', status: 'resolved' }));
    for (let second = 0; second < 10; second++) await pass(1_000);
    expect(channel.taken.map(({ key }) => key)).toEqual(['b']);
    channel.refuses = () => false;
    await pass(600_000);
    expect(channel.taken.slice(1)).toMatchObject([{ status: 'firing' }, { status: 'resolved' }]);
  });

  it('F37 after an hour of flapping with the channel away, each alert arrives with its newest word alone', async () => {
    channel.problem = new DeliveryError('it answered 503');
    for (let minute = 0; minute < 60; minute++)
      for (const key of ['a', 'b']) {
        add(aMessage({ key, severity: 'CRITICAL', text: `minute ${minute}` }));
        await pass(30_000);
        if (key === 'a' || minute < 59) add(aMessage({ key, status: 'resolved', text: `minute ${minute}` }));
        expect(worker.status.pending).toBeLessThanOrEqual(4);
      }
    channel.problem = undefined;
    for (let minute = 0; minute < 10; minute++) await pass(60_000);
    const told = channel.taken.map(({ key, status, text }) => `${key} ${status} ${text}`);
    expect(told.toSorted()).toEqual(['a firing minute 59', 'a resolved minute 59', 'b firing minute 59']);
    expect(ended).toHaveLength(60 * 4 - 1);
  });

  it.each([1, 60])(
    'F37 the channel was away for %i minutes: CRITICAL is among the first two that arrive',
    async (minutes) => {
      channel.problem = new DeliveryError('it answered 503');
      add(aMessage({ severity: 'CRITICAL', key: 'critical' }));
      for (let n = 0; n < 5 * minutes; n++) {
        await pass(12_000);
        add(aMessage({ severity: 'MEDIUM', key: `${n}` }));
      }
      channel.problem = undefined;
      await pass(60_000);
      expect(channel.taken).toHaveLength(5 * minutes + 1);
      expect(channel.taken.slice(0, 2).map(({ key }) => key)).toContain('critical');
    },
  );
});
