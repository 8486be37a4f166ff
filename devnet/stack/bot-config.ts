/** The configuration file that a bot on the local chain runs with. */
import { createHash, randomBytes } from 'node:crypto';
import type { Devnet } from '../devnet.js';

export interface BotSettings {
  /** A node to ask instead of the chain's own, over HTTP alone unless `wsUrl` is set. */
  readonly rpcUrl?: string;
  readonly wsUrl?: string;
  /** A second endpoint: without it there is none. */
  readonly backupUrl?: string;
  readonly mode?: 'dry-run' | 'live';
  readonly minProfitUsd?: string;
  readonly bidModel?: 'by-size' | 'by-inclusion' | 'least-that-wins';
  readonly maxSingleExecutionUsd?: string;
  readonly maxDailyVolumeUsd?: string;
  readonly maxConsecutiveFailures?: number;
  readonly maxFeePerTransactionEth?: string;
  readonly maxDailyFeeEth?: string;
  readonly maxDailyLossUsd?: string;
  readonly maxWalletShareBps?: number;
  /** Without these three the chain may rest, and its clock be moved, as one likes. */
  readonly maxTimestampJumpSeconds?: number;
  readonly maxHeadAgeSeconds?: number;
  readonly haltHeadAgeSeconds?: number;
  /** Default: only an operator ends a halt. */
  readonly resumeAfterSeconds?: number;
  readonly haltDatabaseAwaySeconds?: number;
  readonly nativeUsdFeed?: string;
  readonly scanIntervalMs?: number;
  readonly watchBelowHealthFactor?: string;
  readonly minPoolUsd?: string;
  /** Where the bot liquidates beside Aave. Default: nowhere. */
  readonly beside?: readonly ('compound' | 'morpho')[];
  /** The section `liquidity.flash`: YAML. Default: every lender of the chain. */
  readonly lenders?: string;
  /** The list `liquidity.wrappers`: YAML. */
  readonly wrappers?: string;
  /** Wide by default: a busy machine is slow, and the demo plans thirty positions at once. */
  readonly maxPlanAgeMs?: number;
  readonly maxInFlight?: number;
  /** The list `execution.paths`: YAML. */
  readonly paths?: string;
  readonly apiPort?: number;
  /** Default: debug, with which every pass is logged. The tools around the bot know by it how far it is. */
  readonly logLevel?: 'debug' | 'info';
  /** Where the bot finds the database, when something stands between the two. */
  readonly databasePort?: number;
  /** More keys of the section `monitoring`, and more sections: YAML. */
  readonly monitoring?: string;
  readonly sections?: string;
  /** More of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly redisPort?: number;
}

/** A server, or a directory in which the bot runs one of its own. */
export type DatabasePlace = {
  /** Where the bot keeps what it cannot write there. */
  readonly journalDir?: string;
} & (
  { readonly host: string; readonly port: number; readonly database: string } | { readonly dataDir: string }
);

/** Keys of the operator REST API; the file holds only their hashes. */
export interface ApiKeys {
  readonly operator: string;
  readonly viewer: string;
}

export function newApiKeys(): ApiKeys {
  return { operator: randomBytes(16).toString('hex'), viewer: randomBytes(16).toString('hex') };
}

const A_YEAR = 31_536_000;

/** The sections of the protocols beside Aave. */
const PROTOCOLS = {
  compound: ({ addresses }: Devnet) =>
    `{ name: compound, kind: compound-v2, comptroller: "${addresses.comptroller}", fromBlock: 0 }`,
  morpho: ({ addresses: { morpho, morphoIrm }, tokens }: Devnet) => {
    const feeds = Object.values(tokens).map(
      ({ address, feed }) => `{ token: "${address}", feed: "${feed}" }`,
    );
    return `{ name: morpho, kind: morpho-blue, morpho: "${morpho}", adaptiveCurveIrm: "${morphoIrm}", fromBlock: 0, feeds: [${feeds.join(', ')}] }`;
  },
} as const;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The file's text. Limits are wide: the demo shows what the bot would take, not where an operator would stop
 * it.
 */
export function botConfig(
  devnet: Devnet,
  database: DatabasePlace,
  keys: ApiKeys,
  settings: BotSettings = {},
): string {
  const { addresses } = devnet;
  const {
    mode = 'live',
    minProfitUsd = '5',
    bidModel = 'by-size',
    maxSingleExecutionUsd = '1000000',
    maxDailyVolumeUsd = '100000000',
    maxConsecutiveFailures = 3,
    maxFeePerTransactionEth = '10000',
    maxDailyFeeEth = '1000000',
    maxDailyLossUsd = '1000000000',
    maxWalletShareBps = 10_000,
    maxTimestampJumpSeconds = A_YEAR,
    maxHeadAgeSeconds = A_YEAR,
    haltHeadAgeSeconds = A_YEAR,
    resumeAfterSeconds = 0,
    haltDatabaseAwaySeconds = 300,
    nativeUsdFeed = addresses.nativeUsdFeed,
    scanIntervalMs = 5000,
    watchBelowHealthFactor = '1.1',
    minPoolUsd = '1000',
    lenders = `{ morpho: "${addresses.morpho}", balancerVault: "${addresses.balancerVault}", aavePool: "${addresses.pool}" }`,
    wrappers = '[]',
    maxPlanAgeMs = 15_000,
    maxInFlight = 16,
    paths = '[{ name: public, kind: public }]',
    apiPort = 0,
    logLevel = 'debug',
    monitoring = '',
    sections = '',
    beside = [],
  } = settings;
  const endpoint =
    settings.rpcUrl === undefined
      ? '{ http: "${RPC_PRIMARY_HTTP}", ws: "${RPC_PRIMARY_WS}" }'
      : `{ http: "${settings.rpcUrl}"${settings.wsUrl === undefined ? '' : `, ws: "${settings.wsUrl}"`} }`;
  const backup = settings.backupUrl === undefined ? '' : `  backup: { http: "${settings.backupUrl}" }\n`;
  const server =
    'dataDir' in database
      ? `{ embedded: true, dataDir: ${JSON.stringify(database.dataDir)} }`
      : `{ host: ${database.host}, port: ${database.port}, name: ${database.database} }`;
  return `# Written for one run on the local chain.
network: { name: devnet, chainId: ${devnet.chainId} }
rpc:
  primary: ${endpoint}
${backup}database: ${server}
${database.journalDir === undefined ? '' : `journal: { dir: ${JSON.stringify(database.journalDir)} }\n`}${settings.redisPort === undefined ? '' : `redis: { host: 127.0.0.1, port: ${settings.redisPort} }\n`}protocols:
  - { name: aave, kind: aave-v3, addressesProvider: "${addresses.addressesProvider}", fromBlock: 0 }
${beside.map((name) => `  - ${PROTOCOLS[name](devnet)}\n`).join('')}oracles: { nativeUsdFeed: "${nativeUsdFeed}" }
liquidity:
  uniswapV3: { factory: "${addresses.uniswapFactory}" }
  factories:
    - { name: slipstream, kind: slipstream, factory: "${addresses.slipstreamFactory}" }
    - { name: aerodrome, kind: solidly, factory: "${addresses.solidlyFactory}" }
    - { name: pancake, kind: pancake-v3, factory: "${addresses.pancakeFactory}" }
  minPoolUsd: ${minPoolUsd}
  flash: ${lenders}
  wrappers: ${wrappers}
detector: { scanIntervalMs: ${scanIntervalMs}, confirmationBlocks: 1, watchBelowHealthFactor: ${watchBelowHealthFactor} }
planner: { minProfitUsd: ${minProfitUsd}, slippageBps: 100, bidModel: ${bidModel}, baseBribeBps: 1500, maxBribeBps: 4000 }
safety:
  maxSingleExecutionUsd: ${maxSingleExecutionUsd}
  maxDailyVolumeUsd: ${maxDailyVolumeUsd}
  maxConsecutiveFailures: ${maxConsecutiveFailures}
  minOperatorBalanceEth: 0.1
  maxFeePerTransactionEth: ${maxFeePerTransactionEth}
  maxDailyFeeEth: ${maxDailyFeeEth}
  maxDailyLossUsd: ${maxDailyLossUsd}
  maxWalletShareBps: ${maxWalletShareBps}
  maxTimestampJumpSeconds: ${maxTimestampJumpSeconds}
  maxHeadAgeSeconds: ${maxHeadAgeSeconds}
  haltHeadAgeSeconds: ${haltHeadAgeSeconds}
  resumeAfterSeconds: ${resumeAfterSeconds}
  haltDatabaseAwaySeconds: ${haltDatabaseAwaySeconds}
execution: { mode: ${mode}, chimera: "${addresses.chimera}", maxPlanAgeMs: ${maxPlanAgeMs}, maxInFlight: ${maxInFlight}, paths: ${paths} }
monitoring: { logLevel: ${logLevel}${monitoring === '' ? '' : `, ${monitoring}`} }
api:
  host: 127.0.0.1
  port: ${apiPort}
  keys:
    - { name: demo, role: operator, sha256: "${sha256(keys.operator)}" }
    - { name: reader, role: viewer, sha256: "${sha256(keys.viewer)}" }
${sections}`;
}
