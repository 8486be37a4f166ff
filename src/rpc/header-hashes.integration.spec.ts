import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AnvilProcess } from '../../devnet/chain/anvil.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { fieldsOf, hex } from '../../testing/nodes/lies.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import type { Head } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { Secret } from '../domain/secret.js';
import { Chain } from './chain/chain.js';
import { RpcPool } from './endpoints/rpc-pool.js';
import { headerHash } from './header-hashes.js';
import { HeadStream } from './heads/head-stream.js';

let anvil: AnvilProcess;
let liar: LyingNode;
let pool: RpcPool;
let chain: Chain;

type Header = Record<string, string>;

const rpc = (method: string, params: unknown[]): Promise<unknown> => pool.call(method, params, (raw) => raw);
const headerOf = async (number: number): Promise<Header> =>
  (await rpc('eth_getBlockByNumber', [hex(number), false])) as Header;
const HEADERS = ['eth_getBlockByNumber', 'eth_getBlockByHash', 'eth_subscription'];
const nextYear: Parameters<typeof fieldsOf>[1] = ({ timestamp }) => ({
  timestamp: hex(BigInt(String(timestamp)) + 31_536_000n),
});

beforeAll(async () => {
  anvil = await AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 10 });
  liar = await LyingNode.start({ http: anvil.url, ws: anvil.url.replace('http', 'ws') });
  pool = new RpcPool({
    chainId: 31337,
    primary: { http: new Secret(liar.httpUrl) },
    backup: { http: new Secret(anvil.url) },
    timings: { deadlineMs: 20_000, failuresToOpen: 1_000 },
  });
  chain = new Chain(pool);
  for (let block = 0; block < 3; block++) await rpc('evm_mine', []);
});

afterAll(async () => {
  pool.close();
  await liar.stop();
  await anvil.stop();
});

describe('the hash of a header', () => {
  it('is computed from the fields of each block of a real chain, the first one and ones with transactions too', async () => {
    const to = `0x${'ab'.repeat(20)}`;
    const [from] = (await rpc('eth_accounts', [])) as string[];
    if (from !== undefined) await rpc('eth_sendTransaction', [{ from, to, value: '0x1' }]);
    await rpc('evm_mine', []);
    const head = await chain.getBlock('latest');
    for (let number = 0; number <= head.number; number++) {
      const header = await headerOf(number);
      expect(headerHash(header)).toBe(header['hash']);
    }
  });

  it.each(['timestamp', 'baseFeePerGas', 'logsBloom', 'parentHash', 'number', 'gasUsed', 'requestsHash'])(
    'is another one when the header has another %s',
    async (field) => {
      const header = await headerOf(2);
      const value = header[field] ?? '0x0';
      const other = value.slice(0, -1) + (value.endsWith('1') ? '2' : '1');
      expect(headerHash({ ...header, [field]: other })).not.toBe(header['hash']);
    },
  );

  it('of a header that lacks a field, or has a malformed one, is not computed', async () => {
    const header = await headerOf(2);
    for (const value of [undefined, null, 7, '0x123', 'no hex'])
      expect(headerHash({ ...header, stateRoot: value })).toBeUndefined();
  });
});

describe('a header whose fields one endpoint changed', () => {
  it.each<[string, Parameters<typeof fieldsOf>[1]]>([
    ['time', nextYear],
    ['base fee', () => ({ baseFeePerGas: '0x1' })],
    ['bloom', () => ({ logsBloom: `0x${'ff'.repeat(256)}` })],
  ])(
    'F41 another %s: it is a bad answer, the other endpoint is asked, and later this one again',
    async (_name, edit) => {
      const truth = await chain.getBlock(2);
      expect(chain.headersAreProven).toBe(true);
      const failed = (): number => pool.status()[0]?.failed ?? 0;
      liar.lie = fieldsOf(HEADERS, edit);
      expect(await chain.getBlock(2)).toEqual(truth);
      expect(await chain.getBlock(truth.hash)).toEqual(truth);
      expect(await chain.getBlocks(2, 2)).toEqual([truth]);
      await pool.probe();
      expect(failed()).toBe(0); // the requests were served; what they held is judged by the pool
      liar.repent();
      const lies = liar.lies;
      expect(await chain.getBlock(2)).toEqual(truth);
      expect(liar.lies).toBe(lies);
    },
  );

  it('F41 over a WebSocket: the head is ignored, and its heads count again when they are right', async () => {
    const events = new RecordedEvents();
    const heads: Head[] = [];
    const stream = new HeadStream(
      {
        chainId: 31337,
        sources: [{ role: 'primary', url: new Secret(liar.wsUrl) }],
        timings: { silenceMs: 600_000 },
        headers: pool.headers,
      },
      () => chain.getBlock('latest'),
      new Clock(),
      events,
    );
    try {
      stream.start((head) => heads.push(head));
      await eventually(() => heads.length === 1, 'the first head');
      liar.lie = fieldsOf(['eth_subscription'], nextYear);
      await eventually(async () => {
        await rpc('evm_mine', []);
        return events.named('websocket-message-ignored').length > 0;
      }, 'a head that is ignored');
      const known = heads.length;
      expect(heads.at(-1)).not.toMatchObject(await chain.getBlock('latest'));
      liar.repent();
      await rpc('evm_mine', []);
      await eventually(() => heads.length > known, 'a head that is right');
      expect(heads.at(-1)).toMatchObject(await chain.getBlock('latest'));
    } finally {
      stream.stop();
    }
  });
});
