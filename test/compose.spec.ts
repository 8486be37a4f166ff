import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { COMPOSE_SCHEMA } from '../testing/compose-schema.js';
import { parseConfig } from '../src/config/index.js';
import { VARIABLES } from '../testing/configuration.js';

const textOf = (path: string): string => readFileSync(path, 'utf8');

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly command?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly profiles?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** The file as compose reads it: merge keys are resolved, and what begins with x- is left out. */
function composeFile(): Compose {
  const merged = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(merged);
    if (typeof value !== 'object' || value === null) return value;
    const { '<<': base, ...own } = value as Record<string, unknown>;
    const all = { ...(base as object | undefined), ...own };
    return Object.fromEntries(Object.entries(all).map(([key, one]) => [key, merged(one)]));
  };
  const file = merged(load(textOf('compose.yaml'))) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(file).filter(([key]) => !key.startsWith('x-')),
  ) as unknown as Compose;
}

const compose = composeFile();
const services = Object.entries(compose.services);
const bot = compose.services.bot!;

/** The variables that the bot knows: those of its example, and those of its configuration files. */
function variablesOfTheBot(): Set<string> {
  const example = [...textOf('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm)];
  const used = [...textOf('config/compose.yaml').matchAll(/\$\{([A-Z0-9_]+)\}/g)];
  return new Set([...example, ...used].map(([, name = '']) => name));
}

describe('compose.yaml', () => {
  it('keeps the compose specification, and hardens each service', () => {
    const ajv = new Ajv({ allErrors: true });
    expect(ajv.validate(COMPOSE_SCHEMA, compose), ajv.errorsText(undefined, { separator: '\n' })).toBe(true);
  });

  it.each([
    ['a port that the network reaches', { ports: ['3000:3000'] }],
    ['an image without a version', { image: 'redis:latest' }],
    ['root', { user: '0:0' }],
    ['a mistyped key', { enviroment: {} }],
  ])('the schema refuses %s', (_, more) => {
    const changed = { ...compose, services: { ...compose.services, bot: { ...bot, ...more } } };
    expect(new Ajv().validate(COMPOSE_SCHEMA, changed)).toBe(false);
  });

  it('sets only variables that the bot reads, as files where they are secrets', () => {
    const known = variablesOfTheBot();
    for (const [name, value] of Object.entries(bot.environment ?? {})) {
      const plain = name.replace(/_FILE$/, '');
      expect(known, name).toContain(plain);
      if (name.endsWith('_FILE')) expect(bot.secrets).toContain(value.replace('/run/secrets/', ''));
      else expect(plain).not.toMatch(/KEY|PASSWORD|^RPC_/);
    }
  });

  it('takes from its own environment only variables of .env.example', () => {
    const taken = [...textOf('compose.yaml').matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    const example = textOf('.env.example');
    for (const name of taken) expect(example).toMatch(new RegExp(`^${name}=`, 'm'));
  });

  it.each(services)('%s: what it refers to exists', (_, service) => {
    for (const one of service.networks) expect(compose.networks).toHaveProperty(one);
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    for (const [other] of Object.entries(service.depends_on ?? {}))
      expect(compose.services).toHaveProperty(other);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(existsSync(source), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
    const used = JSON.stringify([service.environment ?? {}, service.command ?? [], service.healthcheck]);
    for (const [, secret = ''] of used.matchAll(/\/run\/secrets\/(\w+)/g))
      expect(service.secrets).toContain(secret);
  });

  it('everything that is declared is used', () => {
    const all = services.map(([, service]) => service);
    const used = new Set(
      all.flatMap(({ volumes = [], secrets = [], networks }) => [...volumes, ...secrets, ...networks]),
    );
    const sources = [...used].map((one) => one.split(':')[0]);
    for (const name of [compose.volumes, compose.secrets, compose.networks].flatMap((one) =>
      Object.keys(one),
    ))
      expect(sources).toContain(name);
  });

  it('A19 no layer of the image holds a secret: it takes none, and copies what it needs by name', () => {
    const lines = textOf('Dockerfile').split('\n');
    const of = (word: string): string[] => lines.filter((line) => line.startsWith(`${word} `));
    expect(of('ARG')).toEqual(['ARG COMMIT=']);
    expect(of('ENV')).toEqual(['ENV NODE_ENV=production']);
    expect(of('ADD')).toEqual([]);
    const sources = of('COPY').flatMap((line) => line.split(' ').slice(1, -1));
    for (const source of sources.filter((one) => !one.startsWith('--')))
      expect(source).toMatch(/^(\/app\/)?(\.npmrc|[a-z][\w./-]*)$/);
    const ignored = textOf('.dockerignore').split('\n');
    for (const name of ['.env', 'secrets', 'data', '.git']) expect(ignored).toContain(name);
    expect(textOf('.npmrc')).not.toMatch(/_auth|token|password/i);
  });

  it('A19 a crash leaves no dump of the memory, and no signal opens a debugger', () => {
    for (const [name, service] of services) expect(service, name).toMatchObject({ ulimits: { core: 0 } });
    expect(textOf('packaging/systemd/chimera.service')).toMatch(/^LimitCORE=0$/m);
    expect(textOf('Dockerfile')).toMatch(/^CMD \["node", .*"--disable-sigusr1"/m);
  });

  it('keeps secrets out of git and out of the image', () => {
    for (const { file } of Object.values(compose.secrets)) {
      expect(file).toMatch(/^\.\/secrets\//);
      expect(textOf('docs/operating.md')).toContain(file.replace('./', ''));
    }
    expect(textOf('.gitignore').split('\n')).toContain('secrets/');
    expect(textOf('.dockerignore').split('\n')).toContain('secrets');
  });

  it('database and cache are reached by the bot alone, and the bot by this machine alone', () => {
    expect(compose.networks.back?.internal).toBe(true);
    for (const name of ['postgres', 'redis']) {
      expect(compose.services[name]?.networks).toEqual(['back']);
      expect(compose.services[name]?.ports).toBeUndefined();
    }
    expect(services.filter(([, { networks }]) => networks.includes('back')).map(([name]) => name)).toEqual([
      ...['bot', 'postgres', 'redis'],
    ]);
  });

  it('Prometheus and Grafana start only with the profile monitoring; nobody enters Grafana without a password', () => {
    const inProfile = services.filter(([, { profiles = [] }]) => profiles.includes('monitoring'));
    expect(inProfile.map(([name]) => name)).toEqual(['prometheus', 'grafana']);
    expect(compose.services.grafana?.environment).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana_admin_password',
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_USERS_ALLOW_SIGN_UP: 'false',
    });
  });

  it.each(services)('%s: its health check runs a program of its image', (name, { healthcheck }) => {
    // Each of these images holds the program: Node, the client of PostgreSQL, the client of Redis, BusyBox.
    const programs = {
      bot: 'node',
      postgres: 'pg_isready',
      redis: 'redis-cli',
      prometheus: 'wget',
      grafana: 'wget',
    };
    expect(healthcheck.test.join(' ')).toMatch(
      new RegExp(`^CMD(-SHELL)? (\\w+="[^"]*" )?${programs[name as keyof typeof programs]} `),
    );
  });
});

describe('config/compose.yaml', () => {
  const parse = (path: string): ReturnType<typeof parseConfig> =>
    parseConfig(textOf(path), { ...VARIABLES, CHIMERA_ADDRESS: `0x${'c1'.repeat(20)}`, REDIS_HOST: 'redis' });
  const [base, own] = [parse('config/base.yaml'), parse('config/compose.yaml')];

  it('differs from config/base.yaml only by where things are', () => {
    const without = (config: object, ...keys: string[]): [string, unknown][] =>
      Object.entries(config).filter(([key]) => !keys.includes(key));
    expect(without(own, 'database', 'api')).toEqual(without(base, 'database', 'api'));
    expect(without(own.database, 'host')).toEqual(without(base.database, 'host'));
    expect(own.database).toMatchObject({ host: 'postgres' });
    expect(without(own.api, 'host', 'allowedHosts')).toEqual(without(base.api, 'host', 'allowedHosts'));
    expect(own.api).toMatchObject({ host: '0.0.0.0', allowedHosts: ['bot'] });
  });

  it('the file, names and ports are those of the services', () => {
    expect(bot.environment?.CHIMERA_CONFIG).toBe('/app/config/compose.yaml');
    expect(bot.volumes).toContain('./config:/app/config:ro');
    const { port } = own.api;
    expect(bot.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(bot.healthcheck.test.join(' ')).toContain(`http://127.0.0.1:${port}/health/live`);
    expect(textOf('Dockerfile')).toContain(`EXPOSE ${port}`);
    expect(textOf('docs/monitoring/prometheus.yml')).toContain(`targets: [bot:${port}]`);
    const { database, redis } = own;
    const hosts = {
      database: 'host' in database ? database.host : '',
      redis: bot.environment?.REDIS_HOST ?? '',
    };
    expect(compose.services).toHaveProperty(hosts.database);
    expect(compose.services).toHaveProperty(hosts.redis);
    expect(database).toMatchObject({ port: 5432, name: compose.services.postgres?.environment?.POSTGRES_DB });
    expect(bot.environment?.DB_USER).toBe(compose.services.postgres?.environment?.POSTGRES_USER);
    expect(redis?.port).toBe(6379);
    expect(textOf('docs/monitoring/grafana/datasources/prometheus.yml')).toContain(
      'url: http://prometheus:9090',
    );
    expect(compose.services.prometheus?.ports).toEqual(['127.0.0.1:9090:9090']);
  });

  it('what the bot writes lies in its volume', () => {
    expect(bot.volumes).toContain('bot-data:/app/data');
    expect(own.journal.dir).toMatch(/^\.\/data\//);
  });

  it('Prometheus and Grafana read what the files of this repository say', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes);
    const file = load(textOf('docs/monitoring/grafana/dashboards/chimera.yml')) as {
      providers: { options: { path: string } }[];
    };
    const folder = file.providers[0]!.options.path;
    expect(mounts).toContain(`./docs/monitoring/grafana-dashboard.json:${folder}/chimera.json:ro`);
    expect(compose.services.prometheus?.command).toContain('--config.file=/etc/prometheus/prometheus.yml');
    expect(mounts).toContain('./docs/monitoring/alerts.rules.yml:/etc/prometheus/alerts.rules.yml:ro');
  });
});
