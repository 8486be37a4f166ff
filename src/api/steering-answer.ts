import { formatUnits } from '../domain/money.js';
import type { Setting } from '../domain/steering.js';

interface SetAnswer {
  readonly reason: string;
  /** The key that set it. */
  readonly actor: string;
  readonly since: string;
}

/** A market of which nothing is liquidated. */
export interface PausedAnswer extends SetAnswer {
  readonly protocol: string;
}

/** A borrower that is left alone. */
export interface DeniedAnswer extends SetAnswer {
  readonly borrower: string;
}

/** A limit that is narrower than the configured one. */
export interface NarrowedAnswer extends SetAnswer {
  readonly limit: string;
  readonly valueUsd: string;
}

/** What operators have set while the bot runs. It survives a restart. */
export interface SteeringAnswer {
  readonly limits: readonly NarrowedAnswer[];
  readonly paused: readonly PausedAnswer[];
  readonly denied: readonly DeniedAnswer[];
}

/** A limit that an operator may narrow. */
export interface WorkingLimitAnswer {
  readonly name: string;
  /** In force. */
  readonly valueUsd: string;
  /** Of the configuration: the widest that an operator may set. */
  readonly configuredUsd: string;
  /** Who set it and why; null: it is the configured one. */
  readonly setBy: NarrowedAnswer | null;
}

export interface WorkingLimitsAnswer {
  readonly limits: readonly WorkingLimitAnswer[];
}

export function steeringAnswer(settings: readonly Setting[]): SteeringAnswer {
  return {
    limits: settings.flatMap((one) => (one.kind === 'limit' ? [narrowedAnswer(one)] : [])),
    paused: settings.flatMap((one) => (one.kind === 'paused' ? [{ protocol: one.name, ...setBy(one) }] : [])),
    denied: settings.flatMap((one) => (one.kind === 'denied' ? [{ borrower: one.name, ...setBy(one) }] : [])),
  };
}

export function narrowedAnswer(setting: Extract<Setting, { kind: 'limit' }>): NarrowedAnswer {
  return { limit: setting.name, valueUsd: formatUnits(setting.valueUsd8, 8), ...setBy(setting) };
}

function setBy({ reason, actor, sinceMs }: Setting): SetAnswer {
  return { reason, actor, since: new Date(sinceMs).toISOString() };
}
