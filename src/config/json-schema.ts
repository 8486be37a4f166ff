import { CHANNEL_SECTIONS } from './alerts-section.js';
import {
  isMapping,
  keysOf,
  type KeyDefinition,
  type Mapping,
  type SectionChoice,
  type SectionClass,
} from './keys.js';
import { KEY_WORDS } from './key-words.js';
import { ChimeraConfig } from './sections.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A value from the environment, wherever it stands in the text. */
const VARIABLE = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' } as const;

/** What may be written in a section to choose its class: {@link SectionChoice}. */
const CHOICES: readonly (readonly [key: string, text: string])[] = [
  ['embedded', 'true'],
  ['embedded', 'false'],
  ...[...Object.keys(CHANNEL_SECTIONS), 'aave-v3', 'compound-v2', 'morpho-blue', 'public', 'private'].map(
    (kind) => ['kind', kind] as const,
  ),
];

/**
 * The JSON Schema (draft 7) of the configuration file, for editors. What holds between two keys, and what a
 * form cannot say (the checksum of an address), only `config validate` tells.
 */
export function configSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'The configuration of Chimera',
    ...sectionSchema(ChimeraConfig, new Map(), ''),
  };
}

/**
 * @param chosen the texts of the keys that choose this class
 * @param above the path of the section with a point at its end, as {@link schemaKeys} has it
 */
function sectionSchema(
  type: SectionClass,
  chosen: ReadonlyMap<string, readonly string[]>,
  above: string,
): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const definition of keysOf(type).values()) {
    const texts = chosen.get(definition.key);
    const path = `${above}${definition.key}`;
    const schema = texts ? { enum: texts.flatMap(written) } : keySchema(definition, path);
    properties[definition.key] = { description: descriptionOf(definition, path), ...schema };
    if (isRequired(definition, schema)) required.push(definition.key);
  }
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length > 0 ? { required } : {}),
  };
}

/** What the key is, and what may be written. Links are for pages. */
function descriptionOf({ expected }: KeyDefinition, path: string): string {
  const what = KEY_WORDS[path]?.what.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  return `${what === undefined ? '' : `${what}; `}${expected} is expected`;
}

/** A flag is written with or without quotes. */
function written(text: string): unknown[] {
  return text === 'true' || text === 'false' ? [text === 'true', text] : [text];
}

function isRequired(definition: KeyDefinition, schema: JsonSchema): boolean {
  if (definition.optional === true) return false;
  if (definition.kind === 'section')
    return variantsOf(definition.choose, '').every((variant) => 'required' in variant);
  if (definition.default !== undefined) return false;
  return !('variable' in definition) || schema['default'] === undefined;
}

function keySchema(definition: KeyDefinition, path: string): JsonSchema {
  switch (definition.kind) {
    case 'text':
      return textSchema(definition);
    case 'section':
      return oneOf(variantsOf(definition.choose, `${path}.`));
    case 'list': {
      const items = oneOf(variantsOf(definition.choose, `${path}[].`));
      const { least = 0, default: fallback } = definition;
      const byDefault = fallback === undefined ? {} : { default: fallback };
      return { type: 'array', items, ...(least > 0 ? { minItems: least } : {}), ...byDefault };
    }
  }
}

function textSchema(definition: Extract<KeyDefinition, { kind: 'text' }>): JsonSchema {
  const { form = { type: 'string' }, list = false, example, default: fallback, read } = definition;
  const typed = (text: string): unknown => {
    if (form['type'] === 'integer' || form['type'] === 'number') return Number(text);
    return form['type'] === 'boolean' ? text === 'true' : text;
  };
  // Each value may be written as a text too: 8453 or '8453'.
  const asText =
    form['type'] === 'string' || 'enum' in form ? [] : [{ type: 'string', pattern: quoted(form) }];
  const forms = [form, ...asText, ...(list ? [{ type: 'array', items: { type: 'string' } }] : []), VARIABLE];
  return {
    anyOf: forms,
    ...(typeof fallback === 'string' ? { default: typed(fallback) } : {}),
    ...(example !== undefined && read(example) !== undefined ? { examples: [typed(example)] } : {}),
    ...(definition.secret === true ? { writeOnly: true } : {}),
  };
}

function quoted({ type }: JsonSchema): string {
  if (type === 'boolean') return '^(true|false)$';
  return type === 'integer' ? '^-?\\d{1,15}$' : '^-?\\d+(\\.\\d+)?$';
}

function oneOf(variants: readonly JsonSchema[]): JsonSchema {
  const [only] = variants;
  return variants.length === 1 && only ? only : { anyOf: variants };
}

/** The schema of each class that a section may have. */
function variantsOf(choose: SectionChoice, above: string): JsonSchema[] {
  const found = new Map<SectionClass, Map<string, string[]>>();
  const add = (mapping: Mapping): Map<string, string[]> | undefined => {
    const type = choose(mapping);
    if (type.acceptsAnyKey) return undefined;
    const chosen = found.get(type) ?? new Map<string, string[]>();
    found.set(type, chosen);
    return chosen;
  };
  for (const [key, text] of CHOICES) {
    const type = choose({ [key]: text });
    const definition = [...keysOf(type).values()].find((one) => one.key === key);
    if (definition?.kind !== 'text' || definition.read(text) === undefined) continue;
    const chosen = add({ [key]: text });
    chosen?.set(key, [...(chosen.get(key) ?? []), text]);
  }
  if (found.size === 0) add({});
  return [...found].map(([type, chosen]) => sectionSchema(type, chosen, above));
}

/** Every key of a schema with its path, as docs/configuration.md writes it: `protocols[].name`. */
export function schemaKeys(schema: JsonSchema, path = ''): string[] {
  const { properties, items, anyOf } = schema;
  const below = Array.isArray(anyOf) ? anyOf.filter(isMapping).flatMap((one) => schemaKeys(one, path)) : [];
  if (isMapping(items)) below.push(...schemaKeys(items, `${path}[]`));
  for (const [key, child] of Object.entries(isMapping(properties) ? properties : {})) {
    const at = path === '' ? key : `${path}.${key}`;
    const nested = isMapping(child) ? schemaKeys(child, at) : [];
    below.push(...(nested.length > 0 ? nested : [at]));
  }
  return [...new Set(below)];
}
