/** The running local chain and all its operations. */
import { Contract, JsonRpcProvider, JsonRpcSigner, Network, getAddress } from 'ethers';
import { AnvilProcess } from './chain/anvil.js';
import {
  type DevnetArtifacts,
  artifactOf,
  loadArtifacts,
  type DeployableContract,
} from './artifacts/artifacts.js';
import { type DevnetContracts, connect } from './connect.js';
import type { Accounts, Deployment, DevnetAddresses, DevnetTokens } from './deploy/deployment.js';
import { deployMarket } from './deploy/deploy.js';
import { poolAbi } from './deploy/aave.js';
import { withAskedFee } from './deploy/asked-fee.js';
import { Deployer, interfaceOf } from './deploy/deployer.js';
import type { SlipstreamPool, SolidlyPool } from './deploy/aerodrome.js';
import type { MorphoMarket } from './deploy/morpho.js';
import type { DevnetPool } from './deploy/uniswap.js';
import { Market, type PriceOptions } from './prices/market.js';
import { Miner } from './chain/mining.js';
import { DEFAULT_POOL_DEPTH_USD8, type Prices, type TokenSymbol } from './parameters.js';
import {
  type CompoundAsset,
  type CompoundPositionRequest,
  type MorphoPositionRequest,
  OtherPositionOpener,
  mTokenOf,
} from './borrowers/other-positions.js';
import { PositionOpener, type PositionRequest } from './borrowers/aave-positions.js';
import { RpcClient } from './chain/rpc.js';
import { TransactionQueue } from './chain/transactions.js';
import { type BlockReceipt, type BlockTransaction, BlockWriter } from './chain/written-blocks.js';

export interface DevnetOptions {
  /** Default 31337. */
  chainId?: number;
  /** Default: a free one. */
  port?: number;
  /** Worth of each side of each pool, USD with 8 decimals. Default $50,000,000. */
  poolDepthUsd8?: bigint;
  /**
   * How many blocks back eth_call and friends reach; blocks, logs and receipts are kept for ever. Each
   * block's state is a copy of the whole state: 0.4 MB with 50 borrowers, 2 MB with 1,000. Default 512.
   */
  statesKept?: number;
  /** Told what is being done, for a person to read. */
  onProgress?: (step: string) => void;
}

/** Private key of accounts.operator: the second of anvil's test accounts, known to everyone. */
export const operatorPrivateKey = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';

/** What Pool.getUserAccountData tells. */
export interface AccountData {
  /** USD with 8 decimals, as is debt. */
  totalCollateralUsd8: bigint;
  totalDebtUsd8: bigint;
  availableBorrowsUsd8: bigint;
  liquidationThresholdBps: bigint;
  ltvBps: bigint;
  /** Wad; 2^256-1 without debt. */
  healthFactorWad: bigint;
}

/** A local chain with real lenders and exchanges, and Chainlink-style feeds. */
export class Devnet {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly pid: number;
  readonly provider: JsonRpcProvider;
  readonly addresses: DevnetAddresses;
  readonly tokens: DevnetTokens;
  /** Uniswap's. */
  readonly pools: readonly DevnetPool[];
  readonly slipstreamPools: readonly SlipstreamPool[];
  readonly solidlyPools: readonly SolidlyPool[];
  readonly contracts: DevnetContracts;
  readonly #miner: Miner;
  readonly #market: Market;
  readonly #opener: PositionOpener;
  readonly #otherOpener: OtherPositionOpener;
  readonly #writer: BlockWriter;

  private constructor(
    readonly chainId: number,
    readonly accounts: Accounts,
    private readonly anvil: AnvilProcess,
    private readonly client: RpcClient,
    private readonly artifacts: DevnetArtifacts,
    deployment: Deployment,
  ) {
    this.rpcUrl = anvil.url;
    this.wsUrl = anvil.url.replace('http', 'ws');
    this.pid = anvil.pid;
    this.addresses = deployment.addresses;
    this.tokens = deployment.tokens;
    this.pools = deployment.pools;
    this.slipstreamPools = deployment.slipstreamPools;
    this.solidlyPools = deployment.solidlyPools;
    // Ethers otherwise answers from a cache, polls every 4 s and sends batches, which anvil runs out of
    // order.
    this.provider = new JsonRpcProvider(anvil.url, Network.from(chainId), {
      staticNetwork: true,
      batchMaxCount: 1,
      cacheTimeout: -1,
      pollingInterval: 50,
    });
    this.contracts = connect(artifacts, deployment.addresses, this.provider);
    this.#miner = new Miner(client);
    const { addresses, tokens, pools, slipstreamPools, solidlyPools } = deployment;
    this.#market = new Market({
      rpc: client,
      miner: this.#miner,
      trader: accounts.trader,
      addresses,
      tokens,
      pools: [...pools, ...slipstreamPools],
      solidlyPools,
      abi: {
        mover: artifactOf(artifacts.own, 'MarketMover').abi,
        aggregator: artifactOf(artifacts.own, 'AggregatorProxy').abi,
        pool: artifacts.uniswap.UniswapV3Pool.abi,
        solidlyPool: artifactOf(artifacts.own, 'SolidlyPool').abi,
      },
    });
    const pool = { address: addresses.pool, abi: poolAbi(artifacts) };
    this.#writer = new BlockWriter(client, this.#miner);
    this.#opener = new PositionOpener(client, this.#miner, tokens, pool, accounts.supplier);
    this.#otherOpener = new OtherPositionOpener({
      rpc: client,
      miner: this.#miner,
      addresses,
      tokens,
      artifacts,
      supplier: accounts.supplier,
    });
  }

  /** Use startDevnet. */
  static async start(options: DevnetOptions): Promise<Devnet> {
    const { chainId = 31337, port = 0, statesKept = 512 } = options;
    const { poolDepthUsd8 = DEFAULT_POOL_DEPTH_USD8 } = options;
    const onProgress = options.onProgress ?? (() => undefined);
    const artifacts = await loadArtifacts(onProgress);
    onProgress('starting the chain');
    const anvil = await AnvilProcess.start({ chainId, port, statesKept });
    try {
      const client = new RpcClient(anvil.url);
      const accounts = await testAccounts(client);
      onProgress('deploying lenders, exchanges, feeds and Chimera');
      const deployment = await deployMarket(client, artifacts, accounts, poolDepthUsd8);
      await client.call('anvil_setLoggingEnabled', [false]);
      await client.call('evm_setAutomine', [true]);
      onProgress(`ready at ${anvil.url}`);
      return new Devnet(chainId, accounts, anvil, client, artifacts, deployment);
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  /**
   * Raw JSON-RPC, for anvil_*, evm_* and everything else.
   * @throws {RpcError} when the node answers with an error
   */
  rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return this.client.call(method, params);
  }

  /**
   * A signer for any account at all: the node sends for it without a key. Give the account ether for gas
   * first.
   */
  signer(account: string): JsonRpcSigner {
    return new JsonRpcSigner(this.provider, account);
  }

  /** A token's contract (ERC-20; WETH answers to deposit and withdraw as well). */
  token(symbol: TokenSymbol): Contract {
    const { weth } = this.artifacts.predeploys;
    const abi = symbol === 'WETH' ? weth.abi : artifactOf(this.artifacts.own, 'MintableToken').abi;
    return new Contract(this.tokens[symbol].address, abi, this.provider);
  }

  /** The proxy of a token's feed. */
  feed(symbol: TokenSymbol): Contract {
    const { abi } = artifactOf(this.artifacts.own, 'AggregatorProxy');
    return new Contract(this.tokens[symbol].feed, abi, this.provider);
  }

  /** The aggregator behind a token's feed; the deployer may setAnswer and setAnswerAt. */
  aggregator(symbol: TokenSymbol): Contract {
    const { abi } = artifactOf(this.artifacts.own, 'SettableAggregator');
    return new Contract(this.tokens[symbol].aggregator, abi, this.provider);
  }

  /** The Uniswap pool of two tokens, in either order. @throws {Error} when the chain has no such pool */
  pool(a: TokenSymbol, b: TokenSymbol, fee: number): DevnetPool {
    const found = this.pools.find(
      ({ token0, token1, fee: tier }) =>
        tier === fee && ((token0 === a && token1 === b) || (token0 === b && token1 === a)),
    );
    if (!found) throw new Error(`no Uniswap pool ${a}/${b} ${fee}`);
    return found;
  }

  /** The Compound market of a token, or of native ether. */
  mToken(asset: CompoundAsset): Contract {
    const { CEther, CErc20Delegator } = this.artifacts.compound;
    const { abi } = asset === 'native' ? CEther : CErc20Delegator;
    return new Contract(mTokenOf(this.addresses, asset), abi, this.provider);
  }

  /** The Morpho market of two tokens. @throws {Error} when the chain has no such market */
  morphoMarket(collateral: TokenSymbol, loan: TokenSymbol): MorphoMarket {
    const found = this.addresses.morphoMarkets.find(
      (market) => market.collateral === collateral && market.loan === loan,
    );
    if (!found) throw new Error(`no Morpho market ${collateral}/${loan}`);
    return found;
  }

  /** Deploys another of this library's own contracts, mined on return. Its owner is accounts.deployer. */
  async deploy(name: DeployableContract, args: readonly unknown[]): Promise<Contract> {
    const artifact = artifactOf(this.artifacts.own, name);
    const queue = new TransactionQueue(this.client, interfaceOf(artifact.abi));
    const address = await this.#miner.exclusiveWithoutAutomine(async () => {
      await queue.track([this.accounts.deployer]);
      const created = new Deployer(queue, this.accounts.deployer).create(artifact, args);
      await queue.mine(() => this.#miner.mineOne());
      return created;
    });
    return new Contract(address, artifact.abi, this.provider);
  }

  /** Pool.getUserAccountData at the latest block. */
  async accountData(account: string): Promise<AccountData> {
    const data = (await this.contracts.aavePool.getFunction('getUserAccountData')(account)) as bigint[];
    const [collateral = 0n, debt = 0n, borrows = 0n, threshold = 0n, ltv = 0n, healthFactor = 0n] = data;
    return {
      totalCollateralUsd8: collateral,
      totalDebtUsd8: debt,
      availableBorrowsUsd8: borrows,
      liquidationThresholdBps: threshold,
      ltvBps: ltv,
      healthFactorWad: healthFactor,
    };
  }

  /**
   * Opens one position by real supply and borrow calls, mined on return.
   * @returns the borrower's address
   * @throws {TransactionFailed} when Aave refuses, with Aave's reason
   */
  async openPosition(position: PositionRequest): Promise<string> {
    const [account = ''] = await this.#opener.open([position]);
    return account;
  }

  /** As openPosition for many, about a hundred per block. @returns the borrowers' addresses, in order */
  openPositions(positions: readonly PositionRequest[]): Promise<string[]> {
    return this.#opener.open(positions);
  }

  /**
   * Opens one position on Compound, mined on return. Unlike on Aave, all calls are the borrower's own; the
   * supplier gives it the collateral.
   * @returns the borrower's address
   * @throws {TransactionFailed} when Compound refuses, with its reason or as Failure(error, info, detail)
   */
  openCompoundPosition(position: CompoundPositionRequest): Promise<string> {
    return this.#otherOpener.openCompound(position);
  }

  /** As openCompoundPosition, on Morpho. @throws {TransactionFailed} when Morpho refuses, with its reason */
  openMorphoPosition(position: MorphoPositionRequest): Promise<string> {
    return this.#otherOpener.openMorpho(position);
  }

  /** From here on a Slipstream pool charges what its factory says, as the real ones do. */
  async askFactoryForFee(pool: string): Promise<void> {
    const code = await this.provider.getCode(pool);
    const { abi } = this.artifacts.uniswap.UniswapV3Pool;
    const fee = (await new Contract(pool, abi, this.provider).getFunction('fee')()) as bigint;
    await this.rpc('anvil_setCode', [pool, withAskedFee(code, fee, this.addresses.slipstreamFactory)]);
  }

  /** What the feeds say now, USD with 8 decimals. */
  prices(): Promise<Prices> {
    return this.#market.prices();
  }

  /** What a pool charges now: the price of its token0 in whole token1, scaled by 1e18. */
  poolPriceWad(pool: DevnetPool | SolidlyPool): Promise<bigint> {
    return this.#market.poolPriceWad(pool);
  }

  /** setPrices for one token. @param usd8 USD with 8 decimals */
  setPrice(symbol: TokenSymbol, usd8: bigint, options?: PriceOptions): Promise<void> {
    return this.#market.setPrices({ [symbol]: usd8 }, options);
  }

  /**
   * Writes new feed answers and trades every pool that holds one of the tokens to the new price, in one
   * transaction. Returns once it is mined: by the timer when one runs, at once otherwise.
   * @param changes USD with 8 decimals
   */
  setPrices(changes: Partial<Prices>, options?: PriceOptions): Promise<void> {
    return this.#market.setPrices(changes, options);
  }

  /** Trades every pool back to what the feeds say, as arbitrage would after a large swap. */
  alignPools(): Promise<void> {
    return this.#market.alignPools();
  }

  /** Base fee of the blocks made by mine() and the timer, wei per gas; undefined leaves it to anvil. */
  get baseFeeWei(): bigint | undefined {
    return this.#miner.baseFeeWei;
  }

  set baseFeeWei(value: bigint | undefined) {
    this.#miner.baseFeeWei = value;
  }

  /** Makes n blocks, one after the other. */
  mine(blocks = 1): Promise<void> {
    return this.#miner.mine(blocks);
  }

  /**
   * Makes one block of exactly these transactions, in this order, whether they succeed or not.
   * @param timestamp seconds since the epoch, later than the last block's
   */
  mineBlock(transactions: readonly BlockTransaction[], timestamp: number): Promise<BlockReceipt[]> {
    return this.#writer.write(transactions, timestamp);
  }

  /**
   * A reorg: replaces the last blocks by as many others.
   * @param blocks the transactions of each, the oldest block first
   * @param interval seconds from one new block to the next
   */
  reorg(blocks: readonly (readonly BlockTransaction[])[], interval: number): Promise<BlockReceipt[][]> {
    return this.#writer.rewrite(blocks, interval);
  }

  /** Turns automine off and makes a block every so many milliseconds. Replaces a running timer. */
  startMining(intervalMs: number): Promise<void> {
    return this.#miner.start(intervalMs);
  }

  /** Stops the timer and turns automine back on. */
  stopMining(): Promise<void> {
    return this.#miner.stop();
  }

  /** Moves the clock of the chain forward and makes a block. The clock stays ahead. */
  async increaseTime(seconds: number): Promise<void> {
    await this.#miner.exclusive(async () => {
      await this.client.call('evm_increaseTime', [seconds]);
      await this.#miner.mineOne();
    });
  }

  /** Remembers the state of the chain. @returns what revert() wants */
  async snapshot(): Promise<string> {
    return this.#miner.exclusive(async () => String(await this.client.call('evm_snapshot')));
  }

  /**
   * Goes back to a snapshot, which is used up by that, as are all later ones.
   * @throws {Error} if it is unknown
   */
  async revert(snapshot: string): Promise<void> {
    const done = await this.#miner.exclusive(() => this.client.call('evm_revert', [snapshot]));
    if (done !== true) throw new Error(`the chain does not know the snapshot ${snapshot}`);
  }

  /** Ends the chain: no process and no file is left. May be called more than once. */
  async stop(): Promise<void> {
    await this.#miner.abandon();
    this.provider.destroy();
    await this.anvil.stop();
  }
}

async function testAccounts(client: RpcClient): Promise<Accounts> {
  const known = ((await client.call('eth_accounts')) as string[]).map(getAddress);
  const [deployer, operator, treasury, trader, supplier] = known;
  if (!deployer || !operator || !treasury || !trader || !supplier)
    throw new Error('anvil has too few accounts');
  return { deployer, operator, treasury, trader, supplier };
}
