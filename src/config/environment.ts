import { computeAddress } from 'ethers';
import type { AwsAccess } from '../aws/aws-access.js';
import { Secret } from '../domain/secret.js';
import { awsAccessOf } from './aws-variables.js';
import {
  channelSecretsOf,
  isChannelVariable,
  type ChannelNeeds,
  type ChannelSecrets,
} from './channel-secrets.js';
import type { EnvironmentValues } from './environment-values.js';
import { TEST_ACCOUNTS } from './test-accounts.js';

/** The chain id of Anvil and Hardhat: the only chain on which a published test key may sign. */
const LOCAL_CHAIN_ID = 31337;

const RPC_PREFIX = 'RPC_';
/** Those of {@link DatabaseSecrets}. */
export const DATABASE_SECRETS: readonly string[] = ['DB_USER', 'DB_PASSWORD'];

/** The names of secrets, apart from those that begin with RPC_. */
export const SECRET_NAMES: readonly string[] = [
  'OPERATOR_PRIVATE_KEY',
  'DEPLOYER_PRIVATE_KEY',
  ...DATABASE_SECRETS,
  'REDIS_PASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** How the database is entered. */
export interface DatabaseSecrets {
  readonly dbUser: Secret | undefined;
  readonly dbPassword: Secret | undefined;
}

/** Secrets that the bot reads from the environment, never from the configuration file. */
export interface EnvironmentConfig extends DatabaseSecrets {
  /** 0x and 64 hex digits, checked to be a valid key. Present when `execution.mode` is live. */
  readonly operatorPrivateKey: Secret | undefined;
  readonly redisPassword: Secret | undefined;
  /** For the clients of AWS: the process forgets the variables before the SDK would read them. */
  readonly aws: AwsAccess;
  /** Of each channel of `alerts.channels`, by its name. */
  readonly channels: Readonly<Record<string, ChannelSecrets>>;
}

export interface EnvironmentNeeds {
  /** undefined when the file's value is not valid. */
  readonly chainId: number | undefined;
  readonly live: boolean;
  /** The embedded database makes its own user and password. */
  readonly externalDatabase: boolean;
  /** The channels whose name and kind are valid. */
  readonly channels: readonly ChannelNeeds[];
}

/** Secrets that the deployment of the contract reads from the environment. */
export interface DeploymentEnvironment {
  /** 0x and 64 hex digits, checked to be a valid key. Present when transactions are to be sent. */
  readonly deployerPrivateKey: Secret | undefined;
  /** The key of the bot's wallet, likewise checked. */
  readonly operatorPrivateKey: Secret | undefined;
}

export interface DeploymentNeeds {
  /** undefined when the file's value is not valid. */
  readonly chainId: number | undefined;
  /** Whether transactions are to be signed and sent. */
  readonly sends: boolean;
}

/** What the variables of the process say: the secrets, checked. */
export class Environment {
  readonly #problems: string[] = [];

  readonly #used = new Set<string>();

  /** @param concerns whose sources must be readable: those of all secrets, or only of what is used */
  constructor(
    private readonly values: EnvironmentValues,
    private readonly concerns: 'all' | 'used' = 'all',
  ) {}

  /** One sentence for each secret that is missing or wrong, and for each that could not be read. */
  get problems(): readonly string[] {
    const unreadable = this.concerns === 'all' ? this.values.problems() : this.values.problems(this.#used);
    return [...unreadable, ...this.#problems];
  }

  value(name: string): string | undefined {
    this.#used.add(name);
    return this.values.value(name);
  }

  /** The variables of the process that hold secrets. */
  static isSecret(name: string): boolean {
    return name.startsWith(RPC_PREFIX) || SECRET_NAMES.includes(name) || isChannelVariable(name);
  }

  /**
   * What no message may hold: the values of all secrets, and of every variable whose name begins with RPC_.
   */
  secretValues(): string[] {
    const prefixed = this.values.names.filter(
      (name) => name.startsWith(RPC_PREFIX) || isChannelVariable(name),
    );
    const names = [...SECRET_NAMES, ...prefixed];
    return [...new Set(names)].flatMap((name) => this.values.value(name) ?? []);
  }

  /**
   * The secrets of {@link EnvironmentConfig}. Adds to {@link Environment.problems} what is missing or wrong.
   */
  secrets({ chainId, live, externalDatabase, channels }: EnvironmentNeeds): EnvironmentConfig {
    const needed = live ? 'execution.mode is live' : undefined;
    const operatorPrivateKey = this.#privateKey('OPERATOR_PRIVATE_KEY', chainId, needed);
    return {
      operatorPrivateKey,
      ...this.databaseSecrets(externalDatabase),
      redisPassword: this.#secret('REDIS_PASSWORD'),
      aws: awsAccessOf((name) => this.value(name), this.#problems),
      channels: channelSecretsOf(channels, (name) => this.value(name), this.#problems),
    };
  }

  /** The user of the database. Adds to {@link Environment.problems} that it is missing. */
  databaseSecrets(isExternal: boolean): DatabaseSecrets {
    const dbUser = this.#secret('DB_USER');
    if (isExternal && !dbUser && !this.values.isUnreadable('DB_USER'))
      this.#problems.push(
        'DB_USER: the environment variable has no value, but the database needs a user; set DB_USER and DB_PASSWORD (or DB_USER_FILE and DB_PASSWORD_FILE)',
      );
    return { dbUser, dbPassword: this.#secret('DB_PASSWORD') };
  }

  /**
   * The secrets of {@link DeploymentEnvironment}. Adds to {@link Environment.problems} what is missing or
   * wrong.
   */
  deploymentSecrets({ chainId, sends }: DeploymentNeeds): DeploymentEnvironment {
    const needed = sends ? 'transactions are to be sent (--send)' : undefined;
    const deployerPrivateKey = this.#privateKey('DEPLOYER_PRIVATE_KEY', chainId, needed);
    return { deployerPrivateKey, operatorPrivateKey: this.#privateKey('OPERATOR_PRIVATE_KEY', chainId) };
  }

  #secret(name: string): Secret | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : new Secret(value);
  }

  /** @param neededBecause undefined: the key may be absent. */
  #privateKey(name: string, chainId: number | undefined, neededBecause?: string): Secret | undefined {
    const text = this.value(name)?.trim();
    if (text === undefined) {
      if (neededBecause !== undefined && !this.values.isUnreadable(name))
        this.#problems.push(
          `${name}: the environment variable has no value, but ${neededBecause}; set it (or ${name}_FILE) to 0x and 64 hex digits`,
        );
      return undefined;
    }
    const key = text.startsWith('0x') ? text : `0x${text}`;
    const address = addressOf(key);
    if (address === undefined) {
      this.#problems.push(`${name}: the value is not a private key; 0x and 64 hex digits were expected`);
      return undefined;
    }
    if (chainId !== undefined && chainId !== LOCAL_CHAIN_ID && TEST_ACCOUNTS.has(address))
      this.#problems.push(
        `${name}: this is a published test key (${address}), which anyone can empty; on chain ${chainId} a key of your own was expected`,
      );
    return new Secret(key);
  }
}

function addressOf(key: string): string | undefined {
  if (!/^0x[0-9a-fA-F]{64}$/.test(key)) return undefined;
  try {
    return computeAddress(key).toLowerCase();
  } catch {
    // The number is zero, or not below the curve's order. The error is dropped because its message holds the
    // key.
    return undefined;
  }
}
