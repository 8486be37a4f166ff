import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../../domain/events/events.js';
import { sentenceOf } from './sentences.js';

const BORROWER = '0x00000000000000000000000000000000000000b0';
const told = (event: BotEvent): string | undefined => sentenceOf(event, (who) => `<${who.slice(-2)}>`);

describe('the sentence of an event', () => {
  it('of a plan has the tokens, the dollars, the funding and the simulated profit', () => {
    const plan: BotEvent = {
      ...{ event: 'plan-ready', executionId: 'e', protocol: 'aave', borrower: BORROWER, block: 12 },
      ...{ healthFactorWad: '987654321000000000', collateral: 'WETH', debt: 'USDC', sizing: 'close-factor' },
      ...{ debtToCover: '1234567890', debtDecimals: 6, notionalUsd8: '123456789000' },
      ...{ grossProfitUsd8: '5000000000', bidUsd8: '500000000', gasUsd8: '1000000', l1FeeUsd8: '0' },
      ...{ operatorFeeUsd8: '0', poolFeeUsd8: '0', profitToken: 'USDC', funding: 'flash-swap' },
      ...{ lenderFeeUsd8: '0', netProfitUsd8: '4499000000', liquidations: 1 },
    };
    expect(told(plan)).toBe(
      'block 12: <b0> at HF 0.9876: repay 1,234.5678 USDC ($1,234.56) for WETH (close-factor), ' +
        'paid by flash-swap; simulated +$44.99 after costs and a bid of $5.00',
    );
    // Of several liquidations the tokens are those of the first, and the dollars those of all.
    expect(told({ ...plan, liquidations: 3, notionalUsd8: '500000000000' })).toContain(
      'repay 1,234.5678 USDC for WETH (close-factor) and 2 more, $5,000.00 in all, paid by flash-swap;',
    );
  });

  it('of a lost race names the rival, its transaction and how much earlier it was', () => {
    const rival = { sender: '0xr', hash: '0xh', block: 12, tipPerGasWei: '7', blocksEarlier: 0 };
    const lost: BotEvent = {
      ...{ event: 'execution-settled', executionId: 'e', borrower: BORROWER, hash: '0x1', outcome: 'lost' },
      ...{
        status: 'reverted',
        reason: 'another liquidator was first',
        rival: { ...rival, placesEarlier: 2 },
      },
      ...{ block: 12, realisedProfitUsd8: undefined, simulatedNetProfitUsd8: '1', fees: undefined },
    };
    const sentence = '<b0>: reverted, lost: another liquidator was first; 0xr was 2 places earlier (0xh)';
    expect(told(lost)).toBe(sentence);
    expect(told({ ...lost, rival: { ...rival, blocksEarlier: 1, placesEarlier: undefined } })).toBe(
      sentence.replace('2 places', '1 block'),
    );
  });

  it('is missing where an event is never logged, and where it is not one of ours', () => {
    expect(told({ event: 'stages-timed', stages: [] })).toBeUndefined();
    expect(sentenceOf({ event: 'toString' }, String)).toBeUndefined();
  });
});
