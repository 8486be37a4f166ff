/**
 * Sends many transactions quickly: queued with explicit nonces, sent in one batch without signing (the node
 * impersonates every sender), mined in as few blocks as they fit into, and each receipt checked.
 */
import { Interface, getCreateAddress, toQuantity } from 'ethers';
import { type RpcClient, RpcError } from './rpc.js';

export interface TransactionRequest {
  /** Named in the error when the transaction fails. */
  label: string;
  from: string;
  /** Absent: a contract creation. */
  to?: string;
  data?: string;
  valueWei?: bigint;
  /** Gas limit; the default fits everything on this chain. */
  gas?: bigint;
  /**
   * Wei per gas. Within a block the node orders senders by this number, so a transaction that another
   * sender's transaction depends on needs a higher one.
   */
  maxFeePerGasWei?: bigint;
}

interface Receipt {
  status: string;
  logs: { topics: string[]; data: string }[];
  blockNumber: string;
}

interface Queued {
  label: string;
  call: Record<string, string>;
}

interface Sent extends Queued {
  hash: string;
}

/** Base's cap per transaction (16,777,216), rounded down. */
const DEFAULT_GAS = 16_000_000n;
export const DEFAULT_MAX_FEE_WEI = 1_000_000_000n;

/** Far more blocks than any batch needs: reached only when the node refuses to include a transaction. */
const MAX_BLOCKS = 200;

/**
 * When Compound v2 refuses, it does not revert: it emits this event (codes of its ErrorReporter) and
 * succeeds.
 */
const COMPOUND_FAILURE = new Interface(['event Failure(uint256, uint256, uint256)']);

/** A transaction of a batch was mined and failed. */
export class TransactionFailed extends Error {
  constructor(
    readonly label: string,
    readonly reason: string,
  ) {
    super(`${label}: ${reason}`);
    this.name = 'TransactionFailed';
  }
}

/** One batch of transactions. It remembers nonces, so it must not be used after a revert of the chain. */
export class TransactionQueue {
  readonly #nonces = new Map<string, number>();
  #queued: Queued[] = [];
  #sent: Sent[] = [];

  /**
   * @param errors where custom errors are looked up to name the reason of a failure
   */
  constructor(
    private readonly rpc: RpcClient,
    private readonly errors: Interface,
  ) {}

  /** Reads the nonces of senders; needed once for each before its first transaction. */
  async track(senders: readonly string[]): Promise<void> {
    const unknown = senders.filter((sender) => !this.#nonces.has(sender));
    const counts = await this.rpc.batch(
      unknown.map((sender) => ({ method: 'eth_getTransactionCount', params: [sender, 'pending'] })),
    );
    unknown.forEach((sender, i) => this.#nonces.set(sender, Number(counts[i])));
  }

  /** Queues a transaction. @throws {Error} when its sender is not tracked */
  add(request: TransactionRequest): void {
    const call: Record<string, string> = {
      from: request.from,
      nonce: toQuantity(this.#takeNonce(request.from)),
      gas: toQuantity(request.gas ?? DEFAULT_GAS),
      maxFeePerGas: toQuantity(request.maxFeePerGasWei ?? DEFAULT_MAX_FEE_WEI),
      maxPriorityFeePerGas: '0x0',
      data: request.data ?? '0x',
    };
    if (request.to !== undefined) call['to'] = request.to;
    if (request.valueWei !== undefined) call['value'] = toQuantity(request.valueWei);
    this.#queued.push({ label: request.label, call });
  }

  /** Queues a contract creation. @returns the address the contract will have */
  deploy(label: string, from: string, initCode: string): string {
    const nonce = this.#nonces.get(from);
    this.add({ label, from, data: initCode });
    return getCreateAddress({ from, nonce: nonce ?? 0 });
  }

  /** Sends what is queued to the node's pool, in one batch. */
  async send(): Promise<void> {
    const queued = this.#queued;
    this.#queued = [];
    const hashes = await this.rpc.batch(
      queued.map(({ call }) => ({ method: 'eth_sendTransaction', params: [call] })),
    );
    this.#sent.push(...queued.map((item, i) => ({ ...item, hash: String(hashes[i]) })));
  }

  /**
   * Waits until all that was sent is in a block.
   * @param nextBlock makes a block, or waits for one
   * @throws {TransactionFailed} for the first transaction that was included and failed
   */
  async confirm(nextBlock: () => Promise<void>): Promise<void> {
    for (let blocks = 0; this.#sent.length > 0; blocks++) {
      if (blocks === MAX_BLOCKS) throw new TransactionFailed(this.#sent[0]?.label ?? '', 'never included');
      await nextBlock();
      const receipts = (await this.rpc.batch(
        this.#sent.map(({ hash }) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
      )) as (Receipt | null)[];
      for (const [i, item] of this.#sent.entries()) {
        const receipt = receipts[i];
        if (!receipt) continue;
        if (receipt.status === '0x0') throw await this.#failure(item, receipt);
        const reported = reportedFailure(receipt);
        if (reported) throw new TransactionFailed(item.label, reported);
      }
      this.#sent = this.#sent.filter((_, i) => receipts[i] === null);
    }
  }

  /** Sends what is queued and waits until it is in a block: send() and confirm(). */
  async mine(nextBlock: () => Promise<void>): Promise<void> {
    await this.send();
    await this.confirm(nextBlock);
  }

  #takeNonce(sender: string): number {
    const nonce = this.#nonces.get(sender);
    if (nonce === undefined) throw new Error(`the nonce of ${sender} is not known: track it first`);
    this.#nonces.set(sender, nonce + 1);
    return nonce;
  }

  /** Runs the failed call again on top of its block, where it nearly always fails for the same reason. */
  async #failure({ label, call }: Queued, { blockNumber }: Receipt): Promise<TransactionFailed> {
    const { from, to, data, value, gas } = call;
    try {
      await this.rpc.call('eth_call', [{ from, to, data, value, gas }, blockNumber]);
      return new TransactionFailed(label, 'reverted');
    } catch (error) {
      return new TransactionFailed(label, this.#reason(error));
    }
  }

  #reason(error: unknown): string {
    const data = error instanceof RpcError ? error.data : undefined;
    const parsed = typeof data === 'string' && data.length >= 10 ? this.errors.parseError(data) : null;
    if (parsed) return `${parsed.name}(${parsed.args.map(String).join(', ')})`;
    return error instanceof Error ? error.message : String(error);
  }
}

function reportedFailure({ logs }: Receipt): string | undefined {
  for (const log of logs) {
    const event = COMPOUND_FAILURE.parseLog(log);
    if (event) return `Failure(${event.args.map(String).join(', ')})`;
  }
  return undefined;
}
