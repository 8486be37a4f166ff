import { describe, expect, it } from 'vitest';
import { soak } from '../soak/run.js';

/** Repeat a failing run with its seed: SOAK_SEED=… npm run test:e2e -- soak */
const SEED = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);

describe('the bot left alone', () => {
  it(`for a minute, with rivals and faults of all kinds (seed ${SEED}): every invariant holds`, async () => {
    const lines: string[] = [];
    const report = await soak({ minutes: 1, seed: SEED, json: false, help: false }, (line) =>
      lines.push(line),
    );
    const broken = report.invariants.filter((one) => one.broken.length > 0);
    expect(broken, lines.join('\n')).toEqual([]);
    expect(report.outcomes['won']).toBeGreaterThan(0);
    expect(Object.keys(report.faults).length).toBeGreaterThan(1);
  }, 900_000);
});
