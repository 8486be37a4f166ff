import { HDNodeWallet, keccak256, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compileOwn } from '../../../devnet/artifacts/artifacts.js';
import { AnvilProcess } from '../../../devnet/chain/anvil.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { RpcClient } from '../../../devnet/chain/rpc.js';
import { setMulticall3 } from '../../../devnet/deploy/predeploys.js';
import { eventually } from '../../../testing/nodes/fake-rpc.js';
import type { Block, Head } from '../../domain/block.js';
import { Clock } from '../../domain/clock.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { Secret } from '../../domain/secret.js';
import type { RawLog } from './chain-answers.js';
import { Chain } from './chain.js';
import { HeadStream } from '../heads/head-stream.js';
import type { MulticallCall } from './multicall3.js';
import {
  CallReverted,
  FeeTooLow,
  InsufficientFunds,
  NonceTooLow,
  ReplacementUnderpriced,
} from '../rpc-errors.js';
import { RpcPool } from '../endpoints/rpc-pool.js';

const CHAIN_ID = 31337;
const UNKNOWN: Hash = `0x${'12'.repeat(32)}`;

/** Without data: returns slot 0. With 32 bytes of data: stores them in slot 0 and logs the topic 42. */
const CELL: Address = '0x00000000000000000000000000000000000000ce';
const CELL_CODE = '0x36600c575f545f5260205ff35b5f355f55602a5f5fa100';
const CELL_TOPIC = word(42);
/** Returns the priority fee of the transaction that calls it: gas price less base fee. */
const TIP_READER: Address = '0x0000000000000000000000000000000000000071';
const TIP_READER_CODE = '0x483a035f5260205ff3';
/** Reverts with the word 0xff. */
const REVERTER: Address = '0x00000000000000000000000000000000000000fe';
const REVERTER_CODE = '0x60ff5f5260205ffd';

let anvil: AnvilProcess;
let pool: RpcPool;
let chain: Chain;
let wallet: HDNodeWallet;
let sender: Address;

beforeAll(async () => {
  anvil = await AnvilProcess.start({ chainId: CHAIN_ID, port: 0, statesKept: 100 });
  pool = new RpcPool({ chainId: CHAIN_ID, primary: { http: new Secret(anvil.url) } });
  chain = new Chain(pool);
  wallet = Wallet.createRandom();
  sender = wallet.address.toLowerCase() as Address;
  await rpc('anvil_setBalance', [sender, '0xde0b6b3a7640000']);
  await rpc('anvil_setCode', [CELL, CELL_CODE]);
  await rpc('anvil_setCode', [REVERTER, REVERTER_CODE]);
  await rpc('anvil_setCode', [TIP_READER, TIP_READER_CODE]);
  await setMulticall3(new RpcClient(anvil.url), await compileOwn());
  await mine();
});

afterAll(async () => {
  pool.close();
  await anvil.stop();
});

const rpc = (method: string, params: unknown[]): Promise<unknown> => pool.call(method, params, (raw) => raw);
const mine = (): Promise<unknown> => rpc('evm_mine', []);
const latest = (): Promise<Block> => chain.getBlock('latest');

function word(value: number): Hash {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

async function signed(fields: {
  nonce: number;
  data?: Hex;
  maxFeePerGas?: bigint;
  value?: bigint;
}): Promise<{ raw: Hex; hash: Hash }> {
  const raw = (await wallet.signTransaction({
    type: 2,
    chainId: CHAIN_ID,
    to: CELL,
    gasLimit: 100_000,
    maxFeePerGas: 1_000_000_000n,
    maxPriorityFeePerGas: 1_000n,
    ...fields,
  })) as Hex;
  return { raw, hash: keccak256(raw) as Hash };
}

it('the start-up check passes on our chain and finds another chain', async () => {
  expect(await pool.checkEndpoints()).toEqual([]);
  const other = new RpcPool({ chainId: 8453, primary: { http: new Secret(anvil.url) } });
  expect(await other.checkEndpoints()).toEqual([
    {
      role: 'primary',
      problem: 'rpc.primary answers chain id 31337, 8453 was expected',
      wrongChain: true,
    },
  ]);
  other.close();
});

describe('reading', () => {
  it('a block by tag, number and hash, and an unknown block', async () => {
    const block = await latest();
    expect(block.number).toBeGreaterThan(0);
    expect(await chain.getBlock(block.number)).toEqual(block);
    expect(await chain.getBlock(block.hash)).toEqual(block);
    await expect(chain.getBlock(UNKNOWN)).rejects.toMatchObject({ kind: 'out-of-sync' });
  });

  it('a call, a revert, and a call at an unknown block', async () => {
    const { hash } = await latest();
    expect(await chain.ethCall({ to: CELL, data: '0x' }, hash)).toMatch(/^0x[0-9a-f]{64}$/);
    const reverted = await chain.ethCall({ from: sender, to: REVERTER, data: '0x' }, hash);
    expect(reverted).toBeInstanceOf(CallReverted);
    expect(reverted).toMatchObject({ data: word(0xff) });
    await expect(chain.ethCall({ to: CELL, data: '0x' }, UNKNOWN)).rejects.toMatchObject({
      kind: 'out-of-sync',
    });
  });

  it('many calls through Multicall3 in chunks, reverts among them', async () => {
    const { hash } = await latest();
    const calls: MulticallCall[] = Array.from({ length: 25 }, (_, index) => ({
      to: index % 5 === 4 ? REVERTER : CELL,
      data: '0x',
    }));
    const results = await chain.multicall(calls, hash, { chunk: 10 });
    expect(results).toHaveLength(25);
    for (const [index, result] of results.entries()) expect(result.success).toBe(index % 5 !== 4);
    expect(results[4]?.data).toBe(word(0xff));
  });

  it('of two calls simulated on top of a block the second sees the effects of the first, and the chain does not change', async () => {
    const { hash } = await latest();
    const before = await chain.ethCall({ to: CELL, data: '0x' }, hash);
    const [write, read, fail] = await chain.simulateV1(
      [
        { from: sender, to: CELL, data: word(7) },
        { from: sender, to: CELL, data: '0x' },
        { from: sender, to: REVERTER, data: '0x' },
      ],
      hash,
    );
    expect(write).toMatchObject({
      success: true,
      logs: [{ address: CELL, topics: [CELL_TOPIC], data: '0x' }],
    });
    expect(write?.gasUsed).toBeGreaterThan(21_000n);
    expect(read).toMatchObject({ success: true, returnData: word(7) });
    expect(fail).toMatchObject({ success: false, returnData: word(0xff), logs: [] });
    expect(await chain.ethCall({ to: CELL, data: '0x' }, hash)).toBe(before);
  });

  it('a simulated call sees the tip that it offers, of a sender that need not have it', async () => {
    const { hash } = await latest();
    const poor: Address = '0x0000000000000000000000000000000000009009';
    const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 7n };
    const call = { from: poor, to: TIP_READER, data: '0x', gas: 2_500_000n, fees } as const;
    const stateOverrides = { [poor]: { balance: 10n ** 24n } };
    const [first, second] = await chain.simulateV1([call, call], hash, { stateOverrides });
    expect([first, second].map((one) => BigInt(one?.returnData ?? '0x0'))).toEqual([7n, 7n]);
    // Without it the node refuses, and with it the whole question.
    await expect(chain.simulateV1([call], hash)).rejects.toThrow(InsufficientFunds);
  });

  it('a simulation with overrides of state and block', async () => {
    const { hash } = await latest();
    const poor: Address = '0x00000000000000000000000000000000000000ab';
    const [paid] = await chain.simulateV1([{ from: poor, to: CELL, data: word(1), value: 5n }], hash, {
      // The code returns the timestamp.
      stateOverrides: { [poor]: { balance: 10n }, [CELL]: { code: '0x425f5260205ff3' } },
      blockOverrides: { timestamp: 4_000_000_000 },
    });
    expect(paid).toMatchObject({ success: true, returnData: word(4_000_000_000) });
  });
});

describe('sending', () => {
  it('a transaction, its receipt and its logs, and then every refusal of the node', async () => {
    const nonce = await chain.getTransactionCount(sender);
    const { raw, hash } = await signed({ nonce, data: word(9) });
    const balance = await chain.getBalance(sender);

    expect(await chain.sendRawTransaction(raw, hash)).toEqual({ kind: 'accepted', alreadyKnown: false });
    // F24
    expect(await chain.sendRawTransaction(raw, hash)).toEqual({ kind: 'accepted', alreadyKnown: true });
    expect(await chain.getTransactionReceipt(hash)).toBeUndefined();
    expect(await chain.getTransaction(hash)).toMatchObject({ from: sender, nonce, blockNumber: undefined });
    expect(await chain.getTransactionCount(sender, 'pending')).toBe(nonce + 1);

    const cheaper = await signed({ nonce, data: word(8), maxFeePerGas: 900_000_000n });
    expect(await chain.sendRawTransaction(cheaper.raw, cheaper.hash)).toMatchObject({
      kind: 'refused',
      error: expect.any(ReplacementUnderpriced) as unknown,
    });

    await mine();
    const block = await latest();
    const receipt = await chain.getTransactionReceipt(hash);
    expect(receipt).toMatchObject({ status: 'success', from: sender, to: CELL, blockHash: block.hash });
    expect(receipt?.effectiveGasPrice).toBe(block.baseFeePerGas + 1_000n);
    const paid = balance - (await chain.getBalance(sender, block.hash));
    expect(paid).toBeGreaterThanOrEqual((receipt?.gasUsed ?? 0n) * (receipt?.effectiveGasPrice ?? 0n));

    const logs = await chain.getLogs(
      { fromBlock: block.number, toBlock: block.number },
      [CELL],
      [CELL_TOPIC],
    );
    expect(logs).toEqual(receipt?.logs);
    expect(await chain.getLogs({ blockHash: block.hash }, [CELL], [[CELL_TOPIC]])).toEqual(logs);
    expect(await chain.ethCall({ to: CELL, data: '0x' }, block.hash)).toBe(word(9));
    expect(await chain.getCode(CELL, block.hash)).toBe(CELL_CODE);

    const refusals: [Promise<{ raw: Hex; hash: Hash }>, unknown][] = [
      [Promise.resolve({ raw, hash }), expect.any(NonceTooLow)], // although it is mined: only its hash tells
      [signed({ nonce: nonce + 1, maxFeePerGas: 1_000n }), expect.any(FeeTooLow)],
      [signed({ nonce: nonce + 1, value: 10n ** 20n }), expect.any(InsufficientFunds)],
    ];
    for (const [transaction, error] of refusals) {
      const { raw: bytes, hash: own } = await transaction;
      expect(await chain.sendRawTransaction(bytes, own)).toEqual({ kind: 'refused', error });
    }
  });
});

describe('heads', () => {
  it('heads come over WebSocket, and by polling without one', async () => {
    const url = new Secret(anvil.url.replace('http', 'ws'));
    const heads: Head[] = [];
    const stream = new HeadStream(
      { chainId: CHAIN_ID, sources: [{ role: 'primary', url }] },
      latest,
      new Clock(),
      new RecordedEvents(),
    );
    stream.start((head) => heads.push(head));
    await eventually(() => heads.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50)); // until it has subscribed
    for (let i = 2; i <= 4; i++) {
      await mine();
      await eventually(() => heads.length === i);
    }
    stream.stop();
    const blocks = await Promise.all(heads.map(({ hash }) => chain.getBlock(hash)));
    expect(heads).toEqual(blocks.map((block) => ({ ...block, receivedAtMs: expect.any(Number) as unknown })));
    expect(stream.status.via).toBe('websocket');

    const polled: Head[] = [];
    const polling = new HeadStream(
      { chainId: CHAIN_ID, sources: [], timings: { pollIntervalMs: 10 } },
      latest,
      new Clock(),
      new RecordedEvents(),
    );
    polling.start((head) => polled.push(head));
    await eventually(() => polled.length === 1);
    await mine();
    await eventually(() => polled.length === 2);
    polling.stop();
  });

  it('the logs that come over WebSocket are those that the block is asked for', async () => {
    const url = new Secret(anvil.url.replace('http', 'ws'));
    const stream = new HeadStream(
      { chainId: CHAIN_ID, sources: [{ role: 'primary', url }] },
      latest,
      new Clock(),
      new RecordedEvents(),
    );
    let head: Head | undefined;
    stream.listenTo([REVERTER]);
    stream.start((latestHead) => (head = latestHead));
    await eventually(() => head !== undefined);
    stream.listenTo([REVERTER, CELL]);
    const write = async (): Promise<void> => {
      const { raw, hash } = await signed({ nonce: await chain.getTransactionCount(sender), data: word(11) });
      await chain.sendRawTransaction(raw, hash);
      const before = head?.number ?? 0;
      await mine();
      await eventually(() => (head?.number ?? 0) > before);
    };
    const logsOfHead = (): readonly RawLog[] => stream.heard(head!.hash);
    for (let tries = 0; tries < 20 && (!head || logsOfHead().length === 0); tries++) {
      await write(); // until the subscription is confirmed
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const asked = await chain.getLogs({ blockHash: head!.hash }, [CELL], [], { mustHold: logsOfHead() });
    expect(asked).toHaveLength(1);
    expect(logsOfHead()).toEqual(asked);
    stream.stop();
  });
});
