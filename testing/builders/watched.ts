import type { Watched } from '../../src/alerts/watched.js';

/** A bot with which all is well. */
export function aWatched(more: Partial<Watched> = {}): Watched {
  return {
    phase: 'running',
    phaseForMs: 60_000,
    safety: {
      state: 'NORMAL',
      reason: 'first start',
      actor: 'chimera',
      consecutiveFailures: 0,
      concerns: [],
      resumesAfterSeconds: 120,
    },
    rates: {
      ...{ inclusionBps: 9_000, accuracyBps: 9_900, sample: 100, won: 90 },
      ...{
        haltInclusionBps: 5_000,
        throttleInclusionBps: 6_000,
        haltAccuracyBps: 8_500,
        throttleAccuracyBps: 9_000,
      },
    },
    walletWei: 10n ** 18n,
    minWalletWei: 10n ** 17n,
    databaseAwayMs: undefined,
    volume: { usedUsd8: 0n, limitUsd8: 250_000_000_000n },
    loss: { usedUsd8: 0n, limitUsd8: 5_000_000_000n },
    passes: { failedInARow: 0, failingSinceMs: undefined, runningSinceMs: 100, lastError: undefined },
    endpoints: [
      { role: 'primary', state: 'ok', struggling: false },
      { role: 'backup', state: 'ok', struggling: false },
    ],
    setAside: [],
    incomplete: [],
    refused: [],
    lease: { role: 'leader', holder: 'host:1:abc' },
    nonceInQuestion: 0,
    ...more,
  };
}
