import type { LoggerService } from '@nestjs/common';

/** Who in Nest tells of its own start: modules, routes, and that it has started. */
const BOOT: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
]);

/** What Nest logs of itself goes to the log of the process. How it starts is told at the level debug only. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Required<Omit<LoggerService, 'setLogLevels'>>) {}

  log(message: unknown, ...others: unknown[]): void {
    const level = BOOT.has(others.at(-1)) ? 'debug' : 'log';
    this.logger[level](message, ...others);
  }

  debug(message: unknown, ...others: unknown[]): void {
    this.logger.debug(message, ...others);
  }

  verbose(message: unknown, ...others: unknown[]): void {
    this.logger.verbose(message, ...others);
  }

  warn(message: unknown, ...others: unknown[]): void {
    this.logger.warn(message, ...others);
  }

  error(message: unknown, ...others: unknown[]): void {
    this.logger.error(message, ...others);
  }

  fatal(message: unknown, ...others: unknown[]): void {
    this.logger.fatal(message, ...others);
  }
}
