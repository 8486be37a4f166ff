import 'reflect-metadata';
import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import pino from 'pino';
import { configureApp } from '../api/configure-app.js';
import { AppModule } from '../app.module.js';
import { forgetSecrets, secretTexts, type ChimeraConfig } from '../config/index.js';
import type { BotEvent } from '../domain/events/events.js';
import { Events } from '../domain/events/events.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { Broadcast } from '../monitoring/broadcast.js';
import { NestLog } from '../monitoring/nest-log.js';
import { preflight } from '../preflight/preflight.js';
import type { AssumedContract } from '../rpc/endpoints/assumed-contract.js';

export interface OpenBot {
  readonly app: NestExpressApplication;
  /** Ends it in order. */
  readonly close: () => Promise<void>;
}

/**
 * Starts the bot within this process.
 *
 * @param logFile of its log. Its directory is made.
 * @param hear is told every event from the start on.
 * @throws StartupError with one sentence for everything that is missing or wrong.
 */
export async function openBot(
  config: ChimeraConfig,
  logFile: string,
  assumed: AssumedContract | undefined,
  hear: (event: BotEvent) => void,
): Promise<OpenBot> {
  NestLogger.overrideLogger(false);
  const scrubber = new SecretScrubber(secretTexts(config));
  forgetSecrets(config);
  await preflight(config, assumed);
  const log = pino.destination({ dest: logFile, mkdir: true, sync: false });
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.forRoot(config, scrubber, { assumed, log }),
    { abortOnError: false, bufferLogs: true, logger: false, forceCloseConnections: true },
  );
  try {
    app.useLogger(new NestLog(app.get(Logger)));
    configureApp(app);
    const events = app.get<Events>(Events);
    if (events instanceof Broadcast) events.subscribe({ hear });
    await app.listen(config.api.port, config.api.host);
    events.emit({ event: 'api-listening', url: await app.getUrl() });
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, close: () => app.close() };
}
