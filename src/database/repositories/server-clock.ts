import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';

/** The time of the database server. */
@Injectable()
export class ServerClock {
  constructor(private readonly database: Database) {}

  /** Milliseconds since the epoch. @throws as {@link Database.query}. */
  async nowMs(): Promise<number> {
    const [row] = await this.database.query(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
    );
    return Number(row?.ms);
  }
}
