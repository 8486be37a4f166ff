import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock, aHead } from '../../testing/builders/blocks.js';
import { deferred, standIn, type Deferred } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ChimeraConfig } from '../config/index.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { FailurePolicy } from '../safety/index.js';
import type { StateEngine } from '../state/state-engine.js';
import { StateView } from '../state/state-view.js';
import type { BlockPass, PassFailure, PassResult } from './block-pass.js';
import type { ChainComparison } from './chain-comparison.js';
import { PassLoop } from './pass-loop.js';

const done = (number: number): PassResult => ({
  kind: 'done',
  view: new StateView(aBlock(number), new Map()),
  liquidatable: 1,
  planned: 0,
  skipped: { 'no-route': 1 },
});

describe('the loop of passes', () => {
  let begun: number[];
  let passes: Map<number, Deferred<PassResult | PassFailure>>;
  let compared: number[];
  let failures: { error: unknown; block: number | undefined }[];
  let comparisonIdle: Promise<void>;
  let loop: PassLoop;
  let clock: TestClock;

  beforeEach(() => {
    begun = [];
    passes = new Map();
    compared = [];
    failures = [];
    comparisonIdle = Promise.resolve();
    clock = new TestClock();
    loop = makeLoop();
    loop.start();
  });

  const makeLoop = (): PassLoop =>
    new PassLoop(
      standIn<BlockPass>('pass', {
        run: ({ number }) => {
          begun.push(number);
          const pass = deferred<PassResult | PassFailure>();
          passes.set(number, pass);
          return pass.promise;
        },
      }),
      standIn<ChainComparison>('comparison', {
        begin: ({ block }) => void compared.push(block.number),
        idle: () => comparisonIdle,
      }),
      standIn<StateEngine>('state', { view: new StateView(aBlock(10), new Map()) }),
      standIn<FailurePolicy>('policy', {
        failed: (error, block) => {
          failures.push({ error, block });
          return Promise.resolve('retry');
        },
      }),
      clock,
      { network: { name: 'local', chainId: 31337 } } as ChimeraConfig,
    );

  const end = async (number: number, outcome: PassResult | PassFailure = done(number)): Promise<void> => {
    passes.get(number)?.resolve(outcome);
    await turns();
  };

  it('runs one pass at a time, and takes the newest head next', async () => {
    loop.enqueue(aHead(11));
    loop.enqueue(aHead(12));
    loop.enqueue(aHead(14));
    loop.enqueue(aHead(13));
    expect(begun).toEqual([11]);
    await end(11);
    expect(begun).toEqual([11, 14]);
    await end(14);
    expect(begun).toEqual([11, 14]);
    loop.enqueue(aHead(15));
    expect(begun).toEqual([11, 14, 15]);
  });

  it('compares the view of each pass without a failure with the chain', async () => {
    loop.enqueue(aHead(11));
    await end(11);
    loop.enqueue(aHead(12));
    await end(12, { kind: 'failed', errors: [new RetryError('the node is away')] });
    expect(compared).toEqual([11]);
    expect(loop.lastPass).toMatchObject({ liquidatable: 1, skipped: { 'no-route': 1 } });
  });

  it('passes every error of a pass to the failure policy, in the order of the pass', async () => {
    const errors = [new HaltError('our books were wrong'), new RetryError('the database is away')];
    loop.enqueue(aHead(11));
    await end(11, { kind: 'failed', errors });
    expect(failures).toEqual(errors.map((error) => ({ error, block: 11 })));
  });

  it('goes on after a pass that threw', async () => {
    const error = new Error('a bug');
    loop.enqueue(aHead(11));
    passes.get(11)?.reject(error);
    await turns();
    expect(failures).toEqual([{ error, block: 11 }]);
    loop.enqueue(aHead(12));
    expect(begun).toEqual([11, 12]);
  });

  it('knows how long ago a pass ended, with or without a failure', async () => {
    expect(loop.sinceLastPassMs).toBeUndefined();
    loop.enqueue(aHead(11));
    await end(11, { kind: 'failed', errors: [new RetryError('away')] });
    clock.advance(300);
    expect(loop.sinceLastPassMs).toBe(300);
  });

  it('stops after the running pass and comparison, and takes no more heads', async () => {
    const comparing = deferred();
    comparisonIdle = comparing.promise;
    loop.enqueue(aHead(11));
    loop.enqueue(aHead(12));
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    loop.enqueue(aHead(13));
    await end(11);
    expect(begun).toEqual([11]);
    expect(stopped).toBe(false);
    comparing.resolve();
    await stopping;
    expect(begun).toEqual([11]);
  });

  it('takes no head before it is started', () => {
    makeLoop().enqueue(aHead(11));
    expect(begun).toEqual([]);
  });
});

/** Lets everything that waits for a settled promise run. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
