import type { PinoLogger } from 'nestjs-pino';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { EventLog } from './event-log.js';
import { LINES_PER_REASON } from './line-limit.js';

const LISTENING = { event: 'api-listening', url: 'http://127.0.0.1:3000' } as const;
const PRICE = {
  event: 'price-differs',
  protocol: 'aave',
  asset: '0x4200000000000000000000000000000000000006',
  block: 12,
  oursUsd8: '300000000000',
  chainUsd8: '300000000001',
} as const;

describe('the log of events', () => {
  it('F55 says of a flood how much it left out, and writes again in the next minute', () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (text) => void lines.push(text) });
    const clock = new TestClock();
    const nest = standIn<PinoLogger>('the logger', {
      logger,
      setContext: () => undefined,
      info: logger.info.bind(logger),
      warn: logger.warn.bind(logger),
    });
    const events = new EventLog(nest, clock);
    for (let n = 0; n < 1_000; n++) events.hear({ ...PRICE, block: n });
    for (let n = 0; n < 1_000; n++) events.hear(LISTENING); // below the level: no line, and none left out
    expect(lines).toHaveLength(LINES_PER_REASON);
    clock.advance(60_000);
    events.hear(PRICE);
    expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({
      event: 'lines-left-out',
      of: 'price-differs',
      lines: 1_000 - LINES_PER_REASON,
    });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject(PRICE);
  });
});
