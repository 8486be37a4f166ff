import { beforeEach, describe, expect, it } from 'vitest';
import { aWatched } from '../../testing/builders/watched.js';
import type { StatusRule } from './alert-rules.js';
import { RuleWatch } from './rule-watch.js';
import type { Watched } from './watched.js';

const find =
  (role: string): StatusRule['find'] =>
  ({ endpoints }) =>
    endpoints.some((one) => one.role === role) ? [{ text: `${role} is wrong` }] : [];
const RULES: Readonly<Record<string, StatusRule>> = {
  grave: { severity: 'CRITICAL', title: 'Grave', find: find('grave') },
  light: { severity: 'MEDIUM', title: 'Light', coveredBy: ['grave'], find: find('light') },
  slow: { severity: 'HIGH', title: 'Slow', afterMs: 10_000, clearAfterMs: 5_000, find: find('slow') },
};
const wrong = (...roles: string[]): Watched =>
  aWatched({ endpoints: roles.map((role) => ({ role, state: 'ok', struggling: false })) });

describe('what fires', () => {
  let watch: RuleWatch;
  const look = (watched: Watched, nowMs: number): [string[], readonly string[]] => {
    const { firing, over } = watch.look(watched, nowMs);
    return [firing.map(({ key }) => key), over];
  };

  beforeEach(() => {
    watch = new RuleWatch(RULES, {});
  });

  it('begins at once and is over at once, unless the rule waits', () => {
    expect(look(wrong('grave'), 0)).toEqual([['grave'], []]);
    expect(look(wrong('grave'), 1_000)).toEqual([['grave'], []]);
    expect(look(wrong(), 2_000)).toEqual([[], ['grave']]);
    expect(look(wrong(), 3_000)).toEqual([[], []]);
  });

  it('has to last, without a break', () => {
    expect(look(wrong('slow'), 0)).toEqual([[], []]);
    expect(look(wrong(), 9_000)).toEqual([[], []]);
    expect(look(wrong('slow'), 10_000)).toEqual([[], []]);
    expect(look(wrong('slow'), 19_999)).toEqual([[], []]);
    expect(look(wrong('slow'), 20_000)).toEqual([['slow'], []]);
  });

  it('has to be gone for a while', () => {
    look(wrong('slow'), 0);
    look(wrong('slow'), 10_000);
    expect(look(wrong(), 11_000)).toEqual([[], []]);
    expect(look(wrong('slow'), 15_999)).toEqual([['slow'], []]);
    expect(look(wrong(), 16_000)).toEqual([[], []]);
    expect(look(wrong(), 21_000)).toEqual([[], ['slow']]);
  });

  it('does not begin while a graver one says it, and stays when it was there first', () => {
    expect(look(wrong('grave', 'light'), 0)).toEqual([['grave'], []]);
    expect(look(wrong('light'), 1_000)).toEqual([[], ['grave']]);
    expect(look(wrong('light'), 2_000)).toEqual([['light'], []]);
    expect(look(wrong('grave', 'light'), 3_000)).toEqual([['grave', 'light'], []]);
  });

  it('stays over a restart until a bot that runs does not find it any more', () => {
    watch.adopt(
      [
        { key: 'grave', rule: 'grave' },
        { key: 'gone', rule: 'of-an-earlier-version' },
      ],
      0,
    );
    expect(look({ ...wrong(), phase: 'starting' }, 1_000)).toEqual([[], []]);
    expect(look(wrong(), 2_000)).toEqual([[], ['grave']]);
  });

  it('says what an event says of itself', () => {
    const rule = {
      severity: 'CRITICAL' as const,
      title: 'Lost',
      on: { 'database-lost': ({ message }: { message: string }) => ({ text: message }) },
    };
    watch = new RuleWatch({}, { lost: rule });
    expect(watch.hear({ event: 'database-lost', message: 'away' })).toEqual([
      { key: 'lost', rule: 'lost', severity: 'CRITICAL', title: 'Lost', text: 'away' },
    ]);
    expect(watch.hear({ event: 'database-back' })).toEqual([]);
  });
});
