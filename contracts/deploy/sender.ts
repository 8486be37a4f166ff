/** Signs, sends and waits: one transaction after the other, each simulated right before it is signed. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../src/domain/errors.js';
import type { Hash } from '../../src/domain/hex.js';
import type { Secret } from '../../src/domain/secret.js';
import { Signer } from '../../src/execution/signer.js';
import { revertReason } from '../../src/contract/contract.js';
import type { Receipt } from '../../src/rpc/chain/chain-answers.js';
import { CallReverted, NonceTooLow, RpcError } from '../../src/rpc/rpc-errors.js';
import { gasLimitOf, maxFeeOf, type Draft } from './costs.js';
import type { Node } from './node.js';

/** How long a receipt is waited for: 3 min. */
const PATIENCE_MS = 180_000;
const POLL_MS = 500;

const AGAIN = 'run the same command again: it goes on from what it finds';

/** @throws StartupError when the key is published and the chain is not the local one. */
export function deployerSigner(key: Secret, chainId: number): Signer {
  try {
    return Signer.fromSecret(key, chainId);
  } catch (error) {
    // Its sentences name the key that it signs with in the bot.
    if (!(error instanceof StartupError)) throw error;
    throw new StartupError(
      error.problems.map((problem) => problem.replace('OPERATOR_PRIVATE_KEY', 'DEPLOYER_PRIVATE_KEY')),
    );
  }
}

export class Sender {
  #nonce: number | undefined;

  constructor(
    private readonly node: Node,
    private readonly signer: Signer,
    private readonly onProgress: (step: string) => void,
  ) {}

  /**
   * @param block the block it is simulated on: the latest known to hold the transactions before it.
   * @param gas as simulated.
   * @throws StartupError when it would revert, was refused, or has no receipt in time.
   */
  async send(draft: Draft, gas: bigint, block: Hash): Promise<Receipt> {
    const { what, to, data } = draft;
    const simulated = await this.node.patiently(() => this.node.chain.ethCall(draft, block));
    if (simulated instanceof CallReverted)
      throw new StartupError([`${what}: would revert (${revertReason(simulated.data)}); nothing was sent`]);
    const [head, maxPriorityFeePerGas, nonce] = await Promise.all([
      this.node.chain.getBlock('latest'),
      this.node.priorityFee(),
      this.#nonce ?? this.#firstNonce(),
    ]);
    const maxFeePerGas = maxFeeOf(head.baseFeePerGas, maxPriorityFeePerGas);
    const gasLimit = gasLimitOf(gas);
    const { raw, hash } = this.signer.sign({ to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas }, nonce);
    const outcome = await this.node.chain.sendRawTransaction(raw, hash);
    // A nonce may be used up by this very transaction: the receipt tells.
    if (outcome.kind === 'refused' && !(outcome.error instanceof NonceTooLow))
      throw new StartupError([`${what}: the transaction was refused (${outcome.error.reason})`]);
    this.#nonce = nonce + 1;
    this.onProgress(`sent ${hash}: ${what}`);
    return this.#receipt(hash, what);
  }

  /** @throws StartupError when the wallet has transactions waiting: what they do is not known here. */
  async #firstNonce(): Promise<number> {
    const { address } = this.signer;
    const [mined, pending] = await Promise.all([
      this.node.chain.getTransactionCount(address, 'latest'),
      this.node.chain.getTransactionCount(address, 'pending'),
    ]);
    if (pending > mined)
      throw new StartupError([
        `the deployer wallet ${address} has transactions that are not mined yet (${pending - mined}); wait for them and ${AGAIN}`,
      ]);
    return mined;
  }

  async #receipt(hash: Hash, what: string): Promise<Receipt> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const receipt = await this.node.chain.getTransactionReceipt(hash).catch(ignoreOutage);
      if (receipt) return receipt;
      if (performance.now() > endMs)
        throw new StartupError([
          `${what}: the transaction ${hash} has no receipt after ${PATIENCE_MS / 1000} s; look it up, and once it is mined or gone ${AGAIN}`,
        ]);
      await sleep(POLL_MS);
    }
  }
}

/** The transaction is on its way: an endpoint that is down for a moment is asked again. */
function ignoreOutage(error: unknown): undefined {
  if (!(error instanceof RpcError)) throw error;
}
