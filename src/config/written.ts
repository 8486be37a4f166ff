import type { Environment } from './environment.js';
import { isMapping, keysOf, type KeyDefinition, type Mapping, type SectionChoice } from './keys.js';
import type { Redaction } from './redaction.js';
import { closest } from './suggestion.js';

/**
 * `${NAME}` is swapped for marks of the same length before YAML sees it: braces would end a plain value inside
 * `{ … }`, values are never parsed as YAML, and the columns of syntax errors stay right.
 */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const MARKED = /\uE000\uE000([A-Za-z_][A-Za-z0-9_]*)\uE001/g;

export function markVariables(yamlText: string): string {
  return yamlText.replace(VARIABLE, '\uE000\uE000$1\uE001');
}

const unmark = (text: string): string => text.replace(MARKED, '${$1}');
const namesIn = (text: string): string[] => [...text.matchAll(MARKED)].map((match) => match[1] ?? '');

const SECRET_KEY = /passw|secret|private|mnemonic|seed|token|credential|api_?key/i;
const SECRET_VARIABLES: Readonly<Record<string, string>> = {
  'database.user': 'DB_USER',
  'database.username': 'DB_USER',
  'database.password': 'DB_PASSWORD',
  'redis.password': 'REDIS_PASSWORD',
};

/**
 * Walks the file beside the section classes: puts variables in, leaves optional parts without values out, and reports
 * unknown keys. What remains holds known keys only.
 */
export class WrittenFile {
  readonly problems: string[] = [];
  /** Keys of which a problem is already known, by path. */
  readonly reported = new Set<string>();
  readonly #shown = new Map<string, string>();

  constructor(
    private readonly environment: Environment,
    private readonly redaction: Redaction,
  ) {}

  /** How the value at a path may be shown, or undefined where nothing is written. */
  shown(path: string): string | undefined {
    return this.#shown.get(path);
  }

  section(written: Mapping, choose: SectionChoice, path: string): Mapping {
    const type = choose(this.#texts(written));
    const definitions = [...keysOf(type).values()];
    const result: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(written)) {
      const definition = definitions.find((candidate) => candidate.key === key);
      if (!definition) {
        if (!type.acceptsAnyKey) this.#unknown(key, path, definitions);
      } else if (value !== null) {
        const read = this.#value(value, definition, join(path, key));
        if (read !== undefined) result[key] = read;
      }
    }
    return result;
  }

  #value(value: unknown, definition: KeyDefinition, path: string): unknown {
    const { kind, choose } = definition;
    if (typeof value === 'string') return this.#text(value, definition, path);
    if (kind === 'section' && choose && isMapping(value))
      return definition.optional && this.#allUnset(value) ? undefined : this.section(value, choose, path);
    if (kind === 'list' && choose && Array.isArray(value)) return this.#list(value, definition, choose, path);
    return this.#misplaced(value, path);
  }

  #list(
    value: readonly unknown[],
    definition: KeyDefinition,
    choose: SectionChoice,
    path: string,
  ): unknown[] {
    this.#shown.set(path, value.length === 0 ? 'an empty list' : 'this list');
    return value.map((element: unknown, index) => {
      const at = `${path}[${index}]`;
      if (isMapping(element)) return this.section(element, choose, at);
      return typeof element === 'string' ? this.#text(element, definition, at) : this.#misplaced(element, at);
    });
  }

  /** A list or a section where a text was expected, or the reverse: an empty list is unreadable for every other kind. */
  #misplaced(value: unknown, path: string): unknown {
    this.#shown.set(
      path,
      Array.isArray(value) ? 'a list' : isMapping(value) ? 'a section' : 'an empty value',
    );
    return isMapping(value) || value === null ? [] : '';
  }

  #text(text: string, { optional, secret }: KeyDefinition, path: string): string | undefined {
    const names = namesIn(text);
    const unset = names.filter((name) => this.environment.value(name) === undefined);
    if (unset.length > 0) {
      if (!optional) this.#report(path, unset.map((name) => noValue(name)).join('; '));
      return undefined;
    }
    if (text.includes('${'))
      this.#report(path, 'holds "${" without a variable; ${NAME} of letters, digits and "_" was expected');
    this.#shown.set(path, this.#show(text, names, secret));
    return this.#substitute(text);
  }

  #show(text: string, names: readonly string[], secret: boolean): string {
    if (names.length > 0) return `the value of ${names.map((name) => `\${${name}}`).join(' and ')}`;
    return secret ? '***' : this.redaction.show(text);
  }

  #substitute(text: string): string {
    return text.replace(MARKED, (_, name: string) => this.environment.value(name) ?? '');
  }

  /** The texts of a section with variables put in, for choosing its class. */
  #texts(written: Mapping): Mapping {
    return Object.fromEntries(
      Object.entries(written).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, this.#substitute(value)]] : [],
      ),
    );
  }

  #allUnset(value: unknown): boolean {
    const names = namesWithin(value);
    return names.length > 0 && names.every((name) => this.environment.value(name) === undefined);
  }

  #unknown(key: string, path: string, definitions: readonly KeyDefinition[]): void {
    const at = join(path, this.redaction.key(unmark(key)));
    const known = definitions.map((definition) => definition.key);
    const variable =
      SECRET_VARIABLES[join(path, key)] ?? (/private/i.test(key) ? 'OPERATOR_PRIVATE_KEY' : undefined);
    const near = closest(key, known);
    if (variable)
      this.#report(
        at,
        `is not a key of this file, because secrets do not belong here; set ${variable} (or ${variable}_FILE) in the environment`,
      );
    else if (near) this.#report(at, `is not a known key; did you mean ${near}?`);
    else if (SECRET_KEY.test(key))
      this.#report(
        at,
        'is not a key of this file, because secrets do not belong here; they come from the environment',
      );
    else this.#report(at, `is not a known key; ${path || 'this file'} has the keys ${known.join(', ')}`);
  }

  #report(path: string, problem: string): void {
    this.reported.add(path);
    this.problems.push(`${path}: ${problem}`);
  }
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function noValue(name: string): string {
  return `the environment variable ${name} has no value; set ${name} (or ${name}_FILE)`;
}

function namesWithin(value: unknown): string[] {
  if (typeof value === 'string') return namesIn(value);
  return isMapping(value) || Array.isArray(value) ? Object.values(value).flatMap(namesWithin) : [];
}
