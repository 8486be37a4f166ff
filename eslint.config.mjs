import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What each folder of src/ may import, besides itself: the table of docs/architecture.md, as lint errors. A
 * permission that nothing uses is an error too (scripts/check-imports.mjs).
 */
export const MAY_IMPORT = {
  domain: [],
  aws: ['domain'],
  config: ['domain', 'aws'],
  'embedded-postgres': ['domain'],
  contract: ['domain'],
  journal: ['domain', 'config'],
  database: ['domain', 'config', 'embedded-postgres'],
  cache: ['domain', 'config'],
  rpc: ['domain', 'config'],
  state: ['domain', 'rpc', 'database', 'cache'],
  oracles: ['domain', 'config', 'rpc', 'state'],
  protocols: ['domain', 'config', 'contract', 'rpc', 'database', 'state', 'oracles'],
  liquidity: ['domain', 'config', 'database', 'rpc', 'state'],
  routes: ['domain', 'liquidity'],
  detector: ['domain', 'config', 'state', 'oracles', 'protocols'],
  planner: ['domain', 'config', 'contract', 'rpc', 'oracles', 'protocols', 'liquidity', 'routes'],
  safety: ['domain', 'config', 'database', 'journal'],
  bids: ['domain', 'config', 'database', 'rpc'],
  execution: ['domain', 'config', 'contract', 'database', 'rpc', 'safety', 'bids'],
  preflight: ['domain', 'config', 'contract', 'database', 'rpc', 'oracles', 'protocols'],
  doctor: ['domain', 'config', 'contract', 'database', 'rpc', 'oracles', 'protocols', 'preflight', 'alerts'],
  monitoring: ['domain', 'aws', 'config'],
  bot: [
    ...['domain', 'config', 'database', 'rpc', 'state', 'oracles', 'liquidity', 'detector', 'planner'],
    ...['safety', 'execution', 'monitoring', 'journal'],
  ],
  alerts: ['domain', 'aws', 'config', 'database', 'journal', 'rpc', 'safety', 'monitoring', 'bot'],
  books: ['domain', 'config', 'database', 'safety', 'bot', 'alerts'],
  telegram: ['domain', 'config', 'database', 'safety', 'monitoring', 'bot', 'alerts', 'books'],
  api: ['domain', 'config', 'database', 'rpc', 'safety', 'monitoring', 'bot', 'alerts'],
  watch: ['domain', 'config', 'contract', 'rpc', 'preflight', 'monitoring', 'bot', 'api'],
  cli: [
    ...['domain', 'config', 'monitoring', 'alerts', 'database', 'rpc', 'state', 'oracles', 'protocols'],
    ...['api', 'books', 'doctor', 'watch'],
  ],
};

const MOST_CONSTRUCTOR_PARAMETERS = 7;

/** A relative import that leads into one of these folders, from however deep. */
const into = (folders) => `^(\\.\\./)+(${folders.join('|')})/`;

const OUTSIDE = {
  regex: into(['devnet', 'test', 'testing', 'bench', 'contracts', 'scripts']),
  message: 'src/ imports nothing outside of src/ but migrations/.',
};

const FAMILIES = {
  regex: '^(\\.\\./)+protocols/[^/]+/',
  message: 'Only src/protocols/ knows the protocol families; others import src/protocols/*.ts.',
};

const otherFolders = (folder, allowed) => ({
  regex: into(Object.keys(MAY_IMPORT).filter((other) => other !== folder && !allowed.includes(other))),
  message: `src/${folder} may import only: ${allowed.join(', ') || 'nothing'} (docs/architecture.md).`,
});

const restricted = (files, patterns) => ({
  files,
  ignores: ['**/*.spec.ts'],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const importRules = [
  restricted(['src/*.ts'], [OUTSIDE]),
  ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => {
    const families = allowed.includes('protocols') ? [FAMILIES] : [];
    return restricted([`src/${folder}/**/*.ts`], [otherFolders(folder, allowed), OUTSIDE, ...families]);
  }),
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'data/', 'coverage/', 'contracts/**/*.cjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'off', // Nest reads constructor types at run time.
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config reads the environment.' },
      ],
      // Libraries type their options as classes; the configuration is validated where it is read.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'max-lines': ['error', 400],
      // Prettier breaks code; comments are ours to break.
      'max-len': ['error', { code: 1_000, comments: 110, ignoreUrls: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: `MethodDefinition[kind="constructor"] > FunctionExpression[params.length>${MOST_CONSTRUCTOR_PARAMETERS}]`,
          message: `A constructor takes at most ${MOST_CONSTRUCTOR_PARAMETERS} parameters: split the class.`,
        },
      ],
    },
  },
  {
    files: [
      'src/config/**',
      'devnet/**',
      'bench/**',
      'test/**',
      'testing/**',
      '**/*.spec.ts',
      'vitest.config.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'testing/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  ...importRules,
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
      },
    },
  },
);
