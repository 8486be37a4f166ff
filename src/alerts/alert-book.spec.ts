import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { Alert } from '../domain/alert.js';
import { AlertBook, type BookOptions, type Outgoing } from './alert-book.js';
import { faultBegins } from '../../testing/fault-times.js';

const MINUTE_MS = 60_000;

function anAlert(more: Partial<Alert> = {}): Alert {
  const key = more.key ?? 'throttled';
  return { key, rule: key, severity: 'HIGH', title: `It is ${key}`, text: 'one of two', ...more };
}

describe('the book of alerts', () => {
  let clock: TestClock;
  let events: RecordedEvents;
  let sent: Outgoing[];
  let book: AlertBook;

  const open = (more: Partial<BookOptions> = {}): void => {
    clock = new TestClock(Date.UTC(2026, 0, 1, 12));
    events = new RecordedEvents();
    sent = [];
    const options = {
      escalateAfterMs: 15 * MINUTE_MS,
      quietHours: undefined,
      runbook: 'docs/runbook.md',
      ...more,
    };
    book = new AlertBook(options, clock, events, (outgoing) => sent.push(outgoing));
  };
  const told = (): string[] =>
    sent.map(({ message: { status, key }, to }) => `${status} ${key} to ${to.join('+')}`);
  const wait = (minutes: number): void => {
    for (let minute = 0; minute < minutes; minute++) {
      clock.advance(MINUTE_MS);
      book.tick();
    }
  };

  beforeEach(() => open());

  it('tells a trouble once, however often it is found, and once that it is over', () => {
    for (let second = 0; second < 30; second++) book.fire(anAlert({ text: `${second} of 30` }));
    clock.advance(12_000);
    book.resolve('throttled');
    book.resolve('throttled');
    expect(told()).toEqual(['firing throttled to HIGH', 'resolved throttled to HIGH']);
    expect(sent[0]?.message).toMatchObject({ text: '0 of 30', runbook: 'docs/runbook.md#throttled' });
    expect(sent[1]?.message.text).toBe('It lasted 12 s: 29 of 30');
    expect(events.named('alert-raised')).toHaveLength(1);
    expect(events.named('alert-resolved')).toMatchObject([{ lastedMs: 12_000 }]);
  });

  it('repeats what nobody acknowledges, to the channels of the next severity, at doubling distances', () => {
    book.fire(anAlert());
    book.fire(anAlert({ key: 'halted', severity: 'CRITICAL' }));
    book.fire(anAlert({ key: 'endpoint-degraded', severity: 'MEDIUM' }));
    sent.length = 0;
    wait(14);
    expect(told()).toEqual([]);
    wait(1);
    expect(told()).toEqual([
      'firing throttled to HIGH+CRITICAL',
      'firing halted to CRITICAL+HIGH+MEDIUM+LOW',
    ]);
    expect(sent[0]?.message.text).toBe('It has lasted for 15 min, and is not acknowledged: one of two');
    sent.length = 0;
    wait(29);
    expect(told()).toEqual([]);
    wait(1);
    expect(told()).toHaveLength(2);
    sent.length = 0;
    book.resolve('throttled');
    expect(told()).toEqual(['resolved throttled to HIGH+CRITICAL']);
  });

  it('does not repeat what an operator has acknowledged', () => {
    book.fire(anAlert());
    const { id } = book.all[0]!;
    expect(book.acknowledge(id, 'ops')).toMatchObject({ acknowledged: { actor: 'ops' } });
    expect(book.acknowledge('unknown', 'ops')).toBeUndefined();
    wait(600);
    expect(told()).toEqual(['firing throttled to HIGH']);
    expect(events.named('alert-acknowledged')).toEqual([
      { event: 'alert-acknowledged', id, rule: 'throttled', actor: 'ops' },
    ]);
    book.resolve('throttled');
    expect(told()).toHaveLength(2);
  });

  it('repeats nothing when that is switched off', () => {
    open({ escalateAfterMs: 0 });
    book.fire(anAlert({ severity: 'CRITICAL' }));
    wait(600);
    expect(told()).toHaveLength(1);
  });

  it('ends what came by an event when it is acknowledged, or after a day', () => {
    book.fire(anAlert({ key: 'bug', severity: 'CRITICAL' }), true);
    book.fire(anAlert({ key: 'bug', severity: 'CRITICAL' }), true);
    expect(book.all).toMatchObject([{ once: true, count: 2 }]);
    book.acknowledge(book.all[0]!.id, 'ops');
    expect(told()).toEqual(['firing bug to CRITICAL', 'resolved bug to CRITICAL']);
    book.fire(anAlert({ key: 'bug', severity: 'LOW' }), true);
    wait(24 * 60);
    expect(book.all).toEqual([]);
  });

  it('F38 cuts a storm short, says once how many it left out, and says when it is over', () => {
    const fault = faultBegins(() => clock.monotonicMs());
    for (let n = 0; n < 1_000; n++) book.fire(anAlert({ key: `storm-${n}`, severity: 'MEDIUM' }));
    expect(sent).toHaveLength(10);
    sent.length = 0;
    clock.advance(MINUTE_MS);
    book.tick();
    expect(told()).toEqual(['firing alerts-left-out to MEDIUM']);
    fault.detected();
    expect(sent[0]?.message.text).toMatch(
      /^990 messages were left out in a storm \(990 MEDIUM\); not told and still wrong: It is storm-10; /,
    );
    fault.over();
    for (let n = 0; n < 1_000; n++) book.resolve(`storm-${n}`);
    expect(told().filter((line) => line.startsWith('resolved'))).toHaveLength(10);
    sent.length = 0;
    wait(10);
    expect(told()).toEqual(['resolved alerts-left-out to MEDIUM']);
    fault.recovered();
    expect(book.all).toEqual([]);
  });

  it('F38 bounds the messages of a storm that goes on', () => {
    for (let n = 0; n < 3_600; n++) {
      book.fire(anAlert({ key: `storm-${n}` }));
      book.resolve(`storm-${n}`);
      clock.advance(1_000);
      book.tick();
    }
    // An hour: 12 windows of 10 that fire and 10 that are over, and a count for each.
    expect(sent.length).toBeLessThanOrEqual(12 * 21 + 1);
  });

  it('F38 tells three times of a trouble that comes and goes, and keeps the others apart', () => {
    for (let n = 0; n < 50; n++) {
      book.fire(anAlert({ key: 'flaps' }));
      book.resolve('flaps');
    }
    book.fire(anAlert());
    for (let n = 0; n < 50; n++) book.fire(anAlert({ key: `other-${n}`, severity: 'LOW' }));
    book.fire(anAlert({ key: 'halted', severity: 'CRITICAL' }));
    expect(told().filter((line) => line.includes('flaps'))).toHaveLength(6);
    expect(told()).toContain('firing throttled to HIGH');
    expect(told()).toContain('firing halted to CRITICAL');
  });

  it('F38 tells ten times of a CRITICAL trouble that comes and goes: it may not come late', () => {
    for (let n = 0; n < 50; n++) {
      book.fire(anAlert({ key: 'halted', severity: 'CRITICAL' }));
      book.resolve('halted');
    }
    expect(told().filter((line) => line === 'firing halted to CRITICAL')).toHaveLength(10);
  });

  it('tells later what a storm left out, when it lasts and nobody acknowledges it', () => {
    for (let n = 0; n < 11; n++) book.fire(anAlert({ key: `storm-${n}` }));
    expect(book.all[10]).toMatchObject({ toldAtMs: null });
    for (let n = 0; n < 10; n++) book.resolve(`storm-${n}`);
    sent.length = 0;
    book.resolve('none');
    wait(15);
    expect(told()).toContain('firing storm-10 to HIGH+CRITICAL');
  });

  it('holds LOW back in quiet hours, and nothing else', () => {
    open({ quietHours: { fromMinute: 11 * 60, toMinute: 14 * 60 + 30, timeZone: 'UTC' } });
    book.fire(anAlert({ key: 'low', severity: 'LOW' }));
    book.notify({ key: 'win', title: 'Won', text: '12.00 USD' });
    book.fire(anAlert());
    const endMs = Date.UTC(2026, 0, 1, 14, 30);
    expect(sent.map(({ notBeforeMs }) => notBeforeMs)).toEqual([endMs, endMs, undefined]);
  });

  it('knows after a restart what was told', () => {
    book.fire(anAlert());
    const left = JSON.parse(JSON.stringify(book.all)) as typeof book.all;
    open();
    book.restore(left);
    book.fire(anAlert());
    expect(told()).toEqual([]);
    book.resolve('throttled');
    expect(told()).toEqual(['resolved throttled to HIGH']);
  });
});
