import { Injectable } from '@nestjs/common';
import { AlertDesk } from '../alerts/alert-desk.js';
import { DatabaseWatch } from '../bot/database-watch.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { alertsAnswer } from './alerts-answer.js';
import { databaseAnswer, endpointAnswer, type StatusAnswer } from './status-answer.js';

/** How what the bot depends on fares, and what was told about it. */
@Injectable()
export class ServicesStatus {
  constructor(
    private readonly pool: RpcPool,
    private readonly database: DatabaseWatch,
    private readonly alerts: AlertDesk,
  ) {}

  answer(nowMs: number): Pick<StatusAnswer, 'endpoints' | 'database' | 'alerts'> {
    return {
      endpoints: this.pool.status().map(endpointAnswer),
      database: databaseAnswer(this.database.status, nowMs),
      alerts: alertsAnswer(this.alerts.summary),
    };
  }
}
