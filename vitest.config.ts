import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'devnet/**/*.spec.ts', 'test/**/*.spec.ts', 'contracts/**/*.spec.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file may start a chain and a database of its own: two at once is what two cores carry.
    maxWorkers: 2,
    // Compiles what several files would otherwise compile at the same time.
    globalSetup: ['test/warm-up.ts'],
  },
});
