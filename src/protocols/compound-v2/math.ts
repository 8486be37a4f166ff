import { WAD } from '../../domain/money.js';

/**
 * Compound's fixed-point arithmetic (ExponentialNoError.sol and Exponential.sol). Its "mantissa" is a wad.
 * Every division rounds down.
 */

/** mul_(Exp, Exp): wad. */
export const mulExp = (a: bigint, b: bigint): bigint => (a * b) / WAD;

/** div_(Exp, Exp) and getExp: wad. @throws RangeError for a divisor of 0, where the contract reverts. */
export const divExp = (a: bigint, b: bigint): bigint => (a * WAD) / b;

/** mul_ScalarTruncate(Exp, uint): in the unit of the scalar. */
export const mulScalarTruncate = (exp: bigint, scalar: bigint): bigint => (exp * scalar) / WAD;
