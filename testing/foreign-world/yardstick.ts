/**
 * What can be earned in the foreign world, by trying: real liquidations and real swaps in eth_calls, over
 * every path of at most three pools. It shares nothing with the bot's own routes and plans.
 */
import { MaxUint256, toQuantity, type Contract } from 'ethers';
import { RpcClient } from '../../devnet/chain/rpc.js';
import type { Devnet } from '../../devnet/index.js';
import { sendWithGas } from '../send.js';
import type { ForeignPool } from './pools.js';
import type { ForeignPosition } from './positions.js';
import { usdOf, type ForeignToken, type ForeignTokens } from './tokens.js';

/** One liquidation, and what it earns. */
export interface Find {
  readonly position: ForeignPosition;
  readonly collateral: ForeignToken;
  readonly debt: ForeignToken;
  readonly debtToCover: bigint;
  readonly way: Way;
  /** All collateral is sold; otherwise the debt is bought, and collateral is left. */
  readonly isSale: boolean;
  /** After gas. */
  readonly usd: number;
}

interface Leg {
  readonly pool: ForeignPool;
  readonly tokenIn: ForeignToken;
}
export type Way = readonly Leg[];

export interface YardstickSettings {
  /** All ways are tried with so many amounts, and the best few of them with so many more. */
  readonly amounts: number;
  readonly moreAmounts: number;
  /** Whether ways over Aerodrome v2 are looked at. */
  readonly sales: boolean;
}

const MOST_HOPS = 3;
const BEST_WAYS = 4;
/** What a liquidation costs beside the market's and the pools' own gas: the transaction and a contract. */
const OTHER_GAS = 60_000n;
const CALL_GAS = 2n ** 40n;
const COMMIT_GAS = 10_000_000n;
/** Small parts, for pools that are thin. */
const SMALL_PARTS = [0.003, 0.01, 0.025];

interface Tried {
  readonly done: boolean;
  readonly amount: bigint;
  readonly gas: bigint;
}
interface Outcome {
  readonly repaid: bigint;
  readonly seized: bigint;
  readonly gas: bigint;
  readonly sales: readonly Tried[];
  readonly purchases: readonly Tried[];
}

export class Yardstick {
  private readonly rpc: RpcClient;

  constructor(
    private readonly devnet: Devnet,
    private readonly contract: Contract,
    private readonly tokens: ForeignTokens,
    private readonly pools: readonly ForeignPool[],
  ) {
    this.rpc = new RpcClient(devnet.rpcUrl);
  }

  async isBelow({ borrower }: ForeignPosition): Promise<boolean> {
    return (await this.devnet.accountData(borrower)).healthFactorWad < 10n ** 18n;
  }

  /** The most profitable liquidation of a position now, whatever it earns; undefined where there is none. */
  async best(position: ForeignPosition, settings: YardstickSettings): Promise<Find | undefined> {
    if (!(await this.isBelow(position))) return undefined;
    const finds: Find[] = [];
    for (const collateral of position.collaterals)
      for (const debt of position.debts)
        finds.push(...(await this.bestOfPair(position, collateral, debt, settings)));
    return bestOf(finds);
  }

  /** Does it for good. */
  async commit({ position, collateral, debt, debtToCover, way, isSale }: Find): Promise<void> {
    const order = this.order(position, collateral, debt, debtToCover);
    const { deployer } = this.devnet.accounts;
    await sendWithGas(this.devnet, deployer, this.contract, 'commit', COMMIT_GAS, order, legs(way), isSale);
  }

  private async bestOfPair(
    position: ForeignPosition,
    collateral: ForeignToken,
    debt: ForeignToken,
    settings: YardstickSettings,
  ): Promise<Find[]> {
    const owed = await this.owed(position.borrower, debt);
    const ways = this.ways(collateral, debt);
    if (owed === 0n || ways.length === 0) return [];
    const coarse = parts(settings.amounts, owed);
    const first = await this.lookAt(position, collateral, debt, coarse, ways, settings);
    const good = ways
      .map((way) => ({
        way,
        usd: Math.max(-Infinity, ...first.filter((one) => one.way === way).map(({ usd }) => usd)),
      }))
      .sort((a, b) => b.usd - a.usd)
      .slice(0, BEST_WAYS)
      .map(({ way }) => way);
    const fine = parts(settings.moreAmounts, owed);
    return [...first, ...(await this.lookAt(position, collateral, debt, fine, good, settings))];
  }

  private async lookAt(
    position: ForeignPosition,
    collateral: ForeignToken,
    debt: ForeignToken,
    amounts: readonly bigint[],
    ways: readonly Way[],
    { sales }: YardstickSettings,
  ): Promise<Find[]> {
    const isLending = (way: Way): boolean => way.every(({ pool }) => !pool.reserves);
    // A way over pools that lend is tried as a purchase, which leaves the profit in collateral.
    const bought = ways.filter(isLending);
    const sold = sales ? ways.filter((way) => !isLending(way)) : [];
    if (bought.length + sold.length === 0) return [];
    const gasUsd = await this.gasUsd();
    const answers = await Promise.all(
      amounts.map(async (debtToCover) => ({
        debtToCover,
        outcome: await this.look(this.order(position, collateral, debt, debtToCover), sold, bought),
      })),
    );
    return answers.flatMap(({ debtToCover, outcome }) => {
      if (!outcome) return [];
      const { repaid, seized, gas, sales: bySale, purchases } = outcome;
      const find = (way: Way, isSale: boolean, profitUsd: number, tried: Tried): Find => ({
        position,
        collateral,
        debt,
        debtToCover,
        way,
        isSale,
        usd: profitUsd - gasUsd * Number(gas + tried.gas + OTHER_GAS),
      });
      return [
        ...sold.flatMap((way, index) => {
          const tried = bySale[index];
          return tried?.done ? [find(way, true, usdOf(debt, tried.amount - repaid), tried)] : [];
        }),
        ...bought.flatMap((way, index) => {
          const tried = purchases[index];
          return tried?.done ? [find(way, false, usdOf(collateral, seized - tried.amount), tried)] : [];
        }),
      ];
    });
  }

  /** Undefined where the market refuses it. */
  private async look(
    order: readonly unknown[],
    sold: readonly Way[],
    bought: readonly Way[],
  ): Promise<Outcome | undefined> {
    const data = this.contract.interface.encodeFunctionData('look', [
      order,
      sold.map(legs),
      bought.map(legs),
    ]);
    try {
      const call = { to: this.contract.target, data, gas: toQuantity(CALL_GAS) };
      const result = await this.rpc.call('eth_call', [call, 'latest']);
      const [outcome] = this.contract.interface.decodeFunctionResult('look', String(result));
      return outcome as Outcome;
    } catch {
      return undefined;
    }
  }

  /** Every path of at most three pools, none of which touches a token twice. */
  private ways(from: ForeignToken, to: ForeignToken): Way[] {
    const found: Way[] = [];
    const walk = (at: ForeignToken, seen: readonly ForeignToken[], so: Way): void => {
      for (const pool of this.pools) {
        const [token0, token1] = pool.tokens;
        if (token0 !== at && token1 !== at) continue;
        const next = token0 === at ? token1 : token0;
        if (seen.includes(next)) continue;
        const way = [...so, { pool, tokenIn: at }];
        if (next === to) found.push(way);
        else if (way.length < MOST_HOPS) walk(next, [...seen, next], way);
      }
    };
    walk(from, [from], []);
    return found;
  }

  private order(
    { borrower }: ForeignPosition,
    collateral: ForeignToken,
    debt: ForeignToken,
    debtToCover: bigint,
  ): readonly unknown[] {
    return [this.devnet.addresses.pool, borrower, collateral.address, debt.address, debtToCover];
  }

  private async owed(borrower: string, debt: ForeignToken): Promise<bigint> {
    const read = this.devnet.contracts.dataProvider.getFunction('getUserReserveData');
    const [, , owed] = (await read(debt.address, borrower)) as [bigint, bigint, bigint];
    return owed;
  }

  /** Of one unit of gas. */
  private async gasUsd(): Promise<number> {
    const block = await this.devnet.provider.getBlock('latest');
    const ether = this.tokens.get('WETH');
    return ether ? usdOf(ether, block?.baseFeePerGas ?? 0n) : 0;
  }
}

function bestOf(finds: readonly Find[]): Find | undefined {
  return finds.reduce<Find | undefined>(
    (best, find) => (best && best.usd >= find.usd ? best : find),
    undefined,
  );
}

function legs(way: Way): readonly unknown[] {
  return way.map(({ pool, tokenIn }) => [pool.address, pool.reserves, pool.tokens[0] === tokenIn]);
}

/** All that is owed, parts of it in even steps, and a few small ones. */
function parts(steps: number, owed: bigint): bigint[] {
  const even = Array.from({ length: steps - 1 }, (_, index) => (index + 1) / steps);
  const some = [...SMALL_PARTS, ...even].map((part) => (owed * BigInt(Math.round(part * 1e6))) / 1_000_000n);
  return [...some.filter((amount) => amount > 0n), MaxUint256];
}
