import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { BidBook } from '../bids/bid-book.js';
import { BidsModule } from '../bids/bids.module.js';
import { ChimeraConfig } from '../config/index.js';
import {
  DatabaseModule,
  ExecutionsRepository,
  Fence,
  LeasesRepository,
  OutboxRepository,
} from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { PastLiquidations } from '../domain/past-liquidations.js';
import type { Secret } from '../domain/secret.js';
import { Chain } from '../rpc/chain/chain.js';
import { AssumedContract } from '../rpc/endpoints/assumed-contract.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { ChainFees } from '../rpc/fees/chain-fees.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { FailurePolicy, SafetyController, SafetyModule } from '../safety/index.js';
import { Budget } from './budget.js';
import { ChainReads } from './chain-reads.js';
import { ContractWatch } from './contract-watch.js';
import { Doors } from './doors/doors.js';
import { Drain } from './drain.js';
import { DryBook } from './dry-book.js';
import { EachEndpoint } from './each-endpoint.js';
import { Evidence } from './evidence.js';
import { ExecutionService } from './execution.service.js';
import { Judge } from './judge.js';
import { holderName, LEASE_MS } from './leadership.js';
import { Lease } from './lease.js';
import { Ledger } from './ledger.js';
import { OutcomeBook } from './outcome-book.js';
import { Pursuit } from './pursuit.js';
import { RateBook } from './rate-book.js';
import { RecentDrops } from './recent-drops.js';
import { RecentSettlements } from './recent-settlements.js';
import { RivalWatch } from './rival-watch.js';
import { Sender } from './sender.js';
import { Settler } from './settler.js';
import { Signer } from './signer.js';
import { Submitter } from './submitter.js';
import { Versions } from './versions.js';
import { Wallet } from './wallet.js';

const PARTS = 'execution.parts';

/** What execution stands on: the node, the rows, and those who say no. */
export interface ExecutionParts {
  readonly node: {
    readonly chain: Chain;
    readonly pool: RpcPool;
    readonly fees: ChainFees;
    readonly liquidations: PastLiquidations;
  };
  readonly rows: { readonly executions: ExecutionsRepository; readonly outbox: OutboxRepository };
  readonly safety: SafetyController;
  readonly failures: FailurePolicy;
  readonly bids: BidBook;
  readonly events: Events;
  readonly clock: Clock;
}

/**
 * From an authorised plan to its outcome: the wallet, the outbox, the doors, receipts and realised profit.
 *
 * It must never hand over what has no durable row, sign while HALTED, give one nonce to two intents that
 * could both be mined, call a submission a success, or let the key leave the signer.
 */
@Module({
  imports: [RpcModule, DatabaseModule, SafetyModule, BidsModule],
  providers: [
    ContractWatch,
    {
      provide: Signer,
      inject: [ChimeraConfig, Chain, { token: AssumedContract, optional: true }],
      useFactory: signerOf,
    },
    {
      provide: Wallet,
      inject: [ChimeraConfig, Signer, LeasesRepository, Fence, Events, Clock],
      useFactory: (
        { execution, safety }: ChimeraConfig,
        signer: Signer,
        leases: LeasesRepository,
        fence: Fence,
        events: Events,
        clock: Clock,
      ) => {
        const key = { chainId: signer.chainId, wallet: signer.address };
        // A dry run signs nothing: any number of them may run beside a live bot.
        const needed = execution.mode === 'live' ? key : undefined;
        const parts = { leases, fence, events, clock };
        return new Wallet(
          signer,
          new Budget(safety, clock),
          new Lease(needed, holderName(), LEASE_MS, parts),
        );
      },
    },
    {
      provide: Doors,
      inject: [ChimeraConfig, Chain, Clock],
      useFactory: ({ execution }: ChimeraConfig, chain: Chain, clock: Clock) =>
        Doors.of(execution.paths, chain, clock),
    },
    {
      provide: PARTS,
      inject: [
        ...[Chain, RpcPool, ChainFees, PastLiquidations, ExecutionsRepository, OutboxRepository],
        ...[SafetyController, FailurePolicy, BidBook, Events, Clock],
      ],
      useFactory: (
        chain: Chain,
        pool: RpcPool,
        fees: ChainFees,
        liquidations: PastLiquidations,
        executions: ExecutionsRepository,
        outbox: OutboxRepository,
        safety: SafetyController,
        failures: FailurePolicy,
        bids: BidBook,
        events: Events,
        clock: Clock,
      ): ExecutionParts => ({
        node: { chain, pool, fees, liquidations },
        rows: { executions, outbox },
        safety,
        failures,
        bids,
        events,
        clock,
      }),
    },
    {
      provide: ExecutionService,
      inject: [ChimeraConfig, Wallet, Doors, PARTS],
      useFactory: executionOf,
    },
  ],
  exports: [ExecutionService],
})
export class ExecutionModule {
  /**
   * For the whole application. Execution knows no protocol: the logs of the markets tell who was faster.
   *
   * @param markets the module that exports {@link PastLiquidations}.
   */
  static of(markets: Type): DynamicModule {
    return { module: ExecutionModule, global: true, imports: [markets] };
  }
}

/**
 * Also in dry-run: plans are simulated in the operator's name, and the chain is read in it: a fee of a pool
 * may depend on it.
 *
 * @throws StartupError without a usable key.
 */
function signerOf(
  { environment, network }: ChimeraConfig,
  chain: Chain,
  assumed: AssumedContract | undefined,
): Signer {
  const signer = assumed
    ? Signer.withoutKey(assumed.operator, network.chainId)
    : Signer.fromSecret(operatorKey(environment), network.chainId);
  chain.askAs(signer.address);
  return signer;
}

function operatorKey({ operatorPrivateKey }: ChimeraConfig['environment']): Secret {
  if (operatorPrivateKey) return operatorPrivateKey;
  throw new StartupError(['OPERATOR_PRIVATE_KEY: the environment variable has no value']);
}

/** The service of one wallet. Its parts are seen by no other module. */
export function executionOf(
  config: Pick<ChimeraConfig, 'execution' | 'detector'> & {
    readonly rpc: Pick<ChimeraConfig['rpc'], 'backup'>;
    readonly safety: Pick<ChimeraConfig['safety'], 'lostRaceWeightBps'>;
    readonly planner: Pick<ChimeraConfig['planner'], 'minProfitUsd8'>;
  },
  wallet: Wallet,
  doors: Doors,
  { node, rows, safety, failures, bids, events, clock }: ExecutionParts,
): ExecutionService {
  const { chain, pool, fees, liquidations } = node;
  const { executions, outbox } = rows;
  const { chimera, mode, maxPlanAgeMs, maxInFlight } = config.execution;
  const { confirmationBlocks } = config.detector;
  const owner = { chainId: wallet.chainId, wallet: wallet.address };
  const rates = new RateBook(executions, owner, safety, clock, config.safety.lostRaceWeightBps);
  const book = new OutcomeBook(executions, owner, clock, maxInFlight, rates, bids);
  const ledger = new Ledger(executions, outbox, safety, wallet, events, book);
  const reads = new ChainReads(pool, fees);
  const judge = new Judge(reads, new RivalWatch(chain, liquidations, wallet.address), chimera);
  const each = new EachEndpoint(pool, config.rpc.backup ? 2 : 1);
  const sender = new Sender(wallet, doors, ledger, each, failures, events, clock);
  const door = doors.first;
  const dry = mode === 'dry-run' ? new DryBook(executions, safety.volume, wallet) : undefined;
  const submitting = { dry, door, maxPlanAgeMs };
  const submitter = new Submitter(wallet, ledger, sender, safety, failures, events, submitting);
  const settlements = new RecentSettlements(chain, ledger, outbox, safety, wallet, events, clock);
  const drops = new RecentDrops(ledger, outbox, safety, wallet, clock);
  const { minProfitUsd8 } = config.planner;
  const evidence = new Evidence(reads, each, wallet, events, clock);
  const versions = new Versions(outbox, ledger);
  const pursuing = { minProfitUsd8, clock, drops, judge, versions };
  const pursuit = new Pursuit(chain, wallet, ledger, sender, evidence, events, pursuing);
  const settling = { judge, confirmationBlocks, mode, drops, dry };
  const settler = new Settler(evidence, wallet, ledger, settlements, pursuit, failures, settling);
  const drain = new Drain(ledger, events, clock);
  return new ExecutionService(chain, wallet, ledger, submitter, settler, drain, {
    safety,
    failures,
    clock,
  });
}
