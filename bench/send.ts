/**
 * `npm run bench -- --send`: from the arrival of a head to the hand-over of the last transaction, by how many
 * borrowers one price step makes liquidatable, and by how far the nodes are off. A backup is configured.
 */
import { toQuantity } from 'ethers';
import type { PositionRequest } from '../devnet/index.js';
import { percentile } from '../devnet/demo/totals.js';
import type { BotProcess } from '../devnet/stack/bot-process.js';
import { Stack } from '../devnet/stack/stack.js';
import type { BotEvent } from '../src/domain/events/events.js';
import { USD8 } from '../src/domain/money.js';
import { TcpProxy } from '../testing/nodes/tcp-proxy.js';
import { DelayedNode, SharedSimulations, type Exchange } from './delayed-node.js';
import { coveredMs, longestChain, type Span } from './exchanges.js';
import type { Measurement } from './measurement.js';

const BLOCK_MS = 400;
const SEND = 'eth_sendRawTransaction';
const SIMULATION = 'eth_simulateV1';
/** How far the clocks of the bot and of this process may be tied together wrongly. */
const CLOCK_MS = 2;
/** Each win lets one more be in flight: these warm the process up, too. */
const WARM_UP = [4, 8, 16, 32, 50, 20, 5, 1] as const;
/** How often so many positions fall at once: each other time the simulations of the two nodes are shared. */
const DROPS: Readonly<Record<number, number>> = { 1: 16, 5: 12, 20: 16, 50: 12 };

/** The price of ether at which a drop has a health factor of 1: dollars. */
const edge = (drop: number): bigint => 2_890n - 3n * BigInt(drop);

/** A quarter of it, which the bot takes at the most, has room for the largest drop. */
const BLOCK_GAS = 400_000_000n;

/** Half a WETH, of which the market counts 83 %: a debt so small that all of it may be repaid. */
const atEdge = (drop: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 5n * 10n ** 17n }],
  debts: [{ symbol: 'USDC', amount: (edge(drop) * 83n * 10n ** 6n) / 200n }],
});

/** In turns, so that a machine that becomes slower does so for all of them. */
function dropsOf(sizes: readonly number[]): readonly number[] {
  const most = Math.max(...sizes.map((size) => DROPS[size] ?? 0));
  const turns = Array.from({ length: most }, (_, turn) => sizes.filter((size) => turn < (DROPS[size] ?? 0)));
  return [...WARM_UP, ...turns.flat()];
}

/** What was measured of one drop. */
interface Drop {
  readonly size: number;
  /** The two nodes shared the answers to their simulations. */
  readonly isShared: boolean;
  /** How many of them were sent at the head that showed them all. */
  readonly atOnce: number;
  readonly allSentMs: number;
  /** Of that time, without any request under way. */
  readonly ownMs: number;
  /** Of that time, with a request at a node: one that reads, and one that simulates. */
  readonly readAtNodeMs: number;
  readonly provedAtNodeMs: number;
  readonly roundTrips: number;
  readonly calls: number;
}

export interface SendOptions {
  /** Which numbers of plans: 1, 5, 20, 50. */
  readonly sizes: readonly number[];
  readonly roundTripsMs: readonly number[];
}

export async function headToAllSent(
  { sizes, roundTripsMs }: SendOptions,
  progress: (line: string) => void,
): Promise<Measurement[]> {
  const drops = dropsOf(sizes);
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  try {
    await stack.devnet.rpc('evm_setBlockGasLimit', [toQuantity(BLOCK_GAS)]);
    const positions = drops.flatMap((size, drop) => Array.from({ length: size }, () => atEdge(drop)));
    progress(`opening ${positions.length} positions`);
    const accounts = await stack.devnet.openPositions(positions);
    const measured: Measurement[] = [];
    for (const roundTripMs of roundTripsMs) {
      const all = await behind({ stack, roundTripMs, drops, accounts }, progress);
      for (const size of sizes) {
        const own = all.slice(WARM_UP.length).filter((one) => one.size === size);
        const of = `rtt${roundTripMs}.n${size}`;
        measured.push(
          ...measurementsOf(
            of,
            own.filter(({ isShared }) => !isShared),
          ),
          ...measurementsOf(
            `shared.${of}`,
            own.filter(({ isShared }) => isShared),
          ),
        );
      }
    }
    return measured;
  } finally {
    await stack.stop();
  }
}

interface Run {
  readonly stack: Stack;
  readonly roundTripMs: number;
  readonly drops: readonly number[];
  readonly accounts: readonly string[];
}

async function behind(
  { stack, roundTripMs, drops, accounts }: Run,
  progress: (line: string) => void,
): Promise<Drop[]> {
  const { devnet } = stack;
  const clean = await devnet.snapshot();
  const shared = new SharedSimulations();
  const nodes = [
    await DelayedNode.start(devnet.rpcUrl, roundTripMs, shared),
    await DelayedNode.start(devnet.rpcUrl, roundTripMs, shared),
  ];
  const { hostname, port } = new URL(devnet.wsUrl);
  const heads = await TcpProxy.start({ host: hostname, port: Number(port) });
  if (roundTripMs > 0) heads.become({ kind: 'slow', ms: roundTripMs / 2 });
  await devnet.startMining(BLOCK_MS);
  const sends = new Map<string, { headToSendUs: number; block: number }>();
  const plannedAt = new Map<string, number>();
  const hear = (event: BotEvent): void => {
    if (event.event === 'plan-ready') plannedAt.set(event.borrower.toLowerCase(), event.block);
    if (event.event === 'transaction-sent') {
      const { borrower, headToSendUs } = event;
      const of = borrower.toLowerCase();
      sends.set(of, { headToSendUs, block: plannedAt.get(of) ?? 0 });
    }
  };
  const [primary, backup] = nodes;
  const bot = await stack.startBot(hear, {
    rpcUrl: primary?.url ?? '',
    wsUrl: `ws://127.0.0.1:${heads.port}`,
    backupUrl: backup?.url ?? '',
    maxInFlight: 200,
  });
  try {
    const measured: Drop[] = [];
    let from = 0;
    const times = new Map<number, number>();
    for (const [drop, size] of drops.entries()) {
      const time = (times.get(size) ?? 0) + 1;
      times.set(size, time);
      shared.isOn = time % 2 === 0;
      const borrowers = accounts.slice(from, from + size).map((account) => account.toLowerCase());
      from += size;
      for (const node of nodes) node.take();
      await settledAfter(bot, borrowers, () => devnet.setPrice('WETH', (edge(drop) - 1n) * USD8));
      const sent = borrowers.flatMap((borrower) => sends.get(borrower) ?? []);
      const exchanges = nodes.flatMap((node) => node.take());
      const one = { ...dropOf(sent, exchanges), isShared: shared.isOn };
      measured.push(one);
      progress(
        `round trip ${roundTripMs} ms, ${size} plans${one.isShared ? ', shared' : ''}: ${one.allSentMs.toFixed(1)} ms (own ${one.ownMs.toFixed(1)}, nodes ${one.readAtNodeMs.toFixed(1)} + ${one.provedAtNodeMs.toFixed(1)}), ${one.atOnce} at once`,
      );
    }
    return measured;
  } finally {
    await bot.stop();
    await heads.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await devnet.stopMining();
    await devnet.revert(clean);
    await stack.query('DROP SCHEMA public CASCADE');
    await stack.query('CREATE SCHEMA public');
  }
}

/** Resolves when each of the borrowers was liquidated. */
async function settledAfter(
  bot: BotProcess,
  borrowers: readonly string[],
  step: () => Promise<void>,
): Promise<void> {
  const won = borrowers.map((borrower) =>
    bot.waitFor(
      'execution-settled',
      (event) => event.outcome === 'won' && event.borrower.toLowerCase() === borrower,
    ),
  );
  await Promise.all([...won, step()]);
}

function dropOf(
  sent: readonly { readonly headToSendUs: number; readonly block: number }[],
  exchanges: readonly Exchange[],
): Omit<Drop, 'isShared'> {
  const first = Math.min(...sent.map(({ block }) => block));
  const atOnce = sent.filter(({ block }) => block === first);
  const allSentMs = Math.max(...atOnce.map(({ headToSendUs }) => headToSendUs)) / 1_000;
  const handOvers = exchanges.filter(({ methods }) => methods.includes(SEND));
  // The clock of the bot is another one: the first hand-over ties the two together.
  const firstSendMs = Math.min(...handOvers.map(({ atMs }) => atMs));
  const headMs = firstSendMs - Math.min(...atOnce.map(({ headToSendUs }) => headToSendUs)) / 1_000;
  const lastSendMs = headMs + allSentMs;
  const isProof = ({ methods }: Exchange): boolean => methods.includes(SIMULATION);
  const during = exchanges.filter(({ atMs, doneMs }) => doneMs > headMs && atMs < lastSendMs);
  const before = exchanges.filter(
    ({ atMs, doneMs }) => atMs >= headMs - CLOCK_MS && doneMs <= firstSendMs + CLOCK_MS,
  );
  const handedOver = handOvers.filter(({ atMs }) => atMs <= lastSendMs + 5);
  const calls = [...new Set([...during, ...handedOver])].reduce(
    (sum, { methods }) => sum + methods.length,
    0,
  );
  return {
    size: sent.length,
    atOnce: atOnce.length,
    allSentMs,
    ownMs: allSentMs - coveredMs(during, headMs, lastSendMs),
    readAtNodeMs: coveredMs(during.filter((one) => !isProof(one)).map(atNode), headMs, firstProofMs(during)),
    provedAtNodeMs: coveredMs(during.filter(isProof).map(atNode), headMs, lastSendMs),
    roundTrips: longestChain(before),
    calls: calls / atOnce.length,
  };
}

/** Reads that are asked beside a proof are not waited for. */
function firstProofMs(exchanges: readonly Exchange[]): number {
  const proofs = exchanges.filter(({ methods }) => methods.includes(SIMULATION));
  return Math.min(...proofs.map(({ atMs }) => atMs));
}

function atNode({ atNodeMs, leftNodeMs }: Exchange): Span {
  return { atMs: atNodeMs, doneMs: leftNodeMs };
}

function measurementsOf(of: string, drops: readonly Drop[]): Measurement[] {
  const median = (value: (drop: Drop) => number): number => rounded(percentile(drops.map(value), 50));
  const split = drops.filter(({ size, atOnce }) => atOnce < size).length;
  const note = `${drops.length} drops, ${split} of them not sent within one pass`;
  const own = drops.map(({ ownMs }) => ownMs);
  const ofOwn =
    'from the head to the last hand-over, without any request under way: own work and the database';
  const ofNodes = drops.some(({ isShared }) => isShared)
    ? 'the second of two equal simulations got the answer to the first, as if two nodes made them at once'
    : 'one process is both nodes: it made the simulations of both one after the other';
  return [
    { name: `headToAllSent.${of}`, value: median(({ allSentMs }) => allSentMs), unit: 'ms', note },
    { name: `ownWork.${of}.p50`, value: rounded(percentile(own, 50)), unit: 'ms', note: ofOwn },
    { name: `ownWork.${of}.p99`, value: rounded(percentile(own, 99)), unit: 'ms', note: ofOwn },
    {
      name: `node.${of}`,
      value: median(({ readAtNodeMs, provedAtNodeMs }) => readAtNodeMs + provedAtNodeMs),
      unit: 'ms',
      note: `from the head to the last hand-over, with a request at a node; ${ofNodes}`,
    },
    {
      name: `node.read.${of}`,
      value: median(({ readAtNodeMs }) => readAtNodeMs),
      unit: 'ms',
      note: 'of that: logs and what is asked at the head',
    },
    {
      name: `node.prove.${of}`,
      value: median(({ provedAtNodeMs }) => provedAtNodeMs),
      unit: 'ms',
      note: 'of that: proofs',
    },
    {
      name: `roundTripsBeforeSend.${of}`,
      value: median(({ roundTrips }) => roundTrips),
      unit: 'round trips',
      note: 'requests that were made one after the other, from the head to the first hand-over',
    },
    {
      name: `callsPerPlan.${of}`,
      value: median(({ calls }) => calls),
      unit: 'calls',
      note: 'JSON-RPC calls to both nodes, from the head to the last hand-over, for each plan',
    },
  ];
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
