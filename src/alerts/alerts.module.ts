import { Module } from '@nestjs/common';
import { BotModule } from '../bot/bot.module.js';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { HaltError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { Journal } from '../journal/journal.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { SafetyModule } from '../safety/index.js';
import { AlertDesk } from './alert-desk.js';
import { AlertMetrics } from './alert-metrics.js';
import { channelsOf } from './channels/channels.js';
import { DeliveryQueue, MissingStore, type AlertStore } from './delivery-queue.js';
import { parseRecord } from './stored-record.js';
import { routeOf } from './routes.js';
import { WatchedStatus } from './watched-status.js';

/**
 * Tells the operators what is wrong, what is over, and the business of the day. It must never throw into the
 * loop, wait in it or slow it down, never decide anything, and never show an address or a token.
 */
@Module({
  imports: [BotModule, SafetyModule, RpcModule, DatabaseModule],
  providers: [
    WatchedStatus,
    AlertDesk,
    AlertMetrics,
    {
      provide: DeliveryQueue,
      inject: [ChimeraConfig, Clock, Events, SecretScrubber],
      useFactory: async (
        config: ChimeraConfig,
        clock: Clock,
        events: Events,
        scrubber: SecretScrubber,
      ): Promise<DeliveryQueue> =>
        new DeliveryQueue(
          config.alerts.channels.map(routeOf),
          await channelsOf(config, clock),
          await storeOf(config, scrubber),
          scrubber,
          clock,
          events,
        ),
    },
  ],
  exports: [AlertDesk],
})
export class AlertsModule {}

/** A damaged file of the journal must not keep the bot from starting. */
async function storeOf(config: ChimeraConfig, secrets: SecretScrubber): Promise<AlertStore> {
  try {
    // The bots of other chains may share the directory. None of them may end the alerts of this one.
    const names = { name: `alerts-${config.network.chainId}`, formerName: 'alerts' };
    return await Journal.open({ directory: config.journal.dir, ...names, parse: parseRecord, secrets });
  } catch (error) {
    if (error instanceof HaltError) return new MissingStore(error);
    throw error;
  }
}
