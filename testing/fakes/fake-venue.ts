import type { Address } from '../../src/domain/hex.js';
import { max, mulDivCeil } from '../../src/domain/money.js';
import { PIPS, type Hop } from '../../src/domain/route.js';
import { pairKey, type TokenPair } from '../../src/liquidity/pool.js';
import { Venue, type AskedPool } from '../../src/liquidity/venue.js';
import { squareRoot } from '../../src/liquidity/uniswap-v3/price-limit.js';
import type { Read } from '../../src/rpc/chain/read.js';

/** A constant-product pool that holds its own state: its answers need no calls. */
export class FakePool implements AskedPool {
  constructor(
    readonly address: Address,
    readonly tokens: TokenPair,
    /** Units of each of `tokens`. */
    private readonly reserves: readonly [bigint, bigint],
    private readonly feePips = 500,
  ) {}

  amountIn(tokenIn: Address, amountOut: bigint): Read<bigint | undefined> {
    const [reserveIn, reserveOut] = this.reservesFor(tokenIn);
    if (amountOut >= reserveOut) return known(undefined);
    const withoutFee = mulDivCeil(reserveIn, amountOut, reserveOut - amountOut);
    return known(mulDivCeil(withoutFee, PIPS, PIPS - BigInt(this.feePips)));
  }

  /** The marginal price, reserveIn * reserveOut / (reserveOut - given)^2, reaches worthIn / worthOut. */
  depth(tokenIn: Address, worthIn: bigint, worthOut: bigint): Read<bigint> {
    const [reserveIn, reserveOut] = this.reservesFor(tokenIn);
    const square = (reserveIn * reserveOut * PIPS * worthOut) / ((PIPS - BigInt(this.feePips)) * worthIn);
    return known(max(reserveOut - squareRoot(square) - 1n, 0n));
  }

  hop(tokenIn: Address): Hop {
    const [a, b] = this.tokens;
    const { address: pool, feePips } = this;
    return { venue: 'fake', pool, tokenIn, tokenOut: tokenIn === a ? b : a, feePips, parameter: feePips };
  }

  private reservesFor(tokenIn: Address): readonly [bigint, bigint] {
    const [a, b] = this.reserves;
    return tokenIn === this.tokens[0] ? [a, b] : [b, a];
  }
}

/** A venue that knows all its pools from the start. */
export class FakeVenue extends Venue {
  constructor(private readonly all: readonly AskedPool[]) {
    super();
  }

  override pools(pairs: readonly TokenPair[]): Promise<readonly AskedPool[]> {
    const asked = new Set(pairs.map(pairKey));
    return Promise.resolve(this.all.filter(({ tokens }) => asked.has(pairKey(tokens))));
  }
}

function known<T>(value: T): Read<T> {
  return { calls: [], decode: () => value };
}
