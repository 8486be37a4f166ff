/** The prices of feeds and pools, and how to move both together. */
import type { DevnetAddresses, DevnetTokens } from '../deploy/deployment.js';
import type { SolidlyPool } from '../deploy/aerodrome.js';
import type { DevnetPool, PoolPair } from '../deploy/uniswap.js';
import type { Artifact } from '../artifacts/compile.js';
import { interfaceOf } from '../deploy/deployer.js';
import type { Miner } from '../chain/mining.js';
import { type Prices, TOKEN_SYMBOLS, type TokenSymbol } from '../parameters.js';
import type { RpcClient } from '../chain/rpc.js';
import { TransactionQueue } from '../chain/transactions.js';
import { priceWad, sqrtPriceX96 } from './uniswap-price.js';

/** How setPrices moves the market. */
export interface PriceOptions {
  /** False leaves the pools where they are: a market in which feed and exchange disagree. Default true. */
  movePools?: boolean;
}

interface MarketContext {
  rpc: RpcClient;
  miner: Miner;
  trader: string;
  addresses: DevnetAddresses;
  tokens: DevnetTokens;
  /** Uniswap's and Slipstream's. */
  pools: readonly DevnetPool[];
  solidlyPools: readonly SolidlyPool[];
  abi: Record<'mover' | 'aggregator' | 'pool' | 'solidlyPool', Artifact['abi']>;
}

/** A pool, and where to trade it to. */
interface Target {
  pool: string;
  /** Q64.96, whatever the kind of the pool. */
  sqrtPriceX96: bigint;
}

/** The price update goes first in its block, as an oracle's does. */
const FIRST_IN_BLOCK_FEE_WEI = 100_000_000_000n;

export class Market {
  constructor(private readonly context: MarketContext) {}

  /** What the feeds say now, USD with 8 decimals. */
  async prices(): Promise<Prices> {
    const { rpc, tokens, abi } = this.context;
    const data = interfaceOf(abi.aggregator).encodeFunctionData('latestAnswer');
    const results = await rpc.batch(
      TOKEN_SYMBOLS.map((symbol) => ({
        method: 'eth_call',
        params: [{ to: tokens[symbol].feed, data }, 'latest'],
      })),
    );
    return Object.fromEntries(
      TOKEN_SYMBOLS.map((symbol, i) => [symbol, BigInt(String(results[i]))]),
    ) as Prices;
  }

  /** What a pool charges now: the price of its token0 in whole token1, scaled by 1e18. */
  async poolPriceWad(pool: DevnetPool | SolidlyPool): Promise<bigint> {
    const { tokens, abi } = this.context;
    const decimals0 = tokens[pool.token0].decimals;
    const decimals1 = tokens[pool.token1].decimals;
    if (!('stable' in pool)) {
      const [sqrtPrice] = await this.#read(pool.address, abi.pool, 'slot0');
      return priceWad(BigInt(String(sqrtPrice)), decimals0, decimals1);
    }
    const reserves = await this.#read(pool.address, abi.solidlyPool, 'getReserves');
    const [reserve0, reserve1] = [BigInt(String(reserves[0])), BigInt(String(reserves[1]))];
    return (reserve1 * 10n ** BigInt(18 + decimals0)) / (reserve0 * 10n ** BigInt(decimals1));
  }

  /**
   * Writes new answers to the feeds and trades every pool that holds one of the tokens to the new price, in
   * one transaction. Returns once it is mined: by the timer when one runs, at once otherwise.
   * @param changes USD with 8 decimals
   */
  async setPrices(changes: Partial<Prices>, options: PriceOptions = {}): Promise<void> {
    const changed = TOKEN_SYMBOLS.filter((symbol) => changes[symbol] !== undefined);
    await this.#move(changes, options.movePools === false ? [] : changed);
  }

  /** Trades every pool back to what the feeds say, as arbitrage would after a large swap. */
  async alignPools(): Promise<void> {
    await this.#move({}, TOKEN_SYMBOLS);
  }

  async #read(address: string, abi: Artifact['abi'], method: string): Promise<readonly unknown[]> {
    const data = interfaceOf(abi).encodeFunctionData(method);
    const result = await this.context.rpc.call('eth_call', [{ to: address, data }, 'latest']);
    return interfaceOf(abi).decodeFunctionResult(method, String(result));
  }

  /** @param moved pools that hold one of these are traded */
  async #move(changes: Partial<Prices>, moved: readonly TokenSymbol[]): Promise<void> {
    const { miner, rpc, abi } = this.context;
    const queue = new TransactionQueue(rpc, interfaceOf(abi.mover));
    if (!miner.timed) {
      return miner.exclusiveWithoutAutomine(async () => {
        await this.#queueMove(queue, changes, moved);
        await queue.mine(() => miner.mineOne());
      });
    }
    await miner.exclusive(async () => {
      await this.#queueMove(queue, changes, moved);
      await queue.send();
    });
    await queue.confirm(() => miner.nextTimedBlock());
  }

  async #queueMove(
    queue: TransactionQueue,
    changes: Partial<Prices>,
    moved: readonly TokenSymbol[],
  ): Promise<void> {
    const { addresses, tokens, trader, abi, pools, solidlyPools } = this.context;
    const prices = { ...(await this.prices()), ...changes };
    const answers = TOKEN_SYMBOLS.filter((symbol) => changes[symbol] !== undefined).map((symbol) => ({
      aggregator: tokens[symbol].aggregator,
      answer: prices[symbol],
    }));
    await queue.track([trader]);
    queue.add({
      label: 'moving the market',
      from: trader,
      to: addresses.marketMover,
      data: interfaceOf(abi.mover).encodeFunctionData('move', [
        answers,
        this.#targets(pools, moved, prices),
        this.#targets(solidlyPools, moved, prices),
      ]),
      maxFeePerGasWei: FIRST_IN_BLOCK_FEE_WEI,
    });
  }

  #targets(pools: readonly PoolPair[], moved: readonly TokenSymbol[], prices: Prices): Target[] {
    const { tokens } = this.context;
    return pools
      .filter(({ token0, token1 }) => moved.includes(token0) || moved.includes(token1))
      .map(({ address, token0, token1 }) => ({
        pool: address,
        sqrtPriceX96: sqrtPriceX96(
          tokens[token0].decimals,
          tokens[token1].decimals,
          prices[token0],
          prices[token1],
        ),
      }));
  }
}
