import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What each folder of src/ may import, besides itself. The table of docs/architecture.md, as lint errors. */
const MAY_IMPORT = {
  domain: [],
  config: ['domain'],
  'embedded-postgres': ['domain'],
  contract: ['domain'],
  database: ['domain', 'config', 'embedded-postgres'],
  cache: ['domain', 'config'],
  rpc: ['domain', 'config'],
  protocols: ['domain', 'config', 'rpc', 'contract', 'database', 'oracles', 'state'],
  oracles: ['domain', 'config', 'rpc', 'state'],
  liquidity: ['domain', 'config', 'rpc'],
  state: ['domain', 'rpc', 'database', 'cache'],
  detector: ['domain', 'config', 'state', 'oracles', 'protocols'],
  planner: ['domain', 'config', 'rpc', 'contract', 'liquidity', 'protocols'],
  safety: ['domain', 'config', 'database'],
  execution: ['domain', 'config', 'rpc', 'database', 'safety', 'contract'],
  preflight: ['domain', 'config', 'rpc', 'database', 'oracles', 'protocols', 'contract'],
  monitoring: ['domain', 'config'],
  bot: [
    'domain',
    'config',
    'database',
    'cache',
    'rpc',
    'protocols',
    'oracles',
    'liquidity',
    'state',
    'detector',
    'planner',
    'safety',
    'execution',
    'monitoring',
  ],
  api: [
    'domain',
    'config',
    'database',
    'cache',
    'rpc',
    'protocols',
    'oracles',
    'liquidity',
    'state',
    'detector',
    'planner',
    'safety',
    'execution',
    'monitoring',
    'bot',
  ],
};

/** A relative import that leads into one of these folders, from however deep. */
const into = (folders) => `^(\\.\\./)+(${folders.join('|')})/`;

const folderRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.ts`],
  ignores: ['**/*.spec.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: into(
              Object.keys(MAY_IMPORT).filter((other) => other !== folder && !allowed.includes(other)),
            ),
            message: `src/${folder} may import only: ${allowed.join(', ') || 'nothing'} (docs/architecture.md).`,
          },
          {
            regex: into(['devnet', 'test', 'testing', 'contracts']),
            message: 'src/ imports nothing outside of src/ but migrations/.',
          },
        ],
      },
    ],
  },
}));

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
  ...folderRules,
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
