import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import { FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { HypersyncServer } from '../../../testing/nodes/hypersync.js';
import { BORROWERS, disagreements, stateSpec, type Engine } from '../../../testing/state.js';
import { Secret } from '../../domain/secret.js';
import { hypersyncClient, hypersyncProblem } from './hypersync-client.js';
import { HypersyncHistory } from './hypersync-history.js';

const spec = stateSpec();

describe('a search of the history with HyperSync, through its own client', () => {
  let server: HypersyncServer;
  let node: FakeRpc;
  let events: RecordedEvents;
  let clock: TestClock;
  let head: number;

  beforeEach(async () => {
    const { devnet } = spec.bench;
    [server, node] = await Promise.all([HypersyncServer.start(devnet.rpcUrl), FakeRpc.start()]);
    node.forwardTo(devnet.rpcUrl);
    [events, clock] = [new RecordedEvents(), new TestClock()];
    await devnet.mine(100);
    head = await devnet.provider.getBlockNumber();
  });
  afterEach(() => Promise.all([server.stop(), node.stop()]));

  const engine = async (token = server.token): Promise<Engine> => {
    const client = await hypersyncClient({ url: new Secret(server.url), token: new Secret(token) });
    const { chainId } = spec.bench.devnet;
    const history = new HypersyncHistory(client, chainId, events, clock);
    return spec.engineOf({ history, clock, archiveUrl: node.url('http') });
  };
  const whole = async (one: Engine): Promise<void> => {
    await one.startWhole();
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(one.engine.incomplete).toEqual([]);
    expect(await disagreements(one)).toEqual([]);
  };
  /** The first blocks of the ranges of which the archive was asked for logs. */
  const askedOfNode = (): number[] =>
    node.seenOf('eth_getLogs').map(({ params: [filter] }) => {
      const { fromBlock } = filter as { fromBlock: string };
      return Number(fromBlock);
    });

  it('finds every borrower, and asks a node for the newest 64 blocks only', async () => {
    await whole(await engine());
    expect(server.asked.map(({ from_block }) => from_block)).toEqual(
      server.asked.map((_, page) => page * server.most),
    );
    expect(server.asked.length).toBeGreaterThan(1);
    expect(new Set(server.asked.map(({ join_mode }) => join_mode))).toEqual(new Set(['JoinNothing']));
    expect(askedOfNode()).toEqual([head - 63]);
    expect(events.all).toEqual([]);
  });

  it('finds every borrower by the node when HyperSync fails, or does not let us in', async () => {
    server.status = 503;
    await whole(await engine());
    expect(askedOfNode()).toEqual([0]);
    await spec.bench.dataSource.query('TRUNCATE positions, checkpoints');
    await whole(await engine('another-token'));
    expect(events.named('history-left-to-nodes').map(({ reason }) => reason)).toEqual([
      'it answers with the status 503',
      'it answers with the status 401',
    ]);
  });

  it('proves by the sums that it left a borrower out, and leaves it for the nodes', async () => {
    let left: string | undefined;
    server.leavesOut = ({ topics }) => (left ??= topics[2]) === topics[2];
    const one = await engine();
    await one.startWhole();
    expect(one.engine.positionCount).toBe(BORROWERS - 1);
    expect(one.engine.incomplete).toMatchObject([{ market: 'aave' }]);
    // The whole chain once more, by the same source: fromBlock may have been too high.
    await one.backfill.release();
    expect(one.engine.incomplete).toMatchObject([{ market: 'aave' }]);
    clock.advance(60_000);
    await spec.bench.devnet.mine();
    await one.advance();
    await disagreements(one);
    await one.backfill.release();
    expect(events.named('history-distrusted')).toHaveLength(1);
    await whole(one);
  });

  it('says in one sentence when the package is missing, and nothing when it is there', async () => {
    const settings = { url: new Secret(server.url), token: new Secret(server.token) };
    expect(await hypersyncProblem(settings)).toBeUndefined();
    expect(await hypersyncProblem(settings, '@envio-dev/no-such-client')).toMatch(
      /^rpc\.hypersync: the package @envio-dev\/no-such-client cannot be loaded \(.+\); an installation with its optional packages was expected, or no rpc\.hypersync$/,
    );
  });
});
