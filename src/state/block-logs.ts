import type { Block } from '../domain/block.js';
import type { Address, Hash } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain, LogOptions } from '../rpc/chain/chain.js';
import { mayHoldLogsOf } from '../rpc/chain/logs-bloom.js';
import { RpcError } from '../rpc/rpc-errors.js';
import { inRanges } from './ranges.js';

/**
 * The logs that WebSockets delivered. They may be incomplete, so they are never used in place of an answer.
 * But an answer about a block that lacks one of them is not accepted.
 */
export interface DeliveredLogs {
  listenTo(addresses: readonly Address[]): void;
  heard(blockHash: Hash): readonly RawLog[];
}

/**
 * The logs of blocks, each in the order of the chain. The node is asked only for blocks whose bloom filter
 * says that they may hold logs of these contracts, and for blocks of which a WebSocket delivered one.
 *
 * @param delivered the logs that WebSockets delivered of a block.
 * @param blocks each the child of the one before it.
 * @param check throws when a log is malformed. Then nothing of the answer is used.
 * @throws RpcError when the chain could not be read, or the node answered for another branch.
 */
export async function logsOf(
  chain: Chain,
  delivered: DeliveredLogs['heard'],
  blocks: readonly Block[],
  addresses: readonly Address[],
  check: (log: RawLog) => void,
): Promise<RawLog[][]> {
  const watched = new Set(addresses);
  const mustHold = blocks.flatMap(({ hash }) =>
    delivered(hash).filter(({ address }) => watched.has(address)),
  );
  const withDelivered = new Set(mustHold.map(({ blockHash }) => blockHash));
  const wanted = blocks.filter(
    ({ hash, logsBloom }) => withDelivered.has(hash) || mayHoldLogsOf(logsBloom, addresses),
  );
  const answer = await answerFor(chain, wanted, addresses, { mustHold, check });
  const byBlock = new Map<Hash, RawLog[]>(blocks.map(({ hash }) => [hash, []]));
  for (const log of answer) {
    const own = byBlock.get(log.blockHash);
    // A question by block numbers is answered for the node's present branch, which may have changed.
    if (!own) throw new RpcError('out-of-sync', 'rpc', `block ${log.blockNumber} was replaced meanwhile`);
    own.push(log);
  }
  return [...byBlock.values()];
}

async function answerFor(
  chain: Chain,
  blocks: readonly Block[],
  addresses: readonly Address[],
  options: Pick<LogOptions, 'mustHold' | 'check'>,
): Promise<RawLog[]> {
  const [first] = blocks;
  const last = blocks.at(-1);
  if (!first || !last) return [];
  // The node answers for this very block or not at all.
  if (first === last) return chain.getLogs({ blockHash: first.hash }, addresses, [], options);
  const logs: RawLog[] = [];
  await inRanges(
    (fromBlock, toBlock) => chain.getLogs({ fromBlock, toBlock }, addresses, [], options),
    first.number,
    last.number,
    (piece) => {
      logs.push(...piece);
    },
    { span: () => chain.logSpan() },
  );
  return logs;
}
