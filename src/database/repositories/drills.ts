import type { Database } from '../database.js';

/** What one channel made of one alert of a drill. */
export interface DrilledAlert {
  readonly rule: string;
  /** Its name in the configuration, and what it is. */
  readonly channel: string;
  readonly kind: string;
  /** Why it was not accepted; null when it was. */
  readonly refusal: string | null;
}

/** Drills of the alerts of one chain. Every method throws as {@link Database.query} does. */
export class DrillsRepository {
  constructor(
    private readonly database: Database,
    private readonly chainId: number,
  ) {}

  /** @param drill which all its messages share: a UUID */
  async record(drill: string, { rule, channel, kind, refusal }: DrilledAlert): Promise<void> {
    await this.database.query(
      'INSERT INTO alert_drills (chain_id, drill, rule, channel, kind, refusal) VALUES ($1, $2, $3, $4, $5, $6)',
      [this.chainId, drill, rule, channel, kind, refusal],
    );
  }

  /** The newest of each alert and channel, of these last days. */
  async newest(days: number): Promise<DrilledAlert[]> {
    const rows = await this.database.query(
      `SELECT DISTINCT ON (rule, channel, kind) rule, channel, kind, refusal FROM alert_drills
       WHERE chain_id = $1 AND at > now() - $2::int * interval '1 day' ORDER BY rule, channel, kind, at DESC`,
      [this.chainId, days],
    );
    return rows.map(({ rule, channel, kind, refusal }) => ({
      rule: String(rule),
      channel: String(channel),
      kind: String(kind),
      refusal: typeof refusal === 'string' ? refusal : null,
    }));
  }
}
