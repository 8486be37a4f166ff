import { MaxUint256 } from 'ethers';
import type { SeededRandom } from '../../devnet/random.js';
import type { Address } from '../../src/domain/hex.js';
import { unitOf } from '../../src/domain/money.js';
import { borrowIndexAt, liquidityIndexAt } from '../../src/protocols/aave-v3/market.js';
import { aTokenBalance, debtTokenBalance } from '../../src/protocols/aave-v3/math.js';
import { callOf, TOKEN_ABI, type Call, type Cast, type Token } from './cast.js';
import type { ChainAccount, ChainLeg, ChainReserve, ChainSide } from './chain-side.js';

/** One action: calls that belong together, in one block and in this order. */
export interface Action {
  readonly kind: string;
  readonly calls: readonly Call[];
}

/** One way to act. */
export interface Kind {
  readonly name: string;
  /** Undefined when no account can do it now. */
  readonly make: (situation: Situation) => readonly Call[] | undefined;
}

export interface WeightedKind extends Kind {
  /** How often, against the others. */
  readonly weight: number;
}

/**
 * The input for a random action: the chain's side at a block, and the time of the block that will hold the
 * action.
 */
export class Situation {
  /** The reserves that accounts use. */
  readonly reserves: readonly ChainReserve[];

  constructor(
    readonly random: SeededRandom,
    readonly cast: Cast,
    readonly side: ChainSide,
    /** Of the block that is to hold the action, seconds: balances are computed for it. */
    readonly timestamp: number,
  ) {
    this.reserves = side.reserves.filter(({ asset }) => asset !== cast.passing.asset);
  }

  /** An action of this kind; undefined when no account can do it now. */
  actionOf({ name, make }: Kind): Action | undefined {
    const calls = make(this);
    return calls && { kind: name, calls };
  }

  /** One of these kinds, by weight, that some account can do now. */
  action(kinds: readonly WeightedKind[]): Action {
    const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
    for (;;) {
      let left = this.random.between(0, total);
      const kind = kinds.find(({ weight }) => (left -= weight) < 0);
      const action = kind && this.actionOf(kind);
      if (action) return action;
    }
  }

  /** Any of these; undefined when the list is empty. */
  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.random.integer(0, items.length - 1)];
  }

  anyone(): Address {
    return this.pick(this.cast.actors) ?? this.cast.supplier;
  }

  anyoneBut(address: Address): Address {
    return this.pick(this.cast.actors.filter((actor) => actor !== address)) ?? this.cast.supplier;
  }

  actors(suits: (account: ChainAccount) => boolean = () => true): ChainAccount[] {
    return this.side.accounts.filter(
      (account) => this.cast.actors.includes(account.address) && suits(account),
    );
  }

  /** A leg of some actor that has one like this. */
  leg(suits: (leg: ChainLeg, account: ChainAccount) => boolean): [ChainAccount, ChainLeg] | undefined {
    const account = this.pick(this.actors((one) => this.legsOf(one).some((leg) => suits(leg, one))));
    const leg = account && this.pick(this.legsOf(account).filter((one) => suits(one, account)));
    return account && leg && [account, leg];
  }

  legsOf({ legs }: ChainAccount): ChainLeg[] {
    return legs.filter(({ reserve }) => this.reserves.includes(reserve));
  }

  reserve(): ChainReserve | undefined {
    return this.pick(this.reserves);
  }

  tokenOf({ asset }: ChainReserve): Token {
    const token = this.cast.tokens.find((one) => one.asset === asset);
    if (!token) throw new Error(`${asset} is no token of the cast`);
    return token;
  }

  /** Smallest units, at the time of the block to come. */
  supplied({ reserve, scaledSupply }: ChainLeg): bigint {
    return aTokenBalance(scaledSupply, liquidityIndexAt(reserve.indexes, this.timestamp));
  }

  /** Smallest units, at the time of the block to come. */
  owed({ reserve, scaledDebt }: ChainLeg): bigint {
    return debtTokenBalance(scaledDebt, borrowIndexAt(reserve.indexes, this.timestamp));
  }

  /** Smallest units that are worth so many dollars, at least one. */
  worth(reserve: ChainReserve, usd: number): bigint {
    return this.units(reserve, BigInt(Math.ceil(usd * 1e8)));
  }

  /** From a wei to more than an account may have at stake. */
  someUnits(reserve: ChainReserve): bigint {
    return this.random.chance(0.06) ? 1n : this.worth(reserve, this.random.magnitude(50, 2_000_000));
  }

  /**
   * A part of what an account may still borrow of a reserve, smallest units. It is nearly all of it in most
   * cases, so that small price moves matter.
   */
  loan(reserve: ChainReserve, account: ChainAccount): bigint {
    const all = this.units(reserve, account.data?.availableUsd8 ?? 0n);
    return this.random.chance(0.5) ? (all * BigInt(this.random.integer(900, 999))) / 1_000n : this.part(all);
  }

  /** A wei, a part, all, or more than all of it. */
  part(whole: bigint): bigint {
    const roll = this.random.next();
    if (roll < 0.08) return 1n;
    if (roll < 0.16) return whole;
    if (roll < 0.2) return whole + 1n;
    if (roll < 0.24) return whole * 2n;
    return (whole * BigInt(this.random.integer(1, 999))) / 1_000n + 1n;
  }

  /** As part(), or the value that the pool reads as "everything". */
  partOrMax(whole: bigint): bigint {
    return this.random.chance(0.25) ? MaxUint256 : this.part(whole);
  }

  pool(from: Address, method: string, ...args: unknown[]): Call {
    const { aavePool } = this.cast.devnet.contracts;
    return callOf(from, this.cast.devnet.addresses.pool as Address, aavePool.interface, method, args);
  }

  token(from: Address, token: Address, method: string, ...args: unknown[]): Call {
    return callOf(from, token, TOKEN_ABI, method, args);
  }

  private units(reserve: ChainReserve, usd8: bigint): bigint {
    const { decimals, initialPriceUsd8 } = this.tokenOf(reserve);
    return (usd8 * unitOf(decimals)) / (reserve.priceUsd8 ?? initialPriceUsd8) + 1n;
  }
}
