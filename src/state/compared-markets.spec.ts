import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { Address } from '../domain/hex.js';
import type { MulticallCall } from '../rpc/chain/multicall3.js';
import { ComparedMarkets } from './compared-markets.js';
import type { Comparison, FollowedAccounts } from './followed.js';
import { StateView } from './state-view.js';

const ACCOUNT: Address = `0x${'a1'.repeat(20)}`;
const NAMES = ['aave', 'compound', 'morpho'] as const;
const VIEW = new StateView(aBlock(10), new Map(NAMES.map((name) => [name, {}])));
const FOUND: Comparison = { compared: [], divergences: [], wrongPrices: [] };
const PRICES = 20;
const DEBTS = 10;

describe('what is compared with the chain', () => {
  /** What was asked of the markets since the last look: accounts, or only prices. */
  let asked: string[];
  let markets: FollowedAccounts[];
  let compared: ComparedMarkets;
  let debts: number;

  const calls = (count: number): MulticallCall[] =>
    Array.from({ length: count }, () => ({ to: ACCOUNT, data: '0x' }));

  const marketOf = (name: string): FollowedAccounts =>
    standIn<FollowedAccounts>(name, {
      name,
      refusal: undefined,
      comparison: (_view, budget) => {
        asked.push(`${name} ${budget}`);
        return { calls: calls(budget), decode: () => FOUND };
      },
      comparisonOf: (_view, accounts) => {
        expect(accounts).toEqual([]);
        asked.push(`prices of ${name}`);
        return { calls: calls(PRICES), decode: () => FOUND };
      },
      debts: () => ({ calls: calls(debts), decode: () => [] }),
    });

  beforeEach(() => {
    asked = [];
    debts = DEBTS;
    markets = NAMES.map(marketOf);
    compared = new ComparedMarkets(markets);
  });

  const next = (turns?: number, doubted: readonly string[] = []): { asked: string[]; calls: number } => {
    asked = [];
    const first = (market: string): Address[] => (doubted.includes(market) ? [ACCOUNT] : []);
    const all = compared.next(VIEW, { calls: 250, chunk: 250, turns }, first);
    // Those that have their turn first.
    const isPrices = (what: string): number => Number(what.startsWith('prices'));
    asked.sort((one, other) => isPrices(one) - isPrices(other));
    return { asked, calls: all.reduce((sum, { read }) => sum + read.calls.length, 0) };
  };

  it('is one market by turns, in one eth_call, and the prices of all', () => {
    const rounds = [1, 2, 3, 4].map(() => next(1));
    expect(rounds.map((round) => round.asked[0])).toEqual([
      'aave 200',
      'compound 200',
      'morpho 200',
      'aave 200',
    ]);
    expect(rounds[1]?.asked.slice(1)).toEqual(['prices of aave', 'prices of morpho']);
    for (const round of rounds) expect(round.calls).toBe(250);
  });

  it('is all of them where enough time has passed', () => {
    expect(next().asked).toEqual(['aave 240', 'compound 240', 'morpho 240']);
    expect(next(2).asked).toEqual(['aave 230', 'compound 230', 'prices of morpho']);
    expect(next(2).asked).toEqual(['aave 230', 'morpho 230', 'prices of compound']);
  });

  it('is a market with an account in doubt, whether or not it is its turn, and the turns go on', () => {
    expect(next(0, ['morpho']).asked).toEqual(['morpho 200', 'prices of aave', 'prices of compound']);
    expect(next(1, ['morpho']).asked).toEqual(['aave 230', 'morpho 230', 'prices of compound']);
    expect(next(1).asked[0]).toBe('compound 200');
  });

  it('leaves half of the calls to accounts where there are debts in very many assets', () => {
    debts = 600;
    expect(next(1).asked[0]).toBe('aave 125');
  });

  it('leaves out a market that is refused', () => {
    markets[0] = standIn<FollowedAccounts>('aave', { name: 'aave', refusal: 'its version is not known' });
    expect(next(1).asked).toEqual(['compound 220', 'prices of morpho']);
    expect(next(1).asked).toEqual(['morpho 220', 'prices of compound']);
  });

  it('is nothing where all are refused', () => {
    compared = new ComparedMarkets([]);
    expect(next(1)).toEqual({ asked: [], calls: 0 });
  });
});
