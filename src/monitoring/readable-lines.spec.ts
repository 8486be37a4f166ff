import { describe, expect, it } from 'vitest';
import { readableLines } from './readable-lines.js';

const NOON = Date.UTC(2026, 0, 1, 12, 0, 0, 123);
const lines = (entry: object): string[] =>
  readableLines(`${JSON.stringify({ level: 30, time: NOON, ...entry })}\n`);

describe('readable lines', () => {
  it('quote texts with spaces and show lists and objects as JSON', () => {
    expect(
      lines({
        context: 'Chimera',
        event: 'x',
        reason: 'no gas',
        empty: '',
        at: [1, '2'],
        counters: { sent: 1 },
      }),
    ).toEqual(['12:00:00.123 INFO  x reason="no gas" empty="" at=[1,"2"] counters={"sent":1}']);
  });

  it('show the stack of an error below the line', () => {
    expect(
      lines({ level: 50, msg: 'failed', err: { message: 'bug', stack: 'Error: bug\n  at a.ts:1' } }),
    ).toEqual(['12:00:00.123 ERROR failed', '    Error: bug', '      at a.ts:1']);
  });

  it('escape text from outside that would move the cursor or change the direction of text', () => {
    expect(lines({ msg: 'a\u001b[2Jb\u202ec', symbol: '\u0007\n' })).toEqual([
      '12:00:00.123 INFO  a\\u001b[2Jb\\u202ec symbol="\\u0007\\n"',
    ]);
  });

  it('show text that is no JSON unchanged', () => {
    expect(readableLines('not JSON\n')).toEqual(['not JSON']);
  });
});
