import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Hash } from '../../domain/hex.js';
import type { RawLog } from '../chain/chain-answers.js';

/** The most logs that are kept: about 50 MB. A node that invents logs cannot fill the memory. */
const MOST_LOGS = 50_000;

interface Heard {
  readonly log: RawLog;
  readonly by: Set<EndpointRole>;
}

/**
 * The logs that came over WebSockets, by block. A log that several endpoints sent is kept once. Each log
 * exists, at least for the endpoint that sent it. Logs may be missing, and that cannot be seen here.
 */
export class HeardLogs {
  /** The oldest block first. The logs of a block by their index. */
  readonly #blocks = new Map<Hash, Map<number, Heard>>();
  /** The answers of {@link of}, until the logs of the block change. */
  readonly #ordered = new Map<Hash, readonly RawLog[]>();
  #count = 0;

  /** @param mostBlocks the most blocks whose logs are kept. */
  constructor(private readonly mostBlocks: number) {}

  add(log: RawLog, endpoint: EndpointRole): void {
    const logs = this.#blocks.get(log.blockHash) ?? new Map<number, Heard>();
    const known = logs.get(log.logIndex);
    if (known) {
      known.by.add(endpoint);
      return;
    }
    this.#blocks.set(log.blockHash, logs.set(log.logIndex, { log, by: new Set([endpoint]) }));
    this.#ordered.delete(log.blockHash);
    this.#count++;
    for (const [oldest, { size }] of this.#blocks) {
      if (this.#blocks.size <= this.mostBlocks && this.#count <= MOST_LOGS) break;
      this.#blocks.delete(oldest);
      this.#ordered.delete(oldest);
      this.#count -= size;
    }
  }

  /** A reorg took the log's block out of the chain. */
  remove({ blockHash, logIndex }: Pick<RawLog, 'blockHash' | 'logIndex'>): void {
    const logs = this.#blocks.get(blockHash);
    if (!logs?.delete(logIndex)) return;
    this.#ordered.delete(blockHash);
    this.#count--;
    if (logs.size === 0) this.#blocks.delete(blockHash);
  }

  /** Who sent this log. */
  deliverers({ blockHash, logIndex }: Pick<RawLog, 'blockHash' | 'logIndex'>): EndpointRole[] {
    return [...(this.#blocks.get(blockHash)?.get(logIndex)?.by ?? [])];
  }

  /** Forgets what only this endpoint sent. */
  forget(endpoint: EndpointRole): void {
    for (const logs of [...this.#blocks.values()])
      for (const { log, by } of [...logs.values()])
        if (by.delete(endpoint) && by.size === 0) this.remove(log);
  }

  /** The logs of a block, in its order. The same list as long as they do not change. */
  of(blockHash: Hash): readonly RawLog[] {
    const logs = this.#blocks.get(blockHash);
    if (!logs) return NONE;
    let ordered = this.#ordered.get(blockHash);
    if (!ordered) {
      ordered = [...logs.values()].map(({ log }) => log).sort((a, b) => a.logIndex - b.logIndex);
      this.#ordered.set(blockHash, ordered);
    }
    return ordered;
  }
}

const NONE: readonly RawLog[] = [];
