/**
 * Loaded into the bot by `node --import`: at SIGWINCH an error happens that no part of the bot handles. The
 * variable PLANTED_ERROR is its message.
 */
const message = process.env.PLANTED_ERROR ?? 'planted';

process.on('SIGWINCH', () => void Promise.reject(new TypeError(message)));
