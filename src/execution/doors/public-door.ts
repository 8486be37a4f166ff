import type { Chain } from '../../rpc/chain/chain.js';
import type { SendOutcome } from '../../rpc/chain/send-transaction.js';
import type { SignedTransaction } from '../signer.js';
import type { Door } from './door.js';

/** Broadcasts to every endpoint. Anyone can see the transaction before it is mined. */
export class PublicDoor implements Door {
  constructor(
    readonly name: string,
    private readonly chain: Chain,
  ) {}

  send(transactions: readonly SignedTransaction[]): Promise<SendOutcome>[] {
    return this.chain.sendRawTransactions(transactions);
  }

  /** As long as a node has it in its pool. */
  async mayStillArrive({ hash }: SignedTransaction): Promise<boolean> {
    return (await this.chain.getTransaction(hash)) !== undefined;
  }
}
