import { createHash, randomBytes } from 'node:crypto';
import { join, relative } from 'node:path';
import {
  AlertsConfig,
  ChimeraConfig,
  ConfigSource,
  readVariable,
  SHIPPED,
  shippedPath,
  type Variables,
} from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { JsonRpcEndpoint } from '../rpc/endpoints/json-rpc-endpoint.js';
import { toNumber } from '../rpc/quantities.js';
import { ASSUMED_ADDRESS } from './assume.js';
import { takeDirectory } from './watch-directory.js';

/** What a caller says of a bot that watches. */
export interface WatchSettings {
  /** Default: the variable RPC_PRIMARY_HTTP. */
  readonly rpc?: string | undefined;
  readonly ws?: string | undefined;
  /** Default: the shipped configuration of the chain. */
  readonly config?: string | undefined;
  /** Default: ./data/watch-CHAINID. */
  readonly dir?: string | undefined;
  /** Default: that of the file with --config, otherwise a free one. */
  readonly apiPort?: number | undefined;
}

export interface WatchConfig {
  readonly config: ChimeraConfig;
  /** The file that was read. */
  readonly file: string;
  readonly directory: string;
  /** A key of the API that was made for this run; undefined where the file has keys. */
  readonly apiKey: string | undefined;
}

const ASK_MS = 5_000;

/**
 * The configuration of a bot that only watches: that of the chain, with rows and journal in a directory of
 * its own, in dry-run, without a key, without channels of alerts, Redis and CloudWatch.
 *
 * @throws StartupError with all mistakes at once, one sentence each.
 */
export async function watchConfig(
  { rpc, ws, config: named, dir, apiPort }: WatchSettings,
  variables?: Variables,
): Promise<WatchConfig> {
  const url = rpc ?? readVariable('RPC_PRIMARY_HTTP', variables);
  if (url === undefined || url === '')
    throw new StartupError([
      '--rpc: the URL of a node was expected, or the variable RPC_PRIMARY_HTTP, which hides a key in it',
    ]);
  const chainId = await chainIdOf(new Secret(url));
  const file = named ?? shippedFor(chainId);
  const socket = ws ?? (rpc === undefined ? undefined : '');
  const { config: read } = await ConfigSource.load({
    ...(variables && { variables }),
    file,
    fixed: {
      RPC_PRIMARY_HTTP: url,
      ...(socket !== undefined && { RPC_PRIMARY_WS: socket }),
      // What a URL of the caller stands for is asked alone.
      ...(rpc !== undefined && { RPC_BACKUP_HTTP: '', RPC_BACKUP_WS: '', RPC_ARCHIVE_HTTP: '' }),
      CHIMERA_ADDRESS: ASSUMED_ADDRESS,
      // Of a configuration that is not for watching: it would be asked for them, and they are not used.
      ...{ OPERATOR_PRIVATE_KEY: `0x${randomBytes(32).toString('hex')}`, DB_USER: 'watch' },
      ...{ OPERATOR_PRIVATE_KEY_FILE: '', OPERATOR_PRIVATE_KEY_AWS_SECRET: '' },
    },
  });
  if (read.network.chainId !== chainId)
    throw new StartupError([
      `${file}: network.chainId is ${read.network.chainId}, and the node is of chain ${chainId}; the configuration of that chain was expected`,
    ]);
  const directory = dir ?? join('data', `watch-${chainId}`);
  takeDirectory(directory, chainId);
  const apiKey =
    read.api.keys.length > 0 && named !== undefined ? undefined : randomBytes(16).toString('hex');
  return { config: watching(read, { directory, apiKey, apiPort, rpc, ws, named }), file, directory, apiKey };
}

function watching(
  { redis, ...read }: ChimeraConfig,
  {
    directory,
    apiKey,
    apiPort,
    rpc,
    ws,
    named,
  }: Pick<WatchSettings, 'rpc' | 'ws' | 'apiPort'> & {
    readonly directory: string;
    readonly apiKey: string | undefined;
    readonly named: string | undefined;
  },
): ChimeraConfig {
  const { cloudwatch, ...monitoring } = read.monitoring;
  const { ...execution } = read.execution;
  const { ...api } = read.api;
  const { hypersync } = read.rpc;
  const node = rpc !== undefined && {
    primary: { http: new Secret(rpc), ...(ws !== undefined && { ws: new Secret(ws) }) },
    ...(hypersync && { hypersync }),
    secondOpinion: false,
  };
  const keys = apiKey === undefined ? api.keys : [keyNamed('watch', apiKey)];
  const config: ChimeraConfig = {
    ...read,
    ...(node && { rpc: node }),
    database: { embedded: true, dataDir: join(directory, 'postgres') },
    journal: { dir: join(directory, 'journal') },
    execution: { ...execution, mode: 'dry-run', chimera: ASSUMED_ADDRESS },
    monitoring: { ...monitoring, logFormat: 'json' },
    alerts: Object.assign(new AlertsConfig(), read.alerts, { channels: [] }),
    api: {
      ...api,
      host: '127.0.0.1',
      port: apiPort ?? (named === undefined ? 0 : api.port),
      keys,
    },
    environment: { ...read.environment, operatorPrivateKey: undefined, redisPassword: undefined },
  };
  return Object.freeze(Object.assign(new ChimeraConfig(), config));
}

function keyNamed(name: string, key: string): ChimeraConfig['api']['keys'][number] {
  return { name, role: 'operator', sha256: createHash('sha256').update(key).digest('hex') };
}

/** @throws StartupError where none is shipped. */
function shippedFor(chainId: number): string {
  const path = shippedPath(chainId);
  if (path !== undefined) return relative(process.cwd(), path);
  throw new StartupError([
    `--config: the node is of chain ${chainId}, for which no configuration is shipped; the file of yours was expected (shipped are ${[...SHIPPED.keys()].join(', ')})`,
  ]);
}

/** @throws StartupError when the node does not say it. */
async function chainIdOf(url: Secret): Promise<number> {
  const closing = new AbortController();
  try {
    const node = new JsonRpcEndpoint('primary', url, new Clock(), closing.signal);
    const answer = await node.call({ method: 'eth_chainId', params: [] }, ASK_MS);
    if ('error' in answer) throw answer.error;
    return toNumber(answer.result, 'the chain id');
  } catch (error) {
    throw new StartupError([
      `--rpc: the node did not say its chain (${error instanceof TypeError ? 'it is no URL of http or https' : messageIn(error)})`,
    ]);
  } finally {
    closing.abort();
  }
}

function messageIn(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
