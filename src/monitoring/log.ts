import type { Params } from 'nestjs-pino';
import pino, { type DestinationStream } from 'pino';
import type { MonitoringConfig } from '../config/index.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import { ReadableLines } from './readable-lines.js';
import { inColour, plain } from './told/paint.js';

/** For the LoggerModule of nestjs-pino. */
interface LogParams extends Params {
  readonly pinoHttp: Extract<Params['pinoHttp'], unknown[]>;
}

/**
 * How the process logs to standard output: readable lines on a terminal, otherwise one JSON object a line.
 *
 * @param scrubber no line holds the secrets that it knows, in whatever way they are written.
 */
export function logParams(
  { logLevel, logFormat }: Pick<MonitoringConfig, 'logLevel' | 'logFormat'>,
  scrubber: SecretScrubber,
  isTerminal: boolean = process.stdout.isTTY,
  output: DestinationStream = pino.destination(),
): LogParams {
  const clean: DestinationStream = { write: (line) => output.write(scrubber.scrub(line)) };
  const readable = logFormat === 'pretty' || (logFormat === 'auto' && isTerminal);
  const options = { level: logLevel, base: null };
  // Requests are not logged one by one: the probes alone would hide everything else. The middleware that
  // would do it also follows each promise from the first request on (AsyncLocalStorage of Node < 24).
  // A terminal says no where NO_COLOR or TERM=dumb asks for it.
  const { stdout } = process;
  const paint = isTerminal && (!stdout.isTTY || stdout.hasColors()) ? inColour : plain;
  const lines = readable ? new ReadableLines(clean, isTerminal, paint) : clean;
  return { forRoutes: [], pinoHttp: [options, lines] };
}
