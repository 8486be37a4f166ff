/** The faults of the soak: how each begins, and how it ends. */
import { keccak256 } from 'ethers';
import { SeededRandom } from '../../devnet/random.js';
import type { Stack } from '../../devnet/stack/stack.js';
import { contractAnswers, hex, simulatedCalls, withWord } from '../../testing/nodes/lies.js';
import type { LyingNode } from '../../testing/nodes/lying-node.js';
import { OPEN, type TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import type { TransportFault } from '../../testing/nodes/transport-fault.js';
import { HOSTILE_KINDS } from '../e2e/hostile/kinds.js';
import type { Fleet } from './fleet.js';
import type { Market } from './market.js';
import type { FaultName } from './schedule.js';

export interface FaultyWorld {
  readonly stack: Stack;
  readonly primary: LyingNode;
  readonly backup: LyingNode;
  readonly database: TcpProxy;
  readonly fleet: Fleet;
  readonly market: Market;
  readonly blockMs: number;
}

/** What a fault chose, for the log, and how it ends. */
export interface Begun {
  readonly detail: string;
  readonly end: () => Promise<void> | void;
}

type Begin = (world: FaultyWorld, random: SeededRandom) => Promise<Begun> | Begun;

const DEEPEST_REORG = 4;

/** The balance of a token that a debt or a deposit is kept in. */
const SCALED_BALANCE = '0x1da24f3e';
const USER_DATA = '0xbf92857c';

const BEGINNINGS: Readonly<Record<FaultName, Begin>> = {
  'http-429': onOneNode((random) => ({
    kind: 'status',
    status: 429,
    headers: random.chance(0.5) ? { 'retry-after': String(random.integer(1, 5)) } : {},
  })),
  'http-502': onOneNode(() => ({ kind: 'status', status: 502 })),
  'black-hole': onOneNode(() => ({ kind: 'black-hole' })),
  'truncated-answers': onOneNode(() => ({ kind: 'truncated' })),
  'garbage-answers': onOneNode(() => ({ kind: 'body', body: '{"jsonrpc":"2.0","id":1,"result":' })),
  'slow-node': onOneNode((random) => ({ kind: 'slow', ms: random.integer(200, 1_500) })),
  'stale-node': async ({ stack, primary, backup }, random) => {
    const node = oneOf(random, primary, backup);
    const head = hex(await stack.devnet.provider.getBlockNumber());
    node.quiet = true;
    node.rewrite = (call) => ({
      ...call,
      params: call.params.map((param) => (param === 'latest' ? head : param)),
    });
    node.swallow = ({ method }) => (method === 'eth_blockNumber' ? { result: head } : undefined);
    return {
      detail: `the ${roleOf(node, primary)} stands at block ${Number(head)}`,
      end: () => node.repent(),
    };
  },
  'lying-call': ({ primary }) => {
    primary.lie = contractAnswers(
      ({ data }) => data.startsWith(SCALED_BALANCE) || data.startsWith(USER_DATA),
      (data) => withWord(data, 0, (value) => value * 2n),
    );
    return { detail: 'positions twice as large', end: () => primary.repent() };
  },
  'lying-simulation': ({ primary }, random) => {
    const times = BigInt(random.integer(2, 1_000));
    primary.lie = simulatedCalls(({ returnData }) => ({
      returnData: withWord(String(returnData), 6, (value) => value * times),
    }));
    return { detail: `profits ${times} times the true ones`, end: () => primary.repent() };
  },
  'lie-of-any-kind': ({ primary, stack }, random) => {
    const kind = HOSTILE_KINDS[random.integer(0, HOSTILE_KINDS.length - 1)];
    const world = { addresses: stack.devnet.addresses, random };
    primary.lie = kind?.lie?.(world);
    primary.swallow = kind?.swallow?.(world);
    return { detail: kind?.name ?? '', end: () => primary.repent() };
  },
  'transactions-kept': ({ primary, backup }) => {
    for (const node of [primary, backup])
      node.swallow = ({ method, params }) =>
        method === 'eth_sendRawTransaction' ? { result: keccak256(String(params[0])) } : undefined;
    return {
      detail: 'no node passes transactions on',
      end: () => [primary, backup].forEach((node) => node.repent()),
    };
  },
  'websocket-silent': ({ primary }) => {
    primary.quiet = true;
    return { detail: 'no heads, no logs', end: () => primary.repent() };
  },
  'websocket-cut': ({ primary }) => {
    primary.closeSockets(1012, 'service restart');
    return { detail: 'closed once', end: () => undefined };
  },
  'all-nodes-away': ({ primary, backup }) => {
    for (const node of [primary, backup]) {
      node.fault = { kind: 'status', status: 502 };
      node.closeSockets(1011, 'gone');
    }
    return { detail: '502 from both', end: () => [primary, backup].forEach((node) => node.repent()) };
  },

  reorg: async ({ market, stack, blockMs }, random) => {
    const depth = random.integer(1, DEEPEST_REORG);
    const blocks = Array.from({ length: depth }, () => []);
    await market.exclusively(() => stack.devnet.reorg(blocks, Math.max(1, Math.round(blockMs / 1_000))));
    return { detail: `${depth} blocks are replaced by empty ones`, end: () => undefined };
  },
  'chain-stands-still': async ({ market, stack, blockMs }) => {
    const { devnet } = stack;
    const release = await market.hold();
    await devnet.stopMining();
    // Otherwise each transaction would make a block.
    await devnet.rpc('evm_setAutomine', [false]);
    return {
      detail: 'no blocks',
      end: async () => {
        await devnet.startMining(blockMs);
        release();
      },
    };
  },
  'database-slow': ({ database }, random) => {
    const ms = random.integer(20, 400);
    database.become({ kind: 'slow', ms });
    return { detail: `${ms} ms each way`, end: () => database.become(OPEN) };
  },
  'database-away': ({ database }) => {
    database.become({ kind: 'away' });
    return { detail: 'connections are cut and refused', end: () => database.become(OPEN) };
  },
  'database-silent': ({ database }) => {
    database.become({ kind: 'silent' });
    return { detail: 'connections stay, nothing is answered', end: () => database.become(OPEN) };
  },
  'database-restart': async ({ stack }) => {
    await stack.restartDatabase();
    return { detail: 'the server itself', end: () => undefined };
  },
  'process-frozen': ({ fleet }) => {
    const { bot } = fleet;
    bot.freeze();
    return { detail: `process ${bot.pid}`, end: () => bot.thaw() };
  },
  'process-terminated': ({ fleet }) => ended(fleet.bot.pid, fleet.terminate()),
  'process-killed': ({ fleet }) => ended(fleet.bot.pid, fleet.kill()),
  'second-process': ({ fleet }) => {
    const second = fleet.startSecond();
    return {
      detail: 'with the same key',
      end: async () => {
        const end = await second;
        await end();
      },
    };
  },
  'operator-halt': async ({ stack, fleet }) => {
    const { bot } = fleet;
    const said = await stack
      .api('/api/v1/safety/halt', { bot, body: { reason: 'soak: an operator has a look' } })
      .catch(() => undefined);
    // The operator of the soak resumes.
    return { detail: said?.status === 200 ? 'halted' : 'the API did not answer', end: () => undefined };
  },
};

/** @throws what the world throws: a fault that cannot be played is a failure of the soak. */
export async function beginFault(world: FaultyWorld, name: FaultName, seed: number): Promise<Begun> {
  return BEGINNINGS[name](world, new SeededRandom(seed));
}

function onOneNode(fault: (random: SeededRandom) => TransportFault): Begin {
  return ({ primary, backup }, random) => {
    const node = oneOf(random, primary, backup);
    node.fault = fault(random);
    return { detail: `the ${roleOf(node, primary)}`, end: () => node.repent() };
  };
}

function ended(pid: number, done: Promise<void>): Begun {
  // A failure is reported at the end of the fault, and not before.
  done.catch(() => undefined);
  return { detail: `process ${pid}`, end: () => done };
}

const oneOf = (random: SeededRandom, primary: LyingNode, backup: LyingNode): LyingNode =>
  random.chance(0.6) ? primary : backup;
const roleOf = (node: LyingNode, primary: LyingNode): string => (node === primary ? 'primary' : 'backup');
