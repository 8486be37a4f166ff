import type { Severity } from '../alert.js';

/** What the operators are told, and whether it reaches them. No event holds an address or a token. */
export type AlertEvent =
  | {
      /** Trouble began, or it lasts and is not acknowledged (`repeat`). */
      readonly event: 'alert-raised';
      readonly id: string;
      readonly rule: string;
      readonly severity: Severity;
      readonly title: string;
      readonly text: string;
      /** How often it was repeated. */
      readonly repeat: number;
    }
  | {
      readonly event: 'alert-resolved';
      readonly id: string;
      readonly rule: string;
      readonly severity: Severity;
      readonly title: string;
      readonly lastedMs: number;
    }
  | {
      readonly event: 'alert-acknowledged';
      readonly id: string;
      readonly rule: string;
      readonly actor: string;
    }
  | {
      /** A channel took a message. */
      readonly event: 'alert-sent';
      /** Its name in the configuration. */
      readonly channel: string;
      readonly kind: string;
      readonly severity: Severity;
      readonly key: string;
      readonly attempts: number;
      /** From the moment at which it was raised. */
      readonly latencyMs: number;
    }
  | {
      /** A channel did not take a message. It is tried again unless it is given up. */
      readonly event: 'alert-failed';
      readonly channel: string;
      readonly kind: string;
      readonly severity: Severity;
      readonly key: string;
      readonly attempts: number;
      readonly reason: string;
      /** Undefined: it is given up. */
      readonly retryInMs: number | undefined;
    };
