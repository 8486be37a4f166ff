/**
 * `npm run bench -- --crash`: one price step makes thousands of borrowers liquidatable. Both nodes spend no
 * more than 50M gas on one simulation, as most nodes do.
 */
import type { PositionRequest } from '../devnet/index.js';
import { Stack } from '../devnet/stack/stack.js';
import type { BotEvent } from '../src/domain/events/events.js';
import { USD8 } from '../src/domain/money.js';
import { gasCapped } from '../testing/nodes/gas-cap.js';
import { LyingNode } from '../testing/nodes/lying-node.js';
import { metricOf } from '../testing/metrics.js';
import type { Measurement } from './measurement.js';

const BLOCK_MS = 200;
const GAS_CAP = 50_000_000n;
/** Each win lets one more be in flight. */
const WARM_UP = [4, 8, 16, 32, 50, 50] as const;
/** The first ones must be away within their block. */
const FIRST = 20;
const METRICS_MS = 500;
const DELAY = 'chimera_event_loop_delay_seconds';
/** What was refused may be liquidated yet. After this long without a liquidation nothing more is expected. */
const QUIET_MS = 5_000;
/** After this long without one it is over, however many are left. */
const PATIENCE_MS = 60_000;
/** Their turn comes. */
const WAITS = new Set(['comes-later', 'in-flight-limit', 'in-flight', 'plan-too-old']);

/** The price of ether at which a position has a health factor of 1: dollars. */
const edgeOf = (drop: number): bigint => 2_890n - 3n * BigInt(drop);

/** @param thousandths of a WETH: so small that all of the debt may be repaid. */
const atEdge = (edge: bigint, thousandths: bigint): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: thousandths * 10n ** 15n }],
  debts: [{ symbol: 'USDC', amount: (edge * 83n * thousandths * 10n ** 6n) / 100_000n }],
});

interface Sent {
  readonly borrower: string;
  readonly block: number;
  readonly headToSendMs: number;
}

export async function crash(positions: number, progress: (line: string) => void): Promise<Measurement[]> {
  const stack = await Stack.start({ borrowers: [], onProgress: progress });
  const { devnet } = stack;
  const nodes = await Promise.all(
    [0, 1].map(() => LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl })),
  );
  try {
    for (const node of nodes) node.lie = gasCapped(GAS_CAP);
    const warmUp = WARM_UP.flatMap((size, drop) =>
      Array.from({ length: size }, () => atEdge(edgeOf(drop), 300n)),
    );
    const edge = edgeOf(WARM_UP.length);
    // From 0.1 to 0.7 WETH, in an order that has nothing to do with their size.
    const sizes = Array.from({ length: positions }, (_, index) => BigInt(100 + ((index * 7_919) % 600)));
    progress(`opening ${warmUp.length + positions} positions`);
    const accounts = await stack.devnet.openPositions([
      ...warmUp,
      ...sizes.map((size) => atEdge(edge, size)),
    ]);
    const all = accounts.map((account) => account.toLowerCase());
    await devnet.startMining(BLOCK_MS);

    const watch = new Watch(sizes.map((size, index) => [all[warmUp.length + index] ?? '', size]));
    const [primary, backup] = nodes;
    const bot = await stack.startBot((event) => watch.hear(event), {
      rpcUrl: primary?.httpUrl ?? '',
      wsUrl: primary?.wsUrl ?? '',
      backupUrl: backup?.httpUrl ?? '',
      maxInFlight: 200,
      minProfitUsd: '0.5',
    });
    let from = 0;
    for (const [drop, size] of WARM_UP.entries()) {
      const left = new Set(all.slice(from, from + size));
      from += size;
      const settled = [...left].map((borrower) =>
        bot.waitFor('execution-settled', (event) => event.borrower.toLowerCase() === borrower),
      );
      await Promise.all([...settled, devnet.setPrice('WETH', (edgeOf(drop) - 1n) * USD8)]);
      progress(`${size} liquidated`);
    }
    const metrics = async (): Promise<string> => {
      try {
        return await (await fetch(`${bot.apiUrl}/metrics`)).text();
      } catch {
        return ''; // It stands still.
      }
    };
    // A window of delays ends when it is read, and is told for ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    await metrics();
    let stallMs = 0;
    let rssMb = 0;
    await devnet.setPrice('WETH', (edge - 20n) * USD8);
    const began = performance.now();
    let reportedAt = began;
    while (!watch.isOver) {
      await new Promise((resolve) => setTimeout(resolve, METRICS_MS));
      const text = await metrics();
      rssMb = Math.max(rssMb, (metricOf(text, 'chimera_process_resident_memory_bytes') || 0) / 1e6);
      if (performance.now() - reportedAt < 10_500) continue;
      stallMs = Math.max(stallMs, (metricOf(text, DELAY, 'quantile="1"') || 0) * 1_000);
      reportedAt = performance.now();
      progress(`${watch.waiting} are left after ${Math.round(reportedAt - began)} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    const text = await metrics();
    stallMs = Math.max(stallMs, (metricOf(text, DELAY, 'quantile="1"') || 0) * 1_000);
    return watch.measurements({ positions, stallMs, rssMb });
  } finally {
    await stack.stop();
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** What the bot tells of the positions of the crash. */
class Watch {
  private wonAt = performance.now();
  private readonly sent: Sent[] = [];
  private readonly plannedAt = new Map<string, number>();
  private readonly open: Set<string>;
  private readonly sizes: ReadonlyMap<string, bigint>;
  private readonly reasons = new Map<string, string>();
  private lastWonBlock = 0;
  private readonly passes: number[] = [];

  constructor(sizes: readonly (readonly [string, bigint])[]) {
    this.sizes = new Map(sizes);
    this.open = new Set(this.sizes.keys());
  }

  /** How many are neither liquidated nor refused for a reason that stays. */
  get waiting(): number {
    return [...this.open].filter((borrower) => WAITS.has(this.reasonOf(borrower))).length;
  }

  get isOver(): boolean {
    const quietMs = performance.now() - this.wonAt;
    return quietMs > PATIENCE_MS || (quietMs > QUIET_MS && this.waiting === 0);
  }

  private reasonOf(borrower: string): string {
    return this.reasons.get(borrower) ?? 'in-flight';
  }

  hear(event: BotEvent): void {
    if (event.event === 'pass' && event.liquidatable > 0) this.passes.push(event.tookMs);
    if (!('borrower' in event) || typeof event.borrower !== 'string') return;
    const borrower = event.borrower.toLowerCase();
    if (!this.sizes.has(borrower)) return;
    if (event.event === 'plan-ready') this.plannedAt.set(borrower, event.block);
    if (event.event === 'transaction-sent')
      this.sent.push({
        borrower,
        block: this.plannedAt.get(borrower) ?? 0,
        headToSendMs: event.headToSendUs / 1_000,
      });
    if (event.event === 'position-skipped') this.reasons.set(borrower, event.reason);
    if (event.event === 'execution-settled' && event.outcome === 'won' && this.open.delete(borrower)) {
      this.wonAt = performance.now();
      this.lastWonBlock = event.block ?? this.lastWonBlock;
    }
  }

  measurements(of: {
    readonly positions: number;
    readonly stallMs: number;
    readonly rssMb: number;
  }): Measurement[] {
    const { positions, stallMs, rssMb } = of;
    const firstBlock = Math.min(...this.sent.map(({ block }) => block));
    const first = this.sent.slice(0, FIRST);
    const atOnce = first.filter(({ block }) => block === firstBlock);
    const ranked = [...this.sizes.values()].sort((a, b) => (a < b ? 1 : -1));
    const least = ranked[FIRST - 1] ?? 0n;
    const valuable = atOnce.filter(({ borrower }) => (this.sizes.get(borrower) ?? 0n) >= least).length;
    const reasons = new Map<string, number>();
    for (const borrower of this.open) {
      const reason = this.reasonOf(borrower);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const left = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const row = (name: string, value: number, unit: string, note: string): Measurement => ({
      name: `crash.${name}`,
      value: Math.round(value * 10) / 10,
      unit,
      note,
    });
    const lastMs = Math.max(0, ...atOnce.map(({ headToSendMs }) => headToSendMs));
    return [
      row(
        'headTo20th',
        lastMs,
        'ms',
        `${atOnce.length} of the first ${FIRST} within their block; ${valuable} of them are the most valuable`,
      ),
      row('headToFirst', Math.min(...atOnce.map(({ headToSendMs }) => headToSendMs)), 'ms', 'the first one'),
      row('stall', stallMs, 'ms', 'the largest delay of the event loop, by the metric of the bot'),
      row('memory', rssMb, 'MB', 'resident, at most'),
      row(
        'blocks',
        this.lastWonBlock - firstBlock,
        'blocks',
        `until the last one; ${positions - this.open.size} of ${positions} liquidated; left: ${left || 'none'}`,
      ),
      row('pass', Math.max(0, ...this.passes), 'ms', 'the longest pass, with what it waited for'),
    ];
  }
}
