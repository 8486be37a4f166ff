import { keccak256 } from 'ethers';
import { LyingNode } from './lying-node.js';

/**
 * A node that takes transactions and brings them to the chain only when it is told to, as a network does in
 * which others are faster. Everything else it answers as the node behind it does.
 */
export class HoldingNode {
  private readonly held: string[] = [];

  private constructor(private readonly node: LyingNode) {}

  static async start(upstream: { readonly http: string; readonly ws: string }): Promise<HoldingNode> {
    return new HoldingNode(await LyingNode.start(upstream));
  }

  get httpUrl(): string {
    return this.node.httpUrl;
  }

  get wsUrl(): string {
    return this.node.wsUrl;
  }

  /** How many different transactions it holds. */
  get holding(): number {
    return this.held.length;
  }

  /** From now on it holds what it is given. */
  hold(): void {
    this.node.swallow = ({ method, params }) => {
      if (method !== 'eth_sendRawTransaction') return undefined;
      const raw = String(params[0]);
      if (!this.held.includes(raw)) this.held.push(raw);
      return { result: keccak256(raw) };
    };
  }

  /** Gives what it holds to the chain, and holds nothing any more. @returns how many transactions */
  async release(send: (raw: string) => Promise<unknown>): Promise<number> {
    // What is handed over again meanwhile is still held: the chain would refuse the second of two.
    for (const raw of this.held) await send(raw);
    this.node.repent();
    return this.held.splice(0).length;
  }

  stop(): Promise<void> {
    return this.node.stop();
  }
}
