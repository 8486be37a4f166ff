import { AbiCoder, id, zeroPadValue } from 'ethers';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { isHash, type Hash, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import { changesOf, checkLog, watchedLogs } from './events.js';

const CONTRACTS = { morpho: addressOf(1), adaptiveCurveIrm: addressOf(2) };
const MARKET: Hash = `0x${'5a'.repeat(32)}`;
const [CALLER, BORROWER, RECEIVER] = [addressOf(11), addressOf(12), addressOf(13)];
const indexed = (address: string): string => zeroPadValue(address, 32);

/** A log with these indexed arguments after the market, and these words. */
function log(
  signature: string,
  more: readonly string[],
  words: readonly (bigint | string)[],
  address = CONTRACTS.morpho,
): RawLog {
  const types = words.map((word) => (typeof word === 'bigint' ? 'uint256' : 'address'));
  const topics = [id(signature), MARKET, ...more].filter((topic) => isHash(topic));
  const data = AbiCoder.defaultAbiCoder().encode(types, words) as Hex;
  return standIn<RawLog>('log', { address, topics, data });
}

const own = (address: string, other = RECEIVER): string[] => [address, other].map(indexed);

describe('a log of Morpho Blue', () => {
  it.each([
    ['SetFee', log('SetFee(bytes32,uint256)', [], [5n]), { kind: 'fee', feeWad: 5n }],
    [
      'AccrueInterest',
      log('AccrueInterest(bytes32,uint256,uint256,uint256)', [], [1n, 2n, 3n]),
      { kind: 'interest', interest: 2n, feeShares: 3n },
    ],
    [
      'BorrowRateUpdate',
      log('BorrowRateUpdate(bytes32,uint256,uint256)', [], [1n, 2n], CONTRACTS.adaptiveCurveIrm),
      { kind: 'rate', rateAtTargetWad: 2n },
    ],
    [
      'Supply',
      log('Supply(bytes32,address,address,uint256,uint256)', own(CALLER, BORROWER), [1n, 2n]),
      { kind: 'supply', assets: 1n, shares: 2n },
    ],
    [
      'Withdraw',
      log('Withdraw(bytes32,address,address,address,uint256,uint256)', own(BORROWER), [CALLER, 1n, 2n]),
      { kind: 'withdraw', assets: 1n, shares: 2n },
    ],
    [
      'Borrow',
      log('Borrow(bytes32,address,address,address,uint256,uint256)', own(BORROWER), [CALLER, 1n, 2n]),
      { kind: 'borrow', borrower: BORROWER, assets: 1n, shares: 2n },
    ],
    [
      'Repay',
      log('Repay(bytes32,address,address,uint256,uint256)', own(CALLER, BORROWER), [1n, 2n]),
      { kind: 'repay', borrower: BORROWER, assets: 1n, shares: 2n },
    ],
    [
      'SupplyCollateral',
      log('SupplyCollateral(bytes32,address,address,uint256)', own(CALLER, BORROWER), [1n]),
      { kind: 'supply-collateral', borrower: BORROWER, assets: 1n },
    ],
    [
      'WithdrawCollateral',
      log('WithdrawCollateral(bytes32,address,address,address,uint256)', own(BORROWER), [CALLER, 1n]),
      { kind: 'withdraw-collateral', borrower: BORROWER, assets: 1n },
    ],
    [
      'Liquidate',
      log(
        'Liquidate(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)',
        own(CALLER, BORROWER),
        [1n, 2n, 3n, 4n, 5n],
      ),
      {
        ...{ kind: 'liquidate', borrower: BORROWER, repaidAssets: 1n, repaidShares: 2n, seizedAssets: 3n },
        ...{ badDebtAssets: 4n, badDebtShares: 5n },
      },
    ],
  ])('%s is read as it is written', (_name, written, expected) => {
    expect(() => {
      checkLog(written);
    }).not.toThrow();
    expect(changesOf(CONTRACTS, [written])).toEqual([{ marketId: MARKET, ...expected }]);
    expect(watchedLogs(CONTRACTS).get(written.address)).toContain(written.topics[0]);
    // A word less, and a topic less, is another log.
    const cut = standIn<RawLog>('log', { ...written, data: `0x${written.data.slice(2, -64)}` });
    expect(() => {
      checkLog(cut);
    }).toThrow(RangeError);
    const bare = standIn<RawLog>('log', { ...written, topics: written.topics.slice(0, 1) });
    expect(() => {
      checkLog(bare);
    }).toThrow('lacks a topic');
  });

  it('of another contract, or of another event, says nothing', () => {
    const words = [1n, 2n];
    const rate = 'BorrowRateUpdate(bytes32,uint256,uint256)';
    expect(
      changesOf(CONTRACTS, [
        log(rate, [], words),
        log('SetFee(bytes32,uint256)', [], [5n], CONTRACTS.adaptiveCurveIrm),
        log(rate, [], words, addressOf(3)),
        log('CreateMarket(bytes32,uint256)', [], [5n]),
      ]),
    ).toEqual([]);
  });

  it('with an amount of more than 128 bits is a bad answer, also in a word before the last', () => {
    const signature = 'Repay(bytes32,address,address,uint256,uint256)';
    for (const words of [
      [2n ** 128n, 1n],
      [1n, 2n ** 128n],
    ])
      expect(() => {
        checkLog(log(signature, own(CALLER, BORROWER), words));
      }).toThrow(RangeError);
    expect(() => {
      checkLog(log('SetFee(bytes32,uint256)', [], [10n ** 18n + 1n]));
    }).toThrow(RangeError);
  });
});
