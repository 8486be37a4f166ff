import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { configureApp } from './api/configure-app.js';
import { AppModule } from './app.module.js';
import { preflight } from './preflight/preflight.js';
import { loadConfig } from './config/index.js';
import { StartupError } from './domain/errors.js';
import { Events } from './domain/events/events.js';

async function main(): Promise<void> {
  const config = loadConfig();
  await preflight(config);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), {
    abortOnError: false,
    bufferLogs: true,
    forceCloseConnections: true,
  });
  app.useLogger(app.get(Logger));
  configureApp(app);
  app.enableShutdownHooks(undefined, { useProcessExit: true });
  await app.listen(config.api.port, config.api.host);
  app.get(Events).emit({ event: 'api-listening', url: await app.getUrl() });
}

main().catch((error: unknown) => {
  if (error instanceof StartupError) {
    const { problems } = error;
    console.error(
      `Chimera cannot start: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}.`,
    );
    for (const problem of problems) console.error(`  - ${problem}`);
  } else {
    console.error('Chimera cannot start:', error);
  }
  process.exit(1);
});
