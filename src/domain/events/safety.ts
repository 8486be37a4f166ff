import type { SafetyState } from '../safety.js';

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
      /** The heads are fresh again. A halt stays until an operator resumes. */
      readonly event: 'sequencer-well';
      readonly block: number;
    };
