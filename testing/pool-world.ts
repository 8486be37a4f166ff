/** Pools of any kind on the local chain, and one contract that trades at all of them. */
import { Contract, Interface, toQuantity, type Log, type TransactionReceipt } from 'ethers';
import type { Devnet } from '../devnet/index.js';
import { toAddress, type Address } from '../src/domain/hex.js';
import { ConcentratedPool } from '../src/liquidity/concentrated/concentrated-pool.js';
import { TickTable } from '../src/liquidity/concentrated/tick-table.js';
import type { TokenPair } from '../src/liquidity/pool.js';
import { SolidlyPool } from '../src/liquidity/solidly/solidly-pool.js';
import { send, sendWithGas } from './send.js';

export type ConcentratedKind = 'uniswap-v3' | 'slipstream' | 'pancake-v3';

const POOL_EVENTS = new Interface([
  'event Initialize(uint160 sqrtPriceX96, int24 tick)',
  'event Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)',
  'event Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)',
  'event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)',
  'event Sync(uint256 reserve0, uint256 reserve1)',
]);
/** Pancake's has two words more. */
const PANCAKE_SWAP = new Interface([
  'event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick, uint128 protocolFeesToken0, uint128 protocolFeesToken1)',
]);
const MINTABLE = ['function mint(address to, uint256 amount)'];
const POOL = ['function initialize(uint160 sqrtPriceX96)'];

/** Enough of each token for everything, and far from the end of its numbers. */
const STOCK = 1n << 200n;
/** A quote that a pool cannot fill walks over all of its words. */
const CALL_GAS = 2n ** 40n;
const TRANSACTION_GAS = 100_000_000n;

/** What PoolTrader does at one pool of concentrated liquidity. Positive amounts are exact input. */
export interface Order {
  readonly pool: Address;
  readonly zeroForOne: boolean;
  readonly amount: bigint;
}

export interface Filled {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly sqrtPriceX96: bigint;
  readonly tick: number;
  readonly liquidity: bigint;
}

export interface Sale {
  readonly pool: Address;
  readonly zeroForOne: boolean;
  readonly amountIn: bigint;
}

export interface Sold {
  readonly amountOut: bigint;
  readonly reserves: readonly [bigint, bigint];
}

export class PoolWorld {
  private constructor(
    readonly devnet: Devnet,
    readonly trader: Contract,
    /** By their decimals, each as often as it was asked for. */
    readonly tokens: readonly { readonly address: Address; readonly decimals: number }[],
  ) {}

  static async start(devnet: Devnet, decimals: readonly number[]): Promise<PoolWorld> {
    const tokens = [];
    for (const [index, digits] of decimals.entries()) {
      const token = await devnet.deploy('MintableToken', [`Token ${index}`, `T${index}`, digits]);
      tokens.push({ address: toAddress(await token.getAddress()), decimals: digits });
    }
    const world = await PoolWorld.over(devnet, tokens);
    const trader = await world.trader.getAddress();
    for (const { address } of tokens) await world.mint(address, trader, STOCK);
    return world;
  }

  /** With tokens that exist. The trader has nothing of them yet. */
  static async over(devnet: Devnet, tokens: PoolWorld['tokens']): Promise<PoolWorld> {
    return new PoolWorld(devnet, await devnet.deploy('PoolTrader', []), tokens);
  }

  /** Gives units of a token whose owner is the deployer. */
  async mint(token: Address, to: string, amount: bigint): Promise<void> {
    const mintable = new Contract(token, MINTABLE, this.devnet.provider);
    await send(this.devnet, this.devnet.accounts.deployer, mintable, 'mint', to, amount);
  }

  /** Creates a pool of a tier that its factory has, and initialises it. */
  async concentrated(
    kind: ConcentratedKind,
    [a, b]: TokenPair,
    tier: { readonly feePips: number; readonly tickSpacing: number },
    sqrtPriceX96: bigint,
  ): Promise<ConcentratedPool> {
    const { uniswapFactory, slipstreamFactory, pancakeFactory } = this.devnet.contracts;
    const { feePips, tickSpacing } = tier;
    const factory = {
      'uniswap-v3': uniswapFactory,
      slipstream: slipstreamFactory,
      'pancake-v3': pancakeFactory,
    }[kind];
    const parameter = kind === 'slipstream' ? tickSpacing : feePips;
    await this.send(factory, 'createPool', a, b, parameter);
    const address = toAddress((await factory.getFunction('getPool')(a, b, parameter)) as string);
    const created = new ConcentratedPool({
      address,
      tokens: a < b ? [a, b] : [b, a],
      venue: kind,
      parameter,
      factory: toAddress(await factory.getAddress()),
      feePips,
      tickSpacing,
      sqrtPriceX96: 0n,
      tick: 0,
      liquidity: 0n,
      ticks: TickTable.of([], tickSpacing),
    });
    const receipt = await this.send(
      new Contract(address, POOL, this.devnet.provider),
      'initialize',
      sqrtPriceX96,
    );
    return afterLogs(created, receipt.logs);
  }

  /** Creates a pool of Solidly's kind with these reserves. */
  async solidly(
    [a, b]: TokenPair,
    stable: boolean,
    [reserveA, reserveB]: readonly [bigint, bigint],
    feeBps: number,
  ): Promise<SolidlyPool> {
    const factory = this.devnet.contracts.solidlyFactory;
    await this.send(factory, 'createPool', a, b, stable);
    const address = toAddress((await factory.getFunction('getPool')(a, b, stable)) as string);
    await this.mint(a, address, reserveA);
    await this.mint(b, address, reserveB);
    // 420 stands for no fee at all.
    await this.send(factory, 'setCustomFee', address, feeBps === 0 ? 420 : feeBps);
    const { logs } = await this.send(
      new Contract(address, ['function sync()'], this.devnet.provider),
      'sync',
    );
    const decimalsOf = (token: Address): number => this.tokens.find((one) => one.address === token)!.decimals;
    const tokens: TokenPair = a < b ? [a, b] : [b, a];
    const created = new SolidlyPool({
      address,
      tokens,
      decimals: [decimalsOf(tokens[0]), decimalsOf(tokens[1])],
      venue: 'aerodrome',
      factory: toAddress(await factory.getAddress()),
      stable,
      feeBps,
      reserves: [0n, 0n],
    });
    return afterSyncs(created, logs);
  }

  /** Adds and takes away liquidity by transactions. A negative liquidity is taken away. */
  async provide(
    positions: readonly {
      readonly pool: Address;
      readonly tickLower: number;
      readonly tickUpper: number;
      readonly liquidity: bigint;
    }[],
  ): Promise<readonly Log[]> {
    return (await this.send(this.trader, 'provide', positions)).logs;
  }

  /**
   * What each order would do after the ones before it; undefined where it is not done as a whole.
   *
   * @param from the sender of the transaction.
   */
  async fill(orders: readonly Order[], from?: string): Promise<(Filled | undefined)[]> {
    const [filled] = (await this.call('fill', orders, from)) as unknown as [FilledResult[]];
    return filled.map(({ done, amount0, amount1, sqrtPriceX96, tick, liquidity }) => {
      const [amountIn, amountOut] = amount0 > 0n ? [amount0, -amount1] : [amount1, -amount0];
      return done ? { amountIn, amountOut, sqrtPriceX96, tick: Number(tick), liquidity } : undefined;
    });
  }

  /** {@link fill} by a transaction for each: a walk over all words takes most of the gas of one. */
  async fillForGood(orders: readonly Order[]): Promise<readonly Log[]> {
    const logs: Log[] = [];
    for (const order of orders) logs.push(...(await this.run('fill', [order])));
    return logs;
  }

  /** What each sale would give after the ones before it; undefined where it reverts. */
  async sell(sales: readonly Sale[]): Promise<(Sold | undefined)[]> {
    const [sold] = (await this.call('sell', sales)) as unknown as [SoldResult[]];
    return sold.map(({ done, amountOut, reserve0, reserve1 }) =>
      done ? { amountOut, reserves: [reserve0, reserve1] } : undefined,
    );
  }

  /** {@link sell} by a transaction. */
  async sellForGood(sales: readonly Sale[]): Promise<readonly Log[]> {
    return this.run('sell', sales);
  }

  /** getAmountOut of each; undefined where it reverts. */
  async quote(sales: readonly Sale[]): Promise<(bigint | undefined)[]> {
    const [quotes] = (await this.call('quote', sales)) as unknown as [bigint[]];
    return [...quotes].map((quote) => (quote === 2n ** 256n - 1n ? undefined : quote));
  }

  private async call(method: string, argument: unknown, from?: string): Promise<readonly unknown[]> {
    const data = this.trader.interface.encodeFunctionData(method, [argument]);
    const call = { to: this.trader.target, data, gas: toQuantity(CALL_GAS), ...(from && { from }) };
    const result: unknown = await this.devnet.rpc('eth_call', [call, 'latest']);
    return this.trader.interface.decodeFunctionResult(method, String(result));
  }

  /** With enough gas for all: what runs out of it is skipped, so that an estimate would be too low. */
  private async run(method: string, argument: unknown): Promise<readonly Log[]> {
    const { deployer } = this.devnet.accounts;
    return (await sendWithGas(this.devnet, deployer, this.trader, method, TRANSACTION_GAS, argument)).logs;
  }

  private send(contract: Contract, method: string, ...args: unknown[]): Promise<TransactionReceipt> {
    return send(this.devnet, this.devnet.accounts.deployer, contract, method, ...args);
  }
}

interface FilledResult {
  done: boolean;
  amount0: bigint;
  amount1: bigint;
  sqrtPriceX96: bigint;
  tick: bigint;
  liquidity: bigint;
}

interface SoldResult {
  done: boolean;
  amountOut: bigint;
  reserve0: bigint;
  reserve1: bigint;
}

/** The pool after its own ones among these logs. */
export function afterLogs(pool: ConcentratedPool, logs: readonly Log[]): ConcentratedPool {
  return logs
    .filter(({ address }) => toAddress(address) === pool.address)
    .reduce((state, log) => {
      const event = POOL_EVENTS.parseLog(log) ?? PANCAKE_SWAP.parseLog(log);
      const at = (name: string): bigint => event?.args.getValue(name) as bigint;
      switch (event?.name) {
        case 'Initialize':
          return state.afterInitializeLog(at('sqrtPriceX96'), Number(at('tick')));
        case 'Mint':
          return state.afterLiquidityLog(Number(at('tickLower')), Number(at('tickUpper')), at('amount'));
        case 'Burn':
          return state.afterLiquidityLog(Number(at('tickLower')), Number(at('tickUpper')), -at('amount'));
        case 'Swap':
          return state.afterSwapLog(at('sqrtPriceX96'), at('liquidity'), Number(at('tick')));
        default:
          return state;
      }
    }, pool);
}

/** The pool after its own ones among these logs. */
export function afterSyncs(pool: SolidlyPool, logs: readonly Log[]): SolidlyPool {
  return logs
    .filter(({ address }) => toAddress(address) === pool.address)
    .reduce((state, log) => {
      const event = POOL_EVENTS.parseLog(log);
      if (event?.name !== 'Sync') return state;
      return state.withReserves(...(event.args.toArray() as [bigint, bigint]));
    }, pool);
}
