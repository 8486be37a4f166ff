/**
 * The demo's market: price steps that send the demo's borrowers under water in waves. Data, and how to play
 * it.
 */
import type { Devnet } from '../devnet.js';
import { type Prices, TOKEN_SYMBOLS, type TokenSymbol } from '../parameters.js';

/** One move of the market. */
export interface ScenarioStep {
  name: string;
  /** For a person watching. */
  description: string;
  /** Change of the price against the step before, basis points. */
  movesBps: Partial<Record<TokenSymbol, number>>;
}

/**
 * No step falls further than 12 %: a position that was healthy before it lands above HF 0.88, where
 * collateral still covers debt and bonus, so a bot that keeps up leaves no bad debt behind.
 */
export const DEMO_SCENARIO: readonly ScenarioStep[] = [
  {
    name: 'Rally',
    description: 'Ether rises; those who borrowed it are squeezed.',
    movesBps: { WETH: 500, cbETH: 500 },
  },
  {
    name: 'Reversal',
    description: 'Ether gives the rally back, and more.',
    movesBps: { WETH: -900, cbETH: -900 },
  },
  {
    name: 'Sell-off',
    description: 'Selling goes on; bitcoin weakens.',
    movesBps: { WETH: -500, cbETH: -500, cbBTC: -300 },
  },
  {
    name: 'Bitcoin follows',
    description: 'Bitcoin falls on its own.',
    movesBps: { cbBTC: -600 },
  },
  {
    name: 'Staking discount',
    description: 'Staked ether trades below its worth; eMode positions come within reach.',
    movesBps: { cbETH: -350 },
  },
  {
    name: 'Gap down',
    description: 'Everything falls at once; many land below HF 0.95, where all of the debt may be repaid.',
    movesBps: { WETH: -1_000, cbETH: -1_000, cbBTC: -800 },
  },
  {
    name: 'Relief',
    description: 'A bounce: nothing new to do.',
    movesBps: { WETH: 400, cbETH: 400, cbBTC: 300 },
  },
  {
    name: 'Capitulation',
    description: 'The last leg down.',
    movesBps: { WETH: -1_200, cbETH: -1_200, cbBTC: -900 },
  },
];

const BPS = 10_000n;

/** The prices after a step, USD with 8 decimals, rounded down. */
export function pricesAfter(step: ScenarioStep, before: Prices): Prices {
  const after = { ...before };
  for (const symbol of TOKEN_SYMBOLS) {
    after[symbol] = (before[symbol] * (BPS + BigInt(step.movesBps[symbol] ?? 0))) / BPS;
  }
  return after;
}

/** Plays one step on the chain; mined on return. @returns the new prices, USD with 8 decimals */
export async function playStep(devnet: Devnet, step: ScenarioStep): Promise<Prices> {
  const after = pricesAfter(step, await devnet.prices());
  const moved = TOKEN_SYMBOLS.filter((symbol) => step.movesBps[symbol] !== undefined);
  await devnet.setPrices(Object.fromEntries(moved.map((symbol) => [symbol, after[symbol]])));
  return after;
}
