import type { Block } from '../../domain/block.js';
import { chainDescription } from '../../domain/chain-description.js';
import type { Clock } from '../../domain/clock.js';
import type { Hash } from '../../domain/hex.js';
import type { Chain } from '../chain/chain.js';
import { isPlausible } from '../endpoints/head-claim.js';
import { RpcError } from '../rpc-errors.js';

/** Blocks below the known head that are looked at for a common one: nearly every reorg is shorter. */
const LOOK_BACK = 32;
/** So far below the head each endpoint has the block that is in use: one that is further behind is not. */
const CERTAIN_DEPTH = 16;
/** The headers of a longer gap are not all read: the last ones, and the time of the gap, must do. */
const LONGEST_GAP = 512;
/** For the endpoints that are asked whether they have a block, milliseconds. */
const ANSWER_MS = 500;

/** Finds out whether a head whose parent is not known belongs to the chain (F41). */
export class HeadLinks {
  constructor(
    private readonly chain: Chain,
    private readonly clock: Clock,
  ) {}

  /**
   * Reads the headers below the head, from whichever endpoint has them. They must lead to the head. Down to a
   * known block, unless the gap or the reorg is longer than what is read. Over a longer gap no endpoint may
   * deny them.
   *
   * @param last the highest head so far.
   * @param isKnown whether a hash is that of a head so far.
   */
  async lead(head: Block, last: Block, isKnown: (hash: Hash) => boolean): Promise<boolean> {
    if (!(await this.isLinked(head, last, isKnown))) return false;
    return head.number - last.number <= LOOK_BACK || !(await this.isDenied(head.number - CERTAIN_DEPTH));
  }

  private async isLinked(head: Block, last: Block, isKnown: (hash: Hash) => boolean): Promise<boolean> {
    const isKnownOrChild = ({ hash, parentHash }: Block): boolean => isKnown(hash) || isKnown(parentHash);
    const gap = head.number - last.number;
    if (gap > LONGEST_GAP) {
      const { blockTimeMs } = chainDescription(this.chain.chainId);
      if (!isPlausible(last, head, blockTimeMs, this.clock.wallMs())) return false;
      return (await this.below(head, head.number - 8)) !== undefined;
    }
    const short = await this.below(head, Math.min(last.number + 1, head.number - 8));
    if (!short || short.some(isKnownOrChild)) return short !== undefined;
    const long = await this.below(head, Math.min(last.number, head.number) - LOOK_BACK);
    // A reorg of more blocks is for the state to judge: it knows more of them.
    return long !== undefined && (long.some(isKnownOrChild) || long.length >= LOOK_BACK);
  }

  /**
   * Whether an endpoint that is in use does not have the block of a number so far below the head: if the
   * chain were so long, it would. Headers may link and have the right hashes on a branch that one endpoint
   * invented.
   */
  private async isDenied(number: number): Promise<boolean> {
    const answers = await this.chain.blockEverywhere(number, { deadlineMs: ANSWER_MS });
    return answers.some(({ error }) => error instanceof RpcError && error.kind === 'out-of-sync');
  }

  /** The headers from a number up to the head's parent; undefined when they do not lead to the head. */
  private async below(head: Block, from: number): Promise<Block[] | undefined> {
    const headers = await this.chain.getBlocks(Math.max(0, from), head.number - 1);
    return headers.at(-1)?.hash === head.parentHash ? headers : undefined;
  }
}
