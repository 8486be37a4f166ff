import { readFileSync } from 'node:fs';
import { SHIPPED, shippedPath } from '../config/index.js';

/** A configuration that the bot comes with. */
export interface ShippedFile {
  readonly chain: string;
  readonly chainId: number;
  /** The names of its markets. */
  readonly markets: readonly string[];
  readonly text: string;
}

export const DATABASES = ['embedded', 'own'] as const;
export const CHANNELS = ['none', 'slack', 'telegram', 'pagerduty', 'webhook'] as const;

/** What the file shall say. */
export interface InitChoices {
  readonly shipped: ShippedFile;
  /** The variables with the URLs of the nodes. */
  readonly rpc: string;
  readonly backup: string;
  /** Secret files that hold the URLs, where they are not in the variables themselves. */
  readonly files: Readonly<Record<string, string>>;
  readonly markets: readonly string[];
  readonly database: (typeof DATABASES)[number];
  readonly alerts: (typeof CHANNELS)[number];
  /** Of Telegram. */
  readonly chat?: string | undefined;
}

/** Every shipped configuration of a chain. */
export function shippedFiles(): ShippedFile[] {
  return [...SHIPPED.keys()].map((chainId) => {
    const path = shippedPath(chainId);
    if (path === undefined) throw new Error('the folder config/ is missing');
    const text = readFileSync(path, 'utf8');
    const [, chain = ''] = /^network: \{ name: (\S+), /m.exec(text) ?? [];
    return { chain, chainId, markets: marketsOf(text), text };
  });
}

/** The shipped file, with its comments, and with what was chosen. */
export function fileText(choices: InitChoices): string {
  const { shipped, rpc, backup, markets, alerts, chat } = choices;
  const { chain } = shipped;
  const named = choices.database === 'own' ? ownDatabase() : embeddedDatabase(chain);
  let text = replaced(shipped.text, /^(#.*\n)+/, `${header(chain)}\n`);
  text = replaced(text, /^#.*PostgreSQL server.*\n(#.*\n)*database: .*$/m, named.join('\n'));
  text = replaced(text, /^journal: .*$/m, `journal: { dir: ./data/${chain}/journal }`);
  text = replaced(text, /\$\{RPC_PRIMARY_HTTP\}/, `\${${rpc}}`);
  text = replaced(text, /\$\{RPC_BACKUP_HTTP\}/, `\${${backup}}`);
  const kept = itemsOf(text).filter(({ name }) => name === undefined || markets.includes(name));
  text = replaced(text, PROTOCOLS, `protocols:\n${kept.map((item) => item.text).join('')}`);
  if (alerts === 'none') return text;
  const more = alerts === 'telegram' ? `, chatId: '${chat ?? ''}'` : '';
  return replaced(text, /^ {2}channels: \[\]$/m, `  channels: [{ name: chat, kind: ${alerts}${more} }]`);
}

const header = (chain: string): string =>
  [
    `# The bot on ${chain}. It is a dry run (execution.mode): it does everything except signing and sending.`,
    '# ${NAME} is read from the environment or from .env, or from the file that NAME_FILE names: see .env.example.',
    '# Secrets do not belong in this file. An optional section whose variables have no value is left out.',
    '# What each key means: docs/configuration.md. What to do next: docs/getting-started.md.',
  ].join('\n');

function embeddedDatabase(chain: string): string[] {
  return [
    '# A PostgreSQL of its own, which the bot starts. On a server of yours, with DB_USER and DB_PASSWORD:',
    '#   database: { host: localhost, port: 5432, name: chimera }',
    `database: { embedded: true, dataDir: ./data/${chain}/postgres }`,
  ];
}

function ownDatabase(): string[] {
  return [
    '# A PostgreSQL server; its user and password are DB_USER and DB_PASSWORD.',
    "# On another machine: ssl: verify-full, and sslCa when your own authority signed the server's certificate.",
    'database: { host: localhost, port: 5432, name: chimera }',
  ];
}

/** The section of the markets. */
const PROTOCOLS = /^protocols:\n((?: .*\n)+)/m;

/** Its markets, each with its lines. Comments between them have no name. */
function itemsOf(text: string): { readonly name: string | undefined; readonly text: string }[] {
  const [, body = ''] = PROTOCOLS.exec(text) ?? [];
  return body
    .split(/^(?= {2}[-#])/m)
    .map((item) => ({ name: /^ {2}- name: (\S+)/.exec(item)?.[1], text: item }));
}

function marketsOf(text: string): string[] {
  return itemsOf(text).flatMap(({ name }) => name ?? []);
}

/** @throws Error when the shipped file has no such place, which its spec finds */
function replaced(text: string, place: RegExp, by: string): string {
  if (!place.test(text)) throw new Error(`the shipped configuration has no ${place.source}`);
  return text.replace(place, () => by);
}
