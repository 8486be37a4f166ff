import { defineConfig } from 'vitest/config';

const FOLDERS = '{src,devnet,bench,test,testing,contracts,scripts}';
const END_TO_END = 'test/e2e/**/*.spec.ts';
const INTEGRATION = `${FOLDERS}/**/*.integration.spec.ts`;

/** A test waits for a state, not for a time; on a busy machine that takes a while. Milliseconds. */
const PATIENT = { testTimeout: 180_000, hookTimeout: 180_000 };

/** Which test is of which kind, by its name: CONTRIBUTING.md. */
export default defineConfig({
  test: {
    // A file of integration or e2e may start a chain and a database of its own: two at once is what two cores
    // carry.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${FOLDERS}/**/*.spec.{ts,mjs}`],
          exclude: [INTEGRATION, END_TO_END],
          setupFiles: ['test/unit-guard.ts'],
          // Unit tests leave nothing behind, so that files may share a worker's modules: loading them is most
          // of the time.
          isolate: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: [INTEGRATION],
          globalSetup: ['test/warm-up/compile-contracts.ts'],
          ...PATIENT,
          // As above: each file stops what it starts.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: [END_TO_END],
          globalSetup: ['test/warm-up/build-bot.ts', 'test/warm-up/compile-contracts.ts'],
          ...PATIENT,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
