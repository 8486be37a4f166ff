/**
 * Slipstream's pools ask their factory for the fee at every swap. Here they are Uniswap's, whose fee is a
 * constant in the code: `PUSH32 fee`. In its place come as many bytes that ask.
 */

/** PUSH1 32, PUSH0 three times, PUSH20: where the answer goes, no data, and whom to ask. */
const ASK = '60205f5f5f73';
/** GAS, STATICCALL, POP, PUSH0, MLOAD; and two JUMPDEST, which do nothing. */
const TAKE_ANSWER = '5afa505f515b5b';
const PUSH32 = '7f';

/**
 * The code of a pool whose fee is what `factory` returns to a call without data.
 *
 * @param fee the constant, hundredths of a basis point.
 * @throws {Error} when the code has no such constant
 */
export function withAskedFee(code: string, fee: bigint, factory: string): string {
  const constant = `${PUSH32}${fee.toString(16).padStart(64, '0')}`;
  if (!code.includes(constant)) throw new Error(`no fee of ${fee} in the code of the pool`);
  return code.replaceAll(constant, `${ASK}${factory.slice(2).toLowerCase()}${TAKE_ANSWER}`);
}
