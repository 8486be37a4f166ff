/**
 * Opens positions on Compound v2 and Morpho Blue. The supplier hands the borrower the collateral; everything
 * else is the borrower's own call.
 */
import { dataSlice, getAddress, id, parseEther, toQuantity } from 'ethers';
import type { DevnetArtifacts } from '../artifacts/artifacts.js';
import type { Artifact } from '../artifacts/compile.js';
import type { DevnetAddresses, DevnetTokens } from '../deploy/deployment.js';
import type { MorphoMarket } from '../deploy/morpho.js';
import { interfaceOf } from '../deploy/deployer.js';
import type { Miner } from '../chain/mining.js';
import type { TokenSymbol } from '../parameters.js';
import type { RpcClient } from '../chain/rpc.js';
import { DEFAULT_MAX_FEE_WEI, TransactionQueue } from '../chain/transactions.js';

/** What Compound has a market of: the tokens, and native ether. */
export type CompoundAsset = TokenSymbol | 'native';

export interface CompoundAmount {
  symbol: CompoundAsset;
  /** The token's smallest units, or wei. */
  amount: bigint;
}

/** A position to open on Compound v2. */
export interface CompoundPositionRequest {
  /** Borrower; a fresh account when absent. */
  account?: string;
  collateral: CompoundAmount;
  debt: CompoundAmount;
}

/** A position to open on Morpho Blue. */
export interface MorphoPositionRequest {
  /** Borrower; a fresh account when absent. */
  account?: string;
  market: MorphoMarket;
  /** Smallest units of the market's collateral token. */
  collateral: bigint;
  /** Smallest units of the market's loan token. */
  debt: bigint;
}

interface OpenerContext {
  rpc: RpcClient;
  miner: Miner;
  addresses: DevnetAddresses;
  tokens: DevnetTokens;
  artifacts: Pick<DevnetArtifacts, 'compound' | 'morpho' | 'predeploys'>;
  supplier: string;
}

/** One call of the borrower. */
interface Call {
  to: string;
  abi: Artifact['abi'];
  method: string;
  args: readonly unknown[];
  valueWei?: bigint;
}

/** For the borrower's gas. */
const BORROWER_ETHER = parseEther('1');

/** A borrow costs about 400,000 gas. */
const GAS_PER_CALL = 1_000_000n;

/** The market of an asset. */
export function mTokenOf(
  { mTokens, mNative }: Pick<DevnetAddresses, 'mTokens' | 'mNative'>,
  asset: CompoundAsset,
): string {
  return asset === 'native' ? mNative : mTokens[asset];
}

export class OtherPositionOpener {
  #accountsMade = 0;

  constructor(private readonly context: OpenerContext) {}

  /**
   * @returns the borrower's address
   * @throws {TransactionFailed} when Compound refuses, with its reason or its code
   */
  openCompound({ account, collateral, debt }: CompoundPositionRequest): Promise<string> {
    const { addresses, artifacts } = this.context;
    const { Comptroller, CErc20Delegator } = artifacts.compound;
    return this.#open(account ?? this.#freshAccount(), collateral, [
      ...this.#mint(collateral),
      {
        to: addresses.comptroller,
        abi: Comptroller.abi,
        method: 'enterMarkets',
        args: [[mTokenOf(addresses, collateral.symbol)]],
      },
      {
        to: mTokenOf(addresses, debt.symbol),
        abi: CErc20Delegator.abi, // in `borrow`, CEther is alike
        method: 'borrow',
        args: [debt.amount],
      },
    ]);
  }

  /** @returns the borrower's address @throws {TransactionFailed} when Morpho refuses, with its reason */
  openMorpho({ account, market, collateral, debt }: MorphoPositionRequest): Promise<string> {
    const borrower = account ?? this.#freshAccount();
    const to = this.context.addresses.morpho;
    const { abi } = this.context.artifacts.morpho;
    const { params } = market;
    return this.#open(borrower, { symbol: market.collateral, amount: collateral }, [
      this.#approve(market.collateral, to, collateral),
      { to, abi, method: 'supplyCollateral', args: [params, collateral, borrower, '0x'] },
      { to, abi, method: 'borrow', args: [params, debt, 0n, borrower, borrower] },
    ]);
  }

  #mint({ symbol, amount }: CompoundAmount): Call[] {
    const { addresses, artifacts } = this.context;
    const { CErc20Delegator, CEther } = artifacts.compound;
    const to = mTokenOf(addresses, symbol);
    if (symbol === 'native') return [{ to, abi: CEther.abi, method: 'mint', args: [], valueWei: amount }];
    return [
      this.#approve(symbol, to, amount),
      { to, abi: CErc20Delegator.abi, method: 'mint', args: [amount] },
    ];
  }

  #approve(symbol: TokenSymbol, spender: string, amount: bigint): Call {
    const { tokens, artifacts } = this.context;
    const { abi } = artifacts.predeploys.weth;
    return { to: tokens[symbol].address, abi, method: 'approve', args: [spender, amount] };
  }

  async #open(borrower: string, collateral: CompoundAmount, calls: readonly Call[]): Promise<string> {
    const { rpc, miner, tokens, artifacts, supplier } = this.context;
    const { abi: erc20 } = artifacts.predeploys.weth;
    const { symbol, amount } = collateral;
    await miner.exclusiveWithoutAutomine(async () => {
      const ether = BORROWER_ETHER + (symbol === 'native' ? amount : 0n);
      await rpc.call('anvil_setBalance', [borrower, toQuantity(ether)]);
      const queue = new TransactionQueue(rpc, interfaceOf(erc20));
      await queue.track([supplier, borrower]);
      const add = (from: string, call: Call, maxFeePerGasWei: bigint): void =>
        queue.add({
          label: `${call.method} for ${borrower}`,
          from,
          to: call.to,
          data: interfaceOf(call.abi).encodeFunctionData(call.method, [...call.args]),
          gas: GAS_PER_CALL,
          maxFeePerGasWei,
          valueWei: call.valueWei ?? 0n,
        });
      if (symbol !== 'native') {
        const to = tokens[symbol].address;
        const gift = { to, abi: erc20, method: 'transfer', args: [borrower, amount] };
        // The node sorts a block by fee: the gift comes before the borrower's calls.
        add(supplier, gift, 2n * DEFAULT_MAX_FEE_WEI);
      }
      for (const call of calls) add(borrower, call, DEFAULT_MAX_FEE_WEI);
      await queue.mine(() => miner.mineOne());
    });
    return borrower;
  }

  #freshAccount(): string {
    this.#accountsMade += 1;
    return getAddress(dataSlice(id(`chimera devnet other borrower ${this.#accountsMade}`), 12));
  }
}
