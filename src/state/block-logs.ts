import type { Block } from '../domain/block.js';
import type { Address, Hash } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import { mayHoldLogsOf } from '../rpc/chain/logs-bloom.js';
import { RpcError } from '../rpc/rpc-errors.js';

/** What was heard of a block's logs elsewhere. Never all of them for sure, but an answer that lacks one is none. */
export type Heard = (blockHash: Hash) => readonly RawLog[];

/** The WebSockets' part in the picture: what they hear makes an answer that lacks a log unacceptable. */
export interface Ears {
  listenTo(addresses: readonly Address[]): void;
  readonly heard: Heard;
}

/**
 * The logs of blocks, each in the order of the chain: asked for only where the block's bloom says that there may be any, or where
 * some were heard all the same.
 *
 * @param blocks one after the other.
 * @throws RpcError when the chain could not be read, or answered of another branch.
 */
export async function logsOf(
  chain: Chain,
  heard: Heard,
  blocks: readonly Block[],
  addresses: readonly Address[],
): Promise<RawLog[][]> {
  const watched = new Set(addresses);
  const mustHold = blocks.flatMap(({ hash }) => heard(hash).filter(({ address }) => watched.has(address)));
  const heardOf = new Set(mustHold.map(({ blockHash }) => blockHash));
  const wanted = blocks.filter(
    ({ hash, logsBloom }) => heardOf.has(hash) || mayHoldLogsOf(logsBloom, addresses),
  );
  const answer = await answerFor(chain, wanted, addresses, mustHold);
  const byBlock = new Map<Hash, RawLog[]>(blocks.map(({ hash }) => [hash, []]));
  for (const log of answer) {
    const own = byBlock.get(log.blockHash);
    // By range a node answers of the branch it is on, which may be another one by now.
    if (!own) throw new RpcError('out-of-sync', 'rpc', `block ${log.blockNumber} is another one by now`);
    own.push(log);
  }
  return [...byBlock.values()];
}

async function answerFor(
  chain: Chain,
  blocks: readonly Block[],
  addresses: readonly Address[],
  mustHold: readonly RawLog[],
): Promise<RawLog[]> {
  const [first] = blocks;
  const last = blocks.at(-1);
  if (!first || !last) return [];
  const range =
    first === last
      ? { blockHash: first.hash } // Of this very branch, or none at all.
      : { fromBlock: first.number, toBlock: last.number };
  return chain.getLogs(range, addresses, [], { mustHold });
}
