import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AnvilProcess } from '../../devnet/chain/anvil.js';
import { eventually } from '../../testing/eventually.js';
import { FakeFollowed } from '../../testing/fakes/fake-followed.js';
import { resultOf } from '../../testing/nodes/lies.js';
import { LyingNode, type Lie } from '../../testing/nodes/lying-node.js';
import { chainDescription } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import type { Address, Hash } from '../domain/hex.js';
import { Secret } from '../domain/secret.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { BlockFollower } from './block-follower.js';

const SENDER: Address = '0x00000000000000000000000000000000000000aa';
const topic = (value: number): Hash => `0x${value.toString(16).padStart(64, '0')}`;
/** Each logs its calldata, with its own topic. */
const EMITTERS: readonly (readonly [Address, Hash])[] = [
  ['0x000000000000000000000000000000000000e001', topic(0x2a)],
  ['0x000000000000000000000000000000000000e002', topic(0x2b)],
  ['0x000000000000000000000000000000000000e003', topic(0x2c)],
];
const [FIRST, SECOND, THIRD] = EMITTERS.map(([address]) => address) as [Address, Address, Address];

type Log = Record<string, unknown> & { readonly address: string };

let anvil: AnvilProcess;
let primary: LyingNode;
let backup: LyingNode;
let pool: RpcPool;
let chain: Chain;
let market: FakeFollowed;
let follower: BlockFollower;
/** The filters of the questions for logs. */
let asked: { readonly primary: object[]; readonly backup: object[] };
/** What a WebSocket delivered, and what of it was found to be invented. */
let heard: RawLog[];
let invented: RawLog[];

const rpc = (method: string, params: unknown[]): Promise<unknown> => pool.call(method, params, (raw) => raw);

/** Takes down what a node is asked, and lies about logs. */
const telling =
  (filters: object[], edit: (logs: Log[], filter: object) => unknown = (logs) => logs): Lie =>
  (call, truth) =>
    resultOf('eth_getLogs', (logs, { params }) => {
      filters.push(params[0] as object);
      return edit(logs as Log[], params[0] as object);
    })(call, truth);

async function start(withBackup: boolean): Promise<void> {
  pool = new RpcPool({
    chainId: 31337,
    primary: { http: new Secret(primary.httpUrl) },
    ...(withBackup && { backup: { http: new Secret(backup.httpUrl) } }),
    timings: { deadlineMs: 20_000, probeIntervalMs: 1e9 },
  });
  chain = new Chain(pool);
  await rpc('anvil_setBalance', [SENDER, '0xde0b6b3a7640000']);
  await rpc('anvil_impersonateAccount', [SENDER]);
  for (const [address, own] of EMITTERS)
    await rpc('anvil_setCode', [address, `0x365f5f3760${own.slice(-2)}365fa100`]);
  market = new FakeFollowed('market', FIRST);
  market.watched = new Map(EMITTERS.map(([address, own]) => [address, [own]]));
  const delivered = {
    listenTo: () => undefined,
    heard: (hash: Hash) => heard.filter(({ blockHash }) => blockHash === hash),
    invented: (log: RawLog) => invented.push(log),
  };
  follower = new BlockFollower(chain, [market], chainDescription(31337), new Clock(), delivered);
  await rpc('evm_mine', []);
  follower.beginAt(await chain.getBlock('latest'), [await market.prepareRange()]);
}

/** A block in which these contracts log this data. */
async function mine(...logs: readonly (readonly [Address, string])[]): Promise<void> {
  for (const [to, data] of logs)
    await rpc('eth_sendTransaction', [{ from: SENDER, to, data, gas: '0xc350' }]);
  await rpc('evm_mine', []);
}

async function advance(): Promise<void> {
  follower.takeBackIncomplete();
  const head = await chain.getBlock('latest');
  const path = await follower.pathTo(head);
  if (path.kind === 'walk') await follower.walk(head, path, []);
}

const seen = (): readonly string[] => market.view();
const seenInTheEnd = (data: readonly string[]): Promise<void> =>
  eventually(async () => {
    await advance();
    return JSON.stringify(seen()) === JSON.stringify(data);
  }, `${data.join()} to be applied`);

beforeEach(async () => {
  anvil = await AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 10 });
  const upstream = { http: anvil.url, ws: anvil.url.replace('http', 'ws') };
  [primary, backup] = await Promise.all([LyingNode.start(upstream), LyingNode.start(upstream)]);
  asked = { primary: [], backup: [] };
  [heard, invented] = [[], []];
  primary.lie = telling(asked.primary);
  backup.lie = telling(asked.backup);
});

afterEach(async () => {
  pool.close();
  await Promise.all([primary.stop(), backup.stop()]);
  await anvil.stop();
});

describe('a bloom that says yes', () => {
  it('F44 while the node says that there are no logs: another one is heard, and the block is read again', async () => {
    await start(true);
    primary.lie = telling(asked.primary, () => []);
    await mine([FIRST, '0x01']);
    await advance();
    expect(follower.tip.hash).toBe((await chain.getBlock('latest')).hash);
    await mine();
    await seenInTheEnd(['0x01']);

    primary.lie = telling(asked.primary);
    await mine([FIRST, '0x02']);
    await advance();
    expect(seen()).toEqual(['0x01', '0x02']);
  });

  it('F44 while the node leaves out one log of several, in the middle of a gap of blocks', async () => {
    await start(true);
    primary.lie = telling(asked.primary, (logs) => logs.filter(({ address }) => address !== SECOND));
    await mine([FIRST, '0x01']);
    await mine([FIRST, '0x02'], [SECOND, '0x03'], [THIRD, '0x04']);
    await mine([THIRD, '0x05']);
    await advance();
    await mine();
    await seenInTheEnd(['0x01', '0x02', '0x03', '0x04', '0x05']);

    primary.lie = telling(asked.primary);
    await mine([SECOND, '0x06']);
    await advance();
    expect(seen().slice(5)).toEqual(['0x06']);
  });

  it('F44 before logs that contradict our books: the hidden ones are read first, and nothing contradicts', async () => {
    await start(true);
    primary.lie = telling(asked.primary, (logs) => logs.filter(({ address }) => address !== SECOND));
    await mine([SECOND, '0x01'], [FIRST, '0x02']);
    market.next = { contradicted: ['0x12'] };
    await expect(advance()).rejects.toThrow('left out logs');
    expect(seen()).toEqual([]);
    await advance();
    expect(seen()).toEqual(['0x01', '0x02']);
    expect(follower.takeContradictions()).toEqual([]);

    // A true contradiction is still told.
    await mine([SECOND, '0x03']);
    market.next = { contradicted: ['0x12'] };
    primary.lie = telling(asked.primary);
    await advance();
    expect(follower.takeContradictions()).toMatchObject([{ account: '0x12' }]);
  });

  it('F44 with one endpoint: it is asked again', async () => {
    await start(false);
    let answers = 0;
    primary.lie = telling(asked.primary, (logs) => (++answers === 1 ? [] : logs));
    await mine([FIRST, '0x01']);
    await advance();
    await seenInTheEnd(['0x01']);
  });

  it('F44 by coincidence: it costs one question at the other endpoint, and nothing is taken back', async () => {
    await start(true);
    // The contract and the topic are both in the bloom, each by another log.
    market.watched = new Map([[FIRST, [EMITTERS[1]?.[1] ?? '0x']]]);
    await mine([FIRST, '0x01'], [SECOND, '0x02']);
    await advance();
    await eventually(() => asked.backup.length === 1, 'the second look');
    await mine();
    await advance();
    expect(seen()).toEqual(['0x01']);
    expect(follower.tip.number).toBe((await chain.getBlock('latest')).number);
    // The last block is empty, and so is its bloom: nobody is asked for logs.
    expect([asked.primary.length, asked.backup.length]).toEqual([1, 1]);
  });

  it('F44 what another endpoint invents at the second look is not believed', async () => {
    await start(true);
    market.watched = new Map([[FIRST, [EMITTERS[0]?.[1] ?? '0x', EMITTERS[1]?.[1] ?? '0x']]]);
    let told = 0;
    backup.lie = telling(asked.backup, (logs, filter) => {
      if (!('address' in filter)) return logs;
      told++;
      return [...logs, { ...logs[0], topics: [EMITTERS[1]?.[1]], logIndex: '0x7', data: '0xbad0' }];
    });
    await mine([FIRST, '0x01'], [SECOND, '0x02']);
    await advance();
    await eventually(() => told > 0 && asked.primary.some((filter) => !('address' in filter)), 'the proof');
    await mine([FIRST, '0x03']);
    await advance();
    expect(seen()).toEqual(['0x01', '0x03']);
  });
});

describe('a log that a WebSocket delivered', () => {
  const delivered = async (fields: Partial<RawLog>): Promise<RawLog> => {
    const { hash, number } = await chain.getBlock('latest');
    return {
      address: FIRST,
      topics: [topic(0x2a)],
      data: '0x0f',
      blockNumber: number,
      blockHash: hash,
      transactionHash: topic(1),
      logIndex: 77,
      ...fields,
    };
  };

  it.each<[string, Partial<RawLog>]>([
    ['that the bloom excludes', { topics: [topic(0xff)] }],
    ['that the bloom does not exclude', {}],
  ])('F44 and nobody emitted, %s: it is dropped at once, and the block is applied', async (_name, fields) => {
    await start(true);
    await mine([FIRST, '0x01']);
    const log = await delivered(fields);
    heard = [log];
    await advance();
    expect(seen()).toEqual(['0x01']);
    expect(invented).toEqual([log]);

    await mine([FIRST, '0x02']);
    await advance();
    expect(seen()).toEqual(['0x01', '0x02']);
    expect(invented).toHaveLength(1);
  });

  it('F44 and nobody emitted, with one endpoint: it contradicts itself, and the block is applied', async () => {
    await start(false);
    await mine([FIRST, '0x01']);
    heard = [await delivered({})];
    await advance();
    expect(seen()).toEqual(['0x01']);
    expect(invented).toHaveLength(1);
  });

  it('F44 while no endpoint has it yet: the block waits for it, and is applied with it', async () => {
    await start(true);
    await mine([FIRST, '0x01']);
    const { hash } = await chain.getBlock('latest');
    heard = await chain.getLogs({ blockHash: hash }, [FIRST], []);
    primary.lie = telling(asked.primary, () => []);
    backup.lie = telling(asked.backup, () => []);
    await expect(advance()).rejects.toMatchObject({ kind: 'bad-answer' });
    expect([seen(), invented]).toEqual([[], []]);

    backup.lie = telling(asked.backup);
    await seenInTheEnd(['0x01']);
    expect(invented).toEqual([]);
  });

  it('F44 after its block was applied without it: the block is read again', async () => {
    await start(true);
    primary.lie = telling(asked.primary, () => []);
    backup.lie = telling(asked.backup, () => []);
    await mine([FIRST, '0x01']);
    await advance();
    expect(seen()).toEqual([]);
    backup.lie = telling(asked.backup);
    const { hash } = await chain.getBlock('latest');
    heard = (await chain.logsEverywhere({ blockHash: hash }, [FIRST])).flatMap(({ value }) => value ?? []);
    await mine();
    await seenInTheEnd(['0x01']);
  });

  it('F44 while an answer without it is on its way: the block is read again', async () => {
    await start(true);
    await mine([FIRST, '0x01']);
    const { hash } = await chain.getBlock('latest');
    const logs = await chain.getLogs({ blockHash: hash }, [FIRST], []);
    primary.lie = telling(asked.primary, () => {
      heard = logs;
      return [];
    });
    await advance();
    expect(heard).toHaveLength(1);
    expect(seen()).toEqual([]);
    await mine();
    await seenInTheEnd(['0x01']);
  });
});
