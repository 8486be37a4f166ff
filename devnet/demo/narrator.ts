/** The demo's output: one line for each thing that happens, with colours on a terminal only. */
import type { BotEvent } from '../../src/domain/events/events.js';
import { usd } from '../../src/monitoring/told/figures.js';
import { inColour, plain, type Colour, type Paint } from '../../src/monitoring/told/paint.js';
import { sentenceOf } from '../../src/monitoring/told/sentences.js';
import { wrapped } from '../../src/monitoring/told/wrapped.js';
import { type Prices, TOKEN_SYMBOLS } from '../parameters.js';
import type { ScenarioStep } from '../prices/scenario.js';

/** No line is longer, except one with a word that is. */
const COLUMNS = 80;
const INDENT = '  ';
const HANGING = '      ';
/** So many prices fit on a line. */
const PRICES_OF_A_LINE = 3;

export class Narrator {
  readonly #names: Map<string, string>;
  readonly #paint: Paint;

  /**
   * @param names what to call a borrower, by lower-case address
   * @param colours whether the output is a terminal
   */
  constructor(
    private readonly print: (line: string) => void,
    names: ReadonlyMap<string, string>,
    colours: boolean,
  ) {
    this.#names = new Map(names);
    this.#paint = colours ? inColour : plain;
  }

  /** How many have a name. */
  get borrowers(): number {
    return this.#names.size;
  }

  /** What to call a borrower from now on. */
  name(account: string, name: string): void {
    this.#names.set(account.toLowerCase(), name);
  }

  progress(step: string): void {
    this.#print('dim', `… ${step}`);
  }

  heading(text: string): void {
    this.print('');
    for (const line of wrapped(text, COLUMNS)) this.print(this.#paint('bold', line));
  }

  line(text: string): void {
    this.print(`${INDENT}${text}`);
  }

  marketMoved(step: ScenarioStep, before: Prices, after: Prices, block: number): void {
    const moves = TOKEN_SYMBOLS.filter((symbol) => before[symbol] !== after[symbol]).map((symbol) => {
      const change = signedPercent(before[symbol], after[symbol]);
      return `${symbol} ${usd(after[symbol])} ${this.#paint(change.startsWith('-') ? 'red' : 'green', change)}`;
    });
    this.heading(`Block ${block}: ${step.name}. ${step.description}`);
    for (let first = 0; first < moves.length; first += PRICES_OF_A_LINE)
      this.line(moves.slice(first, first + PRICES_OF_A_LINE).join('   '));
  }

  /** Prints nothing for events that do not interest a reader. */
  told(event: BotEvent): void {
    switch (event.event) {
      case 'bot-started':
        this.#tell('·', undefined, event);
        break;
      case 'backfill-finished':
        // The search goes on from block to block, and mostly finds nothing.
        if (event.borrowers > 0) this.#tell('·', undefined, event);
        break;
      case 'feeds-found':
        if (event.debtUsd8 !== '0') this.#tell('·', undefined, event);
        break;
      case 'plan-ready':
        this.#tell('→', 'cyan', event);
        break;
      case 'execution-settled':
        if (event.status === 'succeeded') this.#tell('✓', 'green', event);
        else this.#tell('✗', 'red', event);
        break;
      case 'position-skipped':
        // Its transaction has a line already, and its outcome will get one.
        if (event.reason !== 'in-flight') this.#print('dim', `– ${this.#sentence(event)}`);
        break;
      case 'safety-changed':
        this.#tell('!', 'yellow', event);
        break;
      case 'divergence':
      case 'pass-failed':
        this.#tell('!', 'red', event);
        break;
      default:
        break;
    }
  }

  /** Columns as wide as their widest cell; the first to the left, the others to the right. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows.reduce<number[]>(
      (known, row) => row.map((cell, i) => Math.max(cell.length, known[i] ?? 0)),
      [],
    );
    for (const row of rows)
      this.line(
        row
          .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
          .join('   '),
      );
  }

  #tell(mark: string, colour: Colour | undefined, event: BotEvent): void {
    const [first = '', ...others] = wrapped(`${mark} ${this.#sentence(event)}`, COLUMNS, INDENT, HANGING);
    this.print(colour === undefined ? first : first.replace(mark, this.#paint(colour, mark)));
    for (const line of others) this.print(line);
  }

  #print(colour: Colour, text: string): void {
    for (const line of wrapped(text, COLUMNS, INDENT, HANGING)) this.print(this.#paint(colour, line));
  }

  #sentence(event: BotEvent): string {
    return sentenceOf(event, (borrower) => this.#who(borrower)) ?? event.event;
  }

  #who(account: string): string {
    const name = this.#names.get(account.toLowerCase());
    return `${account.slice(0, 8)}…${name === undefined ? '' : ` ${name}`}`;
  }
}

function signedPercent(before: bigint, after: bigint): string {
  const tenths = ((after - before) * 1000n) / before;
  const magnitude = tenths < 0n ? -tenths : tenths;
  return `${tenths < 0n ? '-' : '+'}${magnitude / 10n}.${magnitude % 10n} %`;
}
