import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { aMessage } from '../../testing/builders/message.js';
import { FakeChannel } from '../../testing/fakes/fake-channel.js';
import { MemoryStore } from '../../testing/fakes/memory-store.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { SEVERITIES } from '../domain/alert.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { DeliveryError } from './channels/channel.js';
import { DeliveryQueue, MissingStore } from './delivery-queue.js';
import { parseRecord } from './stored-record.js';

describe('the queue of messages', () => {
  let clock: TestClock;
  let store: MemoryStore;
  let channels: Record<'pager' | 'chat' | 'wins', FakeChannel>;
  const settle = async (ms = 0): Promise<void> => {
    clock.advance(ms);
    for (let n = 0; n < 8; n++) await turn();
  };
  const open = (): DeliveryQueue =>
    new DeliveryQueue(
      [
        { name: 'pager', severities: ['CRITICAL'], topics: ['alert'] },
        { name: 'chat', severities: SEVERITIES, topics: ['alert'] },
        { name: 'wins', severities: SEVERITIES, topics: ['notification'] },
      ],
      Object.values(channels),
      store,
      new SecretScrubber(['the-secret-word']),
      clock,
      new RecordedEvents(),
    );

  beforeEach(() => {
    clock = new TestClock();
    store = new MemoryStore();
    channels = {
      pager: new FakeChannel('pager'),
      chat: new FakeChannel('chat'),
      wins: new FakeChannel('wins'),
    };
  });

  it('gives each message to the channels for its severity and topic', async () => {
    const queue = open();
    queue.send({ message: aMessage({ key: 'high' }), to: ['HIGH'] });
    queue.send({ message: aMessage({ key: 'repeat' }), to: ['HIGH', 'CRITICAL'] });
    queue.send({ message: aMessage({ key: 'win', topic: 'notification' }), to: ['LOW'] });
    await settle();
    const keys = ({ taken }: FakeChannel): string[] => taken.map(({ key }) => key);
    expect([channels.pager, channels.chat, channels.wins].map(keys)).toEqual([
      ['repeat'],
      ['high', 'repeat'],
      ['win'],
    ]);
    await queue.stored();
    expect(store.pending).toEqual([]);
  });

  it('no message holds a secret, whatever an error says', async () => {
    const queue = open();
    const told = { title: 'a the-secret-word', text: 'b the-secret-word', details: ['c the-secret-word'] };
    queue.send({ message: aMessage(told), to: ['HIGH'] });
    await settle();
    expect(channels.chat.taken).toMatchObject([{ title: 'a ***', text: 'b ***', details: ['c ***'] }]);
  });

  it('F37 one channel that is silent, and one that fails, keep nothing from the third', async () => {
    channels.pager.problem = 'silence';
    channels.wins.problem = new DeliveryError('it answered 500');
    const queue = open();
    for (let n = 0; n < 20; n++) {
      const key = `${n}`;
      queue.send({ message: aMessage({ key }), to: ['CRITICAL'] });
      queue.send({ message: aMessage({ key, topic: 'notification' }), to: ['LOW'] });
    }
    await settle();
    expect(channels.chat.taken).toHaveLength(20);
    expect(queue.status.map(({ pending }) => pending)).toEqual([20, 0, 20]);
    channels.pager.problem = undefined;
    channels.wins.problem = undefined;
    await settle(12_000);
    await settle(12_000);
    expect(queue.status.map(({ pending, sent }) => [pending, sent])).toEqual([
      [0, 20],
      [0, 20],
      [0, 20],
    ]);
  });

  it('what was not delivered, and what lasts, is there for the next process', async () => {
    for (const channel of Object.values(channels)) channel.problem = new DeliveryError('it answered 500');
    const queue = open();
    const message = aMessage();
    const alert = { key: 'throttled', rule: 'throttled', severity: 'HIGH', title: 't', text: 'x' } as const;
    const one = {
      id: '1',
      alert,
      once: false,
      sinceMs: 1,
      toldAtMs: 1,
      repeats: 0,
      count: 1,
      acknowledged: null,
    };
    queue.send({ message, to: ['CRITICAL'] });
    queue.keep([]);
    queue.keep([one]);
    await queue.stored();
    // As after kill -9: only what is on the disk is left.
    store.entries.forEach((entry, id) =>
      store.entries.set(id, { ...entry, payload: parseRecord(JSON.parse(JSON.stringify(entry.payload))) }),
    );
    for (const channel of Object.values(channels)) channel.problem = undefined;
    const next = open();
    expect(next.restore()).toEqual([one]);
    expect(next.holds(message.id)).toBe(true);
    await settle();
    await next.stored();
    expect(channels.pager.taken).toEqual([message]);
    expect(channels.chat.taken).toEqual([message]);
    expect(store.pending.map(({ payload }) => payload.kind)).toEqual(['book']);
    expect(next.holds(message.id)).toBe(false);
  });

  it('lists of alerts that are stored faster than the disk takes them leave one record', async () => {
    const queue = open();
    for (let n = 0; n < 4; n++) queue.keep([]);
    await queue.stored();
    queue.keep([]);
    await queue.stored();
    expect(store.pending).toHaveLength(1);
  });

  it('F31 delivers also when the disk takes nothing, and says so', async () => {
    store.problem = new Error('the disk is full (ENOSPC)');
    const queue = open();
    queue.send({ message: aMessage(), to: ['HIGH'] });
    queue.keep([]);
    await settle();
    expect(channels.chat.taken).toHaveLength(1);
    expect(queue.storeProblem).toBe('the disk is full (ENOSPC)');
    store.problem = undefined;
    queue.send({ message: aMessage(), to: ['HIGH'] });
    await settle();
    expect(queue.storeProblem).toBeUndefined();
  });

  it('F31 delivers without a journal that could not be opened, and says why', async () => {
    const queue = new DeliveryQueue(
      [{ name: 'chat', severities: SEVERITIES, topics: ['alert'] }],
      [channels.chat],
      new MissingStore(new Error('line 3 is damaged')),
      new SecretScrubber([]),
      clock,
      new RecordedEvents(),
    );
    expect(queue.restore()).toEqual([]);
    queue.send({ message: aMessage(), to: ['HIGH'] });
    await settle();
    await queue.stop();
    expect(channels.chat.taken).toHaveLength(1);
    expect(queue.storeProblem).toBe('line 3 is damaged');
  });

  it('drops what an earlier process left for a channel that is not configured any more', async () => {
    await store.append({ kind: 'delivery', channel: 'gone', message: aMessage(), notBeforeMs: 0 });
    const queue = open();
    expect(queue.restore()).toEqual([]);
    await queue.stored();
    expect(store.pending).toEqual([]);
  });

  it.each([
    null,
    'text',
    {},
    { kind: 'delivery', channel: 'a', notBeforeMs: 0, message: { id: 1 } },
    { kind: 'book' },
  ])('a record that is something else is refused: %j', (value) => {
    expect(() => parseRecord(value)).toThrow(TypeError);
  });
});
