/** What metrics, alerts and their senders cost between a head and a transaction. */
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../devnet/demo/totals.js';
import type { BotSettings } from '../devnet/stack/bot-config.js';
import type { Measurement } from './measurement.js';
import { Listeners } from './listeners.js';
import { inTurns, ratioOf, type Beside, type Samples } from './turns.js';

const SCRAPE_MS = 1_000;
/** The goal: what is on may cost 3 %. */
export const MOST_OVERHEAD = 1.03;

/** All positions together cover $57,000: the alerts of 80 % and of 90 % are sent while it runs. */
const VOLUME: BotSettings = { maxSingleExecutionUsd: '5000', maxDailyVolumeUsd: '62000' };

/** @param pairs how often each configuration has its turn */
export async function overhead(pairs: number, progress: (line: string) => void): Promise<Measurement[]> {
  const listeners = await Listeners.start();
  try {
    const samples = await inTurns(
      {
        without: { settings: { ...VOLUME, monitoring: 'metrics: false' } },
        with: {
          settings: { ...VOLUME, ...listeners.on },
          beside: (apiUrl) => new Scraper(apiUrl),
        },
      },
      pairs,
      progress,
    );
    progress(listeners.summary);
    return measurementsOf(samples);
  } finally {
    await listeners.stop();
  }
}

/** Asks for the metrics each second, as Prometheus would at its fastest. */
class Scraper implements Beside {
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

function measurementsOf(samples: Samples): Measurement[] {
  const { without: off, with: on } = samples;
  const { ratio, low, high } = ratioOf(samples, 50);
  const of = `${off.length} and ${on.length} liquidations, in turns`;
  return [
    { name: 'headToSend.off.p50', value: percentile(off, 50), unit: 'ms', note: of },
    { name: 'headToSend.on.p50', value: percentile(on, 50), unit: 'ms', note: of },
    {
      name: 'headToSend.overhead',
      value: ratio,
      unit: '×',
      note: `95 % of resamples between ${low} and ${high}; the goal is at most ${MOST_OVERHEAD}`,
    },
  ];
}
