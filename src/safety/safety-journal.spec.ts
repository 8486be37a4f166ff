import { describe, expect, it } from 'vitest';
import { readChange, type Change } from './safety-journal.js';

const id = '6f1f6f0c-3d43-4c86-8d38-0e4a7f6d2a11';
const action = {
  ...{ actor: 'ops', role: 'operator', action: 'halt', reason: 'why', remote: '127.0.0.1' },
  at: new Date('2026-01-31T12:00:00Z'),
};

describe('a change of the safety state in the journal', () => {
  it.each<Change['event']>([
    { kind: 'execution-succeeded' },
    { kind: 'execution-failed', reason: 'out of gas' },
    { kind: 'outcome-taken-back', failures: -1 },
    { kind: 'raise', cause: 'operator', level: 'HALTED', reason: 'why', actor: 'ops', numbers: undefined },
    {
      kind: 'raise',
      cause: 'chain',
      level: 'THROTTLED',
      reason: 'late',
      actor: 'chimera',
      numbers: { ageSeconds: 9, share: '0.5' },
    },
    { kind: 'clear', cause: 'chain', reason: 'fresh', endsHalt: true },
  ])('reads as it was written: $kind', (event) => {
    const change = { id, event, atMs: 1_000, action };
    expect(readChange(JSON.parse(JSON.stringify(change)))).toEqual(change);
  });

  it.each([
    null,
    {},
    { id, atMs: 1 },
    { id, atMs: '1', event: { kind: 'execution-succeeded' } },
    { id, atMs: 1, event: { kind: 'resume', reason: 'why', actor: 'ops' } },
    { id, atMs: 1, event: { kind: 'raise', cause: 'weather', level: 'HALTED', reason: 'a', actor: 'b' } },
  ])('nothing else is read: case %#', (value) => {
    expect(() => readChange(value)).toThrow(TypeError);
  });
});
