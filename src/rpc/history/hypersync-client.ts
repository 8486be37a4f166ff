import { messageOf, StartupError } from '../../domain/errors.js';
import type { Secret } from '../../domain/secret.js';

/** Optional, because it holds a library for each platform. */
const PACKAGE = '@envio-dev/hypersync-client';
/** Of one request. HyperSync itself answers after five seconds, with as many blocks as it came through. */
const REQUEST_MS = 30_000;

/** What is asked of the client, in the words of its types (a spec compares them). */
export interface HypersyncQuery {
  fromBlock: number;
  /** Not included. */
  toBlock: number;
  logs: { address?: string[]; topics?: string[][] }[];
  fieldSelection: { log: HypersyncField[] };
  /** 2: only what matches, without its blocks and transactions. */
  joinMode: 2;
}

export type HypersyncField =
  | ('Address' | 'Data' | 'Topic0' | 'Topic1' | 'Topic2' | 'Topic3')
  | ('BlockNumber' | 'BlockHash' | 'LogIndex' | 'TransactionHash');

export interface HypersyncLog {
  readonly address?: string;
  readonly data?: string;
  readonly topics: readonly (string | undefined | null)[];
  readonly blockNumber?: number;
  readonly blockHash?: string;
  readonly logIndex?: number;
  readonly transactionHash?: string;
}

export interface HypersyncAnswer {
  /** The newest block that the server has. */
  readonly archiveHeight?: number;
  /** The first block that was not looked through. */
  readonly nextBlock: number;
  readonly data: { readonly logs: readonly HypersyncLog[] };
}

/** What is used of the client. */
export interface HypersyncClient {
  getChainId(): Promise<number>;
  get(query: HypersyncQuery): Promise<HypersyncAnswer>;
}

interface Module {
  readonly HypersyncClient: new (config: {
    url: string;
    apiToken: string;
    httpReqTimeoutMillis: number;
    maxNumRetries: number;
  }) => HypersyncClient;
  readonly setLogLevel: (level: string) => void;
}

export interface HypersyncSettings {
  readonly url: Secret;
  readonly token: Secret;
}

/** Why the configured client cannot be used; undefined when it can. */
export async function hypersyncProblem(
  settings: HypersyncSettings,
  name = PACKAGE,
): Promise<string | undefined> {
  try {
    await hypersyncClient(settings, name);
    return undefined;
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
}

/** @throws StartupError when the package, or its library for this platform, is not installed. */
export async function hypersyncClient(
  { url, token }: HypersyncSettings,
  name = PACKAGE,
): Promise<HypersyncClient> {
  let loaded: unknown;
  try {
    loaded = await import(name);
  } catch (error) {
    throw new StartupError([missing(name, messageOf(error).split('\n')[0] ?? '')]);
  }
  if (!isModule(loaded)) throw new StartupError([missing(name, 'it is of another version')]);
  // It writes to the standard error by itself, in a form of its own.
  loaded.setLogLevel('off');
  return new loaded.HypersyncClient({
    url: url.reveal(),
    apiToken: token.reveal(),
    httpReqTimeoutMillis: REQUEST_MS,
    // A node is asked instead.
    maxNumRetries: 0,
  });
}

function missing(name: string, why: string): string {
  return `rpc.hypersync: the package ${name} cannot be loaded (${why}); an installation with its optional packages was expected, or no rpc.hypersync`;
}

function isModule(value: unknown): value is Module {
  return (
    typeof value === 'object' &&
    value !== null &&
    'HypersyncClient' in value &&
    typeof value.HypersyncClient === 'function' &&
    'setLogLevel' in value &&
    typeof value.setLogLevel === 'function'
  );
}
