import { Logger } from '@nestjs/common';
import { AbiCoder } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { LaggingNode } from '../../testing/nodes/lagging-node.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { send } from '../../testing/send.js';
import type { ChimeraConfig } from '../config/index.js';
import { Secret } from '../domain/secret.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import type { SafetyController } from '../safety/index.js';
import { ContractWatch } from './contract-watch.js';
import { Signer } from './signer.js';
import { faultBegins } from '../../testing/fault-times.js';

/** What Multicall3 answers when isExecutor, paused, owner and treasury return these words, or nothing. */
const told = (words: readonly string[]): string =>
  AbiCoder.defaultAbiCoder().encode(['tuple(bool,bytes)[]'], [words.map((word) => [true, word])]);
const ONE = `0x${'1'.padStart(64, '0')}`;
const NO_CONTRACT = told(['0x', '0x', '0x', '0x']);
const STRANGER = '0x00000000000000000000000000000000000000a1';

describe('F36 the watch over our contract', { timeout: 60_000 }, () => {
  let devnet: Devnet;
  let clean: string;
  let backup: FakeRpc;
  let halts: string[];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    devnet = await startDevnet();
  });

  beforeEach(async () => {
    clean = await devnet.snapshot();
    backup = await FakeRpc.start();
    backup.forwardTo(devnet.rpcUrl);
    halts = [];
  });

  afterEach(async () => {
    await backup.stop();
    await devnet.revert(clean);
  });

  afterAll(() => devnet.stop());

  const watch = (primary = devnet.rpcUrl, second = backup.url('http')): ContractWatch => {
    const pool = new RpcPool({
      chainId: devnet.chainId,
      primary: { http: new Secret(primary) },
      backup: { http: new Secret(second) },
    });
    const safety = standIn<SafetyController>('safety', {
      raise: (cause, level, reason) => {
        halts.push(`${cause} ${level}: ${reason}`);
        return Promise.resolve();
      },
    });
    const execution = { chimera: devnet.addresses.chimera.toLowerCase(), mode: 'live' };
    const signer = Signer.fromSecret(new Secret(operatorPrivateKey), devnet.chainId);
    return new ContractWatch(pool, signer, safety, { execution } as ChimeraConfig);
  };
  const look = async (one: ContractWatch, times: number): Promise<void> => {
    for (let n = 0; n < times; n++) await one.look();
  };
  const byOwner = (method: string, ...args: unknown[]): Promise<unknown> =>
    send(devnet, devnet.accounts.deployer, devnet.contracts.chimera, method, ...args);

  it('all is well: it says nothing', async () => {
    await look(watch(), 5);
    expect(halts).toEqual([]);
  });

  it.each([
    [
      'the executor role is revoked',
      'setExecutor',
      (net: Devnet) => [net.accounts.operator, false],
      'does not accept the wallet',
    ],
    ['it is paused', 'pause', () => [], 'is paused; its owner has to call unpause'],
    ['the treasury is another', 'setTreasury', () => [STRANGER], `pays another treasury: ${STRANGER}`],
  ] as const)('%s: halts when it was seen twice', async (_, method, args, expected) => {
    const one = watch();
    await look(one, 1);
    const fault = faultBegins();
    await byOwner(method, ...args(devnet));
    await look(one, 1);
    expect(halts).toEqual([]);
    await look(one, 1);
    expect(halts).toEqual([expect.stringMatching(/^contract HALTED: the contract 0x/)]);
    fault.detected();
    expect(halts[0]).toContain(expected);
  });

  it('the owner is another: halts, although the new owner may be a good one', async () => {
    const one = watch();
    await look(one, 1);
    await byOwner('transferOwnership', devnet.accounts.treasury);
    await look(one, 3);
    expect(halts).toEqual([]); // not accepted yet
    await send(devnet, devnet.accounts.treasury, devnet.contracts.chimera, 'acceptOwnership');
    await look(one, 2);
    expect(halts).toEqual([expect.stringContaining('has another owner: ')]);
  });

  it('one that answers alone names a block far ahead: a pause is seen all the same, half a minute later', async () => {
    const liar = await FakeRpc.start();
    liar.forwardTo(devnet.rpcUrl);
    const one = watch(liar.url('http'));
    backup.fault = { kind: 'status', status: 503, body: 'away' };
    liar.on('eth_blockNumber', () => '0xffffff');
    await look(one, 1);
    liar.on('eth_blockNumber', () => devnet.rpc('eth_blockNumber', []));
    backup.fault = undefined;
    await byOwner('pause');
    await look(one, 5);
    expect(halts).toEqual([]);
    await look(one, 3);
    expect(halts).toEqual([expect.stringContaining('is paused')]);
    await liar.stop();
  });

  it('one endpoint alone says that it is paused, or that there is no contract: nothing halts', async () => {
    const one = watch();
    await look(one, 1);
    for (const answer of [told([ONE, ONE, ONE, ONE]), NO_CONTRACT, '0x']) {
      backup.on('eth_call', () => answer);
      await look(one, 4);
      expect(halts).toEqual([]);
    }
    backup.forwardTo(devnet.rpcUrl);
    await byOwner('pause');
    await look(one, 2);
    expect(halts).toHaveLength(1);
  });

  it('F08 all nodes lag, to before the contract was deployed: what they show is the past, and nothing halts', async () => {
    const node = await LaggingNode.start(devnet.rpcUrl);
    try {
      const one = watch(node.url, node.url);
      await look(one, 1);
      node.lagBlocks = 1_000;
      await look(one, 4);
      expect(halts).toEqual([]);
      node.lagBlocks = 0;
      await byOwner('pause');
      await look(one, 2);
      expect(halts).toHaveLength(1);
    } finally {
      await node.stop();
    }
  });

  it('two looks with a disagreement between them are not two in a row', async () => {
    const one = watch();
    await look(one, 1);
    await byOwner('pause');
    await look(one, 1);
    backup.on('eth_call', () => NO_CONTRACT);
    await look(one, 1);
    backup.forwardTo(devnet.rpcUrl);
    await look(one, 1);
    expect(halts).toEqual([]);
    await look(one, 1);
    expect(halts).toHaveLength(1);
  });

  it('all say that there is no contract any more: halts', async () => {
    const primary = await FakeRpc.start();
    primary.forwardTo(devnet.rpcUrl);
    const one = watch(primary.url('http'));
    await look(one, 1);
    for (const node of [primary, backup]) node.on('eth_call', () => NO_CONTRACT);
    await look(one, 2);
    expect(halts).toEqual([expect.stringContaining('does not answer: it is gone')]);
    await primary.stop();
  });

  it('asks each endpoint by two calls', async () => {
    const before = backup.seen.length;
    await look(watch(), 1);
    expect(backup.seen.slice(before).map(({ method }) => method)).toEqual(['eth_blockNumber', 'eth_call']);
  });

  it('one endpoint is silent: the word of the other counts', async () => {
    const one = watch();
    await look(one, 1);
    await byOwner('pause');
    backup.failMethod('eth_call', { kind: 'reset' });
    await look(one, 2);
    expect(halts).toHaveLength(1);
  });
});
