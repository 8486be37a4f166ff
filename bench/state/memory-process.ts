/** The child of the memory measurement: holds many positions, says what that takes, and ends. */
import { uintWord, type Address } from '../../src/domain/hex.js';
import type { AaveAccount } from '../../src/protocols/aave-v3/market.js';
import { readAt } from '../../src/rpc/chain/read.js';
import type { Held, MemoryUse } from './memory.js';
import { SyntheticChain, syntheticState } from './tracked.js';
import { accountsOf, syntheticWorld } from './world.js';

async function stateOf(positions: number): Promise<object> {
  const world = syntheticWorld();
  const { timestamp } = world.conditions;
  const chain = new SyntheticChain(world);
  const hash = `0x${uintWord(1)}` as const;
  const block = { number: 1, hash, parentHash: `0x${uintWord(0)}` as const, timestamp, baseFeePerGas: 0n };
  const { market } = await syntheticState(world, chain, block, accountsOf(world, positions), (address) => {
    throw new Error(`${address} was not to be read`);
  });
  const view = market.view(await readAt(chain, market.reads(block), hash));
  if (view.borrowerCount !== positions) throw new Error(`${view.borrowerCount} positions are held`);
  return { market, view, chain };
}

function objectsOf(positions: number): Map<Address, AaveAccount> {
  return new Map([...accountsOf(syntheticWorld(), positions)].map((account) => [account.address, account]));
}

const [held, positions] = process.argv.slice(2) as [Held, string];
// The parent process is gone.
process.once('disconnect', () => process.exit());
/** Exported, so that it lives as long as the process. */
export const kept = held === 'state' ? await stateOf(Number(positions)) : objectsOf(Number(positions));
globalThis.gc?.();
const use: MemoryUse = {
  residentMb: process.memoryUsage().rss / 1e6,
  peakMb: (process.resourceUsage().maxRSS * 1024) / 1e6,
};
process.send?.(use, () => process.exit());
