import { keccak256 } from 'ethers';
import { consequenceOf } from '../../domain/errors.js';
import { addressWord, uintAt, uintWord, type Address, type Hash, type Hex } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { AccountChange } from './events.js';
import { borrowBalance, type CompoundAccount, type CompoundMarket, type Leg } from './market.js';

/** What a market notes of a debt (CTokenStorage.BorrowSnapshot). */
type Loan = Pick<Leg, 'principal' | 'interestIndex'>;

/** By {@link keyOf}. */
type Loans = ReadonlyMap<string, Loan>;

interface Debt {
  readonly account: Address;
  readonly mTokenId: number;
}

/**
 * Where CTokenStorage has `accountBorrows`, as in Moonwell's MTokenStorage. A market with another layout
 * tells something else there, which is not taken.
 */
const ACCOUNT_BORROWS_SLOT = 16;

/**
 * A code that takes the numbers of storage slots, a word each, and answers what is there:
 * `for (i = 0; i < calldatasize; i += 32) mstore(i, sload(calldataload(i))); return(0, calldatasize)`.
 */
const TELLS_STORAGE: Hex = '0x5f5b8036111560145780355481526020016001565b365ff3';

/** Of one call: two slots each, of 4,000 gas with their call data. */
const DEBTS_AT_ONCE = 500;
const GAS_OF_A_CALL = 6_000_000n;

/**
 * Accounts that were read from the chain, with the principal and index of each debt. No function of a market
 * tells these. The logs up to there do, of the accounts that borrowed or repaid meanwhile; of the others the
 * storage of the market does. A debt of which neither does stays as it was read ({@link accountRead}).
 *
 * @param read as of `block`.
 * @param changes by the logs up to there.
 */
export async function withExactDebts(
  chain: Chain,
  market: CompoundMarket,
  read: readonly CompoundAccount[],
  changes: readonly AccountChange[],
  block: Hash,
): Promise<readonly CompoundAccount[]> {
  if (read.length === 0) return read;
  const byLogs = withLoans(read, loggedLoans(changes));
  const left = read.flatMap(({ address: account, legs }, index) =>
    legs.flatMap((leg, at): Debt[] => {
      const told = byLogs[index]?.legs[at] !== leg;
      return leg.principal === 0n || told ? [] : [{ account, mTokenId: leg.mTokenId }];
    }),
  );
  return left.length === 0 ? byLogs : withLoans(byLogs, await storedLoans(chain, market, left, block));
}

/** The loan of a debt counts where it makes just the debt that was read. */
function withLoans(read: readonly CompoundAccount[], loans: Loans): readonly CompoundAccount[] {
  return read.map((account) => ({
    ...account,
    legs: account.legs.map((leg) => {
      const loan = loans.get(keyOf({ account: account.address, mTokenId: leg.mTokenId }));
      // A debt that was read has the market's index of that block.
      const isSame =
        loan !== undefined &&
        loan.interestIndex > 0n &&
        loan.interestIndex <= leg.interestIndex &&
        borrowBalance(loan, { borrowIndex: leg.interestIndex }) === leg.principal;
      return isSame && leg.principal > 0n ? { ...leg, ...loan } : leg;
    }),
  }));
}

/** As of the last change of each debt. */
function loggedLoans(changes: readonly AccountChange[]): Loans {
  const last = new Map<string, Loan>();
  for (const change of changes) {
    if (change.kind !== 'debt') continue;
    const { principal, interestIndex } = change;
    if (interestIndex === undefined) last.delete(keyOf(change));
    else last.set(keyOf(change), { principal, interestIndex });
  }
  return last;
}

/**
 * As the storage of the markets has them at a block. None where no node tells: then a debt may be two units
 * too low, which is no reason to wait.
 */
async function storedLoans(
  chain: Chain,
  { mTokens }: CompoundMarket,
  debts: readonly Debt[],
  block: Hash,
): Promise<Loans> {
  const asked = [...mTokens.values()].flatMap(({ id, address }) =>
    inPieces(debts.filter(({ mTokenId }) => mTokenId === id)).map((piece) => ({ to: address, piece })),
  );
  const calls = asked.map(({ to, piece }) => ({ to, data: slotsOf(piece), gas: GAS_OF_A_CALL }));
  const codes = asked.map(({ to }) => [to, { code: TELLS_STORAGE }] as const);
  try {
    const stateOverrides = Object.fromEntries(codes);
    const answers = await chain.simulateV1(calls, block, { stateOverrides });
    return new Map(
      asked.flatMap(({ piece }, index) =>
        piece.map((debt, at) => {
          const data = answers[index]?.returnData ?? '0x';
          const loan = { principal: uintAt(data, 2 * at), interestIndex: uintAt(data, 2 * at + 1) };
          return [keyOf(debt), loan] as const;
        }),
      ),
    );
  } catch (error) {
    if (error instanceof RangeError || consequenceOf(error) !== 'halt') return new Map();
    throw error;
  }
}

function inPieces(debts: readonly Debt[]): Debt[][] {
  const count = Math.ceil(debts.length / DEBTS_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    debts.slice(index * DEBTS_AT_ONCE, (index + 1) * DEBTS_AT_ONCE),
  );
}

/** Of each debt the slots of principal and index, one behind the other. */
function slotsOf(debts: readonly Debt[]): Hex {
  const words = debts.map(({ account }) => {
    const slot = BigInt(keccak256(`0x${addressWord(account)}${uintWord(ACCOUNT_BORROWS_SLOT)}`));
    return uintWord(slot) + uintWord(slot + 1n);
  });
  return `0x${words.join('')}`;
}

function keyOf({ account, mTokenId }: Debt): string {
  return `${account} ${mTokenId}`;
}
