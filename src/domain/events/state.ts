import type { UnservedReason } from '../market-coverage.js';
import type { MarketFeeds } from '../feed-kinds.js';

/** How the positions of the markets are found, kept and compared with the chain. */
export type StateEvent =
  | {
      /** A range of blocks of a backfill was looked through: all blocks up to `atBlock` are. */
      readonly event: 'backfill-range';
      readonly market: string;
      readonly fromBlock: number;
      readonly atBlock: number;
      readonly toBlock: number;
      /** The search began with the newest block: from this one up to `toBlock` it was searched too. */
      readonly downTo?: number;
      /** Found so far by this process. */
      readonly borrowers: number;
    }
  | {
      /**
       * How far a backfill has come, every few seconds; on a terminal a line drawn in place says it instead.
       */
      readonly event: 'backfill';
      readonly market: string;
      readonly fromBlock: number;
      readonly atBlock: number;
      readonly toBlock: number;
      /** The search began with the newest block: from this one up to `toBlock` it was searched too. */
      readonly downTo?: number;
      readonly borrowers: number;
      readonly blocksPerSecond: number | undefined;
      readonly etaSeconds: number | undefined;
    }
  | {
      readonly event: 'backfill-finished';
      readonly market: string;
      readonly borrowers: number;
      readonly tookMs: number;
    }
  | {
      /**
       * The search through the history failed. It goes on after a pause; `expected` is false for a failure
       * that is a bug.
       */
      readonly event: 'backfill-paused';
      readonly market: string;
      readonly pauseMs: number;
      readonly expected: boolean;
      readonly message: string;
    }
  | {
      /** Accounts could not be written to the database or the cache. The next block tries again. */
      readonly event: 'checkpoint-not-saved';
      readonly market: string;
      readonly message: string;
    }
  | {
      /**
       * The rules of a market are not known, at start or from this block on. Nothing of it is liquidated; the
       * other markets go on. Emitted once.
       */
      readonly event: 'market-refused';
      readonly market: string;
      readonly block: number;
      readonly reason: string;
    }
  | {
      /**
       * A market of a protocol with many markets has no price or no rate: none of its positions is planned.
       * Emitted once for a market and a reason.
       */
      readonly event: 'market-unpriced';
      readonly market: string;
      readonly marketId: string;
      readonly pair: string;
      readonly block: number;
      readonly reason: UnservedReason;
    }
  | {
      /**
       * How many markets of a protocol are served, and how many are not, by the reason. Emitted at start, and
       * when that changed, at most every ten minutes.
       */
      readonly event: 'markets-served';
      readonly market: string;
      readonly block: number;
      readonly served: number;
      readonly unserved: Readonly<Partial<Record<UnservedReason, number>>>;
    }
  | {
      /** The known positions owe less, or more, than all positions together. Emitted once per change. */
      readonly event: 'positions-incomplete';
      readonly market: string;
      readonly block: number;
      readonly missing: readonly {
        readonly asset: string;
        readonly symbol: string;
        readonly known: string;
        readonly total: string;
      }[];
    }
  | {
      /** The known positions owe what all positions owe together. Emitted once per change. */
      readonly event: 'positions-complete';
      readonly market: string;
      readonly block: number;
    }
  | {
      /**
       * The chain said something else of these positions than our books, once. A second look decides; until
       * then nothing changes. Emitted at most once a minute.
       */
      readonly event: 'positions-suspected';
      readonly market: string;
      readonly block: number;
      readonly accounts: readonly string[];
    }
  | {
      /**
       * A position differs also at a second look. It is set aside: not liquidated until chain and books
       * agree.
       */
      readonly event: 'divergence';
      readonly protocol: string;
      readonly account: string;
      readonly block: number;
      readonly detail: Readonly<Record<string, string>>;
    }
  | {
      /** Chain and books agree about a position that was set aside, or it is gone. */
      readonly event: 'position-released';
      readonly protocol: string;
      readonly account: string;
      readonly block: number;
    }
  | {
      /** A feed did not say what the oracle answers now. */
      readonly event: 'price-differs';
      readonly protocol: string;
      readonly asset: string;
      readonly block: number;
      readonly oursUsd8: string;
      readonly chainUsd8: string;
    }
  | {
      /** The feed of the native token gives no price: the last good one is used. Emitted once per change. */
      readonly event: 'native-price-kept';
      readonly block: number;
      /** Since the time of its own round. */
      readonly ageSeconds: number;
    }
  | {
      /** The feed of the native token gives a price again. */
      readonly event: 'native-price-back';
      readonly block: number;
      readonly ageSeconds: number;
    }
  | {
      /**
       * The kinds of the feeds behind a market's prices: at the start, when all of its borrowers are known,
       * and when a feed is of another kind. The same is in the status at any time.
       */
      readonly event: 'feeds-found';
      readonly market: string;
      readonly block: number;
      readonly debtUsd8: string;
      readonly kinds: MarketFeeds['kinds'];
      /** The feeds with the most debt behind them. */
      readonly feeds: readonly {
        readonly of: string;
        readonly kind: string;
        /** `typeAndVersion` of its aggregator. */
        readonly type?: string;
        readonly debtBps: number;
      }[];
      /** How many feeds are left out; absent: none. */
      readonly more?: number;
    }
  | {
      /** The kinds of the feeds could not be read. It is tried again. */
      readonly event: 'feeds-not-read';
      readonly message: string;
    }
  | {
      /** Pools were looked for. `followed`: their logs are watched; `leftOut`: they hold too little. */
      readonly event: 'pools-found';
      readonly followed: number;
      readonly leftOut: number;
    }
  | {
      /** Every pool that was found has been read, and is followed by its logs. */
      readonly event: 'pools-read';
      readonly pools: number;
    }
  | {
      /** Pools could not be looked for, read, or saved. It is tried again. */
      readonly event: 'pools-not-read';
      readonly message: string;
    }
  | {
      /** The state of a pool differs from the chain. It is read again, and not used until then. */
      readonly event: 'pool-differs';
      readonly pool: string;
      /** Of its factory, for instance "slipstream". */
      readonly kind: string;
    };
