import { defineConfig } from 'vitest/config';
import { BUNDLED_ENTRY } from './test/warm-up/bundle-bot.js';
import { LongestFirst } from './test/warm-up/longest-first.js';

const FOLDERS = '{src,devnet,bench,test,testing,contracts,scripts}';
const END_TO_END = 'test/e2e/**/*.spec.ts';
const INTEGRATION = `${FOLDERS}/**/*.integration.spec.ts`;

const CLUSTER = 'test/warm-up/postgres-cluster.ts';

/** A file leaves nothing behind, so that files may share a worker's modules: loading them takes seconds. */
const TOGETHER = { isolate: false };

/** A test waits for a state, not for a time; on a busy machine that takes a while. Milliseconds. */
const PATIENT = { testTimeout: 180_000, hookTimeout: 180_000 };

/** Which test is of which kind, by its name: CONTRIBUTING.md. */
export default defineConfig({
  test: {
    // A file of integration may start a chain and a database of its own: two at once is what two cores carry.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Tests run in the order of `groupOrder`, after all set-ups, which run in this order. That of e2e builds
    // and compiles side by side, and that of integration finds the contracts compiled.
    projects: [
      {
        test: {
          name: 'e2e',
          include: [END_TO_END],
          globalSetup: ['test/warm-up/build-bot.ts', CLUSTER],
          // As it is shipped: BOT_ENTRY=dist/src/main.js npm run test:e2e
          env: { BOT_ENTRY: process.env['BOT_ENTRY'] ?? BUNDLED_ENTRY },
          ...TOGETHER,
          ...PATIENT,
          // Those start them too, and wait for blocks and processes more than they work.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'integration',
          include: [INTEGRATION],
          globalSetup: ['test/warm-up/compile-contracts.ts', CLUSTER],
          ...TOGETHER,
          ...PATIENT,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'unit',
          include: [`${FOLDERS}/**/*.spec.{ts,mjs}`],
          exclude: [INTEGRATION, END_TO_END],
          setupFiles: ['test/unit-guard.ts'],
          ...TOGETHER,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
    ],
  },
});
