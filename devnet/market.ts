/** Prices: what the feeds say, where the Uniswap pools stand, and how to move both together. */
import type { DevnetAddresses, DevnetPool, DevnetTokens } from './deploy.js';
import type { Artifact } from './compile.js';
import { interfaceOf } from './deployer.js';
import type { Miner } from './mining.js';
import { type Prices, TOKEN_SYMBOLS, type TokenSymbol } from './parameters.js';
import type { RpcClient } from './rpc.js';
import { TransactionQueue } from './transactions.js';
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
  pools: readonly DevnetPool[];
  abi: { mover: Artifact['abi']; aggregator: Artifact['abi']; pool: Artifact['abi'] };
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
  async poolPriceWad(pool: DevnetPool): Promise<bigint> {
    const { rpc, tokens, abi } = this.context;
    const data = interfaceOf(abi.pool).encodeFunctionData('slot0');
    const result = await rpc.call('eth_call', [{ to: pool.address, data }, 'latest']);
    const sqrtPrice: unknown = interfaceOf(abi.pool).decodeFunctionResult('slot0', String(result))[0];
    return priceWad(BigInt(String(sqrtPrice)), tokens[pool.token0].decimals, tokens[pool.token1].decimals);
  }

  /**
   * Writes new answers to the feeds and trades every pool that holds one of the tokens to the new price, in one
   * transaction. Returns once it is mined: by the timer when one runs, at once otherwise.
   * @param changes USD with 8 decimals
   */
  async setPrices(changes: Partial<Prices>, options: PriceOptions = {}): Promise<void> {
    const changed = TOKEN_SYMBOLS.filter((symbol) => changes[symbol] !== undefined);
    const moved = options.movePools === false ? [] : this.context.pools.filter(holdsOneOf(changed));
    await this.#move(changes, moved);
  }

  /** Trades every pool back to what the feeds say, as arbitrage would after somebody's large swap. */
  async alignPools(): Promise<void> {
    await this.#move({}, this.context.pools);
  }

  async #move(changes: Partial<Prices>, pools: readonly DevnetPool[]): Promise<void> {
    const { miner, rpc, abi } = this.context;
    const queue = new TransactionQueue(rpc, interfaceOf(abi.mover));
    if (!miner.timed) {
      return miner.exclusiveWithoutAutomine(async () => {
        await this.#queueMove(queue, changes, pools);
        await queue.mine(() => miner.mineOne());
      });
    }
    await miner.exclusive(async () => {
      await this.#queueMove(queue, changes, pools);
      await queue.send();
    });
    await queue.confirm(() => miner.nextTimedBlock());
  }

  async #queueMove(
    queue: TransactionQueue,
    changes: Partial<Prices>,
    pools: readonly DevnetPool[],
  ): Promise<void> {
    const { addresses, tokens, trader, abi } = this.context;
    const prices = { ...(await this.prices()), ...changes };
    const answers = TOKEN_SYMBOLS.filter((symbol) => changes[symbol] !== undefined).map((symbol) => ({
      aggregator: tokens[symbol].aggregator,
      answer: prices[symbol],
    }));
    const targets = pools.map(({ address, token0, token1 }) => ({
      pool: address,
      sqrtPriceX96: sqrtPriceX96(
        tokens[token0].decimals,
        tokens[token1].decimals,
        prices[token0],
        prices[token1],
      ),
    }));
    await queue.track([trader]);
    queue.add({
      label: 'moving the market',
      from: trader,
      to: addresses.marketMover,
      data: interfaceOf(abi.mover).encodeFunctionData('move', [answers, targets]),
      maxFeePerGasWei: FIRST_IN_BLOCK_FEE_WEI,
    });
  }
}

function holdsOneOf(symbols: readonly TokenSymbol[]): (pool: DevnetPool) => boolean {
  return ({ token0, token1 }) => symbols.includes(token0) || symbols.includes(token1);
}
