import { Injectable } from '@nestjs/common';
import { AlertDesk } from '../alerts/alert-desk.js';
import { DatabaseWatch } from '../bot/database-watch.js';
import { FeedWatch } from '../bot/feed-watch.js';
import { StageTimes } from '../monitoring/stage-times.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { alertsAnswer } from './alerts-answer.js';
import { feedsAnswer } from './feeds-answer.js';
import { databaseAnswer, endpointAnswer, stageTimeAnswer, type StatusAnswer } from './status-answer.js';

/** How what the bot depends on fares, how long its stages take, and what was told about it. */
@Injectable()
export class ServicesStatus {
  constructor(
    private readonly pool: RpcPool,
    private readonly database: DatabaseWatch,
    private readonly feeds: FeedWatch,
    private readonly alerts: AlertDesk,
    private readonly times: StageTimes,
  ) {}

  answer(nowMs: number): Pick<StatusAnswer, 'endpoints' | 'database' | 'feeds' | 'alerts' | 'stages'> {
    return {
      endpoints: this.pool.status().map(endpointAnswer),
      database: databaseAnswer(this.database.status, nowMs),
      feeds: this.feeds.markets.map(feedsAnswer),
      alerts: alertsAnswer(this.alerts.summary),
      stages: this.times.shares.map(stageTimeAnswer),
    };
  }
}
