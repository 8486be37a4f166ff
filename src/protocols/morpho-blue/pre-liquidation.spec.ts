import { defaultPreLiquidationParamsRegistry, Market, PreLiquidationPosition } from '@morpho-org/blue-sdk';
import { AbiCoder } from 'ethers';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../testing/random.js';
import { addressWord, type Address, type Hex } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { checkLog } from './events.js';
import { preChangesOf, PRE_TOPIC } from './pre-liquidation-events.js';
import { preLiquidationTerms, preSeizedFor, type PreLiquidation } from './pre-liquidation.js';

const SEED = 831;
const STATES = 400;
const MARKET = `0x${'ab'.repeat(32)}` as const;
const addressOf = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;
const [MORPHO, FACTORY, CONTRACT, ORACLE, ALICE] = [1, 2, 3, 4, 5].map(addressOf) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];

describe(`Morpho's own SDK as a second opinion of pre-liquidations (seed ${SEED})`, () => {
  it(`says the same of ${STATES} random positions with the factors that Morpho proposes`, () => {
    const random = new Random(SEED);
    let open = 0;
    for (let state = 0; state < STATES; state++) {
      const [lltvWad, params] = random.pick([...defaultPreLiquidationParamsRegistry]);
      const by: PreLiquidation = {
        ...{ contract: CONTRACT, marketId: MARKET, oracle: ORACLE, preLltvWad: params.preLltv },
        closeFactorWads: [params.preLCF1, params.preLCF2],
        incentiveWads: [params.preLIF1, params.preLIF2],
      };
      const borrowAssets = random.magnitude(10n ** 27n);
      const borrowShares = borrowAssets * 10n ** 6n - random.below(borrowAssets + 1n);
      const position = {
        collateral: random.magnitude(10n ** 27n),
        borrowShares: random.magnitude(borrowShares),
      };
      const owed = (position.borrowShares * (borrowAssets + 1n)) / (borrowShares + 10n ** 6n) + 1n;
      const spread = lltvWad - params.preLltv;
      const ltvWad = params.preLltv - spread / 2n + random.below(2n * spread);
      const price = (owed * WAD * 10n ** 36n) / (ltvWad * position.collateral) + 1n;
      const totals = { borrowAssets, borrowShares };
      const inputs = { totals, position, price, lltvWad };

      const theirs = new PreLiquidationPosition(
        {
          ...{ user: ALICE, supplyShares: 0n, ...position },
          ...{ preLiquidation: CONTRACT, preLiquidationOraclePrice: price },
          preLiquidationParams: { ...params, preLiquidationOracle: ORACLE },
        },
        new Market({
          params: {
            ...{ loanToken: MORPHO, collateralToken: FACTORY, oracle: ORACLE, irm: addressOf(0) },
            lltv: lltvWad,
          },
          ...{ totalSupplyAssets: borrowAssets, totalSupplyShares: borrowShares },
          ...{ totalBorrowAssets: borrowAssets, totalBorrowShares: borrowShares },
          ...{ lastUpdate: 1n, fee: 0n, price, rateAtTarget: 0n },
        }),
      );
      const ours = preLiquidationTerms(inputs, by);
      expect(ours !== undefined, `state ${state}`).toBe(theirs.isLiquidatable);
      if (!ours) continue;
      open += 1;
      expect(ours.ltvWad).toBe(theirs.ltv);
      expect(preSeizedFor(ours.repayableShares, inputs, ours)).toBe(theirs.seizableCollateral);
    }
    expect(open).toBeGreaterThan(STATES / 5);
    expect(open).toBeLessThan(STATES);
  });
});

describe('the logs of pre-liquidations', () => {
  const log = (address: Address, topics: readonly Hex[], data: string): RawLog =>
    standIn<RawLog>('log', { address, topics: [...topics], data: data as Hex });
  const word = (address: Address): Hex => `0x${addressWord(address)}`;
  const factors = [8n, 1n, 2n, 3n, 4n];
  const created = log(
    FACTORY,
    [PRE_TOPIC.created, word(CONTRACT)],
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'tuple(uint256,uint256,uint256,uint256,uint256,address)'],
      [MARKET, [...factors, ORACLE]],
    ),
  );
  const authorised = log(
    MORPHO,
    [PRE_TOPIC.setAuthorization, word(addressOf(9)), word(ALICE), word(CONTRACT)],
    `0x${'1'.padStart(64, '0')}`,
  );
  const sources = { morpho: MORPHO, preLiquidationFactory: FACTORY };

  it('tell a contract with its factors, and who authorised whom, whoever sent it', () => {
    for (const one of [created, authorised]) checkLog(one);
    expect(preChangesOf(sources, [created, authorised])).toEqual([
      {
        kind: 'created',
        created: {
          ...{ contract: CONTRACT, marketId: MARKET, preLltvWad: 8n, oracle: ORACLE },
          ...{ closeFactorWads: [1n, 2n], incentiveWads: [3n, 4n] },
        },
      },
      { kind: 'authorisation', borrower: ALICE, contract: CONTRACT, isAuthorised: true },
    ]);
  });

  it('of other contracts do not count, and none without a factory', () => {
    const elsewhere = [created, authorised].map((one) => ({ ...one, address: addressOf(8) }));
    expect(preChangesOf(sources, elsewhere)).toEqual([]);
    expect(preChangesOf({ morpho: MORPHO }, [created, authorised])).toEqual([]);
  });

  it('that are cut, or hold more than yes or no, are refused', () => {
    expect(() => checkLog({ ...created, data: created.data.slice(0, -2) as Hex })).toThrow(RangeError);
    expect(() => checkLog({ ...authorised, data: `0x${'2'.padStart(64, '0')}` })).toThrow(RangeError);
    expect(() => checkLog({ ...authorised, topics: authorised.topics.slice(0, 3) })).toThrow(RangeError);
  });
});
