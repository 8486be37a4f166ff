import type { DataSource } from 'typeorm';
import {
  createDataSource,
  Database,
  ExecutionsRepository,
  Fence,
  LeasesRepository,
  migrate,
  OutboxRepository,
  SafetyRepository,
  type DatabaseAddress,
  type ExecutionMode,
} from '../src/database/index.js';
import type { SpendingLimits } from '../src/domain/budget.js';
import { reservationOf } from '../src/domain/spend.js';
import { Clock } from '../src/domain/clock.js';
import type { EventNamed } from '../src/domain/events/events.js';
import type { Address, Hash, Hex } from '../src/domain/hex.js';
import type { PastLiquidations } from '../src/domain/past-liquidations.js';
import { PassTrace } from '../src/domain/pass-trace.js';
import type { LiquidationPlan } from '../src/domain/plan.js';
import type { SafetyLimits } from '../src/domain/authorisation.js';
import type { RateLimits } from '../src/domain/execution-rates.js';
import { Secret } from '../src/domain/secret.js';
import { Chain } from '../src/rpc/chain/chain.js';
import type { SendOutcome } from '../src/rpc/chain/send-transaction.js';
import { OpStackFees } from '../src/rpc/fees/op-stack-fees.js';
import { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';
import { FailurePolicy, SafetyController } from '../src/safety/index.js';
import { Budget } from '../src/execution/budget.js';
import type { Door } from '../src/execution/doors/door.js';
import { Doors } from '../src/execution/doors/doors.js';
import { executionOf, type ExecutionParts } from '../src/execution/execution.module.js';
import type { ExecutionService } from '../src/execution/execution.service.js';
import { holderName } from '../src/execution/leadership.js';
import { Lease } from '../src/execution/lease.js';
import { Signer } from '../src/execution/signer.js';
import type { Submission } from '../src/execution/submission.js';
import { Wallet } from '../src/execution/wallet.js';
import { WIDE_LIMITS } from './builders/allowance.js';
import { bidBookOf } from './bids.js';
import { aPlan, CHIMERA, USD } from './builders/plan.js';
import { SAFETY_LIMITS } from './builders/safety.js';
import { eventually } from './eventually.js';
import { RecordedEvents } from './fakes/recorded-events.js';
import { DOING_NOTHING, emitting, STAND_IN_CODE } from './stand-in-contract.js';

export * from './stand-in-contract.js';

/** Execution on a real chain and a real database, with a contract that follows its calldata. */

export const ETHER = 10n ** 18n;

const NO_LIQUIDATIONS: PastLiquidations = { find: () => Promise.resolve([]) };

export interface Settings {
  readonly rpcUrl: string;
  readonly backupUrl?: string;
  readonly database: DatabaseAddress;
  /** The operator's private key. */
  readonly key: string;
  /** Default: the stand-in, see {@link STAND_IN_CODE}. */
  readonly chimera?: Address;
  /** Default: 1,000. */
  readonly maxInFlight?: number;
  readonly mode?: ExecutionMode;
  readonly confirmationBlocks?: number;
  /** Default: a minute, because a busy machine is slow. */
  readonly maxPlanAgeMs?: number;
  readonly limits?: Partial<SafetyLimits & RateLimits>;
  /** Default: so wide that no plan reaches them. */
  readonly spending?: Partial<SpendingLimits>;
  /** False: the wallet stays as it is. */
  readonly funded?: boolean;
  /** Default: nobody has liquidated anything. */
  readonly liquidations?: PastLiquidations;
  /** Default: the public door. */
  readonly doors?: readonly Door[];
  /** How long the lease of the wallet lasts. Default: for as long as any test, also when its clock jumps. */
  readonly leaseMs?: number;
}

/** The real time; a test may move it forward. */
export class AdjustableClock extends Clock {
  private aheadMs = 0;
  private wallAheadMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }

  override wallMs(): number {
    return super.wallMs() + this.wallAheadMs;
  }

  putWallForward(ms: number): void {
    this.wallAheadMs += ms;
  }

  putForward(ms: number): void {
    this.aheadMs += ms;
  }
}

/** For a mock of {@link Chain.sendRawTransactions}: nothing is sent, and this is the answer. */
export const answering =
  (outcome: SendOutcome) =>
  (all: readonly unknown[]): Promise<SendOutcome>[] =>
    all.map(() => Promise.resolve(outcome));

export type News = EventNamed<'execution-settled'> | EventNamed<'execution-reopened'>;

export const LIMITS: SafetyLimits & RateLimits = {
  ...SAFETY_LIMITS,
  maxSingleExecutionUsd8: 1_000n * USD,
  maxDailyVolumeUsd8: 1_000_000n * USD,
  throttledSkipBps: 0, // any plan may be carried out
};

/** A plan, and the trace of the pass that made it. */
export interface Intent {
  readonly plan: LiquidationPlan;
  readonly trace: PassTrace;
}

/** The block after which two branches differ. */
export interface Fork {
  readonly number: number;
  /** The node's snapshot. It can be used once. */
  snapshot: unknown;
}

/** The parts of one process. Closing it and opening another one is a restart. */
export class Bench {
  /** The number of outcomes that {@link news} has returned. */
  private newsGiven = 0;

  private constructor(
    readonly settings: Settings,
    readonly dataSource: DataSource,
    readonly signer: Signer,
    readonly safetyRepository: SafetyRepository,
    readonly events: RecordedEvents,
    private readonly parts: ExecutionParts & { readonly clock: AdjustableClock },
    readonly execution: ExecutionService,
  ) {}

  get pool(): RpcPool {
    return this.parts.node.pool;
  }

  get chain(): Chain {
    return this.parts.node.chain;
  }

  get executions(): ExecutionsRepository {
    return this.parts.rows.executions;
  }

  get outbox(): OutboxRepository {
    return this.parts.rows.outbox;
  }

  get safety(): SafetyController {
    return this.parts.safety;
  }

  get clock(): AdjustableClock {
    return this.parts.clock;
  }

  /** Empties the database. A bench that was opened before must not be used after it. */
  static async reset(address: DatabaseAddress): Promise<void> {
    const dataSource = await createDataSource(address).initialize();
    await dataSource.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await dataSource.destroy();
    await migrate(address);
  }

  /** Gives the operator of the key one ether. {@link ExecutionService.recover} is left to the caller. */
  static async open(settings: Settings): Promise<Bench> {
    const { rpcUrl, backupUrl, mode = 'live', confirmationBlocks = 1, limits } = settings;
    const { chimera = CHIMERA, maxPlanAgeMs = 60_000, maxInFlight = 1_000, leaseMs = 3_600_000 } = settings;
    const dataSource = await createDataSource(settings.database).initialize();
    const database = new Database(dataSource);
    const primary = { http: new Secret(rpcUrl) };
    const backup = backupUrl === undefined ? undefined : { http: new Secret(backupUrl) };
    const pool = new RpcPool({ chainId: 31337, primary, backup });
    const chain = new Chain(pool);
    const signer = Signer.fromSecret(new Secret(settings.key), 31337);
    const fence = new Fence();
    const executions = new ExecutionsRepository(database, fence);
    const outbox = new OutboxRepository(database, fence);
    const safetyRepository = new SafetyRepository(database, 31337, mode);
    const clock = new AdjustableClock();
    const all = { ...LIMITS, ...limits };
    const safety = new SafetyController(safetyRepository, all, new RecordedEvents(), clock);
    await safety.onModuleInit();
    const config = {
      rpc: { ...(backup && { backup }) },
      planner: { minProfitUsd8: 5n * USD },
      safety: all,
      execution: {
        mode,
        chimera,
        maxInFlight,
        maxPlanAgeMs,
        ...{ paths: [{ name: 'public', kind: 'public' as const }], allowPublicMempool: false },
      },
      detector: detector(confirmationBlocks),
    };
    const events = new RecordedEvents();
    const parts = {
      node: { chain, pool, fees: new OpStackFees(), liquidations: settings.liquidations ?? NO_LIQUIDATIONS },
      rows: { executions, outbox },
      safety,
      failures: new FailurePolicy(safety, events),
      bids: bidBookOf(database),
      events,
      clock,
    };
    const budget = new Budget({ ...WIDE_LIMITS, ...settings.spending }, clock);
    const doors = settings.doors ? new Doors(settings.doors) : Doors.of(config.execution.paths, chain, clock);
    const key = mode === 'live' ? { chainId: 31337, wallet: signer.address } : undefined;
    const leases = new LeasesRepository(database);
    const lease = new Lease(key, holderName(), leaseMs, { leases, fence, events, clock });
    const execution = executionOf(config, new Wallet(signer, budget, lease), doors, parts);
    const bench = new Bench(settings, dataSource, signer, safetyRepository, events, parts, execution);
    await bench.rpc('anvil_setCode', [CHIMERA, STAND_IN_CODE]);
    if (settings.funded !== false)
      await bench.rpc('anvil_setBalance', [signer.address, `0x${ETHER.toString(16)}`]);
    return bench;
  }

  /** As {@link open}, and recovered. */
  static async start(settings: Settings): Promise<Bench> {
    const bench = await Bench.open(settings);
    await bench.lead();
    return bench;
  }

  /** Recovers, as soon as the process before it has lost the lease of the wallet. */
  async lead(): Promise<void> {
    await eventually(async () => {
      await this.execution.recover();
      return this.execution.leads;
    }, 'the lease of the wallet');
  }

  async close(): Promise<void> {
    await this.execution.drain(0);
    await this.execution.giveBackLease();
    this.pool.close();
    await this.dataSource.destroy();
  }

  /** Raw JSON-RPC, for anvil_* and evm_*. */
  rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return this.pool.call(method, params, (raw) => raw);
  }

  /** Blocks as the chain makes them, one in two seconds. */
  async pass(blocks: number): Promise<void> {
    await this.mine(blocks);
    this.clock.putForward(blocks * 2_000);
  }

  mine(blocks = 1): Promise<unknown> {
    return this.rpc('anvil_mine', [`0x${blocks.toString(16)}`]);
  }

  /** The latest block, to which {@link reorg} can go back. */
  async fork(): Promise<Fork> {
    const { number } = await this.chain.getBlock('latest');
    return { number, snapshot: await this.rpc('evm_snapshot') };
  }

  /** Replaces the blocks after the fork by empty ones, and drops all transactions. @returns what is gone. */
  async reorg(fork: Fork, blocks: number): Promise<Hash[]> {
    const { number } = await this.chain.getBlock('latest');
    const gone = await this.chain.getBlocks(fork.number + 1, number);
    await this.rpc('evm_revert', [fork.snapshot]);
    await this.rpc('anvil_dropAllTransactions');
    fork.snapshot = await this.rpc('evm_snapshot');
    await this.mine(blocks);
    return gone.map(({ hash }) => hash);
  }

  /**
   * A plan on the latest block for a borrower of its own. Its pass began 5 ms ago by the bench's clock.
   */
  async plan(
    number: number,
    changes: Partial<LiquidationPlan> & { readonly data?: Hex } = {},
  ): Promise<Intent> {
    const borrower: Address = `0x${number.toString(16).padStart(40, 'b')}`;
    const { data = emitting({ borrower, profit: ETHER / 100n }), ...others } = changes;
    const block = await this.chain.getBlock('latest');
    const plan: LiquidationPlan = { ...aPlan(), borrower, block, deadline: block.timestamp + 600, ...others };
    const call = { ...aPlan().call, ...others.call, data };
    const fee = reservationOf(call.gasLimit * call.maxFeePerGas, plan.nativePriceUsd8);
    const withCall = { ...plan, call, reservation: others.reservation ?? fee };
    const trace = new PassTrace(this.clock, this.clock.monotonicMs() - 5);
    return { plan: withCall, trace };
  }

  async submit(number: number, changes?: Parameters<Bench['plan']>[1]) {
    return this.carryOut(await this.plan(number, changes));
  }

  /** @returns with the id of its row, which is empty when it has none. */
  async carryOut({ plan, trace }: Intent) {
    const [submission] = await this.execution.submit([plan], trace);
    if (!submission) throw new Error('no submission');
    return { executionId: '', ...submission };
  }

  /** All of them together, as those of one pass. */
  async submitAll(...numbers: readonly number[]): Promise<readonly Submission[]> {
    const intents: Intent[] = [];
    for (const number of numbers) intents.push(await this.plan(number));
    const plans = intents.map(({ plan }) => plan);
    return this.execution.submit(plans, intents[0]?.trace ?? new PassTrace(this.clock, 0));
  }

  /**
   * Settles as the loop does at a new head.
   *
   * @returns the outcomes that were emitted since the last call that returned
   */
  async settle(takenBack?: readonly Hash[]): Promise<News[]> {
    await this.execution.settle(await this.chain.getBlock('latest'), takenBack);
    return this.news();
  }

  /** The outcomes that were emitted since the last call. */
  news(): News[] {
    const all = this.events.all.filter(
      (event): event is News => event.event === 'execution-settled' || event.event === 'execution-reopened',
    );
    const news = all.slice(this.newsGiven);
    this.newsGiven = all.length;
    return news;
  }

  /** Mines as many blocks as a receipt needs to count, and settles. */
  async mineAndSettle(): Promise<News[]> {
    await this.mine(1 + (this.settings.confirmationBlocks ?? 1));
    return this.settle();
  }

  /** Submits a plan, mines it and settles it. */
  async settled(number: number, changes?: Parameters<Bench['plan']>[1]) {
    const submission = await this.submit(number, changes);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    const [settlement] = (await this.mineAndSettle()).slice(-1);
    if (settlement?.event !== 'execution-settled') throw new Error('not settled');
    return { ...submission, settlement };
  }

  /** Nonce, hash and status of every outbox row, by ascending nonce. */
  async outboxRows(): Promise<string[]> {
    const rows: { row: string }[] = await this.dataSource.query(
      `SELECT concat_ws(' ', nonce, hash, status) AS row FROM transactions ORDER BY nonce`,
    );
    return rows.map(({ row }) => row);
  }

  /** Status and reason of an execution. */
  async statusOf(id: string): Promise<string> {
    const row = await this.executions.find(id);
    return `${String(row?.status)}${row?.reason ? `: ${row.reason}` : ''}`;
  }

  /** Status of the outbox row that holds a nonce. */
  async outboxOf(nonce: number): Promise<string | undefined> {
    return (await this.outbox.find(31337, this.signer.address, nonce))?.status;
  }

  async bookedToday(): Promise<bigint> {
    return (await this.safetyRepository.volumeUsd8ByDay()).get(this.safety.volume.today) ?? 0n;
  }

  /** Sends a transaction of the operator that execution did not sign. */
  async sendForeign(nonce: number): Promise<void> {
    const call = { ...aPlan().call, data: DOING_NOTHING };
    await this.rpc('eth_sendRawTransaction', [this.signer.sign(call, nonce).raw]);
  }

  /** The operator's transactions on the chain. */
  count(): Promise<number> {
    return this.chain.getTransactionCount(this.signer.address);
  }
}

const detector = (confirmationBlocks: number) => ({
  confirmationBlocks,
  scanIntervalMs: 5_000,
  watchBelowHealthFactorWad: ETHER,
});
