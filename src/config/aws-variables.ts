import type { AwsAccess } from '../aws/aws-access.js';
import { Secret } from '../domain/secret.js';

/** The keys of AWS open Secrets Manager, so they cannot lie in it. */
export const AWS_VARIABLES: readonly string[] = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
];

/**
 * The region and the keys of AWS. Without keys the SDK looks for a profile or a role by itself.
 *
 * @param problems gets a sentence when only half of a key is there
 */
export function awsAccessOf(
  valueOf: (name: string) => string | undefined,
  problems: string[] = [],
): AwsAccess {
  const region = valueOf('AWS_REGION');
  const accessKeyId = valueOf('AWS_ACCESS_KEY_ID');
  const [secretAccessKey, sessionToken] = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'].map((name) => {
    const value = valueOf(name);
    return value === undefined ? undefined : new Secret(value);
  });
  if (accessKeyId !== undefined && secretAccessKey)
    return { credentials: { accessKeyId, secretAccessKey, sessionToken }, region };
  if (accessKeyId !== undefined || secretAccessKey)
    problems.push(
      'AWS_ACCESS_KEY_ID: one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY has no value; set both, or neither to use a profile or a role',
    );
  return { credentials: undefined, region };
}
