import { Secret } from '../domain/secret.js';
import { Environment } from './environment.js';

/** A shorter part of a URL's path, such as "v2" or "mainnet", is no access key. */
const SHORTEST_ACCESS_KEY = 12;

/** A shorter one may be a word of the log ("chimera" as user and password of a test). */
const SHORTEST_SECRET = 8;

/** The texts of a configuration that no log may hold: its secrets, and what their URLs are made of. */
export function secretTexts(config: object): string[] {
  return [...new Set(secretsIn(config).flatMap(partsOf))].filter(({ length }) => length >= SHORTEST_SECRET);
}

/**
 * Removes the secrets from the variables of the process once they are read. A library, a child process or a
 * report of a crash then cannot show them. The system keeps its own copy, see docs/faults.md.
 *
 * @param variables process.env
 */
export function forgetSecrets(config: object, variables: NodeJS.ProcessEnv = process.env): void {
  const values = new Set(secretsIn(config));
  for (const [name, value = ''] of Object.entries(variables))
    if (Environment.isSecret(name) || values.has(value.trim())) Reflect.deleteProperty(variables, name);
}

function secretsIn(part: unknown): string[] {
  if (part instanceof Secret) return [part.reveal()];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(secretsIn) : [];
}

function partsOf(secret: string): string[] {
  if (!secret.includes('://') || !URL.canParse(secret)) return [secret, secret.replace(/^0x/, '')];
  const url = new URL(secret);
  const [user, password] = [url.username, url.password].map(decoded);
  const keys = [...url.pathname.split('/'), ...url.searchParams.values()];
  return [
    secret,
    url.href,
    ...(password ? [password, `${user}:${password}`] : []),
    ...keys.filter((key) => key.length >= SHORTEST_ACCESS_KEY),
  ];
}

/** A text that is not encoded correctly (a single %) stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
