/**
 * A PostgreSQL of the bot's own, so that there is nothing to install. It knows nothing of the bot's tables: src/database
 * uses it like any other server.
 */
export { binariesProblem } from './binaries.js';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
