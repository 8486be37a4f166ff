import type { ExecutionMode, NewExecution, QueuedWrite } from '../database/index.js';
import { isAddress, isHash, type Address, type Hash } from '../domain/hex.js';
import { fieldsOf, numberOf, textOf, type Fields } from '../journal/index.js';

/** A dry run's decision that waits in the journal. Divergences and refusals wait in memory only. */
export type KeptWrite = Extract<QueuedWrite, { kind: 'execution' }>;

/** What is kept, as JSON: amounts are decimal text. */
export function journalled({ id, kind, row }: KeptWrite): object {
  const text = JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { id, kind, row: JSON.parse(text) as object };
}

/** Reads what {@link journalled} gave. @throws TypeError for anything else. */
export function readKept(value: unknown): KeptWrite {
  const { id, kind, row } = fieldsOf(value);
  if (kind !== 'execution') throw new TypeError(`no kind of write: ${String(kind)}`);
  return { id: textOf(id), kind, row: executionOf(fieldsOf(row)) };
}

function executionOf(row: Fields): NewExecution {
  const { plan, reason, dryRunDay } = row;
  return {
    chainId: numberOf(row.chainId),
    wallet: addressOf(row.wallet),
    protocol: textOf(row.protocol),
    borrower: addressOf(row.borrower),
    // A journal of an earlier version does not name it.
    marketId: row.marketId === undefined || row.marketId === null ? null : hashOf(row.marketId),
    blockNumber: numberOf(row.blockNumber),
    blockHash: hashOf(row.blockHash),
    healthFactorWad: BigInt(textOf(row.healthFactorWad)),
    collateralAsset: row.collateralAsset === null ? null : addressOf(row.collateralAsset),
    debtAsset: row.debtAsset === null ? null : addressOf(row.debtAsset),
    debtToCover: amountOf(row.debtToCover),
    expectedCollateral: amountOf(row.expectedCollateral),
    simulatedProfitUsd8: amountOf(row.simulatedProfitUsd8),
    gasCostUsd8: amountOf(row.gasCostUsd8),
    l1FeeUsd8: amountOf(row.l1FeeUsd8),
    operatorFeeUsd8: amountOf(row.operatorFeeUsd8),
    poolFeeUsd8: amountOf(row.poolFeeUsd8),
    bidUsd8: amountOf(row.bidUsd8),
    simulatedNetProfitUsd8: amountOf(row.simulatedNetProfitUsd8),
    notionalUsd8: amountOf(row.notionalUsd8),
    mode: modeOf(row.mode),
    status: statusOf(row.status),
    ...(reason !== undefined && { reason: reason === null ? null : textOf(reason) }),
    ...(typeof dryRunDay === 'string' && { dryRunDay }),
    plan: fieldsOf(plan),
  };
}

/** Units as the column has them. */
function amountOf(value: unknown): bigint | null {
  return value === null ? null : BigInt(textOf(value));
}

function addressOf(value: unknown): Address {
  if (typeof value !== 'string' || !isAddress(value)) throw new TypeError('an address was expected');
  return value;
}

function hashOf(value: unknown): Hash {
  if (typeof value !== 'string' || !isHash(value)) throw new TypeError('a hash was expected');
  return value;
}

function modeOf(value: unknown): ExecutionMode {
  if (value !== 'dry-run' && value !== 'live') throw new TypeError('a mode was expected');
  return value;
}

function statusOf(value: unknown): NewExecution['status'] {
  if (value !== 'planned' && value !== 'rejected' && value !== 'dry-run')
    throw new TypeError('a status was expected');
  return value;
}
