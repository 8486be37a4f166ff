import type { Params } from 'nestjs-pino';
import pino, { type DestinationStream } from 'pino';
import type { MonitoringConfig } from '../config/index.js';
import { ReadableLines } from './readable-lines.js';

/**
 * How the process logs: on standard output, one JSON object a line where a machine reads it, readable lines where a
 * person does.
 */
export function logParams(
  { logLevel, logFormat }: Pick<MonitoringConfig, 'logLevel' | 'logFormat'>,
  isTerminal: boolean = process.stdout.isTTY,
  output: DestinationStream = pino.destination(),
): { readonly pinoHttp: Extract<Params['pinoHttp'], unknown[]> } {
  const readable = logFormat === 'pretty' || (logFormat === 'auto' && isTerminal);
  // Requests are not logged one by one: probes alone would drown the decisions.
  const options = { level: logLevel, autoLogging: false, base: null, quietReqLogger: true };
  return { pinoHttp: [options, readable ? new ReadableLines(output, isTerminal) : output] };
}
