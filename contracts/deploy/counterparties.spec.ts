import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/domain/hex.js';
import { mergeCounterparties, sourcesOf, type Counterparty } from './counterparties.js';

const address = (byte: string): Address => `0x${byte.repeat(20)}`;

describe('counterparties of a configuration', () => {
  it('lists markets and lenders, each as its kind, and not Uniswap', () => {
    const sources = sourcesOf({
      protocols: [
        { name: 'aave', kind: 'aave-v3', addressesProvider: address('a1') },
        { name: 'moonwell', kind: 'compound-v2', comptroller: address('a2') },
        { name: 'blue', kind: 'morpho-blue', morpho: address('a3') },
      ],
      liquidity: {
        flash: {
          morpho: address('a3'),
          aavePool: address('b1'),
          balancerVault: address('b2'),
          balancerV3Vault: address('b4'),
        },
        factories: [{ name: 'aerodrome', kind: 'solidly', factory: address('b3') }],
        wrappers: [
          { token: address('c1'), kind: 'erc4626' },
          { token: address('c2'), kind: 'wsteth' },
        ],
      },
    });
    expect(sources).toEqual([
      { key: 'protocols (aave)', kind: 'AaveV3', addressesProvider: address('a1') },
      { key: 'protocols (moonwell)', kind: 'CompoundV2', address: address('a2') },
      { key: 'protocols (blue)', kind: 'MorphoBlue', address: address('a3') },
      { key: 'liquidity.flash.morpho', kind: 'MorphoBlue', address: address('a3') },
      { key: 'liquidity.flash.aavePool', kind: 'AaveV3', address: address('b1') },
      { key: 'liquidity.flash.balancerVault', kind: 'BalancerV2', address: address('b2') },
      { key: 'liquidity.flash.balancerV3Vault', kind: 'BalancerV3', address: address('b4') },
      { key: 'liquidity.factories (aerodrome)', kind: 'Solidly', address: address('b3') },
      { key: `liquidity.wrappers (${address('c1')})`, kind: 'Erc4626', address: address('c1') },
      { key: `liquidity.wrappers (${address('c2')})`, kind: 'Unwrapper', address: address('c2') },
    ]);
  });

  it('does not list what the file leaves out', () => {
    expect(sourcesOf({ protocols: [], liquidity: { factories: [], flash: {}, wrappers: [] } })).toEqual([]);
  });

  it('lists a contract that is named twice once, and refuses one that is named as two kinds', () => {
    const market: Counterparty = { address: address('a3'), kind: 'MorphoBlue', keys: ['protocols (blue)'] };
    const lender: Counterparty = { ...market, keys: ['liquidity.flash.morpho'] };
    expect(mergeCounterparties([market, lender])).toEqual({
      counterparties: [{ ...market, keys: ['protocols (blue)', 'liquidity.flash.morpho'] }],
      problems: [],
    });
    const vault: Counterparty = { ...market, kind: 'BalancerV2', keys: ['liquidity.flash.balancerVault'] };
    expect(mergeCounterparties([market, vault]).problems).toEqual([
      `liquidity.flash.balancerVault: ${address('a3')} is named as BalancerV2 here and as MorphoBlue by protocols (blue); one of the two was expected`,
    ]);
  });
});
