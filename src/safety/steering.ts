import type { NewOperatorAction, SafetyRepository } from '../database/index.js';
import type { SafetyLimits } from '../domain/authorisation.js';
import type { Clock } from '../domain/clock.js';
import type { Rejection } from '../domain/decision.js';
import type { RateLimits } from '../domain/execution-rates.js';
import { formatUnits } from '../domain/money.js';
import { narrowed, steeredAway, type Setting, type SettingKey, type Steered } from '../domain/steering.js';
import type { Operator } from './operator.js';

type Limits = SafetyLimits & RateLimits;

/**
 * What operators have set while the bot runs: narrower limits, paused markets, denied borrowers. It survives
 * a restart, and the processes of a chain share it. While the database is away, the last known settings hold,
 * and nothing can be set: a halt always can.
 */
export class Steering {
  private known: readonly Setting[] = [];
  private narrow: Limits;

  constructor(
    private readonly repository: SafetyRepository,
    private readonly configured: Limits,
    private readonly clock: Clock,
  ) {
    this.narrow = configured;
  }

  /** In the order in which they were set. */
  get settings(): readonly Setting[] {
    return this.known;
  }

  /** The limits in force. */
  get limits(): Limits {
    return this.narrow;
  }

  /** Why an operator does not want this to be liquidated. */
  refusalOf(one: Steered): Rejection | undefined {
    return this.known.length === 0 ? undefined : steeredAway(one, this.known);
  }

  /** @throws RetryError when the database is away. */
  async reload(): Promise<void> {
    this.take(await this.repository.settings());
  }

  /** @throws RetryError when it is not known whether it was saved: then what was in force stays in force. */
  async set(
    setting: SettingKey & { readonly valueUsd8?: bigint },
    action: string,
    reason: string,
    operator: Operator,
  ): Promise<void> {
    const { valueUsd8, ...key } = setting;
    const sinceMs = this.clock.wallMs();
    await this.repository.set(
      { ...key, valueUsd8: valueUsd8 ?? null, reason, actor: operator.name, sinceMs },
      this.actionOf(action, `${told(setting)}: ${reason}`, operator),
    );
    await this.reload();
  }

  /** Takes it back; what was not set changes nothing, and is audited too. @throws as {@link set} */
  async unset(key: SettingKey, action: string, reason: string, operator: Operator): Promise<void> {
    await this.repository.unset(key, this.actionOf(action, `${told(key)}: ${reason}`, operator));
    await this.reload();
  }

  private take(settings: readonly Setting[]): void {
    this.known = settings;
    this.narrow = narrowed(this.configured, settings);
  }

  private actionOf(
    action: string,
    reason: string,
    { name: actor, role, address: remote }: Operator,
  ): NewOperatorAction {
    return { actor, role, action, reason, at: new Date(this.clock.wallMs()), remote };
  }
}

/** In the audit trail. */
function told({ kind, name, valueUsd8 }: SettingKey & { readonly valueUsd8?: bigint }): string {
  if (kind !== 'limit') return name;
  return `${name} ${valueUsd8 === undefined ? 'as configured' : formatUnits(valueUsd8, 8)}`;
}
