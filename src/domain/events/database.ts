/** The stores beside the chain: the database and the cache. */
export type DatabaseEvent =
  | {
      /**
       *  The database does not serve: connections broke, or a statement failed. Emitted once until
       * `database-back`.
       */
      readonly event: 'database-lost';
      readonly message: string;
    }
  | {
      /** The first statement after `database-lost` that was answered. */
      readonly event: 'database-back';
    }
  | {
      /** Too many rows wait for the database. The oldest ones that nothing depends on were left out. */
      readonly event: 'writes-dropped';
      readonly kind: 'execution' | 'divergence';
      /** Since the process started. */
      readonly dropped: number;
    }
  | {
      /** What waited for the database is written. */
      readonly event: 'writes-caught-up';
      readonly written: number;
    }
  | {
      /** The start brought the tables up to date. */
      readonly event: 'migrations-run';
      readonly names: readonly string[];
    }
  | {
      /** The embedded PostgreSQL was lost, does not start again, or is back: the message says which. */
      readonly event: 'embedded-database';
      readonly message: string;
    }
  | {
      /** Redis does not answer: the cache is in memory until it does. */
      readonly event: 'cache-lost';
      readonly message: string;
    }
  | {
      /** Redis answers again. */
      readonly event: 'cache-back';
    };
