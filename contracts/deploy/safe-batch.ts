/** Calls as a file that Safe's Transaction Builder imports. */
import { getAddress, id } from 'ethers';
import type { Address } from '../../src/domain/hex.js';
import type { RoleCall } from './roles.js';

export interface SafeBatch {
  readonly version: '1.0';
  readonly chainId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly meta: {
    readonly name: string;
    readonly description: string;
    readonly txBuilderVersion: string;
    readonly createdFromSafeAddress: string;
    readonly createdFromOwnerAddress: string;
    readonly checksum?: string;
  };
  readonly transactions: readonly {
    readonly to: string;
    /** Wei. */
    readonly value: string;
    readonly data: string;
    readonly contractMethod: null;
    readonly contractInputsValues: null;
  }[];
}

/** The version whose format this is. */
const BUILDER_VERSION = '1.16.5';

export function safeBatch(
  chainId: number,
  safe: Address,
  calls: readonly RoleCall[],
  nowMs: number,
): SafeBatch {
  const batch: SafeBatch = {
    version: '1.0',
    chainId: String(chainId),
    createdAt: nowMs,
    meta: {
      name: 'Chimera: roles',
      description: calls.map(({ call, meaning }) => `${call}: ${meaning}`).join('; '),
      txBuilderVersion: BUILDER_VERSION,
      createdFromSafeAddress: getAddress(safe),
      createdFromOwnerAddress: '',
    },
    transactions: calls.map(({ to, data }) => ({
      to: getAddress(to),
      value: '0',
      data,
      contractMethod: null,
      contractInputsValues: null,
    })),
  };
  return { ...batch, meta: { ...batch.meta, checksum: batchChecksum(batch) } };
}

/**
 * What the Transaction Builder compares to warn of a file that was changed: keccak-256 of the file in a form
 * of its own, its name left out. Format: safe-global/safe-react-apps, apps/tx-builder/src/lib/checksum.ts.
 */
export function batchChecksum(batch: { readonly meta: object }): string {
  return id(canonical({ ...batch, meta: { ...batch.meta, name: null } }));
}

/** Lists as in JSON; objects as the list of their sorted keys, then each value with a comma behind it. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = JSON.stringify(entries.map(([key]) => key));
  return `{${keys}${entries.map(([, entry]) => `${canonical(entry)},`).join('')}}`;
}
