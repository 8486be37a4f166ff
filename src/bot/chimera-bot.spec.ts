import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock, aHead } from '../../testing/builders/blocks.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { deferred, standIn, type Deferred } from '../../testing/fakes/stand-in.js';
import type { ChimeraConfig } from '../config/index.js';
import type { Head } from '../domain/block.js';
import { RetryError } from '../domain/errors.js';
import type { ExecutionService } from '../execution/index.js';
import type { FailurePolicy } from '../safety/index.js';
import type { StateEngine } from '../state/state-engine.js';
import { StateView } from '../state/state-view.js';
import { ChimeraBot } from './chimera-bot.js';
import type { HeadWatch } from './head-watch.js';
import type { PassLoop } from './pass-loop.js';

const VIEW = new StateView(aBlock(10), new Map());

describe('the life of the bot', () => {
  /** What happened, in order. */
  let done: string[];
  let events: RecordedEvents;
  let starts: Deferred<StateView>[];
  let onHead: ((head: Head) => void) | undefined;
  let loopStops: Deferred<void>;
  let bot: ChimeraBot;

  const did = (what: string): Promise<void> => {
    done.push(what);
    return Promise.resolve();
  };

  beforeEach(() => {
    done = [];
    starts = [];
    onHead = undefined;
    loopStops = deferred();
    events = new RecordedEvents();
    bot = new ChimeraBot(
      standIn<HeadWatch>('heads', {
        latest: () => Promise.resolve(aBlock(10)),
        start: (listener) => {
          done.push('hears heads');
          onHead = listener;
        },
        stop: () => void done.push('hears no heads'),
      }),
      standIn<StateEngine>('state', {
        positionCount: 7,
        start: () => {
          done.push('state starts');
          const start = deferred<StateView>();
          starts.push(start);
          return start.promise;
        },
        stop: () => did('state stops'),
      }),
      standIn<ExecutionService>('execution', {
        operator: `0x${'0e'.repeat(20)}`,
        recover: () => did('recovers'),
        keepLease: () => void done.push('keeps the lease'),
        inFlight: () => new Set(),
        drain: () => did('drains'),
        giveBackLease: () => did('gives the lease back'),
      }),
      standIn<PassLoop>('loop', {
        start: () => void done.push('loop starts'),
        enqueue: ({ number }) => void done.push(`head ${number}`),
        stop: async () => {
          done.push('loop stops');
          await loopStops.promise;
          done.push('loop stopped');
        },
      }),
      standIn<FailurePolicy>('policy', {
        failed: (error) => {
          done.push(`fails: ${String(error)}`);
          return Promise.resolve('retry');
        },
      }),
      events,
      {
        network: { chainId: 31337 },
        execution: { mode: 'live', chimera: `0x${'c4'.repeat(20)}` },
      } as ChimeraConfig,
    );
  });

  it('recovers the transactions in flight, then starts the state, then goes live', async () => {
    bot.onApplicationBootstrap();
    await turns();
    expect(bot.phase).toBe('starting');
    starts[0]?.resolve(VIEW);
    await turns();
    expect(done).toEqual(['recovers', 'keeps the lease', 'state starts', 'loop starts', 'hears heads']);
    expect(bot.phase).toBe('running');
    expect(events.named('bot-started')).toMatchObject([{ block: 10, positions: 7, mode: 'live' }]);
    onHead?.(aHead(11));
    expect(done.at(-1)).toBe('head 11');
  });

  it('tries the start again after a failure and passes the failure to the failure policy', async () => {
    bot.onApplicationBootstrap();
    await turns();
    starts[0]?.reject(new RetryError('the node is away'));
    await eventually(() => starts.length === 2, 'the second start');
    starts[1]?.resolve(VIEW);
    await turns();
    expect(done.slice(0, 7)).toEqual([
      'recovers',
      'keeps the lease',
      'state starts',
      'fails: RetryError: the node is away',
      'recovers',
      'keeps the lease',
      'state starts',
    ]);
    expect(bot.phase).toBe('running');
  });

  it('stops in order: takes no more heads, ends the running pass, then follows the transactions in flight', async () => {
    bot.onApplicationBootstrap();
    await turns();
    starts[0]?.resolve(VIEW);
    await turns();
    done = [];
    const ended = bot.onModuleDestroy();
    await turns();
    expect(bot.phase).toBe('stopping');
    expect(done).toEqual(['hears no heads', 'loop stops', 'state stops']);
    loopStops.resolve();
    await ended;
    expect(done.slice(3)).toEqual(['loop stopped', 'drains', 'gives the lease back']);
  });

  it('does not go live when it is stopped while it starts', async () => {
    bot.onApplicationBootstrap();
    await turns();
    loopStops.resolve();
    const ended = bot.onModuleDestroy();
    starts[0]?.resolve(VIEW);
    await ended;
    expect(bot.phase).toBe('stopping');
    expect(done).not.toContain('hears heads');
    expect(done.at(-1)).toBe('gives the lease back');
  });

  it('does not report a start that failed because the bot was stopped', async () => {
    bot.onApplicationBootstrap();
    await turns();
    loopStops.resolve();
    const ended = bot.onModuleDestroy();
    starts[0]?.reject(new RetryError('aborted'));
    await ended;
    expect(done.filter((what) => what.startsWith('fails'))).toEqual([]);
  });
});

/** Lets everything that waits for a settled promise run. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
