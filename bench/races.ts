/**
 * `npm run bench -- --races`: positions won against a rival that always offers the same tip, and what was
 * paid for them, by bid model. The chain orders its blocks by tip. There are two nodes, 15 ms off.
 * The rival is at the node itself, and sends as soon as the block with the price has been made.
 */
import type { PositionRequest } from '../devnet/index.js';
import { percentile } from '../devnet/demo/totals.js';
import { Stack } from '../devnet/stack/stack.js';
import type { BidModel } from '../src/domain/bid.js';
import type { BotEvent } from '../src/domain/events/events.js';
import { USD8 } from '../src/domain/money.js';
import { eventually } from '../testing/eventually.js';
import { TcpProxy } from '../testing/nodes/tcp-proxy.js';
import { FixedTipRival, racesOf, type WonRace } from '../testing/rival.js';
import { DelayedNode } from './delayed-node.js';
import type { Measurement } from './measurement.js';

const ROUND_TRIP_MS = 15;
/** 0.01 gwei. */
const RIVAL_TIP_WEI = 10n ** 7n;
/** Without the rival: each win lets one more be in flight. */
const WARM_UP = [4, 8, 16, 32, 20, 4] as const;
/** Against the rival, and not measured: what is not known before the first race is learned here. */
const LEARNING = [4, 20] as const;
/** 60 positions by 4, and 100 by 20. */
const MEASURED = [4, 4, 4, 20, 4, 4, 4, 20, 4, 4, 4, 20, 4, 4, 4, 20, 4, 4, 4, 20] as const;
const DROPS = [...WARM_UP, ...LEARNING, ...MEASURED];

/** The price of ether at which a drop has a health factor of 1: dollars. */
const edge = (drop: number): bigint => 2_890n - 3n * BigInt(drop);

/** Half a WETH, of which the market counts 83 %: a debt so small that all of it may be repaid. */
const atEdge = (drop: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: 5n * 10n ** 17n }],
  debts: [{ symbol: 'USDC', amount: (edge(drop) * 83n * 10n ** 6n) / 200n }],
});

interface Drop {
  readonly races: readonly WonRace[];
  readonly phase: 'warm-up' | 'learning' | 'measured';
  /** From the head to the hand-over of the last transaction, of those that were sent. */
  readonly allSentMs: number;
}

export interface RacesOptions {
  /** By which bids are made, one after the other. */
  readonly models: readonly BidModel[];
  readonly blockMs: number;
}

export async function races(
  { models, blockMs }: RacesOptions,
  progress: (line: string) => void,
): Promise<Measurement[]> {
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  try {
    const positions = DROPS.flatMap((size, drop) => Array.from({ length: size }, () => atEdge(drop)));
    progress(`opening ${positions.length} positions`);
    const accounts = await stack.devnet.openPositions(positions);
    const rival = await FixedTipRival.of(stack.devnet, RIVAL_TIP_WEI);
    const measured: Measurement[] = [];
    for (const model of models)
      measured.push(
        ...measurementsOf(stack, model, await run(stack, model, blockMs, { rival, accounts, progress })),
      );
    return measured;
  } finally {
    await stack.stop();
  }
}

interface Scene {
  readonly rival: FixedTipRival;
  readonly accounts: readonly string[];
  readonly progress: (line: string) => void;
}

async function run(
  stack: Stack,
  bidModel: BidModel,
  blockMs: number,
  { rival, accounts, progress }: Scene,
): Promise<Drop[]> {
  const { devnet } = stack;
  const clean = await devnet.snapshot();
  const primary = await DelayedNode.start(devnet.rpcUrl, ROUND_TRIP_MS);
  const backup = await DelayedNode.start(devnet.rpcUrl, ROUND_TRIP_MS);
  const { hostname, port } = new URL(devnet.wsUrl);
  const heads = await TcpProxy.start({ host: hostname, port: Number(port) });
  heads.become({ kind: 'slow', ms: ROUND_TRIP_MS / 2 });
  await devnet.startMining(blockMs);
  const wsUrl = `ws://127.0.0.1:${heads.port}`;
  const sentMs = new Map<string, number>();
  const hear = (event: BotEvent): void => {
    if (event.event === 'transaction-sent')
      sentMs.set(event.borrower.toLowerCase(), event.headToSendUs / 1_000);
  };
  const bot = await stack.startBot(hear, {
    ...{ rpcUrl: primary.url, backupUrl: backup.url, wsUrl, bidModel, maxInFlight: 200 },
  });
  try {
    const drops: Drop[] = [];
    let from = 0;
    for (const [drop, size] of DROPS.entries()) {
      const borrowers = accounts.slice(from, from + size);
      from += size;
      const phase = phaseOf(drop);
      const block = await devnet.provider.getBlockNumber();
      await devnet.setPrice('WETH', (edge(drop) - 1n) * USD8);
      if (phase !== 'warm-up') await rival.liquidate(borrowers);
      const all = await racesOf(devnet, borrowers, block);
      await nothingInFlight(stack);
      const allSentMs = Math.max(0, ...borrowers.map((one) => sentMs.get(one.toLowerCase()) ?? 0));
      drops.push({ phase, races: all, allSentMs });
      const won = all.filter((race) => isOurs(stack, race)).length;
      progress(
        `${bidModel}, ${phase}: ${won} of ${size} won; the last was sent after ${allSentMs.toFixed(0)} ms`,
      );
    }
    return drops;
  } finally {
    await bot.stop();
    await heads.stop();
    await Promise.all([primary.stop(), backup.stop()]);
    await devnet.stopMining();
    await devnet.revert(clean);
    await stack.query('DROP SCHEMA public CASCADE');
    await stack.query('CREATE SCHEMA public');
  }
}

function phaseOf(drop: number): Drop['phase'] {
  if (drop < WARM_UP.length) return 'warm-up';
  return drop < WARM_UP.length + LEARNING.length ? 'learning' : 'measured';
}

async function nothingInFlight(stack: Stack): Promise<void> {
  await eventually(async () => {
    const open = await stack.query("SELECT id FROM transactions WHERE status IN ('prepared', 'broadcast')");
    return open.length === 0;
  }, 'every transaction to be settled');
}

const isOurs = ({ devnet }: Stack, { winner }: WonRace): boolean =>
  winner.toLowerCase() === devnet.accounts.operator.toLowerCase();

function measurementsOf(stack: Stack, model: BidModel, drops: readonly Drop[]): Measurement[] {
  const learning = drops.filter(({ phase }) => phase === 'learning').flatMap((drop) => drop.races);
  const learned = learning.filter((race) => isOurs(stack, race)).length;
  const note = `before: ${learned} of ${learning.length} won while it learned`;
  return [4, 20].flatMap((size) => {
    const own = drops.filter(({ phase, races: { length } }) => phase === 'measured' && length === size);
    const all = own.flatMap((drop) => drop.races);
    const sentMs = percentile(
      own.map(({ allSentMs }) => allSentMs),
      50,
    );
    const won = all.filter((race) => isOurs(stack, race));
    const gas = won.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
    const paidWei = won.reduce((sum, { gasUsed, tipPerGasWei }) => sum + gasUsed * tipPerGasWei, 0n);
    const enoughWei = gas * (RIVAL_TIP_WEI + 1n);
    const of = `races.n${size}.${model}`;
    const share = rounded((100 * won.length) / all.length);
    return [
      {
        name: `${of}.won`,
        value: share,
        unit: '%',
        note: `${won.length} of ${all.length}; sent after ${sentMs.toFixed(0)} ms (median); ${note}`,
      },
      {
        name: `${of}.tips`,
        value: won.length === 0 ? 0 : rounded(Number(paidWei) / Number(enoughWei)),
        unit: 'x',
        note: `of what would have sufficed: one wei more than the rival for each gas; paid: ${Number(paidWei) / 1e18} ETH`,
      },
    ];
  });
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
