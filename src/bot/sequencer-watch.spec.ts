import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { startFakePool, type FakePool } from '../../testing/nodes/fake-pool.js';
import { blockOf, eventually, hashOf, hex, type FakeRpc } from '../../testing/nodes/fake-rpc.js';
import type { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { Chain } from '../rpc/chain/chain.js';
import type { SafetyController } from '../safety/index.js';
import { SequencerWatch } from './sequencer-watch.js';

const YEAR = 31_536_000;

let fakes: FakePool;
let primary: FakeRpc;
let backup: FakeRpc;
let clock: TestClock;
let events: RecordedEvents;
let halts: string[];
let watch: SequencerWatch;

beforeEach(async () => {
  fakes = await startFakePool({ timings: { deadlineMs: 5_000 } });
  ({ primary, backup } = fakes);
  clock = new TestClock();
  events = new RecordedEvents();
  halts = [];
  watch = watchOf({ hasBackup: true });
});
afterEach(() => fakes.close());

function watchOf({ hasBackup }: { readonly hasBackup: boolean }): SequencerWatch {
  const config = {
    network: { chainId: 31337 },
    safety: { maxTimestampJumpSeconds: 20, maxHeadAgeSeconds: 12, haltHeadAgeSeconds: 30 },
    rpc: hasBackup ? { backup: {} } : {},
  } as ChimeraConfig;
  const safety = standIn<SafetyController>('safety', {
    raise: (cause, level, message) => {
      if (cause === 'chain' && level === 'HALTED') halts.push(message);
      return Promise.resolve();
    },
    clear: () => Promise.resolve(),
  });
  return new SequencerWatch(safety, events, clock, new Chain(fakes.pool), config);
}

/** What a node gives as a header, with another time or of another fork. */
const header = (number: number, laterSeconds = 0, fork = 0): Record<string, string> => {
  const block = blockOf(number, fork);
  return {
    ...block,
    parentHash: hashOf(number - 1),
    timestamp: hex(Number(block['timestamp']) + laterSeconds),
  };
};
const blockFrom = (raw: Record<string, string>): Block => ({
  number: Number(raw['number']),
  hash: raw['hash'] as Block['hash'],
  parentHash: raw['parentHash'] as Block['hash'],
  timestamp: Number(raw['timestamp']),
  baseFeePerGas: 1n,
});
const gives = (node: FakeRpc, ...headers: Record<string, string>[]): void =>
  node.on('eth_getBlockByNumber', ([number]) => headers.find((one) => one['number'] === number) ?? null);
const disbelieved = (): number => events.named('block-time-not-believed').length;

describe('F17 the time of the chain jumps', () => {
  const honest = [header(10), header(11), header(12)] as const;

  it('F17 at both endpoints: it halts', async () => {
    for (const node of [primary, backup]) gives(node, header(10), header(11, YEAR));
    watch.head(blockFrom(header(10)));
    watch.head(blockFrom(header(11, YEAR)));
    await eventually(() => halts.length === 1, 20_000);
    expect(halts[0]).toContain('the time of the chain jumped');
    expect(events.named('sequencer-anomaly')).toHaveLength(1);
  });

  it.each([
    ['that another endpoint has with another time', 0],
    ['that no other endpoint has', 1],
  ])(
    'F17 in a block %s: it does not halt, nor does what follows, and a true jump still does',
    async (_name, fork) => {
      gives(backup, ...honest);
      gives(primary, header(10), header(11, YEAR, fork));
      watch.head(blockFrom(header(10)));
      watch.head(blockFrom(header(11, YEAR, fork)));
      // Before the first is judged, the next one comes: its time goes back, compared with the invented block.
      watch.head(blockFrom({ ...header(12), parentHash: hashOf(11, fork) }));
      await eventually(() => disbelieved() === 2, 20_000);
      watch.head(blockFrom(header(13)));
      expect([halts, events.named('sequencer-anomaly')]).toEqual([[], []]);

      for (const node of [primary, backup]) gives(node, header(13), header(14, YEAR));
      watch.head(blockFrom(header(14, YEAR)));
      await eventually(() => halts.length === 1, 20_000);
    },
  );

  it('F17 and the other endpoint is late: it halts when that has the block too', async () => {
    gives(primary, header(10), header(11, YEAR));
    gives(backup, header(10));
    watch.head(blockFrom(header(10)));
    watch.head(blockFrom(header(11, YEAR)));
    await eventually(() => backup.seenOf('eth_getBlockByNumber').length > 2);
    expect(halts).toEqual([]);
    gives(backup, header(10), header(11, YEAR));
    await eventually(() => halts.length === 1, 20_000);
  });

  it('F17 and the other endpoint does not answer for 12 s: the word of one halts', async () => {
    gives(primary, header(10), header(11, YEAR));
    backup.fault = { kind: 'status', status: 500 };
    watch.head(blockFrom(header(10)));
    watch.head(blockFrom(header(11, YEAR)));
    await eventually(() => backup.requests > 0);
    clock.advance(11_999);
    const asked = (): number => primary.seenOf('eth_getBlockByNumber').length;
    const before = asked();
    await eventually(() => asked() > before + 3, 20_000);
    expect(halts).toEqual([]);
    clock.advance(1);
    await eventually(() => halts.length === 1, 20_000);
  });

  it('F17 with one endpoint only: it halts at once', () => {
    watch = watchOf({ hasBackup: false });
    watch.head(blockFrom(header(10)));
    watch.head(blockFrom(header(11, YEAR)));
    expect(halts).toHaveLength(1);
  });
});
