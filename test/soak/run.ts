/** One soak: the world, the schedule, and the looks at what must hold. */
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../../devnet/random.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';
import { messageOf } from '../../src/domain/errors.js';
import { USD8 } from '../../src/domain/money.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import { TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import { contractHoldsNothing, withinCaps, type DailyCaps } from '../e2e/invariants.js';
import { Witness } from '../e2e/witness.js';
import type { SoakArguments } from './arguments.js';
import { beginFault, type FaultyWorld } from './faults.js';
import { Fleet } from './fleet.js';
import type { PlayedFault } from './halt-rules.js';
import { Market } from './market.js';
import { Operator } from './operator.js';
import { Progress } from './progress.js';
import { verdictOf, type SoakReport } from './report.js';
import { scheduleOf, type ScheduledFault } from './schedule.js';

const BLOCK_MS = 1_000;
/** Between two moves of the market. */
const TURN_SECONDS = [3, 6] as const;
/** How often the caps are looked at. */
const CAPS_LOOK_MS = 5_000;
/** After the last fault the bot has so long to win once more, and to settle everything. */
const LAST_LOOK_MS = 240_000;

/** What the operator says at last. */
const THE_END = 'soak: the books are closed';

/** So much that the bot always has work, and little enough that a bot that ran away would be caught. */
const CAPS_PER_MINUTE = { volumeUsd: 1_500_000, feeMilliEth: 400, lossUsd: 150 };

function capsOf(minutes: number): DailyCaps & { readonly settings: BotSettings } {
  // The limits of the configuration are whole numbers, and a run over midnight has two days.
  const volumeUsd = Math.ceil(CAPS_PER_MINUTE.volumeUsd * minutes);
  const feeMilliEth = Math.ceil(CAPS_PER_MINUTE.feeMilliEth * minutes);
  const lossUsd = Math.ceil(CAPS_PER_MINUTE.lossUsd * minutes);
  return {
    volumeUsd8: BigInt(volumeUsd) * USD8,
    feeWei: BigInt(feeMilliEth) * 10n ** 15n,
    lossUsd8: BigInt(lossUsd) * USD8,
    settings: {
      maxSingleExecutionUsd: '100000',
      maxDailyVolumeUsd: String(volumeUsd),
      maxFeePerTransactionEth: '0.1',
      maxDailyFeeEth: (feeMilliEth / 1_000).toFixed(3),
      maxDailyLossUsd: String(lossUsd),
      maxTimestampJumpSeconds: 20,
      maxHeadAgeSeconds: 8,
      haltHeadAgeSeconds: 25,
      resumeAfterSeconds: 15,
      scanIntervalMs: 1_000,
    },
  };
}

/** Runs it all, and tells what held. Nothing is left running. */
export async function soak(
  { minutes, seed }: SoakArguments,
  print: (line: string) => void,
): Promise<SoakReport> {
  const schedule = scheduleOf(seed, minutes);
  printSchedule(schedule, print);
  const onProgress = (step: string): void => print(`  … ${step}`);
  const stack = await Stack.start({ borrowers: [], shipped: true, onProgress });
  const upstream = { http: stack.devnet.rpcUrl, ws: stack.devnet.wsUrl };
  const [primary, backup] = await Promise.all([LyingNode.start(upstream), LyingNode.start(upstream)]);
  const database = await TcpProxy.start(stack.postgres);
  const caps = capsOf(minutes);
  const logFile = join(tmpdir(), `chimera-soak-${seed}.log`);
  print(`Everything that the processes say: ${logFile}`);
  const log = createWriteStream(logFile);
  const progress = new Progress(print, log);
  const fleet = new Fleet(
    stack,
    {
      ...caps.settings,
      ...{ rpcUrl: primary.httpUrl, wsUrl: primary.wsUrl, backupUrl: backup.httpUrl },
      databasePort: database.port,
    },
    (event, process) => progress.hear(event, process),
    (what) => progress.tell(what),
  );
  const market = new Market(stack.devnet, new SeededRandom(seed + 7));
  const witness = new Witness(stack);
  try {
    witness.watch(primary);
    witness.watch(backup);
    await market.open();
    await stack.devnet.startMining(BLOCK_MS);
    await fleet.start();
    const world: FaultyWorld = { stack, primary, backup, database, fleet, market, blockMs: BLOCK_MS };
    return await new Soak(world, witness, caps, progress, schedule, { minutes, seed }).run();
  } finally {
    progress.stop();
    for (const node of [primary, backup]) node.repent();
    await fleet.stop();
    await stack.stop();
    await Promise.all([primary.stop(), backup.stop(), database.stop()]);
    log.end();
  }
}

class Soak {
  private readonly faults: PlayedFault[] = [];
  private readonly problems: string[] = [];
  private readonly startedAtMs = Date.now();
  private over = false;

  constructor(
    private readonly world: FaultyWorld,
    private readonly witness: Witness,
    private readonly caps: DailyCaps,
    private readonly progress: Progress,
    private readonly schedule: readonly ScheduledFault[],
    private readonly of: Pick<SoakArguments, 'minutes' | 'seed'>,
  ) {}

  async run(): Promise<SoakReport> {
    const { stack, fleet, market } = this.world;
    const operator = new Operator(stack, fleet, this.faults, (line) => this.progress.tell(line));
    operator.start();
    this.progress.start(stack, fleet, this.faults);
    const market$ = this.moveTheMarket(new SeededRandom(this.of.seed + 13));
    const looks = Promise.all([this.lookAtCaps(), this.lookAtContract()]);
    const lanes = ['nodes', 'rest'].map((lane) =>
      this.play(this.schedule.filter((one) => one.lane === lane)),
    );
    await Promise.all(lanes);
    await this.until(this.of.minutes * 60);
    this.over = true;
    await market$;
    await this.lastLook(operator);
    await looks;
    return verdictOf({
      ...{ stack, fleet, market, witness: this.witness, caps: this.caps, faults: this.faults },
      ...{ problems: this.problems, resumes: operator.resumes, minutes: this.of.minutes, seed: this.of.seed },
    });
  }

  private async play(lane: readonly ScheduledFault[]): Promise<void> {
    for (const { name, from, to, seed } of lane) {
      await this.until(from);
      // A start that took long makes its lane late. A fault lasts as long as it should, or is left out.
      const lateSeconds = Math.max(0, this.seconds - from);
      if (to + lateSeconds > this.of.minutes * 60) return;
      const played: PlayedFault = { name, fromMs: Date.now(), toMs: undefined };
      this.faults.push(played);
      try {
        const { detail, end } = await beginFault(this.world, name, seed);
        this.progress.tell(`${name}: ${detail}`);
        await this.until(to + lateSeconds);
        await end();
        this.progress.tell(`${name} is over`);
      } catch (error) {
        this.problems.push(`the fault ${name} could not be played: ${messageOf(error)}`);
      }
      played.toMs = Date.now();
    }
  }

  private async moveTheMarket(random: SeededRandom): Promise<void> {
    while (!this.over) {
      await this.world.market.turn();
      await sleep(random.between(...TURN_SECONDS) * 1_000);
    }
  }

  private async lookAtCaps(): Promise<void> {
    while (!this.over) {
      await sleep(CAPS_LOOK_MS);
      this.problems.push(...(await withinCaps(this.world.stack, this.caps).catch(() => [])));
    }
  }

  private async lookAtContract(): Promise<void> {
    const { stack } = this.world;
    let seen = 0;
    while (!this.over) {
      await sleep(BLOCK_MS);
      const block = await stack.devnet.provider.getBlockNumber();
      if (block === seen) continue;
      seen = block;
      // A reorg may take the block away between the two.
      this.problems.push(...(await contractHoldsNothing(stack, block).catch(() => [])));
    }
  }

  /** All faults are over: after a crash the bot comes back, wins once more, and settles everything. */
  private async lastLook(operator: Operator): Promise<void> {
    const { stack, fleet, market } = this.world;
    this.progress.tell('all faults are over: a last crash, and a last fall of the market');
    await fleet.kill();
    const until = Date.now() + LAST_LOOK_MS;
    const state = async (): Promise<string | undefined> => (await fleet.status())?.safety.state;
    while ((await state()) === 'HALTED' && Date.now() < until) await sleep(500);
    const won = await this.wonSoFar();
    await market.fallOnce();
    while ((await this.wonSoFar()) <= won && Date.now() < until) await sleep(500);
    if ((await this.wonSoFar()) <= won) this.problems.push('the bot wins nothing after all faults are over');
    await operator.stop();
    // What is in flight is settled, and nothing more is signed: the books can be closed.
    const halt = { bot: fleet.bot, body: { reason: THE_END } };
    while ((await state()) !== 'HALTED' && Date.now() < until)
      await stack.api('/api/v1/safety/halt', halt).catch(() => sleep(500));
    const open = async (): Promise<number> =>
      (await stack.query("SELECT FROM transactions WHERE status IN ('prepared', 'broadcast')")).length;
    while ((await open()) > 0 && Date.now() < until) await sleep(250);
    if ((await open()) > 0) this.problems.push(`${await open()} transactions are never settled`);
  }

  private async wonSoFar(): Promise<number> {
    return (await this.world.stack.query("SELECT FROM executions WHERE outcome = 'won'")).length;
  }

  /** Since the bot was ready. */
  private get seconds(): number {
    return (Date.now() - this.startedAtMs) / 1_000;
  }

  private async until(seconds: number): Promise<void> {
    const left = seconds - this.seconds;
    if (left > 0) await sleep(left * 1_000);
  }
}

function printSchedule(schedule: readonly ScheduledFault[], print: (line: string) => void): void {
  print(`The schedule: ${schedule.length} faults. Seconds since the bot was ready.`);
  for (const { from, to, name, lane } of schedule)
    print(
      `  ${from.toFixed(1).padStart(7)} – ${to.toFixed(1).padStart(7)}  ${name}${lane === 'nodes' ? '' : ' '}`.trimEnd(),
    );
}
