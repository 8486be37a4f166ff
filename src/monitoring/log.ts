import type { Params } from 'nestjs-pino';
import pino, { type DestinationStream } from 'pino';
import type { MonitoringConfig } from '../config/index.js';
import type { SecretScrubber } from '../domain/secret-forms.js';
import { ReadableLines } from './readable-lines.js';

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
): { readonly pinoHttp: Extract<Params['pinoHttp'], unknown[]> } {
  const clean: DestinationStream = { write: (line) => output.write(scrubber.scrub(line)) };
  const readable = logFormat === 'pretty' || (logFormat === 'auto' && isTerminal);
  // Requests are not logged one by one: the probes alone would hide everything else.
  const options = { level: logLevel, autoLogging: false, base: null, quietReqLogger: true };
  return { pinoHttp: [options, readable ? new ReadableLines(clean, isTerminal) : clean] };
}
