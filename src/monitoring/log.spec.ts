import { Logger as NestLogger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger, LoggerModule, PinoLogger } from 'nestjs-pino';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { SecretScrubber } from '../domain/secret-forms.js';
import { EventLog } from './event-log.js';
import { logParams } from './log.js';
import { NestLog } from './nest-log.js';

const LISTENING = { event: 'api-listening', url: 'http://127.0.0.1:3000' } as const;
const PRICE = {
  event: 'price-differs',
  protocol: 'aave',
  asset: '0x4200000000000000000000000000000000000006',
  block: 12,
  oursUsd8: '300000000000',
  chainUsd8: '300000000001',
} as const;
const SECRET = 'a-password of the log';
const TIME = /^\d\d:\d\d:\d\d\.\d{3} /;
// eslint-disable-next-line no-control-regex -- the colours of a terminal
const COLOURS = /\u001b\[\d+m/gu;

function capture() {
  const lines: string[] = [];
  return { lines, output: { write: (text: string) => void lines.push(text) } };
}

/** What a logger with these settings writes. */
function written(
  settings: Partial<Parameters<typeof logParams>[0]>,
  isTerminal: boolean,
  work: (logger: pino.Logger) => void,
): string[] {
  const { lines, output } = capture();
  const { pinoHttp } = logParams(
    { logLevel: 'info', logFormat: 'auto', ...settings },
    new SecretScrubber([SECRET]),
    isTerminal,
    output,
  );
  work(pino(...pinoHttp));
  return lines;
}

describe('the log of the process', () => {
  it('is one JSON object a line when standard output is no terminal', () => {
    const [line = ''] = written({}, false, (logger) => logger.warn(PRICE));
    expect(JSON.parse(line)).toEqual({ ...PRICE, level: 40, time: expect.any(Number) as number });
  });

  it('is one sentence on a terminal, in colours, with addresses in full', () => {
    const [line = ''] = written({}, true, (logger) => logger.warn(PRICE));
    expect(line).toContain('\u001b[33mWARN ');
    const bare = line.replace(COLOURS, '');
    expect(bare).toMatch(TIME);
    expect(bare.replace(TIME, '')).toBe(
      'WARN  price-differs: aave: block 12: 0x4200000000000000000000000000000000000006: ours $3,000.00, ' +
        'the oracle $3,000.00 (300000000000, 300000000001)\u001b[K\n',
    );
  });

  it('uses the format of the configuration, on a terminal and elsewhere', () => {
    const [json = ''] = written({ logFormat: 'json' }, true, (logger) => logger.info(LISTENING));
    expect(JSON.parse(json)).toMatchObject(LISTENING);
    const [line = ''] = written({ logFormat: 'pretty' }, false, (logger) => logger.info(LISTENING));
    expect(line.replace(TIME, '')).toBe('INFO  api-listening: at http://127.0.0.1:3000\n');
  });

  it.each(['json', 'pretty'] as const)(
    'A23 holds no secret, in whatever way it is written: %s',
    (logFormat) => {
      const basic = Buffer.from(`user:${SECRET}`).toString('base64');
      const texts = [SECRET, encodeURIComponent(SECRET), `Basic ${basic}`];
      const lines = written({ logFormat }, false, (logger) => {
        for (const text of texts) {
          logger.error({ event: 'pass-failed', message: `the node said: ${text}` });
          logger.error(new Error(text), text);
        }
      });
      expect(lines.filter((line) => line.includes('***')).length).toBeGreaterThanOrEqual(2 * texts.length);
      for (const text of [...texts, basic]) expect(lines.join('')).not.toContain(text);
    },
  );

  it('leaves out what is below its level', () => {
    const all = (logger: pino.Logger): void => {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](LISTENING);
    };
    for (const [logLevel, count] of [
      ['debug', 4],
      ['info', 3],
      ['warn', 2],
      ['error', 1],
    ] as const)
      expect(written({ logLevel }, false, all)).toHaveLength(count);
  });

  it('carries the events of the bot and the messages of Nest', async () => {
    const { lines, output } = capture();
    @Module({
      imports: [
        LoggerModule.forRoot(
          logParams({ logLevel: 'warn', logFormat: 'auto' }, new SecretScrubber([]), true, output),
        ),
      ],
    })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { bufferLogs: true });
    app.useLogger(new NestLog(app.get(Logger)));
    const events = new EventLog(await app.resolve(PinoLogger));
    events.hear(LISTENING);
    events.hear(PRICE);
    new NestLogger('Database').error('the disk is full');
    await app.close();
    expect(lines.map((line) => line.replace(COLOURS, '').replace(TIME, ''))).toEqual([
      expect.stringMatching(/^WARN {2}price-differs: aave: block 12: /),
      expect.stringMatching(/^ERROR \[Database\] the disk is full/),
    ]);
  });
});
