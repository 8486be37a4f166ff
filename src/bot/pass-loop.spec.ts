import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aBlock, aHead } from '../../testing/builders/blocks.js';
import { deferred, standIn, type Deferred } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { BlockTime } from '../domain/block-time.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { ChimeraConfig } from '../config/index.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { FailurePolicy } from '../safety/index.js';
import type { StateEngine } from '../state/state-engine.js';
import { RpcError } from '../rpc/rpc-errors.js';
import { StateView } from '../state/state-view.js';
import type { BlockPass, PassFailure, PassResult } from './block-pass.js';
import type { ChainComparison } from './chain-comparison.js';
import { PassLoop } from './pass-loop.js';
import { PassWatchdog } from './pass-watchdog.js';
import { faultBegins } from '../../testing/fault-times.js';

const MAX_ERRORS = 10;
const done = (number: number): PassResult => ({
  kind: 'done',
  view: new StateView(aBlock(number), new Map()),
  liquidatable: 1,
  planned: 0,
  skipped: { 'no-route': 1 },
  nativePrice: undefined,
});

describe('the loop of passes', () => {
  let begun: number[];
  let passes: Map<number, Deferred<PassResult | PassFailure>>;
  let compared: number[];
  let failures: { error: unknown; block: number | undefined }[];
  let comparisonIdle: Promise<void>;
  let loop: PassLoop;
  let clock: TestClock;
  let watchdog: PassWatchdog;
  let halts: string[];
  let causes: string[];

  beforeEach(() => {
    begun = [];
    passes = new Map();
    compared = [];
    failures = [];
    comparisonIdle = Promise.resolve();
    clock = new TestClock();
    halts = [];
    causes = [];
    loop = makeLoop();
    loop.start();
  });

  const makeLoop = (): PassLoop => {
    const policy = standIn<FailurePolicy>('policy', {
      failed: (error, block) => {
        failures.push({ error, block });
        return Promise.resolve('retry');
      },
      halt: (message, about) => {
        halts.push(message);
        causes.push(about);
        return Promise.resolve(new HaltError(message));
      },
    });
    watchdog = new PassWatchdog(policy, clock, {
      detector: { scanIntervalMs: 5_000 },
      safety: { maxPassErrors: MAX_ERRORS },
    } as ChimeraConfig);
    return new PassLoop(
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
      policy,
      watchdog,
      clock,
      standIn<Chain>('chain', { blockTime: new BlockTime({ blockTimeMs: 2_000 }) }),
    );
  };

  afterEach(() => watchdog.stop());

  /** Time passes while the process runs: the watchdog's timer ticks each second. */
  const seconds = (count: number): void => {
    for (let second = 0; second < count; second += 1) {
      clock.advance(1_000);
      watchdog.tick();
    }
  };

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

  it('tries the pass of a head again when it failed, also when no newer head comes', async () => {
    loop.enqueue(aHead(10));
    expect(begun).toEqual([]);
    loop.enqueue(aHead(11));
    await end(11, { kind: 'failed', errors: [new RetryError('the database is away')] });
    loop.enqueue(aHead(10));
    expect(begun).toEqual([11, 10]);
    await end(10);
    loop.enqueue(aHead(10));
    expect(begun).toEqual([11, 10]);
  });

  it('F53 halts when every pass has failed for 30 s, and a success ends the failures', async () => {
    const fault = faultBegins(() => clock.monotonicMs());
    for (let number = 11; number < 14; number += 1) {
      loop.enqueue(aHead(number));
      await end(number, { kind: 'failed', errors: [new RetryError('out of gas')] });
      seconds(10);
    }
    expect(halts).toEqual([]);
    expect(watchdog.failures).toMatchObject({ failedInARow: 3, failingSinceMs: 30_000, serious: true });
    seconds(1);
    expect(halts).toEqual(['no pass has succeeded for 30 s: 3 failed in a row, the last one: out of gas']);
    fault.detected();
    fault.over();
    loop.enqueue(aHead(14));
    await end(14);
    expect(watchdog.failures).toMatchObject({ failedInARow: 0, lastError: undefined, serious: false });
    fault.recovered();
    seconds(30);
    expect(halts).toHaveLength(1);
  });

  it('F53 halts when a pass never ends, and when no node gives a head', async () => {
    loop.enqueue(aHead(11));
    seconds(31);
    expect(halts).toEqual(['no pass has succeeded for 30 s: the pass that runs does not end']);
    await end(11);
    seconds(10);
    await loop.noHead(new RetryError('no endpoint may be used now'));
    seconds(21);
    expect(halts.at(-1)).toContain('the last one: no endpoint may be used now');
    expect(failures).toHaveLength(1);
  });

  it('F53 halts again after a resume when the passes still fail', async () => {
    loop.enqueue(aHead(11));
    await end(11, { kind: 'failed', errors: [new RetryError('away')] });
    seconds(62);
    expect(halts).toHaveLength(2);
  });

  it('F53 a chain at rest is no failure: a node gives the block of the last pass again and again', async () => {
    loop.enqueue(aHead(11));
    await end(11);
    for (let scan = 0; scan < 20; scan += 1) {
      seconds(5);
      loop.enqueue(aHead(10));
    }
    expect(halts).toEqual([]);
    seconds(31);
    expect(halts).toEqual(['no pass has succeeded for 30 s: no node gives a head']);
  });

  it('F53 a halt because no endpoint serves is about the endpoints; because passes fail, about the passes', async () => {
    await loop.noHead(new RpcError('provider', 'rpc', 'no endpoint may be used now'));
    seconds(31);
    loop.enqueue(aHead(11));
    await end(11, { kind: 'failed', errors: [new RetryError('the gap is open')] });
    seconds(31);
    expect(causes).toEqual(['rpc', 'passes']);
  });

  it('F53 endpoints that are silent in each pass are silent, also while the next pass asks them', async () => {
    for (let number = 11; number < 21; number += 1) {
      loop.enqueue(aHead(number));
      seconds(2);
      await end(number, {
        kind: 'failed',
        errors: [new RpcError('timeout', 'primary', 'no answer within 2000 ms')],
      });
      seconds(1);
    }
    loop.enqueue(aHead(21));
    seconds(1);
    expect(causes).toEqual(['rpc']);
    await end(21, { kind: 'failed', errors: [new HaltError('the gap could not be filled', 'rpc')] });
    loop.enqueue(aHead(22));
    seconds(14);
    await end(22, { kind: 'failed', errors: [new RpcError('timeout', 'primary', 'no answer')] });
    seconds(17);
    expect(causes).not.toContain('passes');
    loop.enqueue(aHead(23));
    causes.length = 0;
    seconds(31);
    expect(causes).toEqual(['passes']);
  });

  it('passes that fail so many times in a row halt; those of a second count once, and silent endpoints do not', async () => {
    let number = 11;
    const fail = async (error: Error): Promise<void> => {
      loop.enqueue(aHead((number += 1)));
      await end(number, { kind: 'failed', errors: [error] });
    };
    for (let n = 0; n < 50; n++) await fail(new RetryError('a burst'));
    expect(halts).toEqual([]);
    for (let n = 1; n < MAX_ERRORS - 1; n++) {
      clock.advance(1_000);
      await fail(new RetryError('again'));
      await fail(new RpcError('timeout', 'primary', 'no answer'));
      clock.advance(1_000);
      await loop.noHead(new RetryError('block 7, which is said to be the newest, links to no known block'));
    }
    expect(halts).toEqual([]);
    clock.advance(1_000);
    await fail(new RetryError('the last one'));
    expect(halts).toEqual([`${MAX_ERRORS} passes failed in a row, the last one: the last one`]);
    expect(causes).toEqual(['passes']);
    loop.enqueue(aHead((number += 1)));
    await end(number);
    clock.advance(1_000);
    await fail(new RetryError('a new row'));
    expect(halts).toHaveLength(1);
  });

  it('F53 a chain that makes no block after the start is at rest, too', () => {
    for (let scan = 0; scan < 20; scan += 1) {
      seconds(5);
      loop.enqueue(aHead(10)); // the block of the start
    }
    expect(halts).toEqual([]);
  });

  it('F50 F53 time in which the process was frozen does not count', async () => {
    loop.enqueue(aHead(11));
    clock.advance(600_000);
    watchdog.tick();
    expect(halts).toEqual([]);
    await end(11);
    seconds(30);
    expect(halts).toEqual([]);
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
