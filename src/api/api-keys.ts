import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApiKeyConfig } from '../config/index.js';

export type Role = ApiKeyConfig['role'];

/** The sender of a request, as its key identifies it. */
export interface ApiKey {
  readonly name: string;
  readonly role: Role;
}

/**
 * As in RFC 6750, except that any visible ASCII may be part of a key. The scheme is case-insensitive. Keys
 * are shorter than the limit.
 */
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

type ConfiguredKey = Readonly<Pick<ApiKeyConfig, 'name' | 'role' | 'sha256'>>;

/** The configured keys. Only their SHA-256 is known. A key itself is never kept, logged or shown. */
export class ApiKeys {
  readonly #keys: readonly { readonly key: ApiKey; readonly digest: Buffer }[];
  /** Each guard of a request asks for its caller. */
  readonly #callers = new WeakMap<IncomingMessage, { readonly caller: ApiKey | undefined }>();

  constructor(configured: readonly ConfiguredKey[]) {
    this.#keys = configured.map(({ name, role, sha256 }) => ({
      key: { name, role },
      digest: Buffer.from(sha256, 'hex'),
    }));
  }

  get none(): boolean {
    return this.#keys.length === 0;
  }

  /** The sender of a request, found once for each; undefined without a valid key. */
  callerOf(request: IncomingMessage): ApiKey | undefined {
    const known = this.#callers.get(request);
    if (known) return known.caller;
    const caller = this.holderOf(request.headers.authorization);
    this.#callers.set(request, { caller });
    return caller;
  }

  /**
   * The holder of the key in an `Authorization` header. Every configured key is compared in constant time, so
   * that the time taken does not tell how close a guess was, or to which key.
   */
  holderOf(authorization: string | undefined): ApiKey | undefined {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    const digest = createHash('sha256').update(token).digest();
    let holder: ApiKey | undefined;
    for (const configured of this.#keys)
      if (timingSafeEqual(configured.digest, digest)) holder = configured.key;
    return holder;
  }
}
