/** What 500 requests a second of the API cost between a head and a transaction. */
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { percentile } from '../devnet/demo/totals.js';
import type { Measurement } from './measurement.js';
import { inTurns, ratioOf, type Beside } from './turns.js';

const PER_SECOND = 500;
const TICK_MS = 20;
const CONNECTIONS = 128;
/** Each may ask ten times a second; a few more, because the ticks of a busy machine are not even. */
const KEYS = 80;
/** The goal: the tail grows by less than a tenth. */
const MOST_GROWTH = 1.1;

/** What a page, a script and a probe ask, in such shares. */
const PATHS = [
  ...Array<string>(6).fill('/api/v1/status'),
  ...['/api/v1/positions?limit=10', '/api/v1/executions?limit=50', '/health/ready', '/metrics'],
];

const keyNamed = (place: number): string => `reader-${place}-of-the-benchmark`;

/** Rows that follow the keys of the configuration. */
const MORE_KEYS = Array.from({ length: KEYS }, (_, place) => {
  const sha256 = createHash('sha256').update(keyNamed(place)).digest('hex');
  return `    - { name: reader-${place}, role: viewer, sha256: "${sha256}" }\n`;
}).join('');

/** Asks at an even pace, whether the answers come or not. */
class Load implements Beside {
  readonly tookMs: number[] = [];
  readonly statuses = new Map<number, number>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  private readonly beganMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private asked = 0;

  constructor(private readonly apiUrl: string) {
    this.timer = setInterval(() => {
      const due = ((performance.now() - this.beganMs) / 1_000) * PER_SECOND;
      while (this.asked < due) this.ask(this.asked++);
    }, TICK_MS);
  }

  get perSecond(): number {
    return this.tookMs.length / ((performance.now() - this.beganMs) / 1_000);
  }

  stop(): Promise<void> {
    clearInterval(this.timer);
    this.agent.destroy();
    return Promise.resolve();
  }

  private ask(number: number): void {
    const beganMs = performance.now();
    const headers = { Authorization: `Bearer ${keyNamed(number % KEYS)}` };
    const url = `${this.apiUrl}${PATHS[number % PATHS.length] ?? ''}`;
    get(url, { agent: this.agent, headers }, (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume().on('end', () => {
        this.tookMs.push(performance.now() - beganMs);
        this.statuses.set(statusCode, (this.statuses.get(statusCode) ?? 0) + 1);
      });
      // At the end of a turn the bot stops with requests on their way.
    }).on('error', () => undefined);
  }
}

/** @param pairs how often each of the two has its turn */
export async function apiLoad(pairs: number, progress: (line: string) => void): Promise<Measurement[]> {
  const tookMs: number[] = [];
  const rates: number[] = [];
  const refused: string[] = [];
  let shed = 0;
  const asking = (apiUrl: string): Beside => {
    const load = new Load(apiUrl);
    return {
      stop: () => {
        rates.push(load.perSecond);
        for (const one of load.tookMs) tookMs.push(one);
        for (const [status, count] of load.statuses)
          if (status === 503) shed += count;
          else if (status !== 200) refused.push(`${count} × ${status}`);
        return load.stop();
      },
    };
  };
  const settings = { sections: MORE_KEYS };
  const samples = await inTurns(
    { without: { settings }, with: { settings, beside: asking } },
    pairs,
    progress,
  );
  if (refused.length > 0) throw new Error(`the API did not serve all: ${refused.join(', ')}`);
  const { without, with: loaded } = samples;
  const of = `${without.length} and ${loaded.length} liquidations, in turns`;
  const [p50, p99] = [ratioOf(samples, 50), ratioOf(samples, 99)];
  const between = ({ low, high }: typeof p50): string => `95 % of resamples between ${low} and ${high}`;
  return [
    {
      name: 'api.requests',
      value: Math.round(Math.min(...rates)),
      unit: '/s',
      note: 'answered, in the slowest turn',
    },
    {
      name: 'api.answer.p99',
      value: percentile(tookMs, 99),
      unit: 'ms',
      note: `of ${tookMs.length} answers, ${shed} of them refused for want of time`,
    },
    { name: 'headToSend.quiet.p50', value: percentile(without, 50), unit: 'ms', note: of },
    { name: 'headToSend.quiet.p99', value: percentile(without, 99), unit: 'ms', note: of },
    { name: 'headToSend.loaded.p50', value: percentile(loaded, 50), unit: 'ms', note: of },
    { name: 'headToSend.loaded.p99', value: percentile(loaded, 99), unit: 'ms', note: of },
    { name: 'headToSend.growth.p50', value: p50.ratio, unit: '×', note: between(p50) },
    {
      name: 'headToSend.growth.p99',
      value: p99.ratio,
      unit: '×',
      note: `${between(p99)}; the goal is below ${MOST_GROWTH}`,
    },
  ];
}
