import { describe, expect, it } from 'vitest';
import { aPlan, MARKET_IDS } from '../../testing/builders/plan.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { LiquidationSearch, PastLiquidations } from '../domain/past-liquidations.js';
import type { Chain } from '../rpc/chain/chain.js';
import { RivalWatch } from './rival-watch.js';
import { termsOfPlan } from './settlement-terms.js';

describe('the search for a rival', () => {
  it('is for the position of the plan, in its market of the contract', async () => {
    const searches: LiquidationSearch[] = [];
    const liquidations = standIn<PastLiquidations>('liquidations', {
      find: (search) => {
        searches.push(search);
        return Promise.resolve([]);
      },
    });
    const rivals = new RivalWatch(standIn<Chain>('chain', {}), liquidations, `0x${'0e'.repeat(20)}`);
    const plan = aPlan({ marketId: MARKET_IDS[0] });
    await rivals.firstBefore(termsOfPlan(plan), { blockNumber: 3 });
    const { protocol, market, borrower } = plan;
    expect(searches).toEqual([
      { protocol, market, marketId: MARKET_IDS[0], borrower, fromBlock: 1, toBlock: 3 },
    ]);
  });
});
