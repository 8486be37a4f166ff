/** Borrowers on the Compound and the Morpho Blue of the local chain: thousands, by real calls. */
import { Interface, dataSlice, getAddress, id, parseEther, toQuantity } from 'ethers';
import { RpcClient } from '../../devnet/chain/rpc.js';
import { DEFAULT_MAX_FEE_WEI, TransactionQueue } from '../../devnet/chain/transactions.js';
import { amountWorth, initialPrices, TOKENS, type Devnet, type TokenSymbol } from '../../devnet/index.js';
import { USD8 } from '../../src/domain/money.js';

const COLLATERALS: readonly TokenSymbol[] = ['WETH', 'cbETH', 'cbBTC'];
const COLLATERAL_USD8 = 1_000n * USD8;
/** A third of it is safe everywhere. */
const DEBT_USDC = 300n * 10n ** 6n;
/** As many as their calls fit into a block or two. */
const AT_ONCE = 100;
const GAS = 1_000_000n;

const COMPTROLLER = new Interface(['function enterMarkets(address[] mTokens)']);

interface Call {
  readonly to: string;
  readonly data: string;
}

/** What the supplier gives for a borrower, and what the borrower does then. */
interface Opening {
  readonly given: Call;
  readonly then: readonly Call[];
}

/** @returns the borrowers */
export function openOnCompound(devnet: Devnet, howMany: number): Promise<string[]> {
  const { addresses } = devnet;
  return opened(devnet, `compound`, howMany, (account, number) => {
    const symbol = COLLATERALS[number % COLLATERALS.length] ?? 'WETH';
    const { interface: abi } = devnet.mToken(symbol);
    // An mToken has 8 decimals, and is worth a fiftieth of its asset.
    const tokens = (worth(symbol) * 50n * 10n ** 8n) / 10n ** BigInt(TOKENS[symbol].decimals);
    const entered = COMPTROLLER.encodeFunctionData('enterMarkets', [[addresses.mTokens[symbol]]]);
    return {
      given: {
        to: addresses.mTokens[symbol],
        data: abi.encodeFunctionData('transfer', [account, tokens]),
      },
      then: [
        { to: addresses.comptroller, data: entered },
        { to: addresses.mTokens.USDC, data: abi.encodeFunctionData('borrow', [DEBT_USDC]) },
      ],
    };
  });
}

/** @returns the borrowers */
export function openOnMorpho(devnet: Devnet, howMany: number): Promise<string[]> {
  const { addresses, contracts } = devnet;
  const { interface: abi } = contracts.morpho;
  const to = addresses.morpho;
  return opened(devnet, 'morpho', howMany, (account, number) => {
    const symbol = COLLATERALS[number % COLLATERALS.length] ?? 'WETH';
    const { params } = devnet.morphoMarket(symbol, 'USDC');
    const call = (name: string, values: readonly unknown[]): Call => ({
      to,
      data: abi.encodeFunctionData(name, values),
    });
    return {
      given: call('supplyCollateral', [params, worth(symbol), account, '0x']),
      then: [call('borrow', [params, DEBT_USDC, 0n, account, account])],
    };
  });
}

const worth = (symbol: TokenSymbol): bigint => amountWorth(symbol, COLLATERAL_USD8, initialPrices()[symbol]);

async function opened(
  devnet: Devnet,
  where: string,
  howMany: number,
  openingOf: (account: string, number: number) => Opening,
): Promise<string[]> {
  const all = Array.from({ length: howMany }, (_, number) =>
    getAddress(dataSlice(id(`bench borrower ${number} on ${where}`), 12)),
  );
  const { supplier } = devnet.accounts;
  const rpc = new RpcClient(devnet.rpcUrl);
  await rpc.call('evm_setAutomine', [false]);
  for (let first = 0; first < howMany; first += AT_ONCE) {
    const accounts = all.slice(first, first + AT_ONCE);
    await rpc.batch(
      accounts.map((account) => ({
        method: 'anvil_setBalance',
        params: [account, toQuantity(parseEther('1'))],
      })),
    );
    const queue = new TransactionQueue(rpc, COMPTROLLER);
    await queue.track([supplier, ...accounts]);
    for (const [index, account] of accounts.entries()) {
      const { given, then } = openingOf(account, first + index);
      const common = { label: `${where}: ${account}`, gas: GAS };
      // The node sorts a block by fee: what is given comes first.
      queue.add({ ...common, ...given, from: supplier, maxFeePerGasWei: 2n * DEFAULT_MAX_FEE_WEI });
      for (const call of then)
        queue.add({ ...common, ...call, from: account, maxFeePerGasWei: DEFAULT_MAX_FEE_WEI });
    }
    await queue.mine(() => devnet.mine());
  }
  await rpc.call('evm_setAutomine', [true]);
  return all;
}
