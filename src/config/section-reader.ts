import { Environment } from './environment.js';
import {
  isMapping,
  keysOf,
  UNREADABLE,
  type KeyDefinition,
  type Mapping,
  type SectionChoice,
  type TextKey,
} from './keys.js';
import { MASK, type Redaction } from './redaction.js';
import { closest } from './suggestion.js';

/**
 * `${NAME}` is replaced by marks of the same length before the YAML is parsed, for three reasons: braces
 * would end a plain value inside `{ … }`, the values of variables must not be parsed as YAML, and the columns
 * in syntax errors must stay right.
 */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const MARKED = /\uE000\uE000([A-Za-z_][A-Za-z0-9_]*)\uE001/g;

export function markVariables(yamlText: string): string {
  return yamlText.replace(VARIABLE, '\uE000\uE000$1\uE001');
}

const unmark = (text: string): string => text.replace(MARKED, '${$1}');
const namesIn = (text: string): string[] => [...text.matchAll(MARKED)].map((match) => match[1] ?? '');

const SECRET_KEY = /passw|secret|private|mnemonic|seed|token|credential|api_?key/i;
const SECRET_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['database.user', 'DB_USER'],
  ['database.username', 'DB_USER'],
  ['database.password', 'DB_PASSWORD'],
  ['redis.password', 'REDIS_PASSWORD'],
]);

/** A value that is used, as it may be shown. */
export interface EffectiveValue {
  /** Its path: `network.chainId`. */
  readonly key: string;
  /** *** for a secret. */
  readonly value: string;
  /** The variables that it holds; none when it was written, or is a default. */
  readonly variables: readonly string[];
  readonly isDefault: boolean;
}

/**
 * Reads the parsed file into the section classes. It puts in the values of variables, takes defaults, leaves
 * out optional parts whose variables have no value, and reports unknown keys. Values that cannot be read are
 * marked {@link UNREADABLE} for validation.
 */
export class SectionReader {
  readonly problems: string[] = [];
  /** The paths of keys that already have a problem in {@link SectionReader.problems}. */
  readonly reported = new Set<string>();
  /** Every value that was read, in the order of the keys. */
  readonly effective: EffectiveValue[] = [];
  readonly #variables = new Map<string, readonly string[]>();
  readonly #shown = new Map<string, string>();

  constructor(
    private readonly environment: Environment,
    private readonly redaction: Redaction,
  ) {}

  /** How a message may show the value at a path. undefined where nothing is written. */
  shown(path: string): string | undefined {
    return this.#shown.get(path);
  }

  section<Type extends object>(written: Mapping, choose: SectionChoice<Type>, path: string): Type {
    const type = choose(this.#texts(written));
    const definitions = keysOf(type);
    const values: Record<string, unknown> = {};
    for (const [property, definition] of definitions)
      values[property] = this.#value(written[definition.key], definition, join(path, definition.key), values);
    const own = [...definitions.values()].map(({ key }) => key);
    const known = [...own, ...(type.keysOfOthers?.() ?? [])];
    const isChecked = !type.acceptsAnyKey && !(type.keysOfOthers && own.every((key) => key in written));
    if (isChecked)
      for (const key of Object.keys(written)) if (!known.includes(key)) this.#unknown(key, path, known);
    return Object.assign(new type(), values);
  }

  /** @param before the values of the keys declared before this one. */
  #value(written: unknown, definition: KeyDefinition, path: string, before: Mapping): unknown {
    const value = written === null ? undefined : this.#present(written, definition, path);
    switch (definition.kind) {
      case 'text': {
        const fallback = definition.default;
        const text =
          joined(value, definition.list) ?? (typeof fallback === 'function' ? fallback(before) : fallback);
        if (text === undefined) return undefined;
        if (typeof text === 'string') this.#use(text, definition, path, value === undefined);
        return (typeof text === 'string' ? definition.read(text) : undefined) ?? UNREADABLE;
      }
      case 'section':
        if (value === undefined || (definition.optional && this.#allUnset(value)))
          return definition.optional ? undefined : this.section({}, definition.choose, path);
        return isMapping(value) ? this.section(value, definition.choose, path) : UNREADABLE;
      case 'list': {
        const list = value ?? definition.default;
        if (list === undefined) return undefined;
        if (!Array.isArray(list)) return UNREADABLE;
        this.#shown.set(path, list.length === 0 ? 'an empty list' : 'this list');
        if (list.length < (definition.least ?? 0)) return UNREADABLE;
        return list.map((written: unknown, index) => {
          const at = `${path}[${index}]`;
          const element = this.#present(written, definition, at);
          return isMapping(element) ? this.section(element, definition.choose, at) : UNREADABLE;
        });
      }
    }
  }

  /** What is written, with the values of its variables. undefined when one of the variables has no value. */
  #present(written: unknown, definition: KeyDefinition, path: string): unknown {
    const variable = definition.kind === 'text' ? definition.variable : undefined;
    if (variable !== undefined && this.environment.value(variable) !== undefined)
      return this.#text(markVariables(`\${${variable}}`), definition, path);
    if (typeof written === 'string') return this.#text(written, definition, path);
    if (written !== undefined) this.#shown.set(path, shapeOf(written));
    return written;
  }

  #text(text: string, definition: KeyDefinition, path: string): string | undefined {
    const names = namesIn(text);
    const unset = names.filter((name) => this.environment.value(name) === undefined);
    if (unset.length > 0) {
      if (!definition.optional) this.#report(path, unset.map((name) => noValue(name)).join('; '));
      return undefined;
    }
    if (text.includes('${'))
      this.#report(path, 'holds "${" without a variable; ${NAME} of letters, digits and "_" was expected');
    const secret = definition.kind === 'text' && definition.secret === true;
    this.#shown.set(path, this.#show(text, names, secret));
    this.#variables.set(path, names);
    return this.#substitute(text);
  }

  #use(text: string, { secret = false, list = false }: TextKey, key: string, isDefault: boolean): void {
    const variables = isDefault ? [] : (this.#variables.get(key) ?? []);
    const isSecret = secret || variables.some((name) => Environment.isSecret(name));
    // The hashes of a list are those of markets.
    const isPlain = isDefault || (list && !this.redaction.holdsSecret(text));
    const value = isSecret ? MASK : isPlain ? text : this.redaction.whole(text);
    this.effective.push({ key, value, variables, isDefault });
  }

  #show(text: string, names: readonly string[], secret: boolean): string {
    if (names.length > 0) return `the value of ${names.map((name) => `\${${name}}`).join(' and ')}`;
    return secret ? '***' : this.redaction.show(text);
  }

  #substitute(text: string): string {
    return text.replace(MARKED, (_, name: string) => this.environment.value(name) ?? '');
  }

  /** The texts of a section, with the values of variables: its class is chosen by them. */
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

  #unknown(key: string, path: string, known: readonly string[]): void {
    const variable =
      SECRET_VARIABLES.get(join(path, key)) ?? (/private/i.test(key) ? 'OPERATOR_PRIVATE_KEY' : undefined);
    const near = closest(key, known);
    const notHere = 'is not a key of this file, because secrets do not belong here';
    const problem = variable
      ? `${notHere}; set ${variable} (or ${variable}_FILE) in the environment`
      : near
        ? `is not a known key; did you mean ${near}?`
        : SECRET_KEY.test(key)
          ? `${notHere}; they come from the environment`
          : `is not a known key; ${path || 'this file'} has the keys ${known.join(', ')}`;
    this.#report(join(path, this.redaction.key(unmark(key))), problem);
  }

  #report(path: string, problem: string): void {
    this.reported.add(path);
    this.problems.push(`${path}: ${problem}`);
  }
}

/** A list of texts as one text, where the key takes one. An element may hold no comma of its own. */
function joined(value: unknown, takesList = false): unknown {
  const isList = takesList && Array.isArray(value);
  return isList && value.every((part) => typeof part === 'string' && !part.includes(','))
    ? value.join(',')
    : value;
}

function shapeOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : isMapping(value) ? 'a section' : 'an empty value';
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function noValue(name: string): string {
  return `the environment variable ${name} has no value; set ${name} (or ${name}_FILE)`;
}

/** The variables that it names. */
export function namesWithin(value: unknown): string[] {
  if (typeof value === 'string') return namesIn(value);
  return isMapping(value) || Array.isArray(value) ? Object.values(value).flatMap(namesWithin) : [];
}
