/** What the nodes see of the bot, and when: the proof that its books cannot give of themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { keccak256 } from 'ethers';
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

  constructor(private readonly books: Books) {}

  watch(node: LyingNode): void {
    node.onRequest = (calls) => this.see(calls);
  }

  private async see(calls: readonly Call[]): Promise<void> {
    const atMs = Date.now();
    this.seeReads(calls);
    const sent = calls.filter(({ method }) => method === 'eth_sendRawTransaction');
    await Promise.all(sent.map(({ params }) => this.seeTransaction(keccak256(String(params[0])), atMs)));
  }

  private async seeTransaction(hash: string, atMs: number): Promise<void> {
    if (this.broadcasts.has(hash)) return;
    const broadcast: Broadcast = { hash, atMs, durable: undefined };
    this.broadcasts.set(hash, broadcast);
    const look = this.books
      .query('SELECT FROM transaction_versions WHERE hash = $1', [hash])
      .then((rows) => rows.length > 0)
      .catch(() => undefined);
    broadcast.durable = await Promise.race([look, sleep(LOOK_MS, undefined)]);
  }

  private seeReads(calls: readonly Call[]): void {
    const reads = calls.filter(({ method }) => STATE_READS.includes(method));
    const simulations = reads.filter(({ method }) => method === 'eth_simulateV1');
    for (const simulation of simulations) this.simulatedAt.add(blockOf(simulation));
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
