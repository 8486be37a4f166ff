import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../../config/index.js';
import { Database } from '../database.js';

/** So long an answer is kept. */
const KEPT = "interval '24 hours'";
/** A process that works on a request for longer has ended. */
const LOST = "interval '60 seconds'";

/** A request of the API with a key of its own. */
export interface KeyedRequest {
  /** The name of the API key. */
  readonly actor: string;
  readonly key: string;
  /** SHA-256 of method, path and body. */
  readonly digest: Buffer;
}

export type Begun =
  | { readonly kind: 'new' }
  | { readonly kind: 'answered'; readonly answer: object }
  /** The same request is being worked on. */
  | { readonly kind: 'working' }
  /** Another request had this key. */
  | { readonly kind: 'other' };

// A row of a process that ended, or one that is too old, is taken over: only one of several callers gets it.
const BEGIN = `
INSERT INTO answered_requests AS r (chain_id, actor, key, request) VALUES ($1, $2, $3, $4)
ON CONFLICT (chain_id, actor, key) DO UPDATE SET request = excluded.request, answer = NULL, at = now()
  WHERE r.at < now() - ${KEPT} OR (r.answer IS NULL AND r.request = excluded.request AND r.at < now() - ${LOST})
RETURNING key`;

/**
 * The answers of requests, so that one that is sent again does nothing twice. Every method throws as
 * {@link Database.query} does.
 */
@Injectable()
export class RequestsRepository {
  constructor(
    private readonly database: Database,
    private readonly config: ChimeraConfig,
  ) {}

  async begin(request: KeyedRequest): Promise<Begun> {
    const { digest } = request;
    const own = this.keyOf(request);
    if ((await this.database.query(BEGIN, [...own, digest])).length > 0) {
      await this.database.query(`DELETE FROM answered_requests WHERE at < now() - ${KEPT}`);
      return { kind: 'new' };
    }
    const [row] = await this.database.query(
      'SELECT request = $4 AS same, answer FROM answered_requests WHERE chain_id = $1 AND actor = $2 AND key = $3',
      [...own, digest],
    );
    // It failed in between: the caller asks again.
    if (!row) return { kind: 'working' };
    if (row['same'] !== true) return { kind: 'other' };
    const { answer } = row;
    return typeof answer === 'object' && answer !== null ? { kind: 'answered', answer } : { kind: 'working' };
  }

  async answered(request: KeyedRequest, answer: object): Promise<void> {
    await this.database.query(
      'UPDATE answered_requests SET answer = $4 WHERE chain_id = $1 AND actor = $2 AND key = $3',
      [...this.keyOf(request), JSON.stringify(answer)],
    );
  }

  /** Nothing was done: the key may be used again. */
  async failed(request: KeyedRequest): Promise<void> {
    await this.database.query(
      'DELETE FROM answered_requests WHERE chain_id = $1 AND actor = $2 AND key = $3 AND answer IS NULL',
      this.keyOf(request),
    );
  }

  private keyOf({ actor, key }: KeyedRequest): readonly unknown[] {
    return [this.config.network.chainId, actor, key];
  }
}
