/** The results of the scenario, from the chain and the bot's database, not from the bot's log. */
import type { Devnet } from '../devnet.js';
import { TOKEN_SYMBOLS, worthOf } from '../parameters.js';
import type { Stack } from '../stack/stack.js';

/** The object that `--json` prints. USD are numbers of dollars, cut to the cent. */
export interface DemoTotals {
  readonly borrowers: number;
  /** Borrowers whose health factor was below 1 at some time. */
  readonly liquidatable: number;
  /** Borrowers with at least one mined liquidation. */
  readonly liquidated: number;
  /** The other liquidatable borrowers, by the bot's last reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Executions that were sent and did not succeed. */
  readonly failed: number;
  /** Net of every cost and bid, of the executions that were sent. */
  readonly simulatedProfitUsd: number;
  /** Net of gas and fees as the receipts have them. */
  readonly realisedProfitUsd: number;
  readonly headToSendMs: { readonly p50: number; readonly p99: number };
  /** Executions written. */
  readonly rows: number;
}

interface ExecutionRow {
  readonly borrower: string;
  readonly status: string;
  readonly simulated: string | null;
  readonly realised: string | null;
  readonly head_to_send_us: number | null;
}

const SENT = new Set(['submitted', 'succeeded', 'reverted', 'dropped', 'cancelled']);

/**
 * @param borrowers how many there are, on all protocols
 * @param liquidatable lower-case addresses of those below 1 at some time
 * @param lastReasons the bot's last reason for leaving a borrower alone, by lower-case address
 */
export async function totalsOf(
  stack: Stack,
  borrowers: number,
  liquidatable: ReadonlySet<string>,
  lastReasons: ReadonlyMap<string, string>,
): Promise<DemoTotals> {
  const rows = await stack.query<ExecutionRow>(
    `SELECT lower(borrower) AS borrower, status, simulated_net_profit_usd::text AS simulated,
            realised_profit_usd::text AS realised, head_to_send_us
       FROM executions ORDER BY created_at`,
  );
  const sent = rows.filter(({ status }) => SENT.has(status));
  const succeeded = sent.filter(({ status }) => status === 'succeeded');
  const liquidated = new Set(succeeded.map(({ borrower }) => borrower));
  const skipped: Record<string, number> = {};
  for (const borrower of liquidatable) {
    if (liquidated.has(borrower)) continue;
    const reason = lastReasons.get(borrower) ?? 'not-mentioned';
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  const latencies = sent.flatMap((row) => (row.head_to_send_us === null ? [] : [row.head_to_send_us / 1000]));
  return {
    borrowers,
    liquidatable: new Set([...liquidatable, ...liquidated]).size,
    liquidated: liquidated.size,
    skipped,
    failed: sent.length - succeeded.length,
    simulatedProfitUsd: dollars(sumUsd8(sent.map(({ simulated }) => simulated))),
    realisedProfitUsd: dollars(sumUsd8(succeeded.map(({ realised }) => realised))),
    headToSendMs: { p50: percentile(latencies, 50), p99: percentile(latencies, 99) },
    rows: rows.length,
  };
}

/** The worth of the treasury's tokens, USD with 8 decimals at the feeds' present prices. */
export async function treasuryUsd8(devnet: Devnet): Promise<bigint> {
  const prices = await devnet.prices();
  let total = 0n;
  for (const symbol of TOKEN_SYMBOLS) {
    const balance = (await devnet.token(symbol).getFunction('balanceOf')(devnet.accounts.treasury)) as bigint;
    total += worthOf(symbol, balance, prices[symbol]);
  }
  return total;
}

/** The nearest-rank percentile, rounded to a hundredth; 0 without values. */
export function percentile(values: readonly number[], rank: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? 0;
  return Math.round(value * 100) / 100;
}

/** Decimal texts of at most 8 decimals, added without floats. */
function sumUsd8(texts: readonly (string | null)[]): bigint {
  return texts.reduce((sum, text) => sum + (text === null ? 0n : usd8Of(text)), 0n);
}

function usd8Of(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(whole) * 10n ** 8n + BigInt(fraction.padEnd(8, '0').slice(0, 8));
  return text.startsWith('-') ? -magnitude : magnitude;
}

/** For display only: whole cents. */
function dollars(usd8: bigint): number {
  return Number(usd8 / 10n ** 6n) / 100;
}
