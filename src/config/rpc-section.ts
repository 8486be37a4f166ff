import type { Secret } from '../domain/secret.js';
import { Flag, HeaderValue, NodeUrl } from './key-types.js';
import { Section } from './keys.js';
import { Needs } from './rules.js';

export class ArchiveConfig {
  @NodeUrl({ transport: 'http' })
  readonly http!: Secret;
}

export class EndpointConfig extends ArchiveConfig {
  /** Absent: heads are polled over HTTP. */
  @NodeUrl({ transport: 'ws', optional: true })
  readonly ws?: Secret;
}

/** Envio HyperSync, which gives the logs of millions of blocks in seconds. */
export class HypersyncConfig {
  @NodeUrl({ transport: 'http' })
  readonly url!: Secret;

  /** The API token. */
  @HeaderValue()
  readonly token!: Secret;
}

export class RpcConfig {
  @Section(() => EndpointConfig)
  readonly primary!: EndpointConfig;

  @Section(() => EndpointConfig, { optional: true })
  readonly backup?: EndpointConfig;

  @Section(() => ArchiveConfig, { optional: true })
  readonly archive?: ArchiveConfig;

  /** It is asked for old logs before a node. */
  @Section(() => HypersyncConfig, { optional: true })
  readonly hypersync?: HypersyncConfig;

  /** A plan is signed only when both endpoints say the same about it. */
  @Needs('backup', 'without it there is no second endpoint')
  @Flag({ default: ({ backup }) => String(backup !== undefined) })
  readonly secondOpinion!: boolean;
}
