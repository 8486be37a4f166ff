import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What is used of apache-arrow. Its types bring those of another version of Node. */
interface Arrow {
  readonly Table: new (columns: object) => object;
  readonly Schema: new (fields: readonly never[]) => object;
  readonly Binary: new () => object;
  readonly Uint64: new () => object;
  readonly vectorFromArray: (values: readonly (Uint8Array | bigint | null)[], type: object) => object;
  readonly tableToIPC: (table: object, form: 'file') => Uint8Array;
}

interface NodeLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly logIndex: string;
  readonly transactionHash: string;
}

/** The words that the client sends. */
interface Query {
  readonly from_block: number;
  readonly to_block: number;
  readonly join_mode: string;
  readonly logs: readonly { readonly address?: readonly string[]; readonly topics: readonly string[][] }[];
}

const ARROW: string = 'apache-arrow';

/**
 * HyperSync over the logs of a local chain: JSON questions, and answers in Arrow IPC files inside of a packed
 * Cap'n Proto message, as its client reads them.
 */
export class HypersyncServer {
  readonly token = 'the-token-of-hypersync';
  readonly asked: Query[] = [];
  /** Answers with this status instead. */
  status: number | undefined;
  /** Leaves out the logs for which this is true. */
  leavesOut: (log: NodeLog) => boolean = () => false;
  /** Blocks in an answer. */
  most = 25;
  readonly #server: Server;

  private constructor(
    private readonly node: string,
    private readonly arrow: Arrow,
  ) {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(
        ([status, body]) => response.writeHead(status).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  static async start(node: string): Promise<HypersyncServer> {
    const server = new HypersyncServer(node, (await import(ARROW)) as Arrow);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<[number, string | Buffer]> {
    const body = await text(request);
    if (request.headers.authorization !== `Bearer ${this.token}`) return [401, 'no such token'];
    if (request.url === '/chain_id')
      return [200, JSON.stringify({ chain_id: Number(await this.#ask('eth_chainId')) })];
    if (request.url !== '/query/arrow-ipc') return [404, 'not found'];
    const query = JSON.parse(body) as Query;
    this.asked.push(query);
    if (this.status !== undefined) return [this.status, 'as the test has it'];
    const height = Number(await this.#ask('eth_blockNumber'));
    const end = Math.min(query.to_block, query.from_block + this.most, height + 1);
    const logs: NodeLog[] = [];
    for (const { address = [], topics } of query.logs) {
      const filter = {
        fromBlock: `0x${query.from_block.toString(16)}`,
        toBlock: `0x${(end - 1).toString(16)}`,
        ...(address.length > 0 && { address }),
        topics: topics.map((position) => (position.length === 0 ? null : position)),
      };
      logs.push(...((await this.#ask('eth_getLogs', filter)) as NodeLog[]));
    }
    const table = this.#table(logs.filter((log) => !this.leavesOut(log)));
    return [200, message(height, end, [this.#none(), this.#none(), table, this.#none()])];
  }

  async #ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = await fetch(this.node, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return ((await answer.json()) as { result: unknown }).result;
  }

  #none(): Buffer {
    return Buffer.from(this.arrow.tableToIPC(new this.arrow.Table(new this.arrow.Schema([])), 'file'));
  }

  #table(logs: readonly NodeLog[]): Buffer {
    if (logs.length === 0) return this.#none();
    const { vectorFromArray, Binary, Uint64, Table, tableToIPC } = this.arrow;
    const bytes = (of: (log: NodeLog) => string | undefined): object =>
      vectorFromArray(
        logs.map((log) => {
          const hex = of(log);
          return hex === undefined ? null : Buffer.from(hex.slice(2), 'hex');
        }),
        new Binary(),
      );
    const numbers = (of: (log: NodeLog) => string): object =>
      vectorFromArray(
        logs.map((log) => BigInt(of(log))),
        new Uint64(),
      );
    const columns = {
      address: bytes(({ address }) => address),
      block_hash: bytes(({ blockHash }) => blockHash),
      block_number: numbers(({ blockNumber }) => blockNumber),
      data: bytes(({ data }) => data),
      log_index: numbers(({ logIndex }) => logIndex),
      topic0: bytes(({ topics }) => topics[0]),
      topic1: bytes(({ topics }) => topics[1]),
      topic2: bytes(({ topics }) => topics[2]),
      topic3: bytes(({ topics }) => topics[3]),
      transaction_hash: bytes(({ transactionHash }) => transactionHash),
    };
    return Buffer.from(tableToIPC(new Table(columns), 'file'));
  }
}

const WORD = 8;
/** Where the struct with the tables begins: after the root pointer and the answer (3 words, 2 pointers). */
const TABLES_AT = 6;

/**
 * The answer as one segment of Cap'n Proto: height, next block and time, and a struct of four lists of bytes,
 * which are blocks, transactions, logs and traces.
 */
function message(height: number, nextBlock: number, tables: readonly Buffer[]): Buffer {
  const head = Buffer.alloc((TABLES_AT + tables.length) * WORD);
  structPointer(head, 0, 1, 3, 2);
  head.writeBigInt64LE(BigInt(height), 1 * WORD);
  head.writeBigUInt64LE(BigInt(nextBlock), 2 * WORD);
  head.writeBigUInt64LE(1n, 3 * WORD);
  structPointer(head, 4, TABLES_AT, 0, tables.length);
  const padded = tables.map((table) => Buffer.concat([table, Buffer.alloc(-table.length & (WORD - 1))]));
  let target = head.length / WORD;
  for (const [index, table] of tables.entries()) {
    const at = TABLES_AT + index;
    // A list (1) of bytes (2).
    head.writeInt32LE(((target - at - 1) << 2) | 1, at * WORD);
    head.writeUInt32LE(((table.length << 3) | 2) >>> 0, at * WORD + 4);
    target += (padded[index]?.length ?? 0) / WORD;
  }
  const segment = Buffer.concat([head, ...padded]);
  const frame = Buffer.alloc(WORD);
  frame.writeUInt32LE(segment.length / WORD, 4);
  return packed(Buffer.concat([frame, segment]));
}

function structPointer(buffer: Buffer, at: number, target: number, words: number, pointers: number): void {
  buffer.writeInt32LE((target - at - 1) << 2, at * WORD);
  buffer.writeUInt16LE(words, at * WORD + 4);
  buffer.writeUInt16LE(pointers, at * WORD + 6);
}

/** Each word as a byte that says which of its bytes are not zero, and these. */
function packed(words: Buffer): Buffer {
  const out: number[] = [];
  for (let at = 0; at < words.length; at += WORD) {
    const word = [...words.subarray(at, at + WORD)];
    const tag = word.reduce((bits, byte, index) => (byte === 0 ? bits : bits | (1 << index)), 0);
    out.push(tag, ...word.filter((byte) => byte !== 0));
    // No zero words, or no words without a zero, follow in a row.
    if (tag === 0 || tag === 0xff) out.push(0);
  }
  return Buffer.from(out);
}
