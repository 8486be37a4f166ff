import { describe, expect, it } from 'vitest';
import { BORROWER, compoundMarket } from '../../../testing/builders/compound.js';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { uintWord, type Hex } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { RpcError } from '../../rpc/rpc-errors.js';
import type { AccountChange } from './events.js';
import { withExactDebts } from './exact-debts.js';
import type { CompoundAccount, Leg } from './market.js';

const BLOCK: Hex = `0x${'bb'.repeat(32)}`;
const NONE = { mTokenId: 1, entered: true, tokens: 0n };
const WAD = 10n ** 18n;
/** Of 70 at an index of 3: at 3.1 that is 72.33. */
const READ: Leg = { ...NONE, principal: 72n, interestIndex: (31n * WAD) / 10n };
const EXACT: Leg = { ...NONE, principal: 70n, interestIndex: 3n * WAD };

/** Of one debt in market 1. @param stored what the storage there holds; absent: no node tells it */
async function exactOf(
  leg: Leg,
  { logged, stored }: { logged?: Partial<AccountChange>; stored?: readonly bigint[] },
): Promise<{ leg: Leg | undefined; asked: number }> {
  let asked = 0;
  const chain = standIn<Chain>('chain', {
    simulateV1: () => {
      asked += 1;
      if (!stored) return Promise.reject(new RpcError('refused', 'primary', 'no such method'));
      const returnData: Hex = `0x${stored.map(uintWord).join('')}`;
      return Promise.resolve([{ success: true, returnData, gasUsed: 0n, logs: [] }]);
    },
  });
  const read: CompoundAccount[] = [{ address: BORROWER, legs: [leg] }];
  const change = { kind: 'debt', mTokenId: 1, account: BORROWER, borrowed: true, ...logged };
  const changes = logged ? [change as AccountChange] : [];
  const [account] = await withExactDebts(chain, compoundMarket(), read, changes, BLOCK);
  return { leg: account?.legs[0], asked };
}

describe('a debt that was read from the chain', () => {
  const { principal, interestIndex } = EXACT;

  it('is exact by the logs of its last change, without a call', async () => {
    expect(await exactOf(READ, { logged: { principal, interestIndex } })).toEqual({ leg: EXACT, asked: 0 });
  });

  it('is exact by the storage of its market, where the logs do not tell it, or tell an older one', async () => {
    const stored = [principal, interestIndex];
    expect(await exactOf(READ, { stored })).toEqual({ leg: EXACT, asked: 1 });
    const logged = { principal: 9n, interestIndex };
    expect(await exactOf(READ, { logged, stored })).toEqual({ leg: EXACT, asked: 1 });
  });

  it.each([
    ['other numbers: another layout', [71n, 2n * WAD]],
    ['nothing: another layout', [0n, 0n]],
    ['an index that the market has not reached', [75n, (32n * WAD) / 10n]],
    ['too little', [70n]],
  ])('stays as it was read where the storage holds %s', async (_, stored) => {
    expect(await exactOf(READ, { stored })).toEqual({ leg: READ, asked: 1 });
  });

  it('stays as it was read where no node tells the storage', async () => {
    expect(await exactOf(READ, {})).toEqual({ leg: READ, asked: 1 });
  });

  it('of nothing needs no call', async () => {
    const leg = { ...NONE, principal: 0n, interestIndex: 0n };
    expect(await exactOf(leg, {})).toEqual({ leg, asked: 0 });
  });
});
