import { many, signedUsd, usd } from '../monitoring/told/figures.js';
import type { Paint } from '../monitoring/told/paint.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import { COLUMNS } from './summary.js';
import type { Tally } from './tally.js';

/** What the running bot says of itself. */
export interface Standing {
  readonly head: { readonly number: number; readonly timestamp: number } | undefined;
  readonly positions: number;
  /** Near a health factor of 1, or below it. */
  readonly watched: number;
  readonly liquidatable: number;
}

const MOST_PLANS = 8;
const LABEL = 12;

/** The table of a terminal: head, positions, what it would have done, and who did it. */
export function tableLines(tally: Tally, standing: Standing, wallMs: number, paint: Paint): string[] {
  const { head, positions, watched, liquidatable } = standing;
  const lagSeconds = head && Math.max(0, Math.round(wallMs / 1_000 - head.timestamp));
  const near = Math.max(0, watched - liquidatable);
  const row = (label: string, text: string): string[] =>
    wrapped(text, COLUMNS, label.padEnd(LABEL), ' '.repeat(LABEL));
  const searching = [...tally.search.values()].filter((one) => one !== 'finished');
  const plans = [...tally.planned.values()].reverse().slice(0, MOST_PLANS);
  return [
    ...row('head', head ? `block ${head.number}, ${many(lagSeconds ?? 0, 'second')} old` : 'none yet'),
    ...row(
      'positions',
      `${many(positions, 'position')}: ${liquidatable} below 1, ${near} near it, ${Math.max(0, positions - watched)} far from it`,
    ),
    ...searching.flatMap(({ market, atBlock, toBlock, downTo, borrowers }) =>
      row(
        'search',
        `${market}: ${downTo === undefined ? `block ${atBlock} of ${toBlock}` : `down to block ${downTo}`}, ${many(borrowers, 'borrower')} so far`,
      ),
    ),
    ...row(
      'would have',
      `liquidated ${many(tally.planned.size, 'position')}, ${usd(tally.notionalUsd8)} of debt, for ${signedUsd(tally.netProfitUsd8)}`,
    ),
    ...row('others', `liquidated ${tally.taken.length} of them`),
    ...(tally.halted === undefined ? [] : row('halted', tally.halted).map((line) => paint('red', line))),
    ...(tally.apiUrl === undefined ? [] : row('API', tally.apiUrl)),
    '',
    ...plans.map(({ block, borrower, netProfitUsd8, rival }) => {
      const who = `${borrower.slice(0, 10)}…${borrower.slice(-4)}`;
      const end = rival ? `taken by ${rival.sender.slice(0, 10)}… at ${rival.block}` : 'open';
      const line = `${String(block).padStart(11)}  ${who}  ${signedUsd(netProfitUsd8).padStart(14)}  ${end}`;
      return paint(rival ? 'yellow' : 'green', line.slice(0, COLUMNS));
    }),
  ];
}

/** Draws over what was drawn before. */
export class Screen {
  #lines = 0;

  constructor(private readonly draw: (text: string) => void) {}

  show(lines: readonly string[]): void {
    const up = this.#lines > 0 ? `\u001b[${this.#lines}A` : '';
    this.draw(`${up}\u001b[0J${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}
