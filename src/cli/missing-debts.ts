import { parseUnits } from 'ethers';
import { formatUnits } from '../domain/money.js';
import type { MissingDebt } from '../state/followed.js';

/** No token has more decimals. */
const DECIMALS = 77;

/** What the accounts owe less, or more, than the chain says, in one sentence. */
export function missingSentence(market: string, block: number, missing: readonly MissingDebt[]): string {
  const debts = missing.map(({ symbol, known, total, lacks }) => {
    const [ours, all] = [parseUnits(known, DECIMALS), parseUnits(total, DECIMALS)];
    return lacks
      ? `${formatUnits(all - ours, DECIMALS)} of ${total} ${symbol} is missing`
      : `${formatUnits(ours - all, DECIMALS)} ${symbol} is more than the ${total} of all accounts`;
  });
  return `${market}: at block ${block} the debts do not add up: ${debts.join(', ')}`;
}
