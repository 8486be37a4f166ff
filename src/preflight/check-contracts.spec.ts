import { describe, expect, it } from 'vitest';
import { blockHash } from '../../testing/builders/blocks.js';
import { addressOf } from '../../testing/builders/opportunities.js';
import { CHIMERA } from '../../testing/builders/plan.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { Kind } from '../contract/bindings.js';
import type { LendingMarket } from '../protocols/lending-market.js';
import type { Chain } from '../rpc/chain/chain.js';
import { counterpartiesOf, unlisted, type Listed } from './check-contracts.js';

const [COMPTROLLER, MORPHO, POOL] = [addressOf('c0'), addressOf('b1'), addressOf('aa')];
const EXPECTED: readonly Listed[] = [
  { key: 'protocols (moonwell)', address: COMPTROLLER, kind: Kind.CompoundV2, description: 'a Comptroller' },
  { key: 'protocols (morpho)', address: MORPHO, kind: Kind.MorphoBlue, description: 'Morpho Blue' },
  { key: 'protocols (aave)', address: POOL, kind: Kind.AaveV3, description: 'an Aave v3 market' },
];
const ALL_LISTED = [Kind.CompoundV2, Kind.MorphoBlue, Kind.AaveV3].map(BigInt);

describe('what our contract may call', () => {
  it('is in order when each market of three families is listed as what it is', () => {
    expect(unlisted(CHIMERA, EXPECTED, ALL_LISTED)).toEqual([]);
  });

  it('names a market that is not listed, or as another kind, with the key and what it should be', () => {
    expect(unlisted(CHIMERA, EXPECTED, [0n, BigInt(Kind.CompoundV2), BigInt(Kind.AaveV3)])).toEqual([
      `protocols (moonwell): the contract ${CHIMERA} may not call ${COMPTROLLER}; its owner has to list it as a Comptroller with setCounterparty`,
      `protocols (morpho): the contract ${CHIMERA} may not call ${MORPHO}; its owner has to list it as Morpho Blue with setCounterparty`,
    ]);
    expect(unlisted(CHIMERA, EXPECTED, [])).toHaveLength(3);
  });

  it('is what each market names, whether from its configuration or from the chain', async () => {
    const named = { address: COMPTROLLER, kind: Kind.CompoundV2, description: 'a Comptroller' };
    const moonwell = standIn<LendingMarket>('moonwell', {
      contracts: [['protocols (moonwell).comptroller', COMPTROLLER]],
      counterparty: () => ({ calls: [], decode: () => named }),
    });
    const wrong = standIn<LendingMarket>('aave', {
      contracts: [['protocols (aave).addressesProvider', POOL]],
      counterparty: () => ({
        calls: [],
        decode: () => {
          throw new Error('the pool could not be read');
        },
      }),
    });
    expect(await counterpartiesOf(standIn<Chain>('chain', {}), [moonwell, wrong], blockHash(1))).toEqual([
      named,
      `protocols (aave).addressesProvider: the contract at ${POOL} does not name the contract that liquidates; another contract was expected here`,
    ]);
  });
});
