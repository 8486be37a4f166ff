import type { Devnet, MorphoMarket } from '../devnet/index.js';
import { toAddress, type Address } from '../src/domain/hex.js';
import { marketIdOf } from '../src/protocols/morpho-blue/market.js';

/** A market like another one of the local chain, with liquidity, and an oracle or an LLTV of its own. */
export async function createMarketLike(
  devnet: Devnet,
  like: MorphoMarket,
  own: { readonly oracle?: Address; readonly lltvWad?: bigint },
): Promise<MorphoMarket> {
  const { addresses, contracts, accounts, provider } = devnet;
  const params = {
    ...like.params,
    oracle: own.oracle ?? like.params.oracle,
    lltv: own.lltvWad ?? like.params.lltv,
  };
  const { loanToken, collateralToken, oracle, irm, lltv } = params;
  const given = [loanToken, collateralToken, oracle, irm, lltv];
  const call = (
    from: string,
    method: string,
    values: readonly unknown[],
  ): { from: string; to: string; data: string } => ({
    ...{ from, to: addresses.morpho },
    data: contracts.morpho.interface.encodeFunctionData(method, values),
  });
  const { timestamp } = (await provider.getBlock('latest'))!;
  const lent = 10n ** 12n;
  const receipts = await devnet.mineBlock(
    [
      ...(own.lltvWad === undefined ? [] : [call(accounts.deployer, 'enableLltv', [own.lltvWad])]),
      call(accounts.deployer, 'createMarket', [given]),
      call(accounts.supplier, 'supply', [given, lent, 0n, accounts.supplier, '0x']),
    ],
    timestamp + 2,
  );
  if (receipts.some(({ succeeded }) => !succeeded)) throw new Error('the market could not be made');
  const id = marketIdOf({
    loanToken: toAddress(loanToken),
    collateralToken: toAddress(collateralToken),
    ...{ oracle: toAddress(oracle), irm: toAddress(irm), lltvWad: lltv },
  });
  return { ...like, params, id };
}
