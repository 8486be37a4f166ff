import type { Message } from '../domain/alert.js';
import type { BotEvent } from '../domain/events/events.js';
import { formatUsd8 } from '../domain/money.js';

/** News that is no trouble: a win, and a win that a reorg took back. */
export function notificationOf(event: BotEvent): Pick<Message, 'key' | 'title' | 'text'> | undefined {
  if (event.event === 'execution-settled' && event.outcome === 'won') {
    const { executionId, borrower, block, hash, realisedProfitUsd8, simulatedNetProfitUsd8 } = event;
    return {
      key: `won-${executionId}`,
      title: `Won ${usd(realisedProfitUsd8)}`,
      text: `The position of ${borrower} was liquidated in block ${block ?? '?'} (${hash}); ${usd(simulatedNetProfitUsd8)} were simulated`,
    };
  }
  if (event.event === 'execution-reopened' && event.was === 'succeeded' && event.reported)
    return {
      key: `taken-back-${event.executionId}`,
      title: `A reorg took back a win of ${usd(event.realisedProfitUsd8)}`,
      text: `Block ${event.block} is gone; the transaction ${event.hash} is in flight again`,
    };
  return undefined;
}

function usd(usd8: string | undefined): string {
  return usd8 === undefined ? '? USD' : `${formatUsd8(BigInt(usd8))} USD`;
}
