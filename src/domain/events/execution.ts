/** What became of a plan. */
export type ExecutionEvent =
  | {
      readonly event: 'dry-run';
      readonly executionId: string;
      readonly borrower: string;
      readonly block: number;
    }
  | {
      readonly event: 'transaction-sent';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly nonce: number;
      readonly headToSendUs: number;
    }
  | {
      readonly event: 'execution-settled';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly outcome: 'succeeded' | 'reverted' | 'dropped';
      readonly reason: string | undefined;
      readonly block: number | undefined;
      readonly realisedProfitUsd8: string | undefined;
      readonly simulatedNetProfitUsd8: string;
    }
  | {
      /** A reorg took back the block of a settlement: it is in flight again, and will be settled again. */
      readonly event: 'execution-reopened';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      /** What it was until now, with the realised profit that no longer counts. */
      readonly was: 'succeeded' | 'reverted';
      readonly realisedProfitUsd8: string | undefined;
      /** The block that is gone. */
      readonly block: number;
      /** Whether this process had reported the outcome that no longer counts. */
      readonly reported: boolean;
    };
