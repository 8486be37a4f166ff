import { Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { parseRevert, revertReason } from '../contract/contract.js';
import type { Hex } from '../domain/hex.js';
import type { Rival } from '../domain/outcome.js';
import { verdictOfDeadline, verdictOfRevert, type Revert } from './verdict.js';

const RIVAL: Rival = {
  sender: `0x${'11'.repeat(20)}`,
  hash: `0x${'22'.repeat(32)}`,
  block: 7,
  place: 0,
  tipPerGasWei: 3n,
  blocksEarlier: 1,
  placesEarlier: undefined,
};

const withData = (data: Hex): Revert => ({
  kind: 'error',
  error: parseRevert(data),
  reason: revertReason(data),
});

function withError(signature: string, ...args: unknown[]): Revert {
  const name = signature.slice(0, signature.indexOf('('));
  return withData(new Interface([`error ${signature}`]).encodeErrorResult(name, args) as Hex);
}

describe('F49 the verdict on a revert', () => {
  it.each([
    ['our own floor', withError('ProfitBelowFloor(uint256 profit, uint256 minProfit)', 1, 2)],
    ['pools that ask for more than was seized', withError('AskedTooMuch(uint256 owed, uint256 most)', 2, 1)],
    ['a deadline that passed', withError('DeadlinePassed()')],
    [
      'a debt that another account repaid before the look at it',
      withError('NothingToLiquidate(address borrower, uint256 debtLeft)', `0x${'33'.repeat(20)}`, 5),
    ],
    [
      'a vault that gives less for its shares',
      withError(
        'LostInUnwrapping(address wrapper, uint256 got, uint256 least)',
        `0x${'33'.repeat(20)}`,
        1,
        2,
      ),
    ],
    ['a position that is healthy again', withError('HealthFactorNotBelowThreshold()')],
    ['a debt that is repaid', withError('SpecifiedCurrencyNotBorrowedByUser()')],
    ['something within its block', { kind: 'within-block' } as const],
  ])('by %s is lost with a rival, and stale without one', (_, revert) => {
    expect(verdictOfRevert(revert, RIVAL)).toMatchObject({ outcome: 'lost', rival: RIVAL });
    expect(verdictOfRevert(revert, undefined).outcome).toBe('stale');
    expect(verdictOfRevert(revert, 'unknown')).toMatchObject({ outcome: 'stale', rival: 'unknown' });
  });

  it.each([
    ['an error of no known contract', withData('0x6d1a9eb5')],
    ['no data at all', withData('0x')],
    ['a text', withError('Error(string text)', 'IIA')],
    ['an arithmetic overflow', withError('Panic(uint256 code)', 17)],
    ['a reason that no node tells', { kind: 'unread', reason: 'no node has the state' } as const],
  ])('by %s is lost with a rival, and a malfunction without one', (_, revert) => {
    expect(verdictOfRevert(revert, RIVAL).outcome).toBe('lost');
    expect(verdictOfRevert(revert, undefined).outcome).toBe('malfunction');
    expect(verdictOfRevert(revert, 'unknown').outcome).toBe('malfunction');
  });

  it.each([
    ['running out of gas', { kind: 'out-of-gas' } as const],
    ['a missing role', withError('NotExecutor(address caller)', `0x${'33'.repeat(20)}`)],
    ['our contract being paused', withError('EnforcedPause()')],
    ['a plan that our contract cannot read', withError('UnknownStep(uint256 opcode)', 9)],
  ])('by %s is a malfunction, also with a rival', (_, revert) => {
    for (const rival of [RIVAL, undefined, 'unknown'] as const)
      expect(verdictOfRevert(revert, rival).outcome).toBe('malfunction');
  });

  it('says the reason in words', () => {
    expect(verdictOfRevert(withData('0x6d1a9eb5'), undefined).reason).toBe('unknown error 0x6d1a9eb5');
    expect(verdictOfRevert({ kind: 'out-of-gas' }, undefined).reason).toBe('out of gas');
  });
});

describe('F49 the verdict on a transaction that was not mined before its deadline', () => {
  it('is lost with a rival, and stale without one', () => {
    expect(verdictOfDeadline('too late', RIVAL)).toEqual({
      outcome: 'lost',
      reason: 'too late',
      rival: RIVAL,
    });
    expect(verdictOfDeadline('too late', undefined).outcome).toBe('stale');
  });
});
