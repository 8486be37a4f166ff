/**
 * The kind of a leg: what it is of, and its side, in one number below 2^17. A family numbers its things below
 * 2^15: a reserve under an e-mode, a market.
 */
const DEBT = 1;
const IDLE = 1 << 16;
const MARKS = 32;

/** Idle kinds begin here. */
export const FIRST_IDLE = IDLE;
/** All kinds are below it. */
export const KINDS = 2 * IDLE;
/** Things are below it. */
export const THINGS = IDLE >> 1;

/** The side of the account that a leg is on. `idle` is what does not count for its health. */
export type LegSide = 'collateral' | 'debt' | 'idle';

export function legKind(thing: number, side: LegSide): number {
  const kind = thing << 1;
  return side === 'collateral' ? kind : side === 'debt' ? kind | DEBT : kind | IDLE;
}

export const thingOf = (kind: number): number => (kind >> 1) & (THINGS - 1);
export const isDebt = (kind: number): boolean => (kind & DEBT) !== 0;
export const isIdle = (kind: number): boolean => (kind & IDLE) !== 0;

/**
 * One of 32 bits for a thing, by the last five bits of its number. Two things may share a bit: then more rows
 * are selected than needed, but none is missed.
 */
export const markOf = (kind: number): number => 1 << (thingOf(kind) & (MARKS - 1));
