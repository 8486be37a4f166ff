import 'reflect-metadata';
import { inspect } from 'node:util';
import { ShutdownSignal } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { configureApp } from './api/configure-app.js';
import { AppModule } from './app.module.js';
import { CrashGuard } from './crash-guard.js';
import { NestLog } from './monitoring/nest-log.js';
import { portProblem } from './preflight/check-port.js';
import { preflight } from './preflight/preflight.js';
import { ConfigSource, forgetSecrets, SecretReload, secretTexts } from './config/index.js';
import { ChimeraError, StartupError } from './domain/errors.js';
import { Events } from './domain/events/events.js';
import { SecretScrubber } from './domain/secret-forms.js';

/** A terminal that closes sends SIGHUP to what runs in it. Elsewhere it means: read the secrets again. */
const ON_TERMINAL = process.stdout.isTTY;

/** Signals that end the bot in order. */
const ENDINGS = Object.values(ShutdownSignal).filter(
  (signal) => ON_TERMINAL || signal !== ShutdownSignal.SIGHUP,
);

async function main(): Promise<void> {
  // From the start on, because it would end the process: AWS may be asked for secrets for seconds.
  const reload = new SecretReload(scrubber);
  if (!ON_TERMINAL) process.on('SIGHUP', () => reload.ask());
  const { config, source } = await ConfigSource.load();
  forgetSecrets(config);
  scrubber.learn(secretTexts(config));
  await preflight(config);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config, scrubber), {
    abortOnError: false,
    bufferLogs: true,
    // When the start fails, Nest would write the error with its stack beside our sentence.
    logger: ['warn', 'fatal'],
    forceCloseConnections: true,
  });
  app.useLogger(new NestLog(app.get(Logger)));
  configureApp(app);
  app.enableShutdownHooks(ENDINGS, { useProcessExit: true });
  reload.start(source, config, app.get(Events));
  crashes.guard(app);
  try {
    await app.listen(config.api.port, config.api.host);
  } catch (error) {
    await app.close();
    throw isListening(error) ? new StartupError([portProblem(config.api, error)]) : error;
  }
  app.get(Events).emit({ event: 'api-listening', url: await app.getUrl() });
}

/** Whether the port could not be taken; everything else that fails here is the start of a part of the bot. */
function isListening(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}

/** What is known after the start cannot be in a message before it. */
const scrubber = new SecretScrubber([]);

const crashes = new CrashGuard(die, (text) => scrubber.scrub(text));

/** One sentence for each problem. Only a bug shows its stack. */
function describe(error: unknown): string {
  if (!(error instanceof StartupError || error instanceof ChimeraError))
    return `Chimera ${crashes.hasApp ? 'ends after an error that was not handled' : 'cannot start'}: ${inspect(error)}`;
  const problems = error instanceof StartupError ? error.problems : [error.message];
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  return [`Chimera cannot start: ${count}.`, ...problems.map((problem) => `  - ${problem}`)].join('\n');
}

/** Ends the process with the error. */
function die(error: unknown): void {
  console.error(scrubber.scrub(describe(error)));
  process.exit(1);
}

crashes.watch();
main().catch(die);
