import type { Address, Hash } from '../domain/hex.js';
import type { PastLiquidations } from '../domain/past-liquidations.js';
import { marketIdOf } from '../domain/position-id.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { Planned, Tally } from './tally.js';

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
  ) {}

  /** Looks at the positions without a rival, up to this block. Never throws: the next look asks again. */
  async look(tally: Tally, block: number): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const open = [...tally.planned.values()].filter(
        (one) => one.rival === undefined && block <= one.block + MOST_BLOCKS && block > this.#from(one) - 1,
      );
      await Promise.all(open.slice(0, AT_ONCE).map((one) => this.#find(one, block)));
    } catch {
      // The chain could not be asked.
    } finally {
      this.looking = false;
    }
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
    one.rival = { sender: receipt?.from ?? 'unknown', hash: first.transactionHash, block: first.blockNumber };
  }
}
