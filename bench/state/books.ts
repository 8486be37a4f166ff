/** Accounts and reserves of a synthetic market, as plain values. */
import type { Address } from '../../src/domain/hex.js';
import { RAY, unitOf, USD8 } from '../../src/domain/money.js';
import {
  borrowIndexAt,
  hasDebt,
  liquidityIndexAt,
  type AaveAccount,
  type Leg,
  type Reserve,
} from '../../src/protocols/aave-v3/market.js';
import type { SeededRandom } from '../../devnet/random.js';
import { isBelowOne, type World } from './world.js';

export class Books {
  readonly #accounts = new Map<Address, AaveAccount>();

  constructor(
    public world: World,
    accounts: readonly AaveAccount[],
  ) {
    for (const account of accounts) this.#accounts.set(account.address, account);
  }

  get timestamp(): number {
    return this.world.conditions.timestamp;
  }

  /** An account with debt. */
  get borrowers(): AaveAccount[] {
    return [...this.#accounts.values()].filter(hasDebt);
  }

  account(address: Address): AaveAccount {
    return this.#accounts.get(address) ?? { address, eMode: 0, legs: [] };
  }

  leg(address: Address, reserveId: number): Leg {
    const leg = this.account(address).legs.find((each) => each.reserveId === reserveId);
    return leg ?? { reserveId, scaledSupply: 0n, usedAsCollateral: false, scaledDebt: 0n };
  }

  put(account: AaveAccount): void {
    this.#accounts.set(account.address, account);
  }

  /** The account with another holding of one reserve. */
  with(address: Address, reserveId: number, change: Partial<Leg>): AaveAccount {
    const leg = { ...this.leg(address, reserveId), ...change };
    const { eMode, legs } = this.account(address);
    const others = legs.filter((each) => each.reserveId !== reserveId);
    const isLeft = leg.scaledSupply > 0n || leg.usedAsCollateral || leg.scaledDebt > 0n;
    const all = isLeft ? [...others, leg] : others;
    return { address, eMode, legs: all.sort((a, b) => a.reserveId - b.reserveId) };
  }

  /** No account can take itself below a health factor of 1: Aave refuses that. */
  refuses(after: AaveAccount): boolean {
    return hasDebt(after) && isBelowOne(this.world.market, after, this.world.conditions);
  }

  /** Interest up to now is booked, at other rates from now on. */
  accrue(reserve: Reserve, random: SeededRandom): Reserve {
    const { market } = this.world;
    const changed: Reserve = {
      ...reserve,
      indexes: {
        liquidityIndex: liquidityIndexAt(reserve.indexes, this.timestamp),
        liquidityRate: RAY / BigInt(random.integer(20, 100)),
        variableBorrowIndex: borrowIndexAt(reserve.indexes, this.timestamp),
        variableBorrowRate: RAY / BigInt(random.integer(10, 50)),
        updatedAt: this.timestamp,
      },
    };
    const reserves = new Map(market.reserves).set(reserve.id, changed);
    this.world = { ...this.world, market: { ...market, reserves } };
    return changed;
  }

  setPrice({ asset }: Reserve, usd8: bigint): void {
    const { conditions } = this.world;
    const prices = new Map(conditions.prices).set(asset, usd8);
    this.world = { ...this.world, conditions: { ...conditions, prices } };
  }

  pass(seconds: number): void {
    const { conditions } = this.world;
    this.world = { ...this.world, conditions: { ...conditions, timestamp: this.timestamp + seconds } };
  }

  /** Token units, before any interest. */
  worth({ asset, decimals }: Reserve, dollars: bigint): bigint {
    return (dollars * USD8 * unitOf(decimals)) / (this.world.conditions.prices.get(asset) ?? 1n);
  }
}
