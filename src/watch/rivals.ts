import type { Address, Hash } from '../domain/hex.js';
import type { PastLiquidations } from '../domain/past-liquidations.js';
import { marketIdOf } from '../domain/position-id.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { Planned, Taken, Tally } from './tally.js';

/** A position that would have been ours, and who liquidated it. */
export type TakenPosition = Planned & { readonly rival: Taken };

/** So many blocks after its first plan a position is no longer looked at. */
const MOST_BLOCKS = 1_000;
/** So many positions in one look: each is a question to the node. */
const AT_ONCE = 10;

/** Finds who liquidated the positions that would have been ours. */
export class Rivals {
  private looking = false;
  /** By position: every block up to this one was searched. */
  private readonly searched = new Map<Planned, number>();

  constructor(
    private readonly liquidations: PastLiquidations,
    private readonly chain: Chain,
    /** By the configured names of the markets. */
    private readonly markets: ReadonlyMap<string, Address>,
    private readonly found: (taken: TakenPosition) => void,
  ) {}

  /**
   * Looks at some of the positions without a rival, up to this block. Never throws: the next look asks again.
   *
   * @returns whether every position was looked at up to this block.
   */
  async look(tally: Tally, block: number): Promise<boolean> {
    if (this.looking) return false;
    this.looking = true;
    try {
      const open = [...tally.planned.values()].filter(
        (one) => one.rival === undefined && block <= one.block + MOST_BLOCKS && block >= this.#from(one),
      );
      await Promise.all(open.slice(0, AT_ONCE).map((one) => this.#find(one, block)));
      return open.length <= AT_ONCE;
    } catch {
      return false; // The chain could not be asked.
    } finally {
      this.looking = false;
    }
  }

  /** The last look, at all positions. It gives up at the second failure. */
  async lookAtAll(tally: Tally, block: number): Promise<void> {
    const most = Math.ceil(tally.planned.size / AT_ONCE) + 1;
    for (let turn = 0; turn < most; turn += 1) if (await this.look(tally, block)) return;
  }

  #from(one: Planned): number {
    return (this.searched.get(one) ?? one.block) + 1;
  }

  async #find(one: Planned, toBlock: number): Promise<void> {
    const { protocol, borrower, marketId } = one;
    const market = this.markets.get(protocol);
    if (market === undefined) return;
    const position = { market, borrower: borrower as Address, ...marketIdOf({ marketId: marketId as Hash }) };
    const [first] = await this.liquidations.find({
      ...{ protocol, ...position, fromBlock: this.#from(one), toBlock },
    });
    this.searched.set(one, toBlock);
    if (!first) return;
    const receipt = await this.chain.getTransactionReceipt(first.transactionHash);
    const rival = {
      sender: receipt?.from ?? 'unknown',
      hash: first.transactionHash,
      block: first.blockNumber,
    };
    one.rival = rival;
    this.found({ ...one, rival });
  }
}
