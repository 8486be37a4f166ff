import { readFileSync } from 'node:fs';
import { computeAddress } from 'ethers';
import type { AwsAccess, AwsCredentials } from '../aws/aws-access.js';
import { StartupError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { textOf } from './file-text.js';
import { TEST_ACCOUNTS } from './test-accounts.js';

/** Variables by name, as process.env holds them. An empty value counts as absent. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The chain id of Anvil and Hardhat: the only chain on which a published test key may sign. */
const LOCAL_CHAIN_ID = 31337;

const RPC_PREFIX = 'RPC_';
/** The names of secrets, apart from those that begin with RPC_. */
const SECRET_NAMES = [
  'OPERATOR_PRIVATE_KEY',
  'DEPLOYER_PRIVATE_KEY',
  'DB_USER',
  'DB_PASSWORD',
  'REDIS_PASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** Secrets that the bot reads from the environment, never from the configuration file. */
export interface EnvironmentConfig {
  /** 0x and 64 hex digits, checked to be a valid key. Present when `execution.mode` is live. */
  readonly operatorPrivateKey: Secret | undefined;
  readonly dbUser: Secret | undefined;
  readonly dbPassword: Secret | undefined;
  readonly redisPassword: Secret | undefined;
  /** For the clients of AWS: the process forgets the variables before the SDK would read them. */
  readonly aws: AwsAccess;
}

export interface EnvironmentNeeds {
  /** undefined when the file's value is not valid. */
  readonly chainId: number | undefined;
  readonly live: boolean;
  /** The embedded database makes its own user and password. */
  readonly externalDatabase: boolean;
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

/** Reads variables and the files that `NAME_FILE` variables point to. */
export class Environment {
  readonly problems: string[] = [];
  readonly #values = new Map<string, string | undefined>();

  constructor(
    private readonly variables: Variables,
    private readonly readText: (path: string) => string = (path) => textOf(readFileSync(path), path),
  ) {}

  /**
   * The value of NAME, or the content of the file that NAME_FILE names, without its last line break. Docker
   * leaves the first half of a Windows line break at the end of a variable.
   */
  value(name: string): string | undefined {
    if (!this.#values.has(name)) this.#values.set(name, this.#read(name));
    return this.#values.get(name);
  }

  /** The variables of the process that hold secrets. */
  static isSecret(name: string): boolean {
    return name.startsWith(RPC_PREFIX) || SECRET_NAMES.includes(name);
  }

  /**
   * What no message may hold: the values of all secrets, and of every variable whose name begins with RPC_.
   */
  secretValues(): string[] {
    const rpc = Object.keys(this.variables).filter((name) => name.startsWith(RPC_PREFIX));
    const names = [...SECRET_NAMES, ...rpc.map((name) => name.replace(/_FILE$/, ''))];
    return [...new Set(names)].flatMap((name) => this.value(name) ?? []);
  }

  /**
   * The secrets of {@link EnvironmentConfig}. Adds to {@link Environment.problems} what is missing or wrong.
   */
  secrets({ chainId, live, externalDatabase }: EnvironmentNeeds): EnvironmentConfig {
    const needed = live ? 'execution.mode is live' : undefined;
    const operatorPrivateKey = this.#privateKey('OPERATOR_PRIVATE_KEY', chainId, needed);
    const dbUser = this.#secret('DB_USER');
    if (externalDatabase && !dbUser)
      this.problems.push(
        'DB_USER: the environment variable has no value, but the database needs a user; set DB_USER and DB_PASSWORD (or DB_USER_FILE and DB_PASSWORD_FILE)',
      );
    const dbPassword = this.#secret('DB_PASSWORD');
    return {
      operatorPrivateKey,
      dbUser,
      dbPassword,
      redisPassword: this.#secret('REDIS_PASSWORD'),
      aws: this.awsAccess(),
    };
  }

  /** The region and the keys of AWS. Without keys the SDK looks for a profile or a role by itself. */
  awsAccess(): AwsAccess {
    return { credentials: this.#awsCredentials(), region: this.value('AWS_REGION') };
  }

  #awsCredentials(): AwsCredentials | undefined {
    const accessKeyId = this.value('AWS_ACCESS_KEY_ID');
    const secretAccessKey = this.#secret('AWS_SECRET_ACCESS_KEY');
    const sessionToken = this.#secret('AWS_SESSION_TOKEN');
    if (accessKeyId !== undefined && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken };
    if (accessKeyId !== undefined || secretAccessKey)
      this.problems.push(
        'AWS_ACCESS_KEY_ID: one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY has no value; set both, or neither to use a profile or a role',
      );
    return undefined;
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

  #read(name: string): string | undefined {
    const direct = this.#variable(name);
    const path = this.#variable(`${name}_FILE`);
    if (path === undefined) return direct;
    if (direct !== undefined) {
      this.problems.push(`${name}: both ${name} and ${name}_FILE are set; set only one of them`);
      return direct;
    }
    try {
      return this.readText(path).replace(/\r?\n$/, '') || undefined;
    } catch (error) {
      if (error instanceof StartupError) {
        this.problems.push(`${name}_FILE: the file it names is not UTF-8 text; save it as UTF-8`);
        return undefined;
      }
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      this.problems.push(
        `${name}_FILE: the file it names cannot be read (${code}); a readable file was expected`,
      );
      return undefined;
    }
  }

  #variable(name: string): string | undefined {
    return this.variables[name]?.replace(/\r$/, '') || undefined;
  }

  /** @param neededBecause undefined: the key may be absent. */
  #privateKey(name: string, chainId: number | undefined, neededBecause?: string): Secret | undefined {
    const text = this.value(name)?.trim();
    if (text === undefined) {
      if (neededBecause !== undefined && this.variables[`${name}_FILE`] === undefined)
        this.problems.push(
          `${name}: the environment variable has no value, but ${neededBecause}; set it (or ${name}_FILE) to 0x and 64 hex digits`,
        );
      return undefined;
    }
    const key = text.startsWith('0x') ? text : `0x${text}`;
    const address = addressOf(key);
    if (address === undefined) {
      this.problems.push(`${name}: the value is not a private key; 0x and 64 hex digits were expected`);
      return undefined;
    }
    if (chainId !== undefined && chainId !== LOCAL_CHAIN_ID && TEST_ACCOUNTS.has(address))
      this.problems.push(
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
