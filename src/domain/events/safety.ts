import type { Cause, Level, Numbers, SafetyState } from '../safety.js';

/** Changes of the safety state, and what the blocks look like from outside. */
export type SafetyEvent =
  | {
      /** A change of the safety state holds in memory only. Saving it is tried again until it succeeds. */
      readonly event: 'safety-not-saved';
      readonly message: string;
    }
  | {
      readonly event: 'safety-changed';
      readonly from: SafetyState;
      readonly to: SafetyState;
      readonly reason: string;
      readonly actor: string;
      /** undefined: nothing is wrong any more. */
      readonly cause: Cause | undefined;
      readonly numbers: Numbers;
    }
  | {
      /** Something is wrong, or is well again. The state changes with the first and the last of them. */
      readonly event: 'concern';
      readonly change: 'raised' | 'cleared';
      readonly cause: Cause;
      readonly state: Level;
      readonly reason: string;
      readonly numbers: Numbers;
    }
  | {
      /**
       * The blocks do not come as they should. The state may have changed before and stay as it is: this is
       * said once.
       */
      readonly event: 'sequencer-anomaly';
      readonly kind: 'timestamp-backwards' | 'timestamp-jump' | 'stale-head';
      readonly severity: 'throttle' | 'halt';
      readonly message: string;
    }
  | {
      /**
       * One endpoint told of a block whose time jumps or goes back, and another endpoint has another block at
       * this place. So nothing halts (F17).
       */
      readonly event: 'block-time-not-believed';
      readonly message: string;
    }
  | {
      /**
       * The clock of this machine, or that of the database server, differs from the other and from the time
       * of the chain (F18). One of this machine is corrected.
       */
      readonly event: 'clock-off';
      readonly wrong: 'machine' | 'database';
      /** How far the database server is ahead of this machine. Milliseconds. */
      readonly offByMs: number;
    }
  | { readonly event: 'clock-well' }
  | {
      /** The heads are fresh again. A halt of the chain ends later by itself. */
      readonly event: 'sequencer-well';
      readonly block: number;
    };
