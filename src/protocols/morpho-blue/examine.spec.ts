import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { addressWord, uintWord, type Address, type Hash, type Hex } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { MulticallCall, MulticallResult } from '../../rpc/chain/multicall3.js';
import { examineMorpho } from './examine.js';
import type { MorphoBlueSettings } from './followed-market.js';
import { SELECTORS } from './reads.js';

const BLOCK: Hash = `0x${'07'.repeat(32)}`;
const [MORPHO, IRM, TOKEN, FEED] = [addressOf(1), addressOf(2), addressOf(3), addressOf(4)];
const settings: MorphoBlueSettings = {
  ...{ name: 'morpho', morpho: MORPHO, adaptiveCurveIrm: IRM, feeds: [{ token: TOKEN, feed: FEED }] },
  ...{ markets: [], denyMarkets: [], loanTokens: [], minMarketUsd8: 0n, oracles: 'any' },
};

/** A chain whose contracts say this; undefined reverts. */
function chainThat(says: {
  owner?: string | undefined;
  morphoOfIrm?: string | undefined;
  decimals?: bigint | undefined;
}): Chain {
  const { owner = addressWord(addressOf(9)), morphoOfIrm = addressWord(MORPHO), decimals = 8n } = says;
  const round = [1n, 100_000_000n, 5n, 5n, 1n].map(uintWord).join('');
  const answer = ({ to, data }: MulticallCall): string | undefined => {
    if (data === SELECTORS.owner) return to === MORPHO ? owner : undefined;
    if (data === SELECTORS.morphoOfIrm) return to === IRM ? morphoOfIrm : undefined;
    return data === DECIMALS ? uintWord(decimals) : round;
  };
  const multicallAs = <T>(
    calls: readonly MulticallCall[],
    _block: Hash,
    decode: (results: MulticallResult[]) => T,
  ): Promise<T> =>
    Promise.resolve(
      decode(
        calls.map((call) => {
          const words = answer(call);
          return words === undefined ? { success: false, data: '0x' } : { success: true, data: `0x${words}` };
        }),
      ),
    );
  return standIn<Chain>('chain', { multicallAs });
}
/** decimals() */
const DECIMALS: Hex = '0x313ce567';

describe('the look at Morpho Blue at start', () => {
  it('finds nothing wrong with the contracts of the configuration, and tells what a feed says', async () => {
    expect(await examineMorpho(chainThat({}), settings, BLOCK, TOKEN)).toEqual({
      ...{ problems: [], priceUsd8: 100_000_000n },
    });
    expect(await examineMorpho(chainThat({}), settings, BLOCK, addressOf(5))).toEqual({
      ...{ problems: [], priceUsd8: undefined },
    });
  });

  it('a factory of pre-liquidations of another Morpho is one sentence, and one of this Morpho is none', async () => {
    const withFactory = (factory: Address): Promise<{ readonly problems: readonly string[] }> =>
      examineMorpho(chainThat({}), { ...settings, preLiquidationFactory: factory }, BLOCK, TOKEN);
    const own = addressOf(7);
    expect((await withFactory(own)).problems).toEqual([
      `protocols (morpho): ${own} is not the PreLiquidationFactory of the Morpho at ${MORPHO}`,
    ]);
    // The stand-in chain gives the address of Morpho here.
    expect((await withFactory(IRM)).problems).toEqual([]);
  });

  it.each([
    ['a contract that is no Morpho', { owner: '' }, `${MORPHO} does not answer owner()`],
    [
      'the rate model of another Morpho',
      { morphoOfIrm: addressWord(addressOf(8)) },
      `${IRM} is not the AdaptiveCurveIrm of the Morpho at ${MORPHO}`,
    ],
    ['a feed that is not in USD', { decimals: 18n }, `the feed ${FEED} of ${TOKEN} has 18 decimals`],
  ])('%s is one sentence that names the key', async (_name, says, sentence) => {
    const { problems } = await examineMorpho(chainThat(says), settings, BLOCK, TOKEN);
    expect(problems).toEqual([expect.stringContaining(`protocols (morpho): ${sentence}`)]);
  });
});
