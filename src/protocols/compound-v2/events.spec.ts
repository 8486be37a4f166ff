import { describe, expect, it } from 'vitest';
import { BORROWER, compoundMarket } from '../../../testing/builders/compound.js';
import { addressWord, toAddress, uintWord, type Address, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import { applyChanges } from './account-changes.js';
import { changesOf, checkLog, TOPIC, watchedLogs } from './events.js';

const market = compoundMarket();
const [weth, usdc] = [...market.mTokens.values()].map(({ address }) => address);
const other = toAddress(`0x${'77'.repeat(20)}`);

const log = (address: Address | undefined, topic: Hex, words: string[], topics: Hex[] = []): RawLog => ({
  ...{ address: address ?? other, topics: [topic, ...topics], data: `0x${words.join('')}` },
  ...{
    blockNumber: 1,
    blockHash: `0x${'0'.repeat(64)}`,
    transactionHash: `0x${'0'.repeat(64)}`,
    logIndex: 0,
  },
});
const accrued = (index: bigint): RawLog =>
  log(usdc, TOPIC.accrueInterest, [uintWord(0n), uintWord(0n), uintWord(index), uintWord(0n)]);
const borrowed = (principal: bigint): RawLog =>
  log(usdc, TOPIC.borrow, [addressWord(BORROWER), uintWord(5n), uintWord(principal), uintWord(9n)]);
const nobody = (): undefined => undefined;
const empty = (address: Address): { address: Address; legs: [] } => ({ address, legs: [] });

describe('the logs of Compound v2', () => {
  it('give a debt the index that its market booked before', () => {
    const { accounts, indexes, touched } = changesOf(
      market,
      [accrued(3n * 10n ** 18n), borrowed(70n)],
      new Map(),
    );
    expect(applyChanges(accounts, empty).changed.get(BORROWER)?.legs).toEqual([
      { mTokenId: 1, entered: false, tokens: 0n, principal: 70n, interestIndex: 3n * 10n ** 18n },
    ]);
    expect(indexes.get(1)).toBe(3n * 10n ** 18n);
    expect([...touched]).toEqual([1]);
  });

  it('give it the index of an earlier block where interest was booked within the same second', () => {
    const { accounts } = changesOf(market, [borrowed(70n)], new Map([[1, 2n * 10n ** 18n]]));
    expect(applyChanges(accounts, empty).changed.get(BORROWER)?.legs[0]?.interestIndex).toBe(2n * 10n ** 18n);
  });

  it('contradict the books where no log tells the index: the account is read', () => {
    const { accounts } = changesOf(market, [borrowed(70n)], new Map());
    expect([...applyChanges(accounts, empty).contradicted]).toEqual([BORROWER]);
  });

  it('tell a new borrower', () => {
    const { accounts } = changesOf(market, [accrued(3n * 10n ** 18n), borrowed(70n)], new Map());
    expect([...applyChanges(accounts, nobody).newBorrowers]).toEqual([BORROWER]);
  });

  it('move mTokens, and contradict the books when an account gives more than it has', () => {
    const transfer = log(
      weth,
      TOPIC.transfer,
      [uintWord(4n)],
      [`0x${addressWord(BORROWER)}`, `0x${addressWord(other)}`],
    );
    const { accounts, touched } = changesOf(market, [transfer], new Map());
    expect(touched.size).toBe(0);
    const { changed, contradicted } = applyChanges(accounts, empty);
    expect(changed.get(other)?.legs[0]?.tokens).toBe(4n);
    expect([...contradicted]).toEqual([BORROWER]);
  });

  it('of the terms, of the oracle and of a rate model load the market again', () => {
    const reloads = (one: RawLog): boolean => changesOf(market, [one], new Map()).reload;
    expect(reloads(log(market.comptroller, TOPIC.newCloseFactor, []))).toBe(true);
    expect(reloads(log(usdc, TOPIC.newReserveFactor, []))).toBe(true);
    expect(reloads(log(market.oracle, TOPIC.accrueInterest, []))).toBe(true);
    const rateModel = market.mTokens.get(0)?.rateModel;
    expect(reloads(log(rateModel, TOPIC.accrueInterest, []))).toBe(true);
    expect(reloads(accrued(10n ** 18n))).toBe(false);
    expect(watchedLogs(market).get(market.oracle)).toEqual([]);
  });

  it.each([
    ['an index below 1', accrued(1n)],
    ['a missing word', log(usdc, TOPIC.borrow, [addressWord(BORROWER)])],
    ['a principal above 128 bits', borrowed(2n ** 128n)],
    ['a missing topic', log(usdc, TOPIC.transfer, [uintWord(1n)])],
  ])('are refused with %s', (_, one) => {
    expect(() => checkLog(one)).toThrow(RangeError);
  });
});
