import { BID_MODELS, type BidModel } from '../domain/bid.js';
import type { Address } from '../domain/hex.js';
import { AlertsConfig } from './alerts-section.js';
import type { DeploymentEnvironment, EnvironmentConfig } from './environment.js';
import {
  Bps,
  Choice,
  ContractAddress,
  ContractAddresses,
  Decimal,
  Flag,
  Host,
  HostNames,
  Integer,
  Name,
  Path,
  SECONDS,
  Sha256,
  Usd,
} from './key-types.js';
import { List, Section, type Mapping, type SectionClass } from './keys.js';
import { JournalConfig } from './journal-section.js';
import { protocolOf, type ProtocolConfig } from './protocol-sections.js';
import { MonitoringConfig } from './monitoring-section.js';
import { RpcConfig } from './rpc-section.js';
import { SafetyConfig } from './safety-section.js';
import { ONE_PATH, submissionPathOf, type SubmissionPathConfig } from './submission-paths.js';
import { AtLeast, DistinctNames, OnlyOne, OnlyWith } from './rules.js';

const PORT = { min: 1, max: 65_535 } as const;

export class NetworkConfig {
  @Name({ example: 'base' })
  readonly name!: string;

  @Integer({ min: 1, max: 999_999_999_999, example: 8453 })
  readonly chainId!: number;
}

export class ServerDatabaseConfig {
  @Flag({ default: 'false' })
  readonly embedded!: false;

  @Host({ example: 'localhost' })
  readonly host!: string;

  @Integer({ ...PORT, default: '5432', example: 5432 })
  readonly port!: number;

  @Name({ example: 'chimera' })
  readonly name!: string;

  /** How the connection is encrypted. Only `verify-full` proves that the server is the right one. */
  @Choice({ of: ['off', 'require', 'verify-full'], default: 'off' })
  readonly ssl!: 'off' | 'require' | 'verify-full';

  /** Relative to the working directory. Absent: the authorities that Node knows. */
  @OnlyWith('ssl', 'verify-full')
  @Path({ optional: true, of: 'a file', example: './config/database-ca.pem' })
  readonly sslCa?: string;
}

export class EmbeddedDatabaseConfig {
  @Flag()
  readonly embedded!: true;

  /** Relative to the working directory. */
  @Path({ example: './data/postgres' })
  readonly dataDir!: string;
}

export type DatabaseConfig = ServerDatabaseConfig | EmbeddedDatabaseConfig;

/** Embedded or not, by what is written. */
export const databaseOf = ({ embedded }: Mapping): SectionClass =>
  embedded === 'true' ? EmbeddedDatabaseConfig : ServerDatabaseConfig;

export class RedisConfig {
  @Host({ example: 'localhost' })
  readonly host!: string;

  @Integer({ ...PORT, default: '6379', example: 6379 })
  readonly port!: number;

  @Integer({ min: 0, max: 1023, default: '0', example: 0 })
  readonly db!: number;
}

export class OraclesConfig {
  /** Chainlink native token / USD. */
  @ContractAddress()
  readonly nativeUsdFeed!: Address;

  @Bps({ default: '3000', example: 3000 })
  readonly maxMovePerBlockBps!: number;

  @Integer({ ...SECONDS, default: '90000', example: 90000 })
  readonly maxAgeSeconds!: number;
}

export class UniswapV3Config {
  @ContractAddress()
  readonly factory!: Address;
}

/** A factory of pools besides Uniswap's. Our contract must have listed it. */
export class PoolFactoryConfig {
  /** Its name in routes and rows. */
  @Name({ example: 'aerodrome' })
  readonly name!: string;

  @Choice({ of: ['slipstream', 'pancake-v3', 'solidly'] })
  readonly kind!: 'slipstream' | 'pancake-v3' | 'solidly';

  @ContractAddress()
  readonly factory!: Address;
}

export class FlashConfig {
  @ContractAddress({ optional: true })
  readonly morpho?: Address;

  @ContractAddress({ optional: true })
  readonly aavePool?: Address;

  /** Of Balancer v2. */
  @ContractAddress({ optional: true })
  readonly balancerVault?: Address;

  @ContractAddress({ optional: true })
  readonly balancerV3Vault?: Address;
}

/** A token that stands for another one, and is taken apart to be sold. Our contract must have listed it. */
export class WrapperConfig {
  @ContractAddress()
  readonly token!: Address;

  @Choice({ of: ['erc4626', 'wsteth'] })
  readonly kind!: 'erc4626' | 'wsteth';
}

export class LiquidityConfig {
  @Section(() => UniswapV3Config)
  readonly uniswapV3!: UniswapV3Config;

  @List({
    choose: () => PoolFactoryConfig,
    default: [],
    expected: 'a list of factories of pools',
    example: '[{ name: aerodrome, kind: solidly, factory: "0x420DD381b31aEf6683db6B902084cB0FFECe40Da" }]',
  })
  readonly factories!: readonly PoolFactoryConfig[];

  /** Tokens of no market over which routes may lead. */
  @ContractAddresses({ default: '' })
  readonly hubs!: readonly Address[];

  /** A pool that holds less is left out. USD with 8 decimals. */
  @Usd({ key: 'minPoolUsd', default: '1000', example: '1000' })
  readonly minPoolUsd8!: bigint;

  @Section(() => FlashConfig, { optional: true })
  readonly flash?: FlashConfig;

  @List({
    choose: () => WrapperConfig,
    default: [],
    expected: 'a list of tokens that are taken apart',
    example: '[{ token: "0xc1256Ae5FF1cf2719D4937adb3bbCCab2E00A2Ca", kind: erc4626 }]',
  })
  readonly wrappers!: readonly WrapperConfig[];
}

export class DetectorConfig {
  @Integer({ min: 100, max: 3_600_000, default: '5000', example: 5000 })
  readonly scanIntervalMs!: number;

  @Integer({ min: 0, max: 128, default: '1', example: 1 })
  readonly confirmationBlocks!: number;

  /**
   * Positions below this health factor are compared with the chain first, on every block. Wad: 1.1 is
   * 1100000000000000000n.
   */
  @Decimal({
    key: 'watchBelowHealthFactor',
    decimals: 18,
    min: '1',
    max: '100',
    default: '1.1',
    example: '1.1',
  })
  readonly watchBelowHealthFactorWad!: bigint;
}

export class PlannerConfig {
  /** Least net profit worth sending. USD with 8 decimals. */
  @Usd({ key: 'minProfitUsd', default: '5', example: '5' })
  readonly minProfitUsd8!: bigint;

  @Bps({ default: '100', example: 100 })
  readonly slippageBps!: number;

  /** The rule by which bids are made: src/domain/bid.ts. */
  @Choice({ of: BID_MODELS, default: 'least-that-wins' })
  readonly bidModel!: BidModel;

  /** Share of the margin that is bid as priority fee when the profit is at its floor. */
  @Bps({ default: '1500', example: 1500 })
  readonly baseBribeBps!: number;

  /** The same when the profit is ten times its floor, or more. */
  @AtLeast('baseBribeBps')
  @Bps({ default: '4000', example: 4000 })
  readonly maxBribeBps!: number;

  /** Of the gas of a block, what the gas limits of all our transactions in it may take together. */
  @Bps({ default: '2500', example: 2500 })
  readonly maxBlockGasShareBps!: number;
}

class SendingConfig {
  @Choice({ of: ['dry-run', 'live'], default: 'dry-run' })
  readonly mode!: 'dry-run' | 'live';

  /**
   * From the arrival of a head to the signature of a plan that was made on it. An older plan is made anew.
   */
  @Integer({ min: 100, max: 60_000, default: '1500', example: 1500 })
  readonly maxPlanAgeMs!: number;

  /** The most transactions in flight. Losses lower the number, wins raise it again (domain/pacing.ts). */
  @Integer({ min: 1, max: 1000, default: '16', example: 16 })
  readonly maxInFlight!: number;

  /** One, because nothing chooses between two of them yet. */
  @OnlyOne(`a list of exactly one submission path was expected, for example ${ONE_PATH}`)
  @List({
    choose: submissionPathOf,
    default: [{ name: 'public', kind: 'public' }],
    least: 1,
    expected: 'a list of exactly one submission path',
    example: ONE_PATH,
  })
  readonly paths!: readonly SubmissionPathConfig[];

  /** Allows a public path in live mode on a chain with a public mempool. */
  @Flag({ default: 'false' })
  readonly allowPublicMempool!: boolean;
}

export class ExecutionConfig extends SendingConfig {
  /** The Chimera contract. */
  @ContractAddress()
  readonly chimera!: Address;
}

export class DeploymentExecutionConfig extends SendingConfig {
  /** Absent or zero before the first deployment. */
  @ContractAddress({ optional: true, zero: true })
  readonly chimera?: Address;
}

export class ApiKeyConfig {
  /** Written to the audit trail as the actor. */
  @Name({ example: 'ops' })
  readonly name!: string;

  @Choice({ of: ['viewer', 'operator'] })
  readonly role!: 'viewer' | 'operator';

  /** Lower-case hex of the key's SHA-256. */
  @Sha256()
  readonly sha256!: string;
}

export class ApiConfig {
  @Host({ default: '127.0.0.1', example: '127.0.0.1' })
  readonly host!: string;

  /** 0: any free port. */
  @Integer({ min: 0, max: 65_535, default: '3000', example: 3000 })
  readonly port!: number;

  /** Beside `host` and the names of this machine. A request to another name is refused. */
  @HostNames({ default: () => '', example: 'bot.example.com' })
  readonly allowedHosts!: readonly string[];

  @DistinctNames()
  @List({
    choose: () => ApiKeyConfig,
    default: [],
    expected: 'a list of API keys',
    example: '[{ name: ops, role: operator, sha256: "…" }]',
  })
  readonly keys!: readonly ApiKeyConfig[];
}

/** The sections that the bot and the deployment of the contract both read. */
class FileConfig {
  @Section(() => NetworkConfig)
  readonly network!: NetworkConfig;

  @Section(() => RpcConfig)
  readonly rpc!: RpcConfig;

  @Section(databaseOf)
  readonly database!: DatabaseConfig;

  @Section(() => JournalConfig)
  readonly journal!: JournalConfig;

  /** Absent: the cache is in memory. */
  @Section(() => RedisConfig, { optional: true })
  readonly redis?: RedisConfig;

  @DistinctNames()
  @List({
    choose: protocolOf,
    least: 1,
    expected: 'a list of at least one protocol',
    example: '[{ name: aave, kind: aave-v3, addressesProvider: "0x…", fromBlock: 2357134 }]',
  })
  readonly protocols!: readonly ProtocolConfig[];

  @Section(() => OraclesConfig)
  readonly oracles!: OraclesConfig;

  @Section(() => LiquidityConfig)
  readonly liquidity!: LiquidityConfig;

  @Section(() => DetectorConfig)
  readonly detector!: DetectorConfig;

  @Section(() => PlannerConfig)
  readonly planner!: PlannerConfig;

  @Section(() => SafetyConfig)
  readonly safety!: SafetyConfig;

  @Section(() => MonitoringConfig)
  readonly monitoring!: MonitoringConfig;

  @Section(() => AlertsConfig)
  readonly alerts!: AlertsConfig;

  @Section(() => ApiConfig)
  readonly api!: ApiConfig;
}

/** The whole configuration: validated, typed, deeply frozen. Inject it by this class. */
export class ChimeraConfig extends FileConfig {
  @Section(() => ExecutionConfig)
  readonly execution!: ExecutionConfig;

  /** The secrets that come from the environment. */
  readonly environment!: EnvironmentConfig;
}

/** The configuration of the deployment of the contract: there may be no contract yet. */
export class DeploymentConfig extends FileConfig {
  @Section(() => DeploymentExecutionConfig)
  readonly execution!: DeploymentExecutionConfig;

  readonly environment!: DeploymentEnvironment;
}
