import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import { DivergenceRow } from '../entities/state.js';

export type NewDivergence = Pick<
  DivergenceRow,
  'protocol' | 'account' | 'blockNumber' | 'blockHash' | 'detail'
>;

/** Positions whose values differed from the chain's. Every method throws as {@link Database.query} does. */
@Injectable()
export class DivergencesRepository {
  constructor(private readonly database: Database) {}

  async insert(divergence: NewDivergence): Promise<void> {
    await this.database.with(DivergenceRow, (rows) => rows.insert({ ...divergence }));
  }

  /** Newest first. */
  latest(limit: number): Promise<DivergenceRow[]> {
    return this.database.with(DivergenceRow, (rows) => rows.find({ order: { id: 'DESC' }, take: limit }));
  }
}
