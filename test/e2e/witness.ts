/** What the nodes see of the bot, and when: the proof that its books cannot give of themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { keccak256, Transaction } from 'ethers';
import type { Stack } from '../../devnet/stack/stack.js';
import type { Call, LyingNode } from '../../testing/nodes/lying-node.js';

/** The database of the bot, read past the bot. */
export type Books = Pick<Stack, 'query'>;

/** A transaction, as it arrived at a node for the first time. */
export interface Broadcast {
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Whether the database had it at that moment; undefined while the database did not say. */
  durable: boolean | undefined;
}

/** A node's answer must not wait for a database that is away. Milliseconds. */
const LOOK_MS = 300;
/** Calls that read the state of a block. */
const STATE_READS = ['eth_call', 'eth_simulateV1', 'eth_getBalance', 'eth_getStorageAt'];

/** Looks at every request that the bot makes to the nodes it is shown. */
export class Witness {
  readonly broadcasts = new Map<string, Broadcast>();
  /** The blocks at which something was simulated, by hash. */
  readonly simulatedAt = new Set<string>();
  /** Requests that simulate, and read states of more than one block. */
  readonly mixed: string[] = [];
  /** What was simulated: sender, receiver, data, gas limit and fees, as one hash. */
  readonly simulated = new Set<string>();
  /** The hashes of transactions that came without such a simulation. A cancellation calls nothing. */
  readonly unproved: string[] = [];

  constructor(private readonly books: Books) {}

  watch(node: LyingNode): void {
    node.onRequest = (calls) => this.see(calls);
  }

  private async see(calls: readonly Call[]): Promise<void> {
    const atMs = Date.now();
    this.seeReads(calls);
    const sent = calls.filter(({ method }) => method === 'eth_sendRawTransaction');
    await Promise.all(sent.map(({ params }) => this.seeTransaction(String(params[0]), atMs)));
  }

  private async seeTransaction(raw: string, atMs: number): Promise<void> {
    const hash = keccak256(raw);
    if (this.broadcasts.has(hash)) return;
    const broadcast: Broadcast = { hash, atMs, durable: undefined };
    if (!this.isProved(raw)) this.unproved.push(hash);
    this.broadcasts.set(hash, broadcast);
    const look = this.books
      .query('SELECT FROM transaction_versions WHERE hash = $1', [hash])
      .then((rows) => rows.length > 0)
      .catch(() => undefined);
    broadcast.durable = await Promise.race([look, sleep(LOOK_MS, undefined)]);
  }

  private isProved(raw: string): boolean {
    const { from, to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas, value } = Transaction.from(raw);
    if (data === '0x') return true;
    const call = { from, to, input: data, gas: gasLimit, maxFeePerGas, maxPriorityFeePerGas, value };
    return this.simulated.has(fingerprintOf(call));
  }

  private seeReads(calls: readonly Call[]): void {
    const reads = calls.filter(({ method }) => STATE_READS.includes(method));
    const simulations = reads.filter(({ method }) => method === 'eth_simulateV1');
    for (const simulation of simulations) {
      this.simulatedAt.add(blockOf(simulation));
      for (const call of callsOf(simulation)) this.simulated.add(fingerprintOf(call));
    }
    const blocks = new Set(reads.map(blockOf));
    if (simulations.length > 0 && blocks.size > 1)
      this.mixed.push(reads.map((read) => `${read.method} at ${blockOf(read)}`).join(', '));
  }
}

/** The hash of the block that a read names, or its tag. */
function blockOf({ params }: Call): string {
  const block = params[1];
  return typeof block === 'object' && block !== null && 'blockHash' in block
    ? String(block.blockHash)
    : String(block);
}

/** A call of eth_simulateV1, as it goes over the wire; or of a transaction. */
interface SimulatedCall {
  readonly from?: string | null;
  readonly to?: string | null;
  readonly input?: string;
  readonly gas?: string | bigint;
  readonly maxFeePerGas?: string | bigint | null;
  readonly maxPriorityFeePerGas?: string | bigint | null;
  readonly value?: string | bigint;
}

function callsOf({ params }: Call): readonly SimulatedCall[] {
  const [simulation] = params as [
    { blockStateCalls?: readonly { calls?: readonly SimulatedCall[] }[] } | undefined,
  ];
  return simulation?.blockStateCalls?.flatMap(({ calls = [] }) => calls) ?? [];
}

function fingerprintOf({ from, to, input, gas, ...call }: SimulatedCall): string {
  const { maxFeePerGas, maxPriorityFeePerGas, value } = call;
  const numbers = [gas, maxFeePerGas, maxPriorityFeePerGas, value].map((one) => BigInt(one ?? 0));
  const text = [from, to, input, ...numbers].join(' ').toLowerCase();
  return keccak256(Buffer.from(text));
}
