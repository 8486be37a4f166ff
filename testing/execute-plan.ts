import type { Devnet } from '../devnet/index.js';
import type { LiquidatedEvent } from '../src/contract/bindings.js';
import { liquidatedEvents } from '../src/contract/contract.js';
import { toAddress, type Hex } from '../src/domain/hex.js';
import type { TransactionCall } from '../src/domain/plan.js';
import { sendFrom } from './transactions.js';

const hex = (text: string): Hex => `0x${text.slice(2)}`;

/** Sends a call from the operator, in a block of its own. @returns the events of our contract. */
export async function executeCall(
  devnet: Devnet,
  call: Pick<TransactionCall, 'to' | 'data'>,
): Promise<LiquidatedEvent[]> {
  const { logs } = await sendFrom(devnet, devnet.accounts.operator, call);
  const ours = logs.map((log) => ({
    address: toAddress(log.address),
    topics: log.topics.map(hex),
    data: hex(log.data),
  }));
  return liquidatedEvents(ours, call.to);
}
