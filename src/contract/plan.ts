import { isAddress, isHash, type Address, type Hash, type Hex } from '../domain/hex.js';
import { PLAN } from './bindings.js';

/**
 * The packed plan that Chimera executes. The layout is the table at the head of contracts/src/Chimera.sol;
 * the operands of each step are described in Swaps.sol, Funding.sol and Liquidations.sol. Everything is
 * big-endian and without padding.
 */

export interface Terms {
  /** Last block timestamp at which the plan may run, seconds since the epoch. */
  readonly deadline: bigint;
  /** Last block in which the plan may run. Without it, any block may. */
  readonly lastBlock?: bigint;
  /** Basis points of the profit paid to the block's producer. The profit must be the wrapped native coin. */
  readonly bidBps?: number;
}

/** A token by its role in the liquidation, which takes no bytes in the plan, or by its address. */
export type TokenRef = 'collateral' | 'debt' | 'native' | Address;

/** Names a pool by its factory and parameter, and the direction of the swap by the token that goes in. */
export interface PoolKey {
  readonly tokenIn: TokenRef;
  /**
   * Uniswap v3 and Pancake v3: the fee in hundredths of a basis point; Slipstream: the tick spacing;
   * Solidly: 1 for the stable curve.
   */
  readonly parameter: number;
  /** A listed factory. Without it, the factory is Uniswap v3's. */
  readonly factory?: Address;
}

/**
 * In place of a pool: the token itself is taken apart. It is a listed ERC-4626 vault, whose shares are
 * redeemed, or a listed token such as wstETH, which is unwrapped.
 */
export interface WrapperKey {
  readonly tokenIn: TokenRef;
  /** Units of the token that comes out. With less, the plan reverts. */
  readonly leastOut: bigint;
}

export type Step =
  /** Buys exactly `amountOut` debt token units. The pool is paid when the steps after this one are done. */
  | { readonly kind: 'buy'; readonly amountOut: bigint; readonly pool: PoolKey }
  /** Only directly after a `buy` or `buy-on`: buys here what the pool of that step must be paid. */
  | { readonly kind: 'buy-on'; readonly pool: PoolKey }
  /** Sells basis points of the balance. The last sale must give a token of the pair, or the profit token. */
  | {
      readonly kind: 'sell';
      readonly shareBps: number;
      readonly tokenOut: TokenRef;
      readonly pool: PoolKey | WrapperKey;
    }
  /** Only directly after a `sell` or `sell-on`: sells everything that the step before it brought. */
  | {
      readonly kind: 'sell-on';
      readonly tokenOut: TokenRef;
      readonly pool: Omit<PoolKey, 'tokenIn'> | Omit<WrapperKey, 'tokenIn'>;
    }
  /** Borrows debt token units. The loan is repaid when the steps after this one are done. */
  | { readonly kind: 'loan'; readonly lender: Address; readonly amount: bigint }
  /** A loan of the treasury's own tokens. */
  | { readonly kind: 'inventory'; readonly amount: bigint }
  | { readonly kind: 'liquidate' }
  | {
      readonly kind: 'liquidate-compound';
      readonly debtMToken: Address;
      readonly collateralMToken: Address;
    }
  | ({ readonly kind: 'liquidate-morpho' } & MorphoLiquidation);

export interface MorphoLiquidation {
  readonly oracle: Address;
  readonly irm: Address;
  /** Wad. */
  readonly lltv: bigint;
  /** Collateral units to seize, or borrow shares to repay. */
  readonly amount: bigint;
  readonly unit: 'collateral' | 'shares';
  /** True: the market gives the collateral first, and the steps after this one must bring the debt tokens. */
  readonly callback: boolean;
}

/**
 * Where the borrower's debt stands, and the least of it that makes the run worth starting. With less the
 * contract stops at once (NothingToLiquidate).
 */
export type DebtLook =
  /**
   * Aave: the reserve's variable debt token, and scaled debt, which interest does not change. Compound v2:
   * the debt mToken, and token units as the market has stored them.
   */
  | { readonly debtToken: Address; readonly least: bigint }
  /** Morpho Blue: the market's id, and borrow shares. */
  | { readonly marketId: Hash; readonly least: bigint };

export interface Liquidation {
  readonly market: Address;
  readonly borrower: Address;
  /** Addresses, or, on Aave, two reserve ids: 36 bytes shorter, but they cost more gas. */
  readonly tokens:
    | { readonly collateral: Address; readonly debt: Address }
    | { readonly collateralId: number; readonly debtId: number };
  readonly profitIn: 'collateral' | 'debt' | 'native';
  /** Units of the profit token, net of the bid; at least 1. */
  readonly minProfit: bigint;
  /** Makes the contract also measure the protocol's fee. This costs up to 20,000 gas. */
  readonly measureFee?: boolean;
  /** Ends a lost race before anything is borrowed. */
  readonly look?: DebtLook;
  readonly steps: readonly Step[];
}

const REFERENCES = { collateral: 0, debt: 1, native: 2 } as const;
const EXPLICIT = 3;

/** @throws RangeError when a number does not fit its field, or an address is not valid. */
export function packPlan(terms: Terms, liquidation: Liquidation): Hex {
  return `0x${packTerms(terms)}${packLiquidation(liquidation)}`;
}

/**
 * A batch: each liquidation with the most gas it may use. A gas limit of 0 is no limit.
 * @throws RangeError when a number does not fit its field, or an address is not valid.
 */
export function packBatch(
  terms: Terms,
  liquidations: readonly { readonly liquidation: Liquidation; readonly gasLimit: bigint }[],
): Hex {
  const items = liquidations.map(({ liquidation, gasLimit }) => {
    const item = packLiquidation(liquidation);
    return `${uint(gasLimit, 3, 'gas limit')}${uint(item.length / 2, 2, 'length of a liquidation')}${item}`;
  });
  return `0x${packTerms(terms)}${uint(items.length, 1, 'number of liquidations')}${items.join('')}`;
}

function packTerms({ deadline, lastBlock = 0n, bidBps = 0 }: Terms): string {
  return uint(deadline, 5, 'deadline') + uint(lastBlock, 5, 'last block') + uint(bidBps, 2, 'bid');
}

function packLiquidation(liquidation: Liquidation): string {
  const { market, borrower, tokens, profitIn, minProfit, measureFee, look, steps } = liquidation;
  const byId = 'collateralId' in tokens;
  const flags =
    REFERENCES[profitIn] +
    (measureFee ? PLAN.MEASURE_FEE : 0) +
    (byId ? PLAN.BY_RESERVE_ID : 0) +
    (look ? PLAN.LOOK_FIRST : 0);
  const pair = byId
    ? uint(tokens.collateralId, 2, 'reserve id') + uint(tokens.debtId, 2, 'reserve id')
    : address(tokens.collateral) + address(tokens.debt);
  const head = uint(flags, 1, 'flags') + address(market) + address(borrower) + pair;
  const floor = uint(minProfit, 16, 'profit floor');
  return head + floor + (look ? debtLook(look) : '') + steps.map(packStep).join('');
}

function debtLook(look: DebtLook): string {
  const at = 'marketId' in look ? hash(look.marketId) : address(look.debtToken);
  return at + uint(look.least, 16, 'least debt');
}

function packStep(step: Step): string {
  switch (step.kind) {
    case 'buy':
      return opcode(PLAN.BUY) + uint(step.amountOut, 16, 'amount to buy') + poolKey(step.pool);
    case 'buy-on':
      return opcode(PLAN.BUY_ON) + poolKey(step.pool);
    case 'sell':
      return (
        opcode(PLAN.SELL) + uint(step.shareBps, 2, 'share') + tokenRef(step.tokenOut) + poolKey(step.pool)
      );
    case 'sell-on':
      return (
        opcode(PLAN.SELL_ON) + tokenRef(step.tokenOut) + poolKey({ ...step.pool, tokenIn: 'collateral' })
      );
    case 'loan':
      return opcode(PLAN.LOAN) + address(step.lender) + uint(step.amount, 16, 'loan');
    case 'inventory':
      return opcode(PLAN.INVENTORY) + uint(step.amount, 16, 'inventory');
    case 'liquidate':
      return opcode(PLAN.LIQUIDATE);
    case 'liquidate-compound':
      return opcode(PLAN.LIQUIDATE) + address(step.debtMToken) + address(step.collateralMToken);
    case 'liquidate-morpho':
      return opcode(PLAN.LIQUIDATE) + morpho(step);
  }
}

function morpho({ oracle, irm, lltv, amount, unit, callback }: MorphoLiquidation): string {
  const flags = (unit === 'shares' ? PLAN.SHARES : 0) + (callback ? PLAN.CALLBACK : 0);
  return (
    address(oracle) + address(irm) + uint(lltv, 16, 'LLTV') + uint(flags, 1, 'flags') + uint(amount, 16, unit)
  );
}

function poolKey(key: PoolKey | WrapperKey): string {
  const [ref, explicit] = reference(key.tokenIn);
  if ('leastOut' in key)
    return (
      uint(ref + PLAN.UNWRAP, 1, 'token') + uint(0, 3, 'none') + explicit + uint(key.leastOut, 16, 'least')
    );
  const { parameter, factory } = key;
  const first = ref + (factory ? PLAN.LISTED_FACTORY : 0);
  return (
    uint(first, 1, 'token') +
    uint(parameter, 3, 'pool parameter') +
    explicit +
    (factory ? address(factory) : '')
  );
}

function tokenRef(token: TokenRef): string {
  const [ref, explicit] = reference(token);
  return uint(ref, 1, 'token') + explicit;
}

function reference(token: TokenRef): readonly [number, string] {
  return token in REFERENCES
    ? [REFERENCES[token as keyof typeof REFERENCES], '']
    : [EXPLICIT, address(token as Address)];
}

const opcode = (number: number): string => uint(number, 1, 'opcode');

function address(value: Address): string {
  if (!isAddress(value)) throw new RangeError(`"${String(value)}" is not an address`);
  return value.slice(2).toLowerCase();
}

function hash(value: Hash): string {
  if (!isHash(value)) throw new RangeError(`"${String(value)}" is not a hash`);
  return value.slice(2).toLowerCase();
}

/** A number in `size` bytes, as hex without 0x. */
function uint(value: bigint | number, size: number, name: string): string {
  const digits = value.toString(16);
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!whole || value < 0 || digits.length > 2 * size)
    throw new RangeError(`${name}: ${String(value)} does not fit into ${size} bytes`);
  return digits.padStart(2 * size, '0');
}
