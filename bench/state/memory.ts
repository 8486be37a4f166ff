/** What a process that holds the state takes of the machine's memory. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { measurement, type GroupOptions, type Measurement } from './measurement.js';

/** What the child says. MB as 10^6 bytes. */
export interface MemoryUse {
  readonly residentMb: number;
  readonly peakMb: number;
}

/** `state`: what the bot holds; `objects`: the same accounts as they are, in a Map. */
export type Held = 'state' | 'objects';

/** The baseline takes too much to be held in full: this share of it is measured, and the rest reckoned. */
const OBJECTS_SHARE = 0.1;
const TIMEOUT_MS = 120_000;

export async function memory({ positions, progress }: GroupOptions): Promise<Measurement[]> {
  progress(`holding ${positions} positions in a process of its own`);
  const state = await useOf('state', positions);
  progress('holding some as plain objects');
  const nothing = await useOf('objects', 0);
  const some = await useOf('objects', Math.round(positions * OBJECTS_SHARE));
  const objects = nothing.residentMb + (some.residentMb - nothing.residentMb) / OBJECTS_SHARE;
  return [
    measurement('memory.positions', positions, 'positions'),
    measurement('memory.resident', state.residentMb, 'MB', objects),
    measurement('memory.peak', state.peakMb, 'MB'),
  ];
}

/** A process of its own, so that nothing else's garbage counts. */
function useOf(held: Held, positions: number): Promise<MemoryUse> {
  const child = fork(
    fileURLToPath(new URL('memory-process.ts', import.meta.url)),
    [held, String(positions)],
    {
      execArgv: [...process.execArgv, '--expose-gc'],
      timeout: TIMEOUT_MS,
    },
  );
  return new Promise((resolve, reject) => {
    child.once('message', (use) => resolve(use as MemoryUse));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the process that held ${held} ended with ${String(code)}`)),
    );
  });
}
