import type { Hash } from '../../src/domain/hex.js';
import type { Door } from '../../src/execution/doors/door.js';
import type { SignedTransaction } from '../../src/execution/signer.js';
import type { SendOutcome } from '../../src/rpc/chain/send-transaction.js';

/** A door that leads nowhere: it keeps what it is given, and answers as the test says. */
export class FakeDoor implements Door {
  /** The hashes it was given, each time it was. */
  readonly sent: Hash[] = [];
  /** The hashes it was asked about. */
  readonly asked: Hash[] = [];
  answer: SendOutcome = { kind: 'accepted', alreadyKnown: false };
  /** Whether it still holds what it was given. */
  holds = true;

  constructor(readonly name: string) {}

  send(transactions: readonly SignedTransaction[]): Promise<SendOutcome>[] {
    this.sent.push(...transactions.map(({ hash }) => hash));
    return transactions.map(() => Promise.resolve(this.answer));
  }

  mayStillArrive({ hash }: SignedTransaction): Promise<boolean> {
    this.asked.push(hash);
    return Promise.resolve(this.holds);
  }
}
