import { keccak256, Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import {
  durableBeforeBroadcast,
  haltsEndAsTheyMay,
  nothingSignedWhileHalted,
  oneBlockPerDecision,
  oneIntentPerNonce,
  signedAsSimulated,
  withinCaps,
  type Seen,
} from '../e2e/invariants.js';
import { Witness, type Books } from '../e2e/witness.js';

const ADDRESS = `0x${'11'.repeat(20)}`;
const BLOCK = `0x${'bb'.repeat(32)}`;
const WALLET = new Wallet(`0x${'77'.repeat(32)}`);
const CALL = { data: '0x1234', gasLimit: 500_000n, maxFeePerGas: 12n, maxPriorityFeePerGas: 2n };
/** Signed. */
let raw = '0x';
let another = '0x';
const CAPS = { volumeUsd8: 10n ** 10n, feeWei: 10n ** 18n, lossUsd8: 10n ** 9n };

let database: TestDatabase;
let books: Books;
let hashes = 0;

beforeAll(async () => {
  database = await TestDatabase.start();
  const sign = (nonce: number): Promise<string> =>
    WALLET.signTransaction({ ...CALL, type: 2, chainId: 1, to: ADDRESS, nonce });
  [raw, another] = await Promise.all([sign(0), sign(1)]);
  books = { query: (sql, values) => database.dataSource.query(sql, values && [...values]) };
});

afterAll(() => database.stop());

afterEach(async () => {
  // The tables are append-only: triggers refuse to empty them. One query, so one connection.
  await books.query(`SET session_replication_role = 'replica';
    DELETE FROM transaction_versions; DELETE FROM transactions; DELETE FROM executions;
    DELETE FROM state_transitions; DELETE FROM daily_volume; DELETE FROM daily_spend;
    SET session_replication_role = 'origin'`);
});

describe('the invariants see what breaks them', () => {
  it('two living intents under one nonce, and not one that was dropped before', async () => {
    const first = await execution('dropped');
    const transaction = await nonceOf(first);
    await version(transaction, first);
    await version(transaction, await execution('submitted'));
    expect(await oneIntentPerNonce(books)).toEqual([]);
    await version(transaction, await execution('succeeded'));
    expect(await oneIntentPerNonce(books)).toEqual([expect.stringMatching(/^nonce 0 serves the executions/)]);
  });

  it('a broadcast without a row, and one before its row', async () => {
    const id = await execution('submitted');
    const hash = await version(await nonceOf(id), id);
    const at = (atMs: number, durable?: boolean): Seen => seen([[hash, atMs, durable]]);
    expect(await durableBeforeBroadcast(books, at(Date.now() + 1_000, true))).toEqual([]);
    expect(await durableBeforeBroadcast(books, at(Date.now() + 1_000))).toEqual([]);
    expect(await durableBeforeBroadcast(books, at(Date.now() + 1_000, false))).toHaveLength(1);
    expect(await durableBeforeBroadcast(books, at(Date.now() - 60_000))).toHaveLength(1);
    expect(await durableBeforeBroadcast(books, seen([[newHash(), Date.now(), true]]))).toEqual([
      expect.stringMatching(/has no row$/),
    ]);
  });

  it('a signature while HALTED that reached a node', async () => {
    await transition('NORMAL', 'HALTED', -60);
    const id = await execution('submitted');
    const hash = await version(await nonceOf(id), id);
    expect(await nothingSignedWhileHalted(books, seen([]))).toEqual([]);
    expect(await nothingSignedWhileHalted(books, seen([[hash, Date.now(), true]]))).toHaveLength(1);
    // The same after a resume is right.
    await transition('HALTED', 'NORMAL', -30, 'demo');
    expect(await nothingSignedWhileHalted(books, seen([[hash, Date.now(), true]]))).toEqual([]);
  });

  it('a halt that the bot ends by itself, unless the chain was the cause', async () => {
    await transition('NORMAL', 'HALTED', -60, 'chimera', 'books');
    await transition('HALTED', 'NORMAL', -50, 'demo');
    await transition('NORMAL', 'HALTED', -40, 'chimera', 'chain');
    await transition('HALTED', 'NORMAL', -30, 'chimera');
    expect(await haltsEndAsTheyMay(books)).toEqual([]);
    await transition('NORMAL', 'HALTED', -20, 'chimera', 'books');
    await transition('HALTED', 'NORMAL', -10, 'chimera');
    expect(await haltsEndAsTheyMay(books)).toHaveLength(1);
  });

  it('volume, fees and losses above their caps, with what is in flight', async () => {
    await books.query("INSERT INTO daily_volume VALUES (current_date, '100', 1)");
    await books.query(
      `INSERT INTO daily_spend VALUES (1, '${ADDRESS}', current_date, 900000000000000000, '9')`,
    );
    expect(await withinCaps(books, CAPS)).toEqual([]);
    const id = await execution('submitted');
    await nonceOf(id, { feeWei: 2n * 10n ** 17n, lossUsd: '2' });
    expect(await withinCaps(books, CAPS)).toEqual([
      expect.stringMatching(/^the fees of/),
      expect.stringMatching(/^the losses of/),
    ]);
    await books.query("UPDATE daily_volume SET notional_usd = '100.00000001'");
    expect(await withinCaps(books, CAPS)).toContainEqual(expect.stringMatching(/^the volume of/));
  });

  it('a plan that was signed without a simulation at its block', async () => {
    await execution('submitted');
    expect(await oneBlockPerDecision(books, { ...seen([]), simulatedAt: new Set([BLOCK]) })).toEqual([]);
    expect(await oneBlockPerDecision(books, seen([]))).toHaveLength(1);
  });
});

describe('the witness between bot and node', () => {
  let node: LyingNode;
  let real: FakeRpc;

  beforeAll(async () => {
    real = await FakeRpc.start();
    real.on('eth_sendRawTransaction', ([raw]) => keccak256(String(raw)));
    real.on('eth_call', () => '0x');
    real.on('eth_simulateV1', () => []);
    node = await LyingNode.start({ http: real.url('http'), ws: real.url('ws') });
  });

  afterAll(async () => {
    await node.stop();
    await real.stop();
  });

  it('looks into the database before the node has the transaction', async () => {
    const witness = new Witness(books);
    witness.watch(node);
    await ask([['eth_sendRawTransaction', [raw]]]);
    expect([...witness.broadcasts.values()]).toMatchObject([{ hash: keccak256(raw), durable: false }]);

    const id = await execution('submitted');
    await version(await nonceOf(id), id, keccak256(another));
    await ask([['eth_sendRawTransaction', [another]]]);
    expect(witness.broadcasts.get(keccak256(another))).toMatchObject({ durable: true });
    expect(await durableBeforeBroadcast(books, witness)).toHaveLength(1);
  });

  it('sees a request that simulates at one block and reads at another', async () => {
    const witness = new Witness(books);
    witness.watch(node);
    const at = { blockHash: BLOCK };
    await ask([
      ['eth_simulateV1', [{}, at]],
      ['eth_call', [{}, at]],
    ]);
    expect(witness.mixed).toEqual([]);
    expect([...witness.simulatedAt]).toEqual([BLOCK]);
    await ask([
      ['eth_simulateV1', [{}, at]],
      ['eth_call', [{}, 'latest']],
    ]);
    expect(witness.mixed).toHaveLength(1);
  });

  it('sees a transaction of which another call was simulated, by its gas limit or its fees', async () => {
    const simulated = {
      ...{ from: WALLET.address.toLowerCase(), to: ADDRESS, input: CALL.data, gas: '0x7a120' },
      ...{ maxFeePerGas: '0xc', maxPriorityFeePerGas: '0x2' },
    };
    for (const [other, broken] of [
      [{}, 0],
      [{ gas: '0x7a121' }, 1],
      [{ maxPriorityFeePerGas: '0x1' }, 1],
      [{ input: '0x1235' }, 1],
    ] as const) {
      const witness = new Witness(books);
      witness.watch(node);
      await ask([
        ['eth_simulateV1', [{ blockStateCalls: [{ calls: [{ ...simulated, ...other }] }] }, 'latest']],
      ]);
      await ask([['eth_sendRawTransaction', [raw]]]);
      expect(signedAsSimulated(witness)).toHaveLength(broken);
    }
  });

  async function ask(
    calls: readonly (readonly [method: string, params: readonly unknown[]])[],
  ): Promise<void> {
    const body = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(node.httpUrl, { method: 'POST', headers, body: JSON.stringify(body) });
    await answer.json();
  }
});

function seen(
  broadcasts: readonly (readonly [hash: string, atMs: number, durable: boolean | undefined])[],
): Seen {
  return {
    broadcasts: new Map(broadcasts.map(([hash, atMs, durable]) => [hash, { hash, atMs, durable }])),
    simulatedAt: new Set(),
    mixed: [],
    unproved: [],
  };
}

function newHash(): string {
  hashes += 1;
  return `0x${hashes.toString(16).padStart(64, '0')}`;
}

/** @returns the id of a row that was signed */
async function execution(status: string): Promise<string> {
  const [row] = await books.query<{ id: string }>(
    `INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, collateral_asset, debt_asset,
       debt_to_cover, expected_collateral, simulated_profit_usd, gas_cost_usd, l1_fee_usd, operator_fee_usd,
       pool_fee_usd, bid_usd, simulated_net_profit_usd, notional_usd, mode, plan, status, tx_hash)
     VALUES ('aave', $1, 1, $2, 1, $1, $1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'live', '{}', $3, $4) RETURNING id`,
    [ADDRESS, BLOCK, status, newHash()],
  );
  return row?.id ?? '';
}

/** @returns the id of the row of nonce 0, in flight */
async function nonceOf(executionId: string, reserved = { feeWei: 0n, lossUsd: '0' }): Promise<string> {
  const [row] = await books.query<{ id: string }>(
    `INSERT INTO transactions (execution_id, chain_id, sender, nonce, hash, raw, status, reserved_fee_wei, reserved_loss_usd)
     VALUES ($1, 1, $2, 0, $3, $4, 'broadcast', $5, $6) RETURNING id`,
    [executionId, ADDRESS, newHash(), raw, String(reserved.feeWei), reserved.lossUsd],
  );
  return row?.id ?? '';
}

async function version(transactionId: string, executionId: string, hash = newHash()): Promise<string> {
  await books.query(
    "INSERT INTO transaction_versions (transaction_id, execution_id, hash, raw, kind) VALUES ($1, $2, $3, $4, 'first')",
    [transactionId, executionId, hash, raw],
  );
  return hash;
}

async function transition(
  from: string,
  to: string,
  secondsFromNow: number,
  actor = 'chimera',
  cause: string | null = null,
): Promise<void> {
  await books.query(
    `INSERT INTO state_transitions (from_state, to_state, reason, actor, cause, at, chain_id)
     VALUES ($1, $2, 'a test', $3, $4, now() + $5::int * interval '1 second', 1)`,
    [from, to, actor, cause, secondsFromNow],
  );
}
