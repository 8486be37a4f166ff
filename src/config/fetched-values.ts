import type { AwsAccess } from '../aws/aws-access.js';
import { fetchSecrets, type Fetched } from '../aws/secrets-manager.js';
import { AWS_VARIABLES, awsAccessOf } from './aws-variables.js';
import { Environment } from './environment.js';
import { EnvironmentValues, variableOf, type Variables } from './environment-values.js';

/** How secrets are fetched. A test puts its own in. */
export type FetchSecrets = (
  references: ReadonlyMap<string, string>,
  access: AwsAccess,
) => Promise<ReadonlyMap<string, Fetched>>;

/**
 * The values of variables, with those that AWS Secrets Manager keeps. The SDK is loaded only when one is
 * needed.
 *
 * @param yamlText a variable that it names may lie in AWS too
 * @param isNeeded whether the program uses the secret: it may have no permission to read another
 */
export async function fetchedValues(
  variables: Variables,
  yamlText: string,
  isNeeded: (name: string) => boolean,
  fetch: FetchSecrets = fetchSecrets,
): Promise<EnvironmentValues> {
  const own = new EnvironmentValues(variables);
  const references = new Map<string, string>();
  const refused = new Map<string, Fetched>();
  for (const name of own.names) {
    const reference = own.variable(variableOf(name, 'aws'));
    const isRead = Environment.isSecret(name) || yamlText.includes(`\${${name}}`);
    if (reference === undefined || !isRead || !isNeeded(name)) continue;
    if (AWS_VARIABLES.includes(name))
      refused.set(name, {
        problem: 'AWS gives a secret only for this key; a file or a variable was expected',
      });
    else references.set(name, reference);
  }
  if (references.size + refused.size === 0) return own;
  const access = awsAccessOf((name) => own.value(name));
  return new EnvironmentValues(variables, new Map([...refused, ...(await fetch(references, access))]));
}
