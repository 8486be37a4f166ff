/**
 * `npm run bench -- --crossings`: positions that interest alone opens, one after the other. No price moves.
 * How many are sent with the head before the first block in which they are open, and what the bot works in
 * such a pass. There are two nodes, some way off.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../devnet/demo/totals.js';
import { SeededRandom } from '../devnet/random.js';
import { Stack } from '../devnet/stack/stack.js';
import type { BotEvent, EventNamed } from '../src/domain/events/events.js';
import { WAD } from '../src/domain/money.js';
import { eventually } from '../testing/eventually.js';
import { healthFactor, openByInterest } from '../testing/openings.js';
import { DelayedNode, type Exchange } from './delayed-node.js';
import { coveredMs, type Span } from './exchanges.js';
import type { Measurement } from './measurement.js';

const ROUND_TRIP_MS = 15;
const BLOCK_MS = 1_000;
/** Before them, and not measured: the process gets warm. */
const WARM_UP = 20;
const FIRST_SECONDS = 20;
/** From one opening to the next, on average. */
const SECONDS_BETWEEN = 1.5;
const SEND = 'eth_sendRawTransaction';
/** For all of them: far more than their times take. */
const MOST_MS = 900_000;
/** Hand-overs that are further apart belong to two passes. */
const PASS_GAP_MS = 300;

export interface CrossingsOptions {
  readonly seed: number;
  /** How many are measured. */
  readonly positions: number;
}

export async function crossings(
  { seed, positions }: CrossingsOptions,
  progress: (line: string) => void,
): Promise<Measurement[]> {
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  const { devnet } = stack;
  const nodes = [
    await DelayedNode.start(devnet.rpcUrl, ROUND_TRIP_MS),
    await DelayedNode.start(devnet.rpcUrl, ROUND_TRIP_MS),
  ] as const;
  try {
    const heard: BotEvent[] = [];
    await stack.startBot((event) => heard.push(event), {
      rpcUrl: nodes[0].url,
      backupUrl: nodes[1].url,
      maxInFlight: 200,
    });
    await devnet.startMining(BLOCK_MS);
    await eventually(() => heard.some(({ event }) => event === 'pools-read'), 'the pools to be known');
    progress(`opening ${WARM_UP + positions} positions`);
    const borrowers = await openByInterest(devnet, {
      seconds: secondsOf(seed, WARM_UP + positions),
      wethEach: 2n * 10n ** 18n,
    });
    for (const node of nodes) node.take();
    const until = performance.now() + MOST_MS;
    let told = 0;
    while (wonOf(heard).length < borrowers.length) {
      await sleep(500);
      const won = wonOf(heard).length;
      if (performance.now() > until) throw new Error(`only ${won} of ${borrowers.length} were won`);
      if (won < told + 20) continue;
      told = won;
      progress(`${told} of ${borrowers.length} won`);
    }
    const exchanges = nodes.flatMap((node) => node.take());
    return await measurementsOf(stack, heard, exchanges);
  } finally {
    await stack.stop();
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** Random times: some positions open together, some in blocks next to each other, some alone. */
function secondsOf(seed: number, count: number): number[] {
  const random = new SeededRandom(seed);
  let at = FIRST_SECONDS;
  return Array.from({ length: count }, () => {
    at += -Math.log(1 - random.next()) * SECONDS_BETWEEN;
    return at;
  });
}

const wonOf = (heard: readonly BotEvent[]): readonly BotEvent[] =>
  heard.filter((event) => event.event === 'execution-settled' && event.outcome === 'won');

/** What left with one head. */
interface Pass {
  readonly plans: readonly EventNamed<'plan-ready'>[];
  readonly sends: readonly EventNamed<'transaction-sent'>[];
}

/** In their order: the plans of a pass are told before its hand-overs. */
function passesOf(heard: readonly BotEvent[]): readonly Pass[] {
  const plans = new Map<string, EventNamed<'plan-ready'>>();
  const passes = new Map<
    number,
    { plans: EventNamed<'plan-ready'>[]; sends: EventNamed<'transaction-sent'>[] }
  >();
  for (const event of heard) {
    if (event.event === 'plan-ready') plans.set(event.executionId, event);
    if (event.event !== 'transaction-sent') continue;
    const plan = plans.get(event.executionId);
    if (!plan) continue;
    const pass = passes.get(plan.block) ?? { plans: [], sends: [] };
    passes.set(plan.block, pass);
    pass.plans.push(plan);
    pass.sends.push(event);
  }
  return [...passes.values()];
}

async function measurementsOf(
  stack: Stack,
  heard: readonly BotEvent[],
  exchanges: readonly Exchange[],
): Promise<Measurement[]> {
  const all = passesOf(heard);
  const clusters = clustersOf(exchanges.filter(({ methods }) => methods.includes(SEND)));
  if (clusters.length !== all.length)
    throw new Error(`${all.length} passes were told, and ${clusters.length} were seen at the nodes`);
  let seen = 0;
  const measured = all.flatMap((pass, index) => {
    seen += pass.plans.length;
    return seen <= WARM_UP ? [] : [{ ...pass, ...timesOfPass(pass, clusters[index] ?? [], exchanges) }];
  });
  const rows = await stack.query<{ borrower: string; block_number: string }>(
    "SELECT borrower, block_number::text FROM executions WHERE status = 'succeeded'",
  );
  const blockOf = new Map(rows.map((row) => [row.borrower.toLowerCase(), Number(row.block_number)]));
  const plans = measured.flatMap((pass) => pass.plans);
  const wasOpen = await Promise.all(
    plans.map(async ({ borrower }) => {
      const block = blockOf.get(borrower.toLowerCase()) ?? 0;
      return (await healthFactor(stack.devnet, borrower, block - 1)) < WAD;
    }),
  );
  const late = wasOpen.filter(Boolean).length;
  const failed = heard.filter(
    (event) => event.event === 'execution-settled' && event.outcome !== 'won',
  ).length;
  const prepared = measured.filter((pass) => pass.plans.every(({ provedAt }) => provedAt !== undefined));
  const others = measured.filter((pass) => !prepared.includes(pass));
  const of = `${plans.length} positions in ${measured.length} passes, blocks of ${BLOCK_MS} ms, two nodes ${ROUND_TRIP_MS} ms off`;
  const share = (count: number): number => Math.round((count * 10_000) / plans.length) / 100;
  const toSent = (pass: Pass): number =>
    Math.max(...pass.sends.map(({ headToSendUs }) => headToSendUs)) / 1_000;
  return [
    { name: 'sentWithOpeningHead', value: share(plans.length - late), unit: '%', note: of },
    {
      name: 'sentBeforeOpen',
      value: failed,
      unit: 'transactions',
      note: 'of all that were sent: not won, for example because the position was not open yet',
    },
    {
      name: 'provedAhead',
      value: share(plans.filter(({ provedAt }) => provedAt !== undefined).length),
      unit: '%',
      note: 'sent without a search and without a question; of the others something changed since',
    },
    ...timesOf('', measured, toSent),
    ...timesOf('.provedAhead', prepared, toSent),
    ...timesOf('.plannedAtHead', others, toSent),
  ];
}

/** From the head to the last hand-over of a pass. Milliseconds. */
interface Times {
  /** Without the time in which a request to a node is under way: own work, and waiting for the database. */
  readonly ownMs: number;
  /** Also without the time in which its rows are being made durable. */
  readonly withoutRowsMs: number;
  /** What the bot computed, on all its threads: also while requests and rows are under way. */
  readonly cpuMs: number;
}

type Timed = Pass & Times;

function timesOf(name: string, passes: readonly Timed[], toSent: (pass: Pass) => number): Measurement[] {
  if (passes.length === 0) return [];
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  const both = (what: string, values: readonly number[], note: string): Measurement[] =>
    [50, 99].map((share) => ({
      name: `${what}${name}.p${share}`,
      value: rounded(percentile(values, share)),
      unit: 'ms',
      note: `${passes.length} passes, from the head to the last hand-over, ${note}`,
    }));
  return [
    ...both(
      'ownWork',
      passes.map(({ ownMs }) => ownMs),
      'wall time without any request under way: own work and the database',
    ),
    ...both(
      'ownWorkWithoutRows',
      passes.map(({ withoutRowsMs }) => withoutRowsMs),
      'wall time without any request under way, and without waiting for its rows to be durable',
    ),
    ...both(
      'cpu',
      passes.map(({ cpuMs }) => cpuMs),
      'processor time of the bot, on all its threads, also while requests and rows are under way',
    ),
    ...both('headToAllSent', passes.map(toSent), 'wall time with everything'),
  ];
}

function clustersOf(handOvers: readonly Exchange[]): readonly (readonly Exchange[])[] {
  const clusters: Exchange[][] = [];
  let last = -Infinity;
  for (const one of [...handOvers].sort((a, b) => a.atMs - b.atMs)) {
    if (one.atMs - last > PASS_GAP_MS) clusters.push([]);
    clusters.at(-1)?.push(one);
    last = one.atMs;
  }
  return clusters;
}

/** The first hand-over ties the clock of the bot to ours. */
function timesOfPass({ sends }: Pass, handOvers: readonly Exchange[], exchanges: readonly Exchange[]): Times {
  const times = sends.map(({ headToSendUs }) => headToSendUs / 1_000);
  const headMs = Math.min(...handOvers.map(({ atMs }) => atMs)) - Math.min(...times);
  const lastMs = headMs + Math.max(...times);
  const during: Span[] = exchanges.filter(({ atMs, doneMs }) => doneMs > headMs && atMs < lastMs);
  const rows = sends.map(({ headToSendUs, recordUs }): Span => {
    const doneMs = headMs + headToSendUs / 1_000;
    return { atMs: doneMs - recordUs / 1_000, doneMs };
  });
  const without = (spans: readonly Span[]): number => lastMs - headMs - coveredMs(spans, headMs, lastMs);
  return {
    ownMs: without(during),
    withoutRowsMs: without([...during, ...rows]),
    cpuMs: Math.max(...sends.map(({ cpuUs }) => cpuUs / 1_000)),
  };
}
