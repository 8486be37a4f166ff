import type { OutboxRepository } from '../database/index.js';
import { refusalOf } from '../domain/budget.js';
import type { Rejection } from '../domain/decision.js';
import type { TransactionCall } from '../domain/plan.js';
import { reservationOf, type Spend } from '../domain/spend.js';
import { takeVersion, type InFlight, type Version } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { SignedTransaction } from './signer.js';

/** Further versions of transactions in flight. They fit the same limits as the first. */
export class Versions {
  constructor(
    private readonly outbox: OutboxRepository,
    private readonly ledger: Ledger,
  ) {}

  /** Why the limits do not allow another version with this call. */
  refusalOf(transaction: InFlight, call: TransactionCall): Rejection | undefined {
    const { allowance } = this.ledger;
    const { feeWei, lossUsd8 } = transaction.reservation;
    return refusalOf(reservationWith(transaction, call), {
      ...allowance,
      dayWei: allowance.dayWei + feeWei,
      walletWei: allowance.walletWei + feeWei,
      lossUsd8: allowance.lossUsd8 + lossUsd8,
      slots: 1,
    });
  }

  /**
   * Makes a signed version durable, with what the nonce reserves from now on. Only after this may it be
   * handed over.
   *
   * @throws RetryError when the database is away.
   */
  async add(
    transaction: InFlight,
    signed: SignedTransaction,
    {
      kind,
      call,
      reason,
    }: Pick<Version, 'call'> & {
      readonly kind: Exclude<Version['kind'], 'first'>;
      readonly reason: string;
    },
  ): Promise<void> {
    const { hash, raw } = signed;
    const reservation = reservationWith(transaction, call);
    await this.outbox.addVersion(transaction.outboxId, { hash, raw, kind, reason, reservation });
    takeVersion(transaction, { ...signed, kind, call, reason });
    Object.assign(transaction, { accepted: false, waitsForTurn: false, reservation });
  }
}

/** What a nonce reserves with one more version, any of which may be mined. */
function reservationWith({ call: now, reservation, terms }: InFlight, call: TransactionCall): Spend {
  const moreWei = call.gasLimit * call.maxFeePerGas - now.gasLimit * now.maxFeePerGas;
  return moreWei <= 0n ? reservation : reservationOf(reservation.feeWei + moreWei, terms.nativePriceUsd8);
}
