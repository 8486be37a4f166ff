import type { AwsAccess, AwsCredentials } from './aws-access.js';

/** How long a client waits, and how often it tries. */
export interface AwsPatience {
  readonly connectMs: number;
  /** For one attempt, from its first byte to its answer. */
  readonly requestMs: number;
  readonly attempts: number;
}

/** What the constructor of every client of the AWS SDK takes. */
export interface AwsClientOptions {
  region?: string;
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  maxAttempts: number;
  requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    throwOnRequestTimeout: true;
    httpsAgent: { ca?: string; keepAlive: true };
  };
}

/**
 * The options of a client. Import its package with `await import()`, only when it is configured.
 *
 * @param region of the configuration file; undefined: the one of the environment
 */
export function awsClientOptions(
  access: AwsAccess,
  patience: AwsPatience,
  region = access.region,
): AwsClientOptions {
  const { credentials, server } = access;
  return {
    ...(region !== undefined && { region }),
    ...(server && { endpoint: server.url }),
    ...(credentials && { credentials: revealed(credentials) }),
    maxAttempts: patience.attempts,
    requestHandler: {
      connectionTimeout: patience.connectMs,
      requestTimeout: patience.requestMs,
      // Without this the SDK only writes a warning, and waits on.
      throwOnRequestTimeout: true,
      httpsAgent: { ...(server && { ca: server.authority }), keepAlive: true },
    },
  };
}

function revealed({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken && { sessionToken: sessionToken.reveal() }),
  };
}
