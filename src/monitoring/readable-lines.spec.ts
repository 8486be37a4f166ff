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

  it('show an event as a sentence, and one that lacks a field by what it has', () => {
    const event = {
      ...{ event: 'position-skipped', protocol: 'aave', borrower: '0x1', block: 7 },
      ...{ reason: 'in-flight', explanation: 'on its way', detail: {} },
    };
    expect(lines({ ...event, healthFactorWad: '987654321000000000' })).toEqual([
      '12:00:00.123 INFO  position-skipped: block 7: 0x1 at HF 0.9876 left: on its way (in-flight)',
    ]);
    expect(lines({ ...event, healthFactorWad: 'much' })).toEqual([
      '12:00:00.123 INFO  position-skipped protocol=aave borrower=0x1 block=7 reason=in-flight ' +
        'explanation="on its way" detail={} healthFactorWad=much',
    ]);
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
