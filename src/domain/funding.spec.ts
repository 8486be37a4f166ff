import { describe, expect, it } from 'vitest';
import { addressOf } from '../../testing/builders/opportunities.js';
import { fundingName, profitIn, type Funding } from './funding.js';

const LENDER = addressOf('1e');

describe('the funding of a plan', () => {
  it.each<[Funding, string, string]>([
    [{ kind: 'flash-swap' }, 'collateral', 'flash-swap'],
    [{ kind: 'loan', name: 'morpho', lender: LENDER, feeBps: 0n }, 'debt', 'morpho'],
    [{ kind: 'callback' }, 'debt', 'callback'],
  ])('%o leaves its profit in %s, and is called %s', (funding, token, name) => {
    expect(profitIn(funding)).toBe(token);
    expect(fundingName(funding)).toBe(name);
  });
});
