import type { BotEvent } from '../domain/events/events.js';
import type { Paint } from '../monitoring/told/paint.js';
import { sentenceOf } from '../monitoring/told/sentences.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import { COLUMNS } from './summary.js';

/** What a person who watches is told, and with which mark. */
const MARKS: { readonly [Name in BotEvent['event']]?: string } = {
  'bot-started': '·',
  backfill: '·',
  'backfill-finished': '·',
  'pools-read': '·',
  'backfill-paused': '!',
  'market-refused': '!',
  'positions-incomplete': '!',
  'plan-ready': '→',
  'position-skipped': '–',
  'transaction-sent': '→',
  'execution-settled': '→',
  'safety-changed': '!',
  divergence: '!',
  'pass-failed': '!',
  'api-listening': '·',
};

export function isTold(event: BotEvent): boolean {
  return MARKS[event.event] !== undefined;
}

/** The lines of an event; none for one that does not interest a person who watches. */
export function toldLines(event: BotEvent, paint: Paint): string[] {
  const mark = MARKS[event.event];
  const sentence = mark === undefined ? undefined : sentenceOf(event, (borrower) => borrower);
  if (mark === undefined || sentence === undefined) return [];
  const [first = '', ...others] = wrapped(`${mark} ${sentence}`, COLUMNS, '', '  ');
  return [paint(mark === '→' ? 'cyan' : mark === '!' ? 'red' : 'dim', first), ...others];
}
