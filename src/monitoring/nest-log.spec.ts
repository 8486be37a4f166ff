import { describe, expect, it } from 'vitest';
import { NestLog } from './nest-log.js';

const LEVELS = ['log', 'debug', 'verbose', 'warn', 'error', 'fatal'] as const;

function recorded() {
  const calls: unknown[][] = [];
  const record =
    (level: string) =>
    (message: unknown, ...others: unknown[]) =>
      void calls.push([level, message, ...others]);
  const logger = {
    ...{ log: record('log'), debug: record('debug'), verbose: record('verbose') },
    ...{ warn: record('warn'), error: record('error'), fatal: record('fatal') },
  };
  return { calls, logger: new NestLog(logger) };
}

describe('what Nest logs', () => {
  it.each(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication'])(
    'of its start is told at the level debug: %s',
    (context) => {
      const { calls, logger } = recorded();
      logger.log('started', context);
      logger.error('failed', 'a stack', context);
      expect(calls).toEqual([
        ['debug', 'started', context],
        ['error', 'failed', 'a stack', context],
      ]);
    },
  );

  it('of anything else keeps its level and its context', () => {
    const { calls, logger } = recorded();
    for (const level of LEVELS) logger[level]('told', 'Scheduler');
    expect(calls).toEqual(LEVELS.map((level) => [level, 'told', 'Scheduler']));
  });
});
