import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule, ExecutionsRepository, OutboxRepository } from '../database/index.js';
import { StartupError } from '../domain/errors.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { SafetyController, SafetyModule } from '../safety/index.js';
import { ExecutionService } from './execution.service.js';
import { Ledger } from './ledger.js';
import { NonceLane } from './nonce-lane.js';
import { SecondEndpoint } from './second-endpoint.js';
import { Settler } from './settler.js';
import { Signer } from './signer.js';

/**
 * From an authorised plan to its outcome: one signer, one lane of nonces, the outbox, receipts and realised profit.
 *
 * It must never broadcast what has no durable row, sign while HALTED, give one nonce to two intents that could both be
 * mined, call a submission a success, or let the key leave the signer.
 */
@Module({
  imports: [RpcModule, DatabaseModule, SafetyModule],
  providers: [
    { provide: Signer, inject: [ChimeraConfig], useFactory: signerOf },
    {
      provide: ExecutionService,
      inject: [
        ChimeraConfig,
        Signer,
        Chain,
        RpcPool,
        ExecutionsRepository,
        OutboxRepository,
        SafetyController,
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

/** The service and its parts; the parts are nobody else's business. */
export function executionOf(
  config: Pick<ChimeraConfig, 'rpc' | 'execution' | 'detector'>,
  signer: Signer,
  chain: Chain,
  pool: RpcPool,
  executions: ExecutionsRepository,
  outbox: OutboxRepository,
  safety: SafetyController,
): ExecutionService {
  const { chimera, mode } = config.execution;
  const { confirmationBlocks } = config.detector;
  const lane = new NonceLane();
  const ledger = new Ledger(executions, outbox, safety, signer);
  const settings = { operator: signer.address, chimera, confirmationBlocks, mode };
  const settler = new Settler(pool, chain, ledger, lane, safety, settings);
  const secondEndpoint = config.rpc.secondOpinion ? new SecondEndpoint(chain, signer.address) : undefined;
  return new ExecutionService(
    { signer, lane, ledger, settler, secondEndpoint },
    chain,
    executions,
    safety,
    mode,
  );
}
