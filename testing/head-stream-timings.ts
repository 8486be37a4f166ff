import type { HeadStreamTimings } from '../src/rpc/heads/head-stream.js';

/** Short, so that a test sees each of them end. */
export const SHORT_TIMINGS: HeadStreamTimings = {
  pollIntervalMs: 10,
  silenceBlocks: 3,
  silenceMs: 60,
  ignoreLowerMs: 3_000,
  watchIntervalMs: 5,
  connectTimeoutMs: 200,
  reconnectMinMs: 5,
  reconnectMaxMs: 20,
};
