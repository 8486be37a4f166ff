import { describe, expect, it } from 'vitest';
import { publicDoorProblem } from './preflight.js';

const PUBLIC = [{ name: 'public', kind: 'public' as const }];
const asked = (chainId: number, changes: object = {}): string[] =>
  publicDoorProblem({
    network: { chainId },
    execution: { mode: 'live', paths: PUBLIC, allowPublicMempool: false, ...changes },
  });

describe('a public path on a chain whose mempool everybody reads', () => {
  it('keeps a live bot from starting on Ethereum, and names both keys', () => {
    expect(asked(1)).toEqual([
      expect.stringMatching(
        /^execution\.paths: .*kind private was expected \(or execution\.allowPublicMempool/,
      ),
    ]);
  });

  it('does not in a dry run, when it is allowed, with a private path, or on a chain with a sequencer', () => {
    expect(asked(1, { mode: 'dry-run' })).toEqual([]);
    expect(asked(1, { allowPublicMempool: true })).toEqual([]);
    expect(asked(1, { paths: [{ name: 'relay', kind: 'private' }] })).toEqual([]);
    for (const chainId of [10, 8453, 42161]) expect(asked(chainId)).toEqual([]);
  });
});
