import { rejected, type Rejection } from '../domain/decision.js';
import type { Events } from '../domain/events/events.js';
import type { Address } from '../domain/hex.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import { revertReason } from '../contract/contract.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { CallRequest } from '../rpc/chain/simulate.js';

/**
 * Asks a second endpoint before a plan is signed, because the proof of the plan came from one node, and a
 * node may be wrong or lie (F09). An endpoint that cannot be asked stops nothing: the plan then stands on the
 * one proof, as without a second endpoint.
 */
export class SecondEndpoint {
  constructor(
    private readonly chain: Chain,
    private readonly operator: Address,
    private readonly events: Events,
  ) {}

  /**
   * @param pending calls that will execute before it.
   * @returns why the plan must not be signed, if an endpoint says that it reverts.
   */
  async objectionTo(
    plan: LiquidationPlan,
    pending: readonly TransactionCall[],
  ): Promise<Rejection | undefined> {
    const { borrower, block } = plan;
    const calls = [...pending, plan.call].map(({ to, data, gasLimit }): CallRequest => ({
      from: this.operator,
      to,
      data,
      gas: gasLimit,
    }));
    const opinion = await this.chain.secondOpinion(calls, block.hash);
    switch (opinion.kind) {
      case 'agree':
        return undefined;
      case 'disagree':
        return rejected('second-endpoint-disagrees', {
          endpoint: opinion.endpoint,
          revert: revertReason(opinion.revertData),
          minProfit: String(plan.minProfit),
        });
      case 'unavailable': {
        const message = opinion.detail;
        this.events.emit({ event: 'second-opinion-unavailable', borrower, block: block.number, message });
        return undefined;
      }
    }
  }
}
