import type { CallOptions } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import { hexQuantity, toList, toObject, toWeiPerGas } from '../quantities.js';

/**
 * What the transactions of the latest blocks paid above the base fee, by their gas (eth_feeHistory). A block
 * without transactions counts as 0.
 *
 * @param percentiles of the gas of a block, ascending, from 0 to 100.
 * @returns for each percentile the median over the blocks, rounded down to one that was paid: wei per gas.
 * @throws as `RpcPool.call`.
 */
export function tipsOf(
  pool: RpcPool,
  blocks: number,
  percentiles: readonly number[],
  options?: CallOptions,
): Promise<readonly bigint[]> {
  const parse = (raw: unknown): readonly bigint[] => mediansOf(raw, percentiles.length);
  return pool.call('eth_feeHistory', [hexQuantity(blocks), 'latest', percentiles], parse, options);
}

/** @throws TypeError when it is no answer to the question. */
function mediansOf(raw: unknown, count: number): bigint[] {
  const blocks = toList(toObject(raw)['reward']).map((reward) => {
    const tips = toList(reward).map((tip) => toWeiPerGas(tip, 'reward'));
    if (tips.length !== count) throw new TypeError(`${count} rewards were expected`);
    return tips;
  });
  if (blocks.length === 0) throw new TypeError('a block was expected');
  return Array.from({ length: count }, (_, percentile) => {
    const sorted = blocks.map((tips) => tips[percentile] ?? 0n).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0n;
  });
}
