import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyConfig } from '../config/index.js';

/** An operator may do all that a viewer may. */
export type Role = ApiKeyConfig['role'];

/** Who sends a request, as far as the key tells. */
export interface ApiKey {
  readonly name: string;
  readonly role: Role;
}

/** RFC 6750, but any visible ASCII may stand in a key. The scheme is case-insensitive; nobody has a longer key. */
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

type ConfiguredKey = Readonly<Pick<ApiKeyConfig, 'name' | 'role' | 'sha256'>>;

/** The configured keys. Only their SHA-256 is known; a key itself is never kept, logged or shown. */
export class ApiKeys {
  readonly #keys: readonly { readonly key: ApiKey; readonly digest: Buffer }[];

  constructor(configured: readonly ConfiguredKey[]) {
    this.#keys = configured.map(({ name, role, sha256 }) => ({
      key: { name, role },
      digest: Buffer.from(sha256, 'hex'),
    }));
  }

  get none(): boolean {
    return this.#keys.length === 0;
  }

  /**
   * Whose key an `Authorization` header holds. Every configured key is compared, each in constant time, so that the
   * time taken tells neither how much of a guess was right nor which key it came near.
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
