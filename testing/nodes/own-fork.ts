import { headerHash } from '../../src/rpc/header-hashes.js';
import { hex } from './lies.js';
import type { Answer, Call, LyingNode } from './lying-node.js';

type Header = Readonly<Record<string, unknown>> & { readonly hash: string; readonly number: string };

const NO_LOGS = `0x${'00'.repeat(256)}`;

/**
 * Lets a node live on a branch of its own: each header links to the one before it, has the hash of its fields
 * and no logs. What it is asked about a state, it answers for the honest head.
 */
export class OwnFork {
  private readonly blocks: Header[] = [];
  /** The last block of the honest chain. */
  private base: Header | undefined;

  constructor(node: LyingNode) {
    node.rewrite = (call) => this.honestly(call);
    node.lie = (call, truth) => this.tell(call, truth);
  }

  /** How many blocks it has invented. */
  get length(): number {
    return this.blocks.length;
  }

  private honestly(call: Call): Call {
    const [what, block] = call.params;
    const isOfState = ['eth_call', 'eth_simulateV1'].includes(call.method);
    return isOfState && this.find(hashIn(block)) ? { ...call, params: [what, 'latest'] } : call;
  }

  private tell({ method, params: [block] }: Call, { result }: Answer): Answer | undefined {
    switch (method) {
      case 'eth_subscription':
        return isHeader(result) ? this.at(result) : undefined;
      case 'eth_getBlockByNumber':
        return isHeader(result) ? this.at(result, block === 'latest') : undefined;
      case 'eth_getBlockByHash':
        return told(this.find(block));
      case 'eth_getLogs':
        return this.find(hashIn(block)) && { result: [] };
      default:
        return undefined;
    }
  }

  /** Its own block of the number of an honest one. */
  private at(honest: Header, isHead = true): Answer | undefined {
    if (!this.base && !isHead) return undefined;
    this.base ??= honest;
    const index = Number(honest.number) - Number(this.base.number) - 1;
    while (this.blocks.length <= index) this.blocks.push(childOf(this.blocks.at(-1) ?? this.base));
    return told(this.blocks[index]);
  }

  private find(hash: unknown): Header | undefined {
    return this.blocks.find((block) => block.hash === hash);
  }
}

function childOf(parent: Header): Header {
  const header = {
    ...parent,
    number: hex(Number(parent.number) + 1),
    parentHash: parent.hash,
    timestamp: hex(Number(parent['timestamp']) + 1),
    logsBloom: NO_LOGS,
  };
  const hash = headerHash(header);
  if (hash === undefined) throw new TypeError('a header of an unknown kind');
  return { ...header, hash };
}

function told(header: Header | undefined): Answer | undefined {
  return header && { result: header };
}

function hashIn(block: unknown): unknown {
  return typeof block === 'object' && block !== null && 'blockHash' in block ? block.blockHash : undefined;
}

function isHeader(value: unknown): value is Header {
  return typeof value === 'object' && value !== null && 'parentHash' in value;
}
