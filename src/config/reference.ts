import { CHANNEL_SECTIONS } from './alerts-section.js';
import { keysOf, type SectionChoice, type TextKey } from './keys.js';
import { KEY_WORDS } from './key-words.js';
import { ChimeraConfig, EmbeddedDatabaseConfig } from './sections.js';

/** A key of the configuration with its path, such as `protocols[].name`. */
export interface ListedKey {
  readonly path: string;
  /** Undefined for a list that is one value for a reader. */
  readonly key: TextKey | undefined;
}

const PROTOCOLS = ['aave-v3', 'morpho-blue', 'compound-v2'];

/** Every key of every kind of section, once, in the order of the classes. */
export function listedKeys(): readonly ListedKey[] {
  const all = [...keysIn(ChimeraConfig), ...keysIn(EmbeddedDatabaseConfig, 'database.')];
  return [...new Map(all.map((one) => [one.path, one])).values()];
}

function keysIn(type: object, above = ''): readonly ListedKey[] {
  return [...keysOf(type).values()].flatMap((definition): readonly ListedKey[] => {
    const path = `${above}${definition.key}`;
    if (definition.kind === 'text') return [{ path, key: definition }];
    // The name of the door and its kind are one value for a reader.
    if (path === 'execution.paths') return [{ path, key: undefined }];
    const choose: SectionChoice = definition.choose;
    const kinds = path === 'alerts.channels' ? Object.keys(CHANNEL_SECTIONS) : PROTOCOLS;
    const below = definition.kind === 'list' ? `${path}[].` : `${path}.`;
    return kinds.flatMap((kind) => keysIn(choose({ kind }), below));
  });
}

const HEAD = `# Configuration

One YAML file. \`CHIMERA_CONFIG\` names it; without it, it is config/base.yaml. \`\${NAME}\` in the file is taken from the
environment. An unknown key is a mistake. Secrets do not belong in the file ([secrets.md](secrets.md)).

- A key without a default is required.
- Keys that say "no …" belong to an optional section or element: leave it out, or give every such key.
- \`npx chimera init\` writes a file for a chain after a few questions.
- \`npx chimera config validate\` says each mistake in a sentence. \`npx chimera config dump\` says what is in use, and
  where it comes from.

This page is made from the classes in src/config and the words in src/config/key-words.ts.
`;

/** The reference of the configuration as Markdown: one table for each section, one row for each key. */
export function configurationReference(): string {
  const sections = new Map<string, ListedKey[]>();
  for (const one of listedKeys()) {
    const name = /^\w+/.exec(one.path)?.[0] ?? '';
    sections.set(name, [...(sections.get(name) ?? []), one]);
  }
  return [HEAD, ...[...sections].map(([name, keys]) => sectionOf(name, keys))].join('\n');
}

function sectionOf(name: string, keys: readonly ListedKey[]): string {
  const rows = keys.map(({ path, key }) => {
    const { what = '', without = '' } = KEY_WORDS[path] ?? {};
    const fallback = typeof key?.default === 'string' ? key.default : '';
    const cells = [code(path), without || code(fallback), what, writtenAs(key)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `## ${name}`,
    '',
    '| key | default | what it is | what may be written |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function writtenAs(key: TextKey | undefined): string {
  if (!key) return '';
  const { expected, example } = key;
  if (example === undefined || expected.includes(example)) return expected;
  return `${expected}, for example ${code(example)}`;
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
