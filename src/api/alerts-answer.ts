import type { AlertsStatus } from '../alerts/alert-desk.js';

/** What lasts (GET /api/v1/alerts lists it), and whether it reaches the operators. */
export interface AlertsAnswer {
  readonly active: number;
  readonly channels: readonly ChannelAnswer[];
  /** Why a message that is not delivered yet would not survive a crash; null when it would. */
  readonly notStoredBecause: string | null;
}

export interface ChannelAnswer {
  /** As in the configuration. */
  readonly name: string;
  readonly kind: string;
  /** Messages that wait. */
  readonly pending: number;
  readonly sent: number;
  readonly givenUp: number;
  readonly failedInARow: number;
  readonly lastError: string | null;
  readonly lastSentAt: string | null;
  readonly lastLatencyMs: number | null;
}

/** The fields are listed one by one, so that new ones are not published unintentionally. */
export function alertsAnswer({ active, channels, storeProblem }: AlertsStatus): AlertsAnswer {
  return {
    active,
    channels: channels.map(({ name, kind, pending, sent, givenUp, failedInARow, ...last }) => ({
      ...{ name, kind, pending, sent, givenUp, failedInARow },
      lastError: last.lastError ?? null,
      lastSentAt: last.lastSentAtMs === undefined ? null : new Date(last.lastSentAtMs).toISOString(),
      lastLatencyMs: last.lastLatencyMs ?? null,
    })),
    notStoredBecause: storeProblem ?? null,
  };
}
