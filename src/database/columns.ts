import type { ValueTransformer } from 'typeorm';
import { parseDecimal } from '../config/index.js';
import { formatUnits } from '../domain/money.js';

const USD_DECIMALS = 8;

/** Column options for a bigint: exact text to and from numeric, never a float. */
function exact(decimals: number): ValueTransformer {
  return {
    to: (value: bigint | null | undefined) =>
      typeof value === 'bigint' ? formatUnits(value, decimals) : value,
    from: (text: string | null) => (text === null ? null : readExact(text, decimals)),
  };
}

function readExact(text: string, decimals: number): bigint {
  const value = parseDecimal(text, decimals);
  if (value === undefined)
    throw new TypeError(`the database gave "${text}"; a number with ${decimals} decimals was expected`);
  return value;
}

/** Smallest units of a token, wei, gas, wad: numeric(78,0) as bigint. */
export const AMOUNT = { type: 'numeric', precision: 78, scale: 0, transformer: exact(0) } as const;

/** USD with 8 decimals: numeric(30,8) as bigint. */
export const USD = {
  type: 'numeric',
  precision: 30,
  scale: USD_DECIMALS,
  transformer: exact(USD_DECIMALS),
} as const;

/** Columns that count blocks, nonces and versions: bigint as a number. */
export const COUNT = {
  type: 'bigint',
  transformer: {
    to: (value: number | null | undefined) => value,
    from: (text: string | null) => (text === null ? null : safeInteger(text)),
  },
} as const;

/** @throws TypeError beyond 2^53, which no block, nonce or row count reaches. */
export function safeInteger(text: unknown): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new TypeError(`the database gave "${String(text)}"; a safe integer was expected`);
  return value;
}

export function usd8ToText(usd8: bigint): string {
  return formatUnits(usd8, USD_DECIMALS);
}

export function usd8FromText(text: unknown): bigint {
  return readExact(String(text), USD_DECIMALS);
}

/** A reason is cut to this length. Errors of nodes can be pages long. */
const LONGEST_TEXT = 2_000;

/**
 * Replaces what PostgreSQL refuses in text: NUL and lone surrogates. Token names and errors of nodes may hold
 * them.
 */
export function storableText(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_TEXT)).toString().replaceAll('\0', '\uFFFD');
}

export const TEXT = {
  type: 'text',
  transformer: {
    to: (value: string | null | undefined) => (typeof value === 'string' ? storableText(value) : value),
    from: (value: string | null) => value,
  },
} as const;

/** Plain JSON: amounts as decimal text, secrets as ***, and no text that jsonb refuses. */
export const JSON_TEXT = {
  type: 'jsonb',
  transformer: {
    to: (value: unknown): unknown =>
      value === undefined || value === null ? value : JSON.parse(JSON.stringify(value, storable)),
    from: (value: unknown): unknown => value,
  },
} as const;

/** Whether in pairs or alone. */
const SURROGATES = /[\uD800-\uDFFF]/;

/** For JSON.stringify: a bigint is decimal text, and no text holds what jsonb refuses. */
export function storable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string' || !(SURROGATES.test(value) || value.includes('\0'))) return value;
  return Buffer.from(value).toString().replaceAll('\0', '\uFFFD');
}
