import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { BotModule } from '../bot/bot.module.js';
import { DatabaseModule } from '../database/index.js';
import { SafetyModule } from '../safety/index.js';
import { ReportDesk } from './report-desk.js';

/**
 * The report of each day and of each week, from the rows of the executions. It must never change a row of
 * them, and never compute a figure that the rows do not have.
 */
@Module({
  imports: [AlertsModule, BotModule, SafetyModule, DatabaseModule],
  providers: [ReportDesk],
})
export class BooksModule {}
