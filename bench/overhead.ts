/**
 * What metrics, alerts and their senders cost between a head and a transaction: the same positions are
 * liquidated by a bot with everything on and by one with everything off, in turns.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PositionRequest } from '../devnet/index.js';
import { SeededRandom } from '../devnet/random.js';
import { percentile } from '../devnet/demo/totals.js';
import type { BotSettings } from '../devnet/stack/bot-config.js';
import { Stack } from '../devnet/stack/stack.js';
import { USD8 } from '../src/domain/money.js';
import type { Measurement } from './measurement.js';
import { Listeners } from './listeners.js';

/** One liquidation each. The first ones of a process warm it up, and do not count. */
const POSITIONS = 50;
const WARM_UP = 15;
const BLOCK_MS = 250;
const SCRAPE_MS = 1_000;
/** The goal: what is on may cost 3 %. */
export const MOST_OVERHEAD = 1.03;
const RESAMPLES = 2_000;

const EVERYTHING_OFF: BotSettings = { monitoring: 'metrics: false' };
/** All positions together cover $57,000: the alerts of 80 % and of 90 % are sent while it runs. */
const VOLUME: BotSettings = { maxSingleExecutionUsd: '5000', maxDailyVolumeUsd: '62000' };

type Configuration = 'off' | 'on';
type Samples = Readonly<Record<Configuration, number[]>>;

/** The price of ether at which a position has a health factor of 1: dollars. Each is 5 below the last one. */
const edge = (index: number): bigint => 2_880n - 5n * BigInt(index);

/** 1 WETH of collateral, of which the market counts 83 %. */
const atEdge = (index: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: (edge(index) * 83n * 10n ** 6n) / 100n }],
});

/** @param pairs how often each configuration has its turn */
export async function overhead(pairs: number, progress: (line: string) => void): Promise<Measurement[]> {
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  const listeners = await Listeners.start();
  try {
    await stack.devnet.openPositions(Array.from({ length: POSITIONS }, (_, index) => atEdge(index)));
    const samples: Samples = { off: [], on: [] };
    for (let pair = 0; pair < pairs; pair++) {
      // In turns, and each first as often as the other: a machine that becomes slower slows down both.
      const order: readonly Configuration[] = pair % 2 === 0 ? ['off', 'on'] : ['on', 'off'];
      for (const which of order) {
        const settings = which === 'on' ? listeners.on : EVERYTHING_OFF;
        const sends = await oneTurn(stack, { ...VOLUME, ...settings }, which === 'on');
        samples[which].push(...sends);
        progress(`turn ${pair + 1} of ${pairs}, ${which}: p50 ${percentile(sends, 50)} ms`);
      }
    }
    progress(listeners.summary);
    return measurementsOf(samples);
  } finally {
    await stack.stop();
    await listeners.stop();
  }
}

/** Milliseconds from head to hand-over of each liquidation after the warm-up. */
async function oneTurn(stack: Stack, settings: BotSettings, scrapes: boolean): Promise<number[]> {
  const { devnet } = stack;
  const clean = await devnet.snapshot();
  await devnet.startMining(BLOCK_MS);
  const bot = await stack.startBot(undefined, settings);
  const scraper = scrapes ? new Scraper(bot.apiUrl) : undefined;
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
    await scraper?.stop();
    await bot.stop();
    await devnet.stopMining();
    await devnet.revert(clean);
    await stack.query('DROP SCHEMA public CASCADE');
    await stack.query('CREATE SCHEMA public');
  }
}

/** Asks for the metrics each second, as Prometheus would at its fastest. */
class Scraper {
  private stopped = false;
  private readonly working: Promise<void>;

  constructor(private readonly apiUrl: string) {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const answer = await fetch(`${this.apiUrl}/metrics`);
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}: ${text.slice(0, 200)}`);
      await sleep(SCRAPE_MS);
    }
  }
}

function measurementsOf({ off, on }: Samples): Measurement[] {
  const ratio = percentile(on, 50) / percentile(off, 50);
  const [low, high] = confidence(off, on);
  const of = `${off.length} and ${on.length} liquidations, in turns`;
  const shown = (value: number): number => Math.round(value * 1_000) / 1_000;
  return [
    { name: 'headToSend.off.p50', value: percentile(off, 50), unit: 'ms', note: of },
    { name: 'headToSend.on.p50', value: percentile(on, 50), unit: 'ms', note: of },
    {
      name: 'headToSend.overhead',
      value: shown(ratio),
      unit: '×',
      note: `95 % of resamples between ${shown(low)} and ${shown(high)}; the goal is at most ${MOST_OVERHEAD}`,
    },
  ];
}

/** The ratio of the medians of samples that are drawn again and again from the samples themselves. */
function confidence(off: readonly number[], on: readonly number[]): readonly [number, number] {
  const random = new SeededRandom(1);
  const drawn = (from: readonly number[]): number[] =>
    from.map(() => from[random.integer(0, from.length - 1)] ?? 0);
  const ratios = Array.from(
    { length: RESAMPLES },
    () => percentile(drawn(on), 50) / percentile(drawn(off), 50),
  ).sort((a, b) => a - b);
  return [ratios[Math.floor(RESAMPLES * 0.025)] ?? 0, ratios[Math.floor(RESAMPLES * 0.975)] ?? 0];
}
