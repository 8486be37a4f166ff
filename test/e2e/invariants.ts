/**
 * What must hold whatever happens around the bot (docs/faults.md, "What always holds"). Each function gives a
 * sentence for everything that breaks its rule: none when it holds.
 */
import { id, Interface, type TransactionReceipt } from 'ethers';
import { TOKEN_SYMBOLS } from '../../devnet/index.js';
import type { Stack } from '../../devnet/stack/stack.js';
import { usd8FromText } from '../../src/database/columns.js';
import type { Books, Witness } from './witness.js';

/** What nodes saw of it. */
export type Seen = Pick<Witness, 'broadcasts' | 'simulatedAt' | 'mixed' | 'unproved'>;

/** Limits of one UTC day. */
export interface DailyCaps {
  readonly volumeUsd8: bigint;
  readonly feeWei: bigint;
  readonly lossUsd8: bigint;
}

/** Other processes learn of a halt a second later than the one that halts. */
const HALT_GRACE_MS = 2_500;
const erc20 = new Interface(['event Transfer(address indexed from, address indexed to, uint256 value)']);

/** One intent for each (chain, sender, nonce): of all that a nonce was signed for, at most one is alive. */
export async function oneIntentPerNonce(books: Books): Promise<string[]> {
  const rows = await books.query<{ nonce: string; ids: string[] }>(
    `SELECT t.nonce::text, array_agg(DISTINCT e.id::text) AS ids
       FROM transactions t JOIN transaction_versions v ON v.transaction_id = t.id JOIN executions e ON e.id = v.execution_id
      WHERE e.status IN ('authorised', 'submitted', 'succeeded', 'reverted', 'cancelled')
      GROUP BY t.chain_id, t.sender, t.nonce HAVING count(DISTINCT e.id) > 1`,
  );
  return rows.map(({ nonce, ids }) => `nonce ${nonce} serves the executions ${ids.join(' and ')}`);
}

/** No broadcast without a durable row. */
export async function durableBeforeBroadcast(books: Books, { broadcasts }: Seen): Promise<string[]> {
  const rows = await books.query<{ hash: string; at: string }>(
    'SELECT hash, (extract(epoch FROM created_at) * 1000)::text AS at FROM transaction_versions',
  );
  const createdAtMs = new Map(rows.map(({ hash, at }) => [hash, Number(at)]));
  return [...broadcasts.values()].flatMap(({ hash, atMs, durable }) => {
    const at = createdAtMs.get(hash);
    if (at === undefined) return [`${hash} was handed to a node and has no row`];
    if (durable === false) return [`${hash} was handed to a node before its row was durable`];
    // The database did not answer at that moment: its own clock has to do.
    return durable === undefined && at > atMs ? [`${hash} was handed to a node before its row was made`] : [];
  });
}

/** No new signature while HALTED: nothing that was signed then reached a node. */
export async function nothingSignedWhileHalted(books: Books, { broadcasts }: Seen): Promise<string[]> {
  const halts = await haltsOf(books);
  const rows = await books.query<{ chain: string; hash: string; at: string }>(
    `SELECT t.chain_id::text AS chain, v.hash, (extract(epoch FROM v.created_at) * 1000)::text AS at
       FROM transaction_versions v JOIN transactions t ON t.id = v.transaction_id`,
  );
  return rows.flatMap(({ chain, hash, at }) => {
    const sentAtMs = broadcasts.get(hash)?.atMs;
    const during = halts.find(
      ({ fromMs, toMs, ...halt }) =>
        halt.chain === chain &&
        Number(at) > fromMs + HALT_GRACE_MS &&
        (sentAtMs ?? Infinity) < toMs &&
        sentAtMs !== undefined,
    );
    return during ? [`${hash} was signed and sent while HALTED: ${during.reason}`] : [];
  });
}

/** Outages of what is outside: these halts may end by themselves. */
const ENDS_BY_ITSELF: readonly (string | null)[] = ['chain', 'rpc'];

/** HALTED survives everything but an operator, and a chain or nodes that are well again. */
export async function haltsEndAsTheyMay(books: Books): Promise<string[]> {
  const halts = await haltsOf(books);
  return halts.flatMap(({ cause, endedBy, reason, endReason }) =>
    endedBy === 'chimera' && !ENDS_BY_ITSELF.includes(cause)
      ? [`the halt "${reason}" (${String(cause)}) was ended by the bot itself: ${endReason ?? ''}`]
      : [],
  );
}

/** Volume, fees and losses of each day, with the most that what is in flight may still cost. */
export async function withinCaps(books: Books, caps: DailyCaps): Promise<string[]> {
  // One statement, so one moment.
  const rows = await books.query<{
    kind: 'volume' | 'spent' | 'open';
    day: string;
    usd: string;
    wei: string;
  }>(
    `SELECT 'volume' AS kind, day::text, notional_usd::text AS usd, '0' AS wei FROM daily_volume
     UNION ALL SELECT 'spent', day::text, sum(loss_usd)::text, sum(fee_wei)::text FROM daily_spend GROUP BY day
     UNION ALL SELECT 'open', (now() AT TIME ZONE 'UTC')::date::text, coalesce(sum(reserved_loss_usd), 0)::text,
       coalesce(sum(reserved_fee_wei), 0)::text FROM transactions WHERE status IN ('prepared', 'broadcast')`,
  );
  const open = rows.find(({ kind }) => kind === 'open');
  return rows.flatMap(({ kind, day, usd, wei }) => {
    if (kind === 'open') return [];
    if (kind === 'volume')
      return usd8FromText(usd) > caps.volumeUsd8 ? [`the volume of ${day} is ${usd} USD`] : [];
    const inFlight = open?.day === day ? open : { usd: '0', wei: '0' };
    const feeWei = BigInt(wei) + BigInt(inFlight.wei);
    const lossUsd8 = usd8FromText(usd) + usd8FromText(inFlight.usd);
    return [
      ...(feeWei > caps.feeWei ? [`the fees of ${day} are ${feeWei} wei, with what is in flight`] : []),
      ...(lossUsd8 > caps.lossUsd8
        ? [`the losses of ${day} are ${lossUsd8} USD8, with what is in flight`]
        : []),
    ];
  });
}

/**
 * No decision mixes block hashes: a request that simulates reads one block, and each plan that was signed was
 * simulated at the block that its row names.
 */
export async function oneBlockPerDecision(books: Books, { mixed, simulatedAt }: Seen): Promise<string[]> {
  const rows = await books.query<{ id: string; hash: string }>(
    `SELECT id::text, block_hash AS hash FROM executions WHERE tx_hash IS NOT NULL`,
  );
  return [
    ...mixed.map((reads) => `one request reads several blocks: ${reads}`),
    ...rows.flatMap(({ id, hash }) =>
      simulatedAt.has(hash)
        ? []
        : [`execution ${id} was signed, and nothing was simulated at its block ${hash}`],
    ),
  ];
}

/** What is signed was simulated before, to the byte: sender, receiver, data, gas limit and fees. */
export function signedAsSimulated({ unproved }: Pick<Seen, 'unproved'>): string[] {
  return unproved.map((hash) => `${hash} was handed to a node, and no such call was simulated before`);
}

/** The contract holds nothing: neither tokens nor ether. */
export async function contractHoldsNothing({ devnet }: Stack, block: number | 'latest'): Promise<string[]> {
  const { chimera } = devnet.addresses;
  const ether = await devnet.provider.getBalance(chimera, block);
  const held = await Promise.all(
    TOKEN_SYMBOLS.map(async (symbol) => {
      const balance: unknown = await devnet.token(symbol).getFunction('balanceOf')(chimera, {
        blockTag: block,
      });
      return balance === 0n ? [] : [`the contract holds ${String(balance)} ${symbol} in block ${block}`];
    }),
  );
  return [...held.flat(), ...(ether === 0n ? [] : [`the contract holds ${ether} wei in block ${block}`])];
}

/** Deposit of WETH. */
const WRAPPED = id('Deposit(address,uint256)');

/** Of each token that a transaction brings to the contract, it takes as much away again. */
export function leavesNothing(receipt: TransactionReceipt, chimera: string): string[] {
  const balances = new Map<string, bigint>();
  const add = (token: string, amount: bigint): void =>
    void balances.set(token, (balances.get(token) ?? 0n) + amount);
  for (const { address, topics, data } of receipt.logs) {
    // What Compound pays in ether is wrapped: the WETH comes without a Transfer.
    if (topics[0] === WRAPPED && topics[1]?.endsWith(chimera.slice(2).toLowerCase()))
      add(address, BigInt(data));
    const event = topics.length === 3 ? erc20.parseLog({ topics: [...topics], data }) : null;
    if (!event) continue;
    const [from, to, value] = event.args as unknown as [string, string, bigint];
    if (to.toLowerCase() === chimera.toLowerCase()) add(address, value);
    if (from.toLowerCase() === chimera.toLowerCase()) add(address, -value);
  }
  return [...balances].flatMap(([token, left]) =>
    left === 0n ? [] : [`${receipt.hash} leaves ${left} of ${token} in the contract`],
  );
}

/** A time in which the bot was HALTED, as its database has it. */
export interface Halt {
  /** The id of the chain that it stops. */
  readonly chain: string;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  readonly toMs: number;
  readonly cause: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly endedBy: string | undefined;
  readonly endReason: string | undefined;
}

interface Transition {
  readonly chain: string;
  readonly from: string;
  readonly to: string;
  readonly cause: string | null;
  readonly reason: string;
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly at: string;
}

export async function haltsOf(books: Books): Promise<Halt[]> {
  const rows = await books.query<Transition>(
    `SELECT chain_id::text AS chain, from_state AS from, to_state AS to, cause, reason, actor, (extract(epoch FROM at) * 1000)::text AS at
       FROM state_transitions ORDER BY id`,
  );
  return rows.flatMap(({ from, to, at, ...halt }, index): Halt[] => {
    if (to !== 'HALTED' || from === 'HALTED') return [];
    const end = rows
      .slice(index + 1)
      .find((later) => later.chain === halt.chain && later.from === 'HALTED' && later.to !== 'HALTED');
    const toMs = end ? Number(end.at) : Infinity;
    return [{ ...halt, fromMs: Number(at), toMs, endedBy: end?.actor, endReason: end?.reason }];
  });
}
