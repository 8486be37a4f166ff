/** Which fault begins and ends when: data, from the seed alone. */
import { SeededRandom } from '../../devnet/random.js';

/** Faults of one lane never overlap each other; those of two lanes do. */
export type Lane = 'nodes' | 'rest';

export const FAULT_NAMES = {
  nodes: [
    'http-429',
    'http-502',
    'black-hole',
    'truncated-answers',
    'garbage-answers',
    'slow-node',
    'stale-node',
    'lying-call',
    'lying-simulation',
    'lie-of-any-kind',
    'transactions-kept',
    'websocket-silent',
    'websocket-cut',
    'all-nodes-away',
  ],
  rest: [
    'reorg',
    'chain-stands-still',
    'database-slow',
    'database-away',
    'database-silent',
    'database-restart',
    'process-frozen',
    'process-terminated',
    'process-killed',
    'second-process',
    'operator-halt',
  ],
} as const satisfies Record<Lane, readonly string[]>;

export type FaultName = (typeof FAULT_NAMES)[Lane][number];

/** These end the process whose memory is measured: they have a time of their own. */
export const ENDS_THE_PROCESS: readonly FaultName[] = ['process-terminated', 'process-killed'];

/** Seconds that a fault lasts. The others last {@link USUAL}. */
const LASTS: Partial<Record<FaultName, readonly [least: number, most: number]>> = {
  reorg: [1, 2],
  'chain-stands-still': [6, 40],
  'database-away': [3, 20],
  'database-silent': [3, 12],
  'database-restart': [1, 3],
  'process-frozen': [4, 10],
  'process-terminated': [1, 3],
  'process-killed': [1, 3],
  'second-process': [12, 25],
  'operator-halt': [3, 8],
  'websocket-cut': [1, 5],
  'all-nodes-away': [3, 45],
};
const USUAL: readonly [number, number] = [4, 15];
/** Seconds between two faults of a lane. */
const CALM: readonly [number, number] = [5, 14];

/** The faults begin when the bot has settled in, and end before the last look at the books. */
const FIRST_SECONDS = 8;
/** Share of the run in which the process may be ended; from then on one process runs to the end. */
const RESTARTS_UNTIL = 0.25;

export interface ScheduledFault {
  readonly name: FaultName;
  readonly lane: Lane;
  /** Seconds since the beginning. */
  readonly from: number;
  readonly to: number;
  /** For what the fault chooses at random. */
  readonly seed: number;
}

/** The same seed and length give the same schedule, ordered by the beginnings. */
export function scheduleOf(seed: number, minutes: number): ScheduledFault[] {
  const seconds = minutes * 60;
  return [
    ...laneOf('nodes', new SeededRandom(seed), seconds),
    ...laneOf('rest', new SeededRandom(seed + 1_000_000_007), seconds),
  ].sort((a, b) => a.from - b.from);
}

function laneOf(lane: Lane, random: SeededRandom, seconds: number): ScheduledFault[] {
  const faults: ScheduledFault[] = [];
  let deck: FaultName[] = [];
  for (let from = FIRST_SECONDS + random.between(0, 4); ;) {
    if (deck.length === 0) deck = shuffled(FAULT_NAMES[lane], random);
    const mayEndIt = from < seconds * RESTARTS_UNTIL;
    const name = deck.pop();
    if (name === undefined || (!mayEndIt && ENDS_THE_PROCESS.includes(name))) continue;
    const [least, most] = LASTS[name] ?? USUAL;
    const to = from + random.between(least, most);
    if (to > seconds - 2) return faults;
    faults.push({ name, lane, from: tenths(from), to: tenths(to), seed: random.integer(1, 2 ** 31) });
    from = to + random.between(...CALM);
  }
}

/** In an order of the seed: each comes once before any comes twice. */
function shuffled(names: readonly FaultName[], random: SeededRandom): FaultName[] {
  return names
    .map((name) => ({ name, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ name }) => name);
}

const tenths = (seconds: number): number => Math.round(seconds * 10) / 10;
