import type { Execution } from '../database/index.js';
import { HaltError, messageOf } from '../domain/errors.js';
import { isHash, toAddress, type Address, type Hash } from '../domain/hex.js';
import type { Priced } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { positionIdOf, type PositionId } from '../domain/position-id.js';

/** The part of a plan that its settlement needs. After a restart it is read from the row of the execution. */
export interface SettlementTerms extends PositionId {
  /** The configured name of the protocol. */
  readonly protocol: string;
  /** The token of the profit; of several liquidations that of the first. */
  readonly profitAsset: ProfitAsset;
  /** Of a transaction with several liquidations of the borrower; mostly absent. */
  readonly several?: {
    /** Of the first, as the columns of the row name them. */
    readonly collateralAsset: Address;
    readonly debtAsset: Address;
    /** Of those after the first. */
    readonly furtherProfitAssets: readonly ProfitAsset[];
  };
  /** USD with 8 decimals for one native token, at the planning block. */
  readonly nativePriceUsd8: bigint;
  /** USD with 8 decimals that the limits count for this intent. */
  readonly notionalUsd8: bigint;
  /** USD with 8 decimals: the simulated profit before all costs. */
  readonly grossProfitUsd8: bigint;
  /** The same after all costs. */
  readonly netProfitUsd8: bigint;
  /** Of the whole transaction, by the simulation. */
  readonly gasUsed: bigint;
  /** Of the planning block. */
  readonly baseFeePerGasWei: bigint;
  /** Seconds since the epoch; after it the contract refuses the transaction. */
  readonly deadline: number;
  /** The block on which it was planned. */
  readonly planBlock: number;
}

export type ProfitAsset = Priced & { readonly address: Address };

export function termsOfPlan(plan: LiquidationPlan): SettlementTerms {
  const { protocol, nativePriceUsd8, notionalUsd8, deadline } = plan;
  const { grossProfitUsd8, netProfitUsd8 } = plan;
  const assetOf = ({ address, decimals, priceUsd8 }: ProfitAsset): ProfitAsset => ({
    ...{ address, decimals, priceUsd8 },
  });
  const profitAsset = assetOf(plan.profitAsset);
  const { candidate, further } = plan;
  const several = further && {
    collateralAsset: candidate.collateral.address,
    debtAsset: candidate.debt.address,
    furtherProfitAssets: further.map((step) => assetOf(step.profitAsset)),
  };
  const { gasUsed } = plan.simulation;
  const { number: planBlock, baseFeePerGas: baseFeePerGasWei } = plan.block;
  return {
    ...{ protocol, profitAsset, nativePriceUsd8, notionalUsd8, netProfitUsd8, deadline },
    ...positionIdOf(plan),
    ...{ grossProfitUsd8, planBlock, gasUsed, baseFeePerGasWei },
    ...(several && { several }),
  };
}

type TermsRow = Pick<Execution, 'id' | 'plan' | 'protocol' | 'blockNumber'>;

/** The terms in the row of an execution. @throws HaltError when its plan has another shape. */
export function termsOfRow({ id, plan, protocol, blockNumber }: TermsRow): SettlementTerms {
  try {
    const fields = fieldsOf(plan, 'plan');
    // Rows of an earlier version do not name it: then all profit was in collateral.
    const profitAsset = fields.profitAsset ?? fieldsOf(fields.candidate, 'candidate').collateral;
    return {
      protocol,
      market: addressOf(fields.market, 'market'),
      ...(fields.marketId !== undefined && { marketId: hashOf(fields.marketId, 'marketId') }),
      borrower: addressOf(fields.borrower, 'borrower'),
      profitAsset: assetIn(profitAsset),
      ...(fields.further !== undefined && { several: severalIn(fields) }),
      nativePriceUsd8: integerOf(fields.nativePriceUsd8, 'nativePriceUsd8'),
      notionalUsd8: integerOf(fields.notionalUsd8, 'notionalUsd8'),
      grossProfitUsd8: integerOf(fields.grossProfitUsd8, 'grossProfitUsd8'),
      netProfitUsd8: integerOf(fields.netProfitUsd8, 'netProfitUsd8'),
      gasUsed: integerOf(fieldsOf(fields.simulation, 'simulation').gasUsed, 'gasUsed'),
      baseFeePerGasWei: integerOf(fieldsOf(fields.block, 'block').baseFeePerGas, 'baseFeePerGas'),
      deadline: countOf(fields.deadline, 'deadline'),
      planBlock: blockNumber,
    };
  } catch (error) {
    throw new HaltError(`the plan of execution ${id} cannot be read back: ${messageOf(error)}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} is not an object`);
  return { ...value };
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} is not a list`);
  return value;
}

function severalIn({ candidate, further }: Fields): NonNullable<SettlementTerms['several']> {
  const { collateral, debt } = fieldsOf(candidate, 'candidate');
  return {
    collateralAsset: addressOf(fieldsOf(collateral, 'collateral').address, 'collateral.address'),
    debtAsset: addressOf(fieldsOf(debt, 'debt').address, 'debt.address'),
    furtherProfitAssets: listOf(further, 'further').map((step) =>
      assetIn(fieldsOf(step, 'further').profitAsset),
    ),
  };
}

function assetIn(value: unknown): ProfitAsset {
  const { address, decimals, priceUsd8 } = fieldsOf(value, 'profitAsset');
  return {
    address: addressOf(address, 'profitAsset.address'),
    decimals: countOf(decimals, 'profitAsset.decimals'),
    priceUsd8: integerOf(priceUsd8, 'profitAsset.priceUsd8'),
  };
}

function addressOf(value: unknown, name: string): Address {
  if (typeof value !== 'string') throw new TypeError(`${name} is not an address`);
  return toAddress(value);
}

function hashOf(value: unknown, name: string): Hash {
  if (typeof value !== 'string' || !isHash(value)) throw new TypeError(`${name} is not a hash`);
  return value;
}

/** Amounts are stored as decimal text. */
function integerOf(value: unknown, name: string): bigint {
  if (typeof value !== 'string' || !/^-?\d{1,78}$/.test(value))
    throw new TypeError(`${name} is not an integer`);
  return BigInt(value);
}

function countOf(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${name} is not a count`);
  return value;
}
