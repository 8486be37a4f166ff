import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { EXECUTION_STATUSES } from '../src/database/index.js';
import { CAUSES } from '../src/domain/safety.js';
import { reasonPage } from '../testing/reason-page.js';
import { eventPage } from '../testing/event-page.js';
import { RULE_NAMES } from '../src/alerts/alert-rules.js';
import { CHANNEL_VARIABLES } from '../src/config/channel-secrets.js';
import { registeredCommands } from '../src/cli/run.js';
import { SECRET_NAMES } from '../src/config/environment.js';
import {
  configSchema,
  configurationReference,
  KEY_WORDS,
  listedKeys,
  schemaKeys,
} from '../src/config/index.js';

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'devnet/README.md',
  ...readdirSync(fileURLToPath(new URL('../docs/', import.meta.url)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const root = new URL('../', import.meta.url);
const textOf = (file: string): string => readFileSync(fileURLToPath(new URL(file, root)), 'utf8');

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: URL): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const { scripts: SCRIPTS } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** A file with its folder, in backticks. */
const FILE_NAME = /`((?:[\w-]+[/])+[\w.-]+[.](?:ts|tsx|mjs|sol|ya?ml|service|json|md))`/g;

/** What the examples of the documents call, beside shell words. */
const PROGRAMS = [
  'npm',
  'npx',
  'node',
  'docker',
  'git',
  'curl',
  'openssl',
  'cp',
  'nano',
  'chmod',
  'printf',
  'umask',
  'systemctl',
  'journalctl',
];

/** The sources that read the options of a script; undefined for a tool of others, and for `npx chimera`. */
function programOf(script: string): string[] | undefined {
  const [, folder] = /(?:tsx|mjs) ([a-z/-]+)\/main\.ts/.exec(script) ?? [];
  if (folder === undefined) return undefined;
  return readdirSync(fileURLToPath(new URL(`${folder}/`, root)), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => textOf(`${folder}/${file}`));
}

/** The source of the bot, file by file, without its specs. */
const sources = readdirSync(fileURLToPath(new URL('src/', root)), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file) => textOf(`src/${file}`));

function holdsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

describe('the documentation', () => {
  it('names only commands that exist', () => {
    for (const file of DOCUMENTS) {
      const named = [...textOf(file).matchAll(/npm run (?:--silent )?([a-z0-9:]+)/g)].map(([, name]) => name);
      for (const name of named) expect(Object.keys(SCRIPTS), file).toContain(name);
    }
  });

  it('gives the commands of npm only options that their programs read', () => {
    const said = DOCUMENTS.flatMap((file) =>
      [...textOf(file).matchAll(/npm run (?:--silent )?([a-z0-9:]+) -- ([^`\n#]*)/g)].map(
        ([line, name = '', options = '']) => ({
          file,
          line,
          name,
          options: options.match(/--[a-z-]+/g) ?? [],
        }),
      ),
    );
    expect(said.length).toBeGreaterThan(20);
    for (const { file, line, name, options } of said) {
      const program = programOf(SCRIPTS[name] ?? '');
      if (!program) continue;
      const reads = (option: string): boolean =>
        program.some((text) => new RegExp(`${option}\\b|\\b${option.slice(2)}'?:`).test(text));
      expect(
        options.filter((option) => option !== '--help' && !reads(option)),
        `${file}: ${line}`,
      ).toEqual([]);
    }
  });

  it('runs in its examples only npm scripts, commands of Chimera, and programs of the machine', () => {
    for (const file of DOCUMENTS)
      for (const [, block = ''] of textOf(file).matchAll(/^ *```sh\n([^]*?)^ *```/gm))
        for (const line of block.replaceAll('\\\n', ' ').split('\n')) {
          const [, word] = /^ *\(?(?:[A-Z_]+=[^\s$]* )*([^\s;)]+)/.exec(line.replace(/(^|\s)#.*/, '')) ?? [];
          if (word !== undefined && !/^[A-Z_]+=/.test(word))
            expect(PROGRAMS, `${file}: ${line}`).toContain(word);
        }
  });

  it('names only commands of npx chimera that exist, with options that they have', async () => {
    const commands = await registeredCommands();
    for (const file of DOCUMENTS)
      for (const [, line = ''] of textOf(file).matchAll(/npx chimera ([a-z][^`\n&|]*)/g)) {
        const words = line
          .replace(/ [#>].*/, '')
          .trim()
          .split(' ');
        const group = commands.filter(
          (one) => one.words === words[0] || one.words.startsWith(`${words[0]} `),
        );
        const [command] = group.filter((one) => `${words.join(' ')} `.startsWith(`${one.words} `));
        const isGroup = group.length > 0 && (words.length === 1 || words[1]?.startsWith('--') === true);
        expect(command !== undefined || isGroup, `${file}: ${line}`).toBe(true);
        const known = [...group.filter((one) => one === (command ?? one)).flatMap((one) => one.options)];
        const names = ['--help', ...known.map(({ name }) => name)];
        for (const word of words)
          if (word.startsWith('--')) expect(names, `${file}: ${line}`).toContain(word);
      }
  });

  it('explains each command of npx chimera with its options and an example', async () => {
    const sections = new Map(
      textOf('docs/commands.md')
        .split(/^## /m)
        .map((section) => [/^`([a-z ]+)`/.exec(section)?.[1] ?? '', section]),
    );
    const commands = await registeredCommands();
    expect([...sections.keys()].filter((words) => words !== '').sort()).toEqual(
      commands.map(({ words }) => words),
    );
    for (const { words, options } of commands) {
      const section = sections.get(words) ?? '';
      expect(section).toMatch(new RegExp(`^npx chimera ${words}\\b`, 'm'));
      for (const { name } of options) expect(section, words).toContain(name);
    }
  });

  it.each(DOCUMENTS)('links only to files and headings that exist: %s', (file) => {
    const links = [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((one) => !one.startsWith('http'))) {
      const target = new URL(link, new URL(file, root));
      const anchor = target.hash.slice(1);
      target.hash = '';
      expect(existsSync(target), `${file}: ${link}`).toBe(true);
      if (anchor !== '') expect(anchorsOf(target), `${file}: ${link}`).toContain(anchor);
    }
  });

  it.each(DOCUMENTS)('names only files that exist: %s', (file) => {
    const named = [...textOf(file).matchAll(FILE_NAME)].map(([, name = '']) => name);
    const missing = named.flatMap((name) => {
      // The sources may be named without src/. What is built, or kept at run time, is not there.
      const places = ['', 'src/', 'src/protocols/', 'devnet/', 'docs/'].map(
        (folder) => new URL(`${folder}${name}`, root),
      );
      return places.some((place) => existsSync(place)) || /^(dist|data|secrets)\//.test(name) ? [] : [name];
    });
    expect(file === 'CHANGELOG.md' ? [] : missing).toEqual([]);
  });

  it('has a section of the runbook for each alert', () => {
    const anchors = anchorsOf(new URL('docs/runbook.md', root));
    for (const name of RULE_NAMES) expect(anchors).toContain(name);
  });

  it('says of each secret what it is, and when a new value is used', () => {
    const table = textOf('docs/secrets.md').split('## All secrets')[1]?.split('## ')[0] ?? '';
    for (const name of [...SECRET_NAMES, ...CHANNEL_VARIABLES, 'RPC_…'])
      expect(table).toContain(`\`${name}\``);
  });

  it('explains each route of the API, with an example, and no other', () => {
    const { paths } = JSON.parse(textOf('docs/openapi.json')) as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const sections = textOf('docs/api.md')
      .split(/^### `/m)
      .slice(1);
    expect(sections.map((section) => section.split('`')[0]).sort()).toEqual(routes.sort());
    for (const section of sections) {
      const [method = '', path = ''] = (section.split('`')[0] ?? '').split(' ');
      const start = `$API${path.split('{')[0] ?? ''}`;
      expect(section, path).toContain(start);
      expect(section.includes('curl -X POST'), path).toBe(method === 'POST');
    }
  });

  it('explains only messages that the source has', () => {
    const rows = textOf('docs/errors.md').matchAll(/^\| `([^`]+)` +\|/gm);
    const messages = [...rows].map(([, message = '']) => message);
    expect(messages.length).toBeGreaterThan(30);
    for (const message of messages) {
      const parts = message.split('…').filter((part) => part.trim().length > 1);
      expect(
        sources.some((text) => holdsInOrder(text, parts)),
        message,
      ).toBe(true);
    }
  });

  it('has one row for each key of the configuration, as the classes have it', async () => {
    const paths = listedKeys().map(({ path }) => path);
    expect(Object.keys(KEY_WORDS).sort()).toEqual([...paths].sort());
    const ofSchema = schemaKeys(configSchema()).map((key) => key.replace(/^(execution\.paths)\[\].*/, '$1'));
    expect([...new Set(ofSchema)].sort()).toEqual([...paths].sort());
    await expectPage('docs/configuration.md', configurationReference());
  });

  it('says of each key without a default what holds without it', () => {
    const silent = listedKeys().filter(
      ({ path, key }) =>
        key?.optional === true && key.default === undefined && KEY_WORDS[path]?.without === undefined,
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('explains each reason for which a position is left alone', () =>
    expectPage('docs/decisions.md', reasonPage()));

  it('names each method that the bot asks of a node, and no other', () => {
    const asked = new Set(sources.flatMap((text) => text.match(/(?<=')eth_\w+(?=')/g) ?? []));
    const named = new Set(textOf('docs/node-requirements.md').match(/(?<=`)eth_\w+(?=`)/g));
    expect([...named].sort()).toEqual([...asked].sort());
  });

  it('has an example of a liquidation whose lines add up', () => {
    const section =
      textOf('docs/economics.md').split('## What one liquidation costs')[1]?.split('\n## ')[0] ?? '';
    const cents = [...section.matchAll(/\| +(−?\d+\.\d\d) \|$/gm)].map(([, text = '']) =>
      Math.round(Number(text.replace('−', '-')) * 100),
    );
    const total = (lines: readonly number[]): number => lines.reduce((sum, one) => sum + one, 0);
    const [profit = 0, bid = 0, before = 0, ...lines] = cents.reverse();
    expect(lines).toHaveLength(6);
    expect(before).toBe(total(lines));
    expect(profit).toBe(before + bid);
  });

  it('explains each status of an execution, and each cause of a halt', () => {
    const handbook = textOf('docs/handbook.md');
    const named = new Set(handbook.match(/(?<=`)[\w-]+(?=`)/g));
    for (const word of [...EXECUTION_STATUSES, ...CAUSES]) expect([...named], word).toContain(word);
  });

  it('explains each event with its fields, as the types have them', () =>
    expectPage('docs/events.md', eventPage()));
});

/** To write the pages that are made: npx vitest run test/documentation.spec.ts -u */
async function expectPage(name: string, text: string): Promise<void> {
  const file = fileURLToPath(new URL(name, root));
  const formatted = await format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
  await expect(formatted).toMatchFileSnapshot(file);
}
