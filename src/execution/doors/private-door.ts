import type { Chain } from '../../rpc/chain/chain.js';
import type { SendOutcome } from '../../rpc/chain/send-transaction.js';
import type { PrivateRelay } from '../../rpc/endpoints/private-relay.js';
import type { SignedTransaction } from '../signer.js';
import type { Door } from './door.js';

/** Nonces whose last block is remembered. */
const MOST_REMEMBERED = 1_000;

/**
 * Hands transactions to a relay, which shows them to block builders alone. No node has them before they are
 * mined, so nobody can tell whether the relay still has one. But it holds each for so many blocks at most:
 * what is not included in them is gone. All versions of one nonce share these blocks. What is handed over
 * after them gets new ones.
 */
export class PrivateDoor implements Door {
  /** The last block that may include a transaction of a nonce. */
  private readonly lastBlocks = new Map<number, number>();

  /** @param blocks for which the relay holds a transaction. */
  constructor(
    readonly name: string,
    private readonly chain: Pick<Chain, 'getBlock'>,
    private readonly relay: Pick<PrivateRelay, 'send'>,
    private readonly blocks: number,
  ) {}

  send(transactions: readonly SignedTransaction[]): Promise<SendOutcome>[] {
    const head = this.head();
    return transactions.map(async (transaction) =>
      this.relay.send(transaction, this.lastBlockOf(transaction, await head)),
    );
  }

  /** After a restart it is not known when it was handed over: it counts as if it was now. */
  async mayStillArrive(transaction: SignedTransaction): Promise<boolean> {
    const head = await this.head();
    const last = this.lastBlocks.get(transaction.nonce) ?? this.lastBlockOf(transaction, head);
    return head <= last;
  }

  private lastBlockOf({ nonce }: SignedTransaction, head: number): number {
    const known = this.lastBlocks.get(nonce);
    if (known !== undefined && head <= known) return known;
    const last = head + this.blocks;
    this.lastBlocks.delete(nonce);
    this.lastBlocks.set(nonce, last);
    const [oldest] = this.lastBlocks.keys();
    if (this.lastBlocks.size > MOST_REMEMBERED && oldest !== undefined) this.lastBlocks.delete(oldest);
    return last;
  }

  private async head(): Promise<number> {
    return (await this.chain.getBlock('latest')).number;
  }
}
