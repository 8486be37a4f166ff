import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What each folder of src/ may import, besides itself: the table of docs/architecture.md, as lint errors. A
 * permission that nothing uses is an error too (scripts/check-imports.mjs).
 */
export const MAY_IMPORT = {
  domain: [],
  config: ['domain'],
  'embedded-postgres': ['domain'],
  contract: ['domain'],
  database: ['domain', 'config', 'embedded-postgres'],
  cache: ['domain', 'config'],
  rpc: ['domain', 'config'],
  protocols: ['domain', 'rpc'],
  oracles: ['domain', 'config', 'rpc'],
  liquidity: ['domain', 'config', 'rpc'],
  state: ['domain', 'config', 'rpc', 'protocols', 'oracles', 'database', 'cache'],
  detector: ['domain', 'config', 'state', 'oracles', 'protocols'],
  planner: ['domain', 'config', 'rpc', 'contract', 'liquidity'],
  safety: ['domain', 'config', 'database'],
  execution: ['domain', 'config', 'rpc', 'database', 'safety', 'contract'],
  preflight: ['domain', 'config', 'rpc', 'database', 'protocols', 'contract'],
  monitoring: ['domain', 'config'],
  bot: [
    ...['domain', 'config', 'database', 'rpc', 'state', 'detector', 'planner', 'safety', 'execution'],
    'monitoring',
  ],
  api: ['domain', 'config', 'database', 'rpc', 'safety', 'bot'],
};

/** These files still import a protocol family, src/protocols/<family>/, instead of the port LendingMarket. */
const BEFORE_THE_PORT = [
  'src/state/beginning.ts',
  'src/state/checkpoint-store.ts',
  'src/state/market-terms.ts',
  'src/state/reconciler.ts',
  'src/state/state-engine.ts',
  'src/state/state-view.ts',
  'src/state/state.module.ts',
  'src/state/tracked-market.ts',
  'src/detector/opportunity-detector.ts',
  'src/preflight/preflight.ts',
];

/** The constructors of these files still take more than {@link MOST_CONSTRUCTOR_PARAMETERS}. */
const LONG_CONSTRUCTORS = ['src/bot/block-pass.ts', 'src/bot/chimera-bot.ts', 'testing/execution.ts'];
const MOST_CONSTRUCTOR_PARAMETERS = 7;

/** A relative import that leads into one of these folders, from however deep. */
const into = (folders) => `^(\\.\\./)+(${folders.join('|')})/`;

const OUTSIDE = {
  regex: into(['devnet', 'test', 'testing', 'contracts', 'scripts']),
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

const restricted = (files, patterns, ignores = []) => ({
  files,
  ignores: ['**/*.spec.ts', ...ignores],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const importRules = [
  restricted(['src/*.ts'], [OUTSIDE]),
  ...Object.entries(MAY_IMPORT).flatMap(([folder, allowed]) => {
    const always = [otherFolders(folder, allowed), OUTSIDE];
    const files = [`src/${folder}/**/*.ts`];
    if (!allowed.includes('protocols')) return [restricted(files, always)];
    return [restricted(files, always), restricted(files, [...always, FAMILIES], BEFORE_THE_PORT)];
  }),
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'data/', 'coverage/', 'contracts/**/*.cjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
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
    files: ['src/config/**', 'devnet/**', 'test/**', 'testing/**', '**/*.spec.ts', 'vitest.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'testing/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: LONG_CONSTRUCTORS, rules: { 'no-restricted-syntax': 'off' } },
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
