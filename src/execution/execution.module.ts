import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule, ExecutionsRepository, OutboxRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { FailurePolicy, SafetyController, SafetyModule } from '../safety/index.js';
import { Doors } from './doors/doors.js';
import { ExecutionService } from './execution.service.js';
import { Ledger } from './ledger.js';
import { RecentSettlements } from './recent-settlements.js';
import { SecondEndpoint } from './second-endpoint.js';
import { Sender } from './sender.js';
import { Settler } from './settler.js';
import { Signer } from './signer.js';
import { Submitter } from './submitter.js';
import { Wallet } from './wallet.js';

/**
 * From an authorised plan to its outcome: the wallet, the outbox, the doors, receipts and realised profit.
 *
 * It must never hand over what has no durable row, sign while HALTED, give one nonce to two intents that
 * could both be mined, call a submission a success, or let the key leave the signer.
 */
@Module({
  imports: [RpcModule, DatabaseModule, SafetyModule],
  providers: [
    { provide: Signer, inject: [ChimeraConfig], useFactory: signerOf },
    { provide: Wallet, inject: [Signer], useFactory: (signer: Signer) => new Wallet(signer) },
    {
      provide: Doors,
      inject: [ChimeraConfig, Chain],
      useFactory: ({ execution }: ChimeraConfig, chain: Chain) => Doors.of(execution.paths, chain),
    },
    {
      provide: ExecutionService,
      inject: [
        ChimeraConfig,
        Wallet,
        Doors,
        Chain,
        RpcPool,
        ExecutionsRepository,
        OutboxRepository,
        SafetyController,
        FailurePolicy,
        Events,
        Clock,
      ],
      useFactory: executionOf,
    },
  ],
  exports: [ExecutionService],
})
export class ExecutionModule {}

/** Also in dry-run: plans are simulated in the operator's name. @throws StartupError without a usable key */
function signerOf({ environment, network }: ChimeraConfig): Signer {
  const key = environment.operatorPrivateKey;
  if (!key) throw new StartupError(['OPERATOR_PRIVATE_KEY: the environment variable has no value']);
  return Signer.fromSecret(key, network.chainId);
}

/** The service of one wallet and its parts, which no other module sees. */
export function executionOf(
  config: Pick<ChimeraConfig, 'rpc' | 'execution' | 'detector'>,
  wallet: Wallet,
  doors: Doors,
  chain: Chain,
  pool: RpcPool,
  executions: ExecutionsRepository,
  outbox: OutboxRepository,
  safety: SafetyController,
  failures: FailurePolicy,
  events: Events,
  clock: Clock,
): ExecutionService {
  const { chimera, mode } = config.execution;
  const { confirmationBlocks } = config.detector;
  const ledger = new Ledger(executions, outbox, safety, wallet, doors, events);
  const sender = new Sender(chain, wallet, ledger, safety, failures, events);
  const secondEndpoint = config.rpc.secondOpinion
    ? new SecondEndpoint(chain, wallet.address, events)
    : undefined;
  const door = doors.first;
  const submitter = new Submitter(wallet, ledger, sender, safety, failures, { mode, door, secondEndpoint });
  const settlements = new RecentSettlements(chain, ledger, outbox, safety, wallet, events, clock);
  const settling = { chimera, confirmationBlocks, mode };
  const settler = new Settler(pool, wallet, ledger, settlements, sender, failures, settling);
  return new ExecutionService(chain, wallet, ledger, submitter, settler, events, clock);
}
