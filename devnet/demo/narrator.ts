/** The demo's output: one line for each thing that happens, with colours on a terminal only. */
import { formatUsd8 } from '../../src/domain/money.js';
import type { BotEvent, EventNamed } from '../../src/domain/events/events.js';
import { type Prices, TOKEN_SYMBOLS } from '../parameters.js';
import type { ScenarioStep } from '../prices/scenario.js';

const PAINT = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** `+$12.34`, `-$0.05`. */
export function signedUsd(usd8: bigint): string {
  return `${usd8 < 0n ? '-' : '+'}${usd(usd8 < 0n ? -usd8 : usd8)}`;
}

/** `$1,234.56`. */
export function usd(usd8: bigint): string {
  const [whole = '0', cents = '00'] = formatUsd8(usd8).split('.');
  return `$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`;
}

/** A wad as 0.9876, cut. */
export function ratio(wad: bigint): string {
  const tenThousandths = wad / 10n ** 14n;
  return `${tenThousandths / 10_000n}.${(tenThousandths % 10_000n).toString().padStart(4, '0')}`;
}

export class Narrator {
  readonly #names: Map<string, string>;

  /**
   * @param names what to call a borrower, by lower-case address
   * @param colours whether the output is a terminal
   */
  constructor(
    private readonly print: (line: string) => void,
    names: ReadonlyMap<string, string>,
    private readonly colours: boolean,
  ) {
    this.#names = new Map(names);
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
    this.print(this.#paint('dim', `  … ${step}`));
  }

  heading(text: string): void {
    this.print('');
    this.print(this.#paint('bold', text));
  }

  line(text: string): void {
    this.print(`  ${text}`);
  }

  marketMoved(step: ScenarioStep, before: Prices, after: Prices, block: number): void {
    const moves = TOKEN_SYMBOLS.filter((symbol) => before[symbol] !== after[symbol]).map((symbol) => {
      const change = signedPercent(before[symbol], after[symbol]);
      return `${symbol} ${usd(after[symbol])} ${this.#paint(change.startsWith('-') ? 'red' : 'green', change)}`;
    });
    this.heading(`Block ${block}: ${step.name}. ${step.description}`);
    this.line(moves.join('   '));
  }

  /** Prints nothing for events that do not interest a reader. */
  told(event: BotEvent): void {
    switch (event.event) {
      case 'bot-started':
        this.line(`the bot is live from block ${event.block} on (${event.mode})`);
        break;
      case 'backfill-finished':
        this.line(`its backfill found ${event.borrowers} borrowers in ${event.tookMs} ms`);
        break;
      case 'feeds-found':
        if (event.debtUsd8 === '0') break;
        this.line(`the prices of ${event.market} come from ${kindsOf(event.kinds)}`);
        break;
      case 'plan-ready':
        this.line(
          `${this.#paint('cyan', '→')} block ${event.block}  ${this.#who(event.borrower)}  HF ${ratio(BigInt(event.healthFactorWad))}  ` +
            `repay ${usd(BigInt(event.notionalUsd8))} of ${event.debt} for ${event.collateral} (${event.sizing})  ` +
            `simulated ${signedUsd(BigInt(event.netProfitUsd8))} after costs and a bid of ${usd(BigInt(event.bidUsd8))}`,
        );
        break;
      case 'execution-settled':
        if (event.status === 'succeeded')
          this.line(
            `${this.#paint('green', '✓')} block ${String(event.block)}  ${this.#who(event.borrower)}  realised ` +
              `${signedUsd(BigInt(event.realisedProfitUsd8 ?? '0'))} (simulated ${signedUsd(BigInt(event.simulatedNetProfitUsd8))})`,
          );
        else
          this.line(
            `${this.#paint('red', '✗')} ${this.#who(event.borrower)}  ${event.outcome}: ${event.reason ?? 'no reason known'}`,
          );
        break;
      case 'position-skipped':
        // Its transaction has a line already, and its outcome will get one.
        if (event.reason === 'in-flight') break;
        this.line(
          this.#paint(
            'dim',
            `– block ${event.block}  ${this.#who(event.borrower)}  ` +
              `HF ${event.healthFactorWad === undefined ? 'unknown' : ratio(BigInt(event.healthFactorWad))}  left: ${event.explanation}`,
          ),
        );
        break;
      case 'safety-changed':
        this.line(this.#paint('yellow', `! ${event.from} → ${event.to} by ${event.actor}: ${event.reason}`));
        break;
      case 'divergence':
      case 'pass-failed':
        this.line(this.#paint('red', `! ${JSON.stringify(event)}`));
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

  #who(account: string): string {
    const name = this.#names.get(account.toLowerCase());
    return `${account.slice(0, 8)}…${name === undefined ? '' : ` ${name}`}`.padEnd(22);
  }

  #paint(colour: keyof typeof PAINT, text: string): string {
    return this.colours ? `\u001b[${PAINT[colour]}m${text}\u001b[0m` : text;
  }
}

function signedPercent(before: bigint, after: bigint): string {
  const tenths = ((after - before) * 1000n) / before;
  const magnitude = tenths < 0n ? -tenths : tenths;
  return `${tenths < 0n ? '-' : '+'}${magnitude / 10n}.${magnitude % 10n} %`;
}

/** "1 svr feed with 23.4 % of the debt, 3 public feeds with 76.6 %". */
function kindsOf(kinds: EventNamed<'feeds-found'>['kinds']): string {
  const present = Object.entries(kinds).filter(([, { feeds }]) => feeds > 0);
  return present
    .map(([kind, { feeds, debtBps }], index) => {
      const share = `${(debtBps / 100).toFixed(1)} %${index === 0 ? ' of the debt' : ''}`;
      return `${feeds} ${kind} ${feeds === 1 ? 'feed' : 'feeds'} with ${share}`;
    })
    .join(', ');
}
