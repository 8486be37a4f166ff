import type { Execution } from '../database/index.js';
import { HaltError, messageOf } from '../domain/errors.js';
import { toAddress, type Address } from '../domain/hex.js';
import type { Priced } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';

/** The part of a plan that its settlement needs. After a restart it is read from the row of the execution. */
export interface SettlementTerms {
  /** The configured name of the protocol. */
  readonly protocol: string;
  readonly market: Address;
  readonly borrower: Address;
  /** The token of the profit. */
  readonly profitAsset: Priced & { readonly address: Address };
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

export function termsOfPlan(plan: LiquidationPlan): SettlementTerms {
  const { protocol, market, borrower, nativePriceUsd8, notionalUsd8, deadline } = plan;
  const { grossProfitUsd8, netProfitUsd8 } = plan;
  const { address, decimals, priceUsd8 } = plan.profitAsset;
  const profitAsset = { address, decimals, priceUsd8 };
  const { gasUsed } = plan.simulation;
  const { number: planBlock, baseFeePerGas: baseFeePerGasWei } = plan.block;
  return {
    ...{ protocol, market, borrower, profitAsset, nativePriceUsd8, notionalUsd8, netProfitUsd8, deadline },
    ...{ grossProfitUsd8, planBlock, gasUsed, baseFeePerGasWei },
  };
}

type TermsRow = Pick<Execution, 'id' | 'plan' | 'protocol' | 'blockNumber'>;

/** The terms in the row of an execution. @throws HaltError when its plan has another shape. */
export function termsOfRow({ id, plan, protocol, blockNumber }: TermsRow): SettlementTerms {
  try {
    const fields = fieldsOf(plan, 'plan');
    // Rows of an earlier version do not name it: then all profit was in collateral.
    const profitAsset = fieldsOf(
      fields.profitAsset ?? fieldsOf(fields.candidate, 'candidate').collateral,
      'profitAsset',
    );
    return {
      protocol,
      market: addressOf(fields.market, 'market'),
      borrower: addressOf(fields.borrower, 'borrower'),
      profitAsset: {
        address: addressOf(profitAsset.address, 'profitAsset.address'),
        decimals: countOf(profitAsset.decimals, 'profitAsset.decimals'),
        priceUsd8: integerOf(profitAsset.priceUsd8, 'profitAsset.priceUsd8'),
      },
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

function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} is not an object`);
  return { ...value };
}

function addressOf(value: unknown, name: string): Address {
  if (typeof value !== 'string') throw new TypeError(`${name} is not an address`);
  return toAddress(value);
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
