import { describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { BotEvent } from '../domain/events/events.js';
import { BackfillReporter, progressLine, type BackfillRange, type Terminal } from './progress.js';

const range = (atBlock: number, more: Partial<BackfillRange> = {}): BackfillRange => ({
  market: 'aave',
  fromBlock: 1,
  atBlock,
  toBlock: 10_000,
  borrowers: 1_234,
  ...more,
});
const PACE = { blocksPerSecond: 1_200, etaSeconds: 65 };
const UNKNOWN = { blocksPerSecond: undefined, etaSeconds: undefined };

describe('the line of a backfill', () => {
  it('shows bar, percentage, rate, time left and borrowers', () => {
    expect(progressLine(range(5_000), PACE, 76)).toBe(
      'aave [##########----------]  50 %  1,200 blocks/s  ETA 1:05  1,234 borrowers',
    );
    expect(progressLine(range(5_000), { ...PACE, etaSeconds: 3_723 }, 90)).toContain('ETA 1:02:03');
  });

  it('shows a question mark for an unknown rate, and shows the end', () => {
    expect(progressLine(range(100), UNKNOWN, 76)).toContain('   1 %  ? blocks/s  ETA ?  1,234 borrowers');
    expect(progressLine(range(10_000), PACE, 76)).toMatch(/^aave \[#+\] 100 % {2}1,200 blocks\/s {2}done/);
  });

  it('counts what was searched from the newest block down', () => {
    expect(progressLine(range(0, { downTo: 7_501 }), PACE, 76)).toContain('  25 % ');
    expect(progressLine(range(2_500, { downTo: 2_502 }), PACE, 76)).toContain('  99 % ');
    expect(progressLine(range(2_500, { downTo: 2_501 }), PACE, 76)).toContain(' 100 % ');
  });

  it('is never full before the end, and is full when there is nothing to read', () => {
    expect(progressLine(range(9_999), PACE, 76)).toMatch(/#-\] {2}99 %/);
    expect(progressLine(range(7, { fromBlock: 7, toBlock: 7 }), PACE, 76)).toContain(' 100 % ');
    expect(progressLine(range(7, { fromBlock: 8, toBlock: 7 }), PACE, 76)).toContain(' 100 % ');
  });

  it.each([200, 80, 61, 60, 40, 10, 1, 0, -1])('keeps within %i columns', (columns) => {
    const line = progressLine(range(5_000), PACE, columns);
    expect(line.length).toBeLessThanOrEqual(Math.max(0, columns));
    expect(line.includes('[')).toBe(columns >= 61);
  });
});

describe('the report of a backfill', () => {
  let clock: TestClock;

  function reporter(terminal?: Terminal): { report: (range: BackfillRange) => void; events: BotEvent[] } {
    clock = new TestClock();
    const events = new RecordedEvents();
    const backfill = new BackfillReporter(events, terminal, clock);
    const report = (one: BackfillRange): void => {
      backfill.hear({ event: 'backfill-range', ...one });
    };
    return { report, events: events.all };
  }

  function screen(columns = 120): Terminal & { written: string[] } {
    const written: string[] = [];
    return { columns, written, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
  }

  it('is an event at most every five seconds without a terminal, with rate and time left', () => {
    const { report, events } = reporter();
    for (let block = 100; block <= 1_200; block += 100) {
      report(range(block));
      clock.advance(1_000);
    }
    expect(events).toEqual([
      { event: 'backfill', ...range(100), ...UNKNOWN },
      { event: 'backfill', ...range(600), blocksPerSecond: 100, etaSeconds: 94 },
      { event: 'backfill', ...range(1_100), blocksPerSecond: 100, etaSeconds: 89 },
    ]);
  });

  it('shows the rate of the last seconds, not of the whole backfill', () => {
    const { report, events } = reporter();
    report(range(1_000));
    for (let second = 1; second <= 20; second++) {
      clock.advance(1_000);
      report(range(1_000 + second * 10));
    }
    expect(events.at(-1)).toMatchObject({ blocksPerSecond: 10, etaSeconds: 880 });
  });

  it('uses the last two ranges when they are slower, and shows no time left without progress', () => {
    const { report, events } = reporter();
    report(range(1_000));
    clock.advance(60_000);
    report(range(4_000));
    clock.advance(30_000);
    report(range(4_000));
    expect(events.slice(1)).toMatchObject([
      { blocksPerSecond: 50, etaSeconds: 120 },
      { blocksPerSecond: 0, etaSeconds: undefined },
    ]);
  });

  it('keeps the paces of two markets apart', () => {
    const { report, events } = reporter();
    report(range(1_000));
    clock.advance(5000);
    report(range(9_000, { market: 'other' }));
    clock.advance(5000);
    report(range(2_000));
    expect(events).toMatchObject([
      { market: 'aave', blocksPerSecond: undefined },
      { market: 'other', blocksPerSecond: undefined },
      { market: 'aave', blocksPerSecond: 100 },
    ]);
  });

  it('is one line on a terminal, redrawn in place and not too often, and ended when it is done', () => {
    const terminal = screen();
    const { report, events } = reporter(terminal);
    report(range(1_000));
    clock.advance(50);
    report(range(2_000));
    clock.advance(50);
    report(range(3_000));
    clock.advance(50);
    report(range(10_000));
    expect(events).toEqual([]);
    expect(terminal.written).toHaveLength(3);
    // The cursor is back at the beginning, so a longer line of the log covers the bar.
    expect(terminal.written[0]).toMatch(/^\raave .* 10 % .*\r$/);
    expect(terminal.written[1]).toMatch(/^\raave .* 30 % .*\r$/);
    expect(terminal.written[2]).toMatch(/^\raave .* 100 % .* done .*\n$/);
    for (const text of terminal.written) expect(text.length).toBeLessThanOrEqual(76 + '\r\u001b[K\r'.length);
  });

  it('leaves the last column of a narrow terminal free, so that the line never wraps', () => {
    const terminal = screen(30);
    reporter(terminal).report(range(1_000));
    expect(terminal.written[0]).toHaveLength(29 + '\r\u001b[K\r'.length);
  });

  it('assumes 80 columns when the terminal does not know its width', () => {
    const terminal = screen(0);
    reporter(terminal).report(range(1_000));
    expect(terminal.written[0]).toContain('borrowers');
  });
});
