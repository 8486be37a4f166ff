/**
 * A PostgreSQL server that the bot starts and stops itself, so that there is nothing to install. It does not
 * know the bot's tables: src/database uses it like any other server.
 */
export { binariesProblem } from './binaries.js';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
export { hasCluster, runningServer } from './running.js';
