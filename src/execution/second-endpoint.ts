import { Logger } from '@nestjs/common';
import { rejected, type Rejection } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import { revertReason } from '../contract/contract.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { CallRequest } from '../rpc/chain/simulate.js';

/**
 * The word of a second endpoint before a plan is signed: its proof came from one node, and a node may be wrong or lie (F09).
 * An endpoint that cannot be asked stops nothing: then the plan stands on the one proof, as without a second endpoint.
 */
export class SecondEndpoint {
  private readonly logger = new Logger(SecondEndpoint.name);

  constructor(
    private readonly chain: Chain,
    private readonly operator: Address,
  ) {}

  /**
   * @param pending calls that will execute before it.
   * @returns why the plan must not be signed, if an endpoint says that it reverts.
   */
  async objectionTo(
    plan: LiquidationPlan,
    pending: readonly TransactionCall[],
  ): Promise<Rejection | undefined> {
    const calls = [...pending, plan.call].map(({ to, data, gasLimit }): CallRequest => ({
      from: this.operator,
      to,
      data,
      gas: gasLimit,
    }));
    const opinion = await this.chain.secondOpinion(calls, plan.block.hash);
    switch (opinion.kind) {
      case 'agree':
        return undefined;
      case 'disagree':
        return rejected('second-endpoint-disagrees', {
          endpoint: opinion.endpoint,
          revert: revertReason(opinion.revertData),
          minProfit: String(plan.minProfit),
        });
      case 'unavailable':
        this.logger.warn(
          `the plan for ${plan.borrower} has the word of one endpoint only: ${opinion.detail}`,
        );
        return undefined;
    }
  }
}
