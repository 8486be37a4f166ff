import { Transaction } from 'ethers';
import { FakeRpc, NodeRefusal, type Fault } from './fake-rpc.js';

/** What a relay does with a transaction that it takes. */
export type RelayConduct = 'includes' | 'never includes';

const KEY_HEADER = 'authorization';

/**
 * A private relay on 127.0.0.1. Like a real one it lets nobody in without its key, answers with the hash of
 * what it takes, says `already known` to the same bytes, and shows nothing to the nodes. What it includes, it
 * gives to the chain as a builder does. What is past its last block it forgets.
 */
export class FakeRelay {
  conduct: RelayConduct = 'includes';
  /** The hashes of what it took, each once. */
  readonly taken = new Map<string, { readonly raw: string; readonly lastBlock: number | undefined }>();
  /** How often it was handed a transaction, whatever it answered. */
  handed = 0;

  private constructor(
    private readonly rpc: FakeRpc,
    private readonly key: string,
    private readonly chainUrl: string,
  ) {}

  /** @param key what its header `Authorization` must be. @param chainUrl where it includes transactions. */
  static async start(key: string, chainUrl: string): Promise<FakeRelay> {
    const rpc = await FakeRpc.start();
    const relay = new FakeRelay(rpc, key, chainUrl);
    rpc.on('eth_sendRawTransaction', ([raw]) => relay.take(String(raw), undefined));
    rpc.on('eth_sendPrivateTransaction', ([wanted]) => {
      const { tx, maxBlockNumber } = wanted as { tx: string; maxBlockNumber: string };
      return relay.take(tx, Number(maxBlockNumber));
    });
    return relay;
  }

  get url(): string {
    return this.rpc.url('http', '/relay/s3cretPathOfRelay');
  }

  set fault(fault: Fault | undefined) {
    this.rpc.fault = fault;
  }

  /** Everything it holds is included from now on, as far as its blocks allow. */
  async include(): Promise<void> {
    this.conduct = 'includes';
    for (const { raw } of this.taken.values()) await this.ask('eth_sendRawTransaction', [raw]);
  }

  stop(): Promise<void> {
    return this.rpc.stop();
  }

  private async take(raw: string, lastBlock: number | undefined): Promise<unknown> {
    this.handed += 1;
    // It was refused on the way, or nobody is there. A connection that breaks had brought it.
    const { fault } = this.rpc;
    if (fault && fault.kind !== 'reset') return undefined;
    const sent = this.rpc.lastHeaders[KEY_HEADER];
    // Some relays repeat what they were sent.
    if (sent !== this.key) return new NodeRefusal(-32600, `unknown key ${String(sent)}`);
    const { hash } = Transaction.from(raw);
    if (hash === null) return new NodeRefusal(-32602, 'not signed');
    const head = Number(await this.ask('eth_blockNumber', []));
    const known = this.taken.get(hash);
    if (known && (known.lastBlock ?? Infinity) >= head) return new NodeRefusal(-32000, 'already known');
    this.taken.set(hash, { raw, lastBlock });
    if (this.conduct === 'includes') await this.ask('eth_sendRawTransaction', [raw]);
    return hash;
  }

  private async ask(method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(this.chainUrl, { method: 'POST', headers, body });
    return ((await answer.json()) as { result?: unknown }).result;
  }
}
