/**
 * The same positions are liquidated by a bot with something and by one without it, in turns: what it costs
 * between a head and a transaction.
 */
import type { PositionRequest } from '../devnet/index.js';
import { percentile } from '../devnet/demo/totals.js';
import { SeededRandom } from '../devnet/random.js';
import type { BotSettings } from '../devnet/stack/bot-config.js';
import { Stack } from '../devnet/stack/stack.js';
import { USD8 } from '../src/domain/money.js';

/** One liquidation each. The first ones of a process warm it up, and do not count. */
const POSITIONS = 50;
const WARM_UP = 15;
const BLOCK_MS = 250;
const RESAMPLES = 2_000;

/** Runs beside a turn. */
export interface Beside {
  stop(): Promise<void>;
}

/** A bot of one kind: how it is configured, and what runs beside it. */
export interface Turn {
  readonly settings: BotSettings;
  readonly beside?: (apiUrl: string) => Beside;
}

export interface Turns {
  readonly without: Turn;
  readonly with: Turn;
}

/** Milliseconds from head to hand-over of each liquidation after the warm-up. */
export type Samples = Readonly<Record<keyof Turns, number[]>>;

/** The price of ether at which a position has a health factor of 1: dollars. Each is 5 below the last one. */
const edge = (index: number): bigint => 2_880n - 5n * BigInt(index);

/** 1 WETH of collateral, of which the market counts 83 %. */
const atEdge = (index: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: (edge(index) * 83n * 10n ** 6n) / 100n }],
});

/** @param pairs how often each of the two has its turn */
export async function inTurns(
  turns: Turns,
  pairs: number,
  progress: (line: string) => void,
): Promise<Samples> {
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  try {
    await stack.devnet.openPositions(Array.from({ length: POSITIONS }, (_, index) => atEdge(index)));
    const samples: Samples = { without: [], with: [] };
    for (let pair = 0; pair < pairs; pair++) {
      // Each first as often as the other: a machine that becomes slower slows down both.
      const order = pair % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const);
      for (const which of order) {
        const sends = await oneTurn(stack, turns[which]);
        samples[which].push(...sends);
        progress(`turn ${pair + 1} of ${pairs}, ${which}: p50 ${percentile(sends, 50)} ms`);
      }
    }
    return samples;
  } finally {
    await stack.stop();
  }
}

async function oneTurn(stack: Stack, { settings, beside }: Turn): Promise<number[]> {
  const { devnet } = stack;
  const clean = await devnet.snapshot();
  await devnet.startMining(BLOCK_MS);
  const bot = await stack.startBot(undefined, settings);
  const running = beside?.(bot.apiUrl);
  try {
    const sends: number[] = [];
    for (let index = 0; index < POSITIONS; index++) {
      const sent = bot.waitFor('transaction-sent');
      const settled = bot.waitFor('execution-settled', ({ outcome }) => outcome === 'won');
      await devnet.setPrice('WETH', (edge(index) - 2n) * USD8);
      const [{ headToSendUs }] = await Promise.all([sent, settled]);
      sends.push(headToSendUs / 1_000);
    }
    return sends.slice(WARM_UP);
  } finally {
    await running?.stop();
    await bot.stop();
    await devnet.stopMining();
    await devnet.revert(clean);
    await stack.query('DROP SCHEMA public CASCADE');
    await stack.query('CREATE SCHEMA public');
  }
}

/** A percentile with, by that without; and where 95 % of what is drawn again from the samples lies. */
export function ratioOf(
  samples: Samples,
  percent: number,
): { readonly ratio: number; readonly low: number; readonly high: number } {
  const { with: on, without: off } = samples;
  const ratio = percentile(on, percent) / percentile(off, percent);
  const [low, high] = confidence(off, on, percent);
  const shown = (value: number): number => Math.round(value * 1_000) / 1_000;
  return { ratio: shown(ratio), low: shown(low), high: shown(high) };
}

function confidence(
  off: readonly number[],
  on: readonly number[],
  percent: number,
): readonly [number, number] {
  const random = new SeededRandom(1);
  const drawn = (from: readonly number[]): number[] =>
    from.map(() => from[random.integer(0, from.length - 1)] ?? 0);
  const ratios = Array.from(
    { length: RESAMPLES },
    () => percentile(drawn(on), percent) / percentile(drawn(off), percent),
  ).sort((a, b) => a - b);
  return [ratios[Math.floor(RESAMPLES * 0.025)] ?? 0, ratios[Math.floor(RESAMPLES * 0.975)] ?? 0];
}
