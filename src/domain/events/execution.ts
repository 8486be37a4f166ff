import type { Outcome } from '../outcome.js';

/** Who signs with the wallet, and what became of a plan. */
export type ExecutionEvent =
  | {
      /** This process has the lease of the wallet. It takes up what an earlier one left, and then signs. */
      readonly event: 'lease-acquired';
      readonly wallet: string;
      /** Grows with every process that takes the lease. */
      readonly epoch: number;
    }
  | {
      /** From now on this process signs nothing and hands nothing over. */
      readonly event: 'lease-lost';
      readonly wallet: string;
      readonly epoch: number;
      readonly reason: string;
    }
  | {
      /** Another process has the lease. This one keeps its state at the head, and waits. */
      readonly event: 'standing-by';
      readonly wallet: string;
      /** The process that has it: host, process id and a random part. */
      readonly holder: string;
      readonly epoch: number;
    }
  | {
      readonly event: 'dry-run';
      readonly executionId: string;
      readonly borrower: string;
      /** Which market of the contract, where it has several. */
      readonly marketId?: string;
      readonly block: number;
    }
  | {
      /** The transaction is durable and was handed over. Whether it is mined is told later. */
      readonly event: 'transaction-sent';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly nonce: number;
      /** The name of the door by which it left. */
      readonly door: string;
      /** Microseconds from the arrival of the head to the hand-over. */
      readonly headToSendUs: number;
      /** Of that time, what its rows took until they were durable. */
      readonly recordUs: number;
      /** What the process computed in that time, on all its threads. */
      readonly cpuUs: number;
    }
  | {
      /** The rows of an execution hold its outcome. */
      readonly event: 'execution-settled';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly outcome: Outcome;
      /**
       * What its receipt says; dropped: it was not mined; cancelled: a cancellation was mined in its place.
       */
      readonly status: 'succeeded' | 'reverted' | 'dropped' | 'cancelled';
      /** Why it did not succeed. */
      readonly reason: string | undefined;
      /** Who liquidated the position before us; `unknown` when the chain could not be asked. */
      readonly rival: RivalNews | 'unknown' | undefined;
      /** The block in which it was mined. */
      readonly block: number | undefined;
      readonly realisedProfitUsd8: string | undefined;
      readonly simulatedNetProfitUsd8: string;
      /** What its receipt says that it paid; undefined when it was not mined. */
      readonly fees: FeesPaid | undefined;
    }
  | {
      /**
       * A reorg took back the block of a settlement: the execution is in flight again, and will be settled
       * again.
       */
      readonly event: 'execution-reopened';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      /** What it was until now, with the realised profit that no longer counts. */
      readonly was: 'succeeded' | 'reverted' | 'cancelled';
      readonly realisedProfitUsd8: string | undefined;
      /** The block that is gone. */
      readonly block: number;
      /** Whether this process had reported the outcome that no longer counts. */
      readonly reported: boolean;
    }
  | {
      /**
       * A transaction was handed over, and no node said whether it took it. It stays in flight, and is handed
       * over again until it is mined or its deadline is over.
       */
      readonly event: 'transaction-unanswered';
      readonly executionId: string;
      readonly hash: string;
      readonly message: string;
    }
  | {
      /** A transaction was handed over again, and every node refused it. It stays in flight. */
      readonly event: 'transaction-refused-again';
      readonly executionId: string;
      readonly hash: string;
      readonly message: string;
    }
  | {
      /** Another version was signed under a nonce in flight: at higher fees, or a cancellation. */
      readonly event: 'transaction-replaced';
      readonly executionId: string;
      readonly nonce: number;
      readonly hash: string;
      readonly kind: 'bump' | 'cancellation';
      readonly reason: string;
    }
  | {
      /** Two endpoints give different receipts of one transaction. It stays in flight until they agree. */
      readonly event: 'receipt-disputed';
      readonly executionId: string;
      readonly hash: string;
    }
  | {
      /**
       * The endpoints count different numbers of transactions of the operator wallet. Said once, until it
       * ends.
       */
      readonly event: 'transaction-count-disputed';
      readonly lowest: number;
      readonly highest: number;
    }
  | {
      /** The database did not take what became of a transaction. It is written at a later head. */
      readonly event: 'transaction-not-saved';
      readonly executionId: string;
      readonly hash: string;
      readonly message: string;
    }
  | {
      /** A dry run planned on the word of one endpoint, because the second one did not answer. */
      readonly event: 'second-opinion-unavailable';
      readonly block: number;
      readonly message: string;
    }
  | {
      /**
       * While the bot stops: one look at the transactions in flight failed. It looks again until its time is
       * over.
       */
      readonly event: 'drain-failed';
      readonly message: string;
    }
  | {
      /**
       * A hundred submissions were reviewed, and the share of the gross profit that is bid follows from it.
       */
      readonly event: 'bid-share-reviewed';
      /** Which review of this wallet it is, from 1. */
      readonly number: number;
      /** Shares of the gross profit, in hundredths of a percent. */
      readonly fromBps: number;
      readonly toBps: number;
      readonly sent: number;
      readonly won: number;
      readonly inclusionBps: number;
      readonly reason: string;
    }
  | {
      /** The bot stopped before these transactions were settled. The next start settles them. */
      readonly event: 'left-in-flight';
      readonly transactions: number;
    };

/** Wei, as decimal text. */
export interface FeesPaid {
  /** The L2 fee without the bid. */
  readonly gasWei: string;
  /** The priority fee. */
  readonly bidWei: string;
  readonly l1Wei: string;
  readonly operatorWei: string;
}

/** The transaction of another liquidator. */
export interface RivalNews {
  readonly sender: string;
  readonly hash: string;
  readonly block: number;
  readonly tipPerGasWei: string;
  readonly blocksEarlier: number;
  /** Undefined when it was mined in another block. */
  readonly placesEarlier: number | undefined;
}
