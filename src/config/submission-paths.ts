import type { Secret } from '../domain/secret.js';
import { Choice, HeaderValue, Integer, Name, NodeUrl, PatternText } from './key-types.js';
import { List, type Mapping, type SectionClass } from './keys.js';

/** One of the ways by which transactions reach a block. */
class SubmissionPath {
  @Name({ example: 'public' })
  readonly name!: string;
}

export class PublicPathConfig extends SubmissionPath {
  @Choice({ of: ['public', 'private'] })
  readonly kind!: 'public';
}

export class RelayHeaderConfig {
  @PatternText({
    pattern: /^[A-Za-z0-9-]{1,60}$/,
    expected: 'the name of a header: letters, digits and "-"',
    example: 'Authorization',
  })
  readonly name!: string;

  @HeaderValue()
  readonly value!: Secret;
}

export class PrivatePathConfig extends SubmissionPath {
  @Choice({ of: ['public', 'private'] })
  readonly kind!: 'private';

  /** Of the relay. */
  @NodeUrl({ transport: 'http' })
  readonly url!: Secret;

  @List({
    choose: () => RelayHeaderConfig,
    default: [],
    expected: 'a list of headers',
    example: "[{ name: Authorization, value: '${RELAY_KEY}' }]",
  })
  readonly headers!: readonly RelayHeaderConfig[];

  @Choice({
    of: ['eth_sendPrivateTransaction', 'eth_sendRawTransaction'],
    default: 'eth_sendPrivateTransaction',
  })
  readonly method!: 'eth_sendPrivateTransaction' | 'eth_sendRawTransaction';

  /** For so many blocks the relay holds a transaction. Then it is gone. */
  @Integer({ min: 1, max: 10_000, default: '5', example: 5 })
  readonly blocks!: number;
}

export type SubmissionPathConfig = PublicPathConfig | PrivatePathConfig;

export const ONE_PATH = '[{ name: public, kind: public }]';

/** A path of no known kind is read as a public one, and its kind is then refused. */
export const submissionPathOf = ({ kind }: Mapping): SectionClass =>
  kind === 'private' ? PrivatePathConfig : PublicPathConfig;
