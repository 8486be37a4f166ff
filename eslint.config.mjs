import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/** What each folder of src/ may import, besides itself. The table of docs/architecture.md, as lint errors. */
const MAY_IMPORT = {
  domain: [],
  config: ['domain'],
  database: ['domain', 'config'],
  cache: ['domain', 'config'],
  rpc: ['domain', 'config'],
  protocols: ['domain', 'config', 'rpc'],
  oracles: ['domain', 'config', 'rpc'],
  liquidity: ['domain', 'config', 'rpc'],
  state: ['domain', 'config', 'rpc', 'protocols', 'oracles', 'database', 'cache'],
  detector: ['domain', 'config', 'state', 'oracles', 'protocols'],
  planner: ['domain', 'config', 'rpc', 'protocols', 'liquidity', 'oracles', 'database'],
  safety: ['domain', 'config', 'database', 'cache'],
  execution: ['domain', 'config', 'rpc', 'database', 'safety', 'protocols'],
  monitoring: ['domain', 'config', 'database'],
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

const folderRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [folder, ...allowed].map((name) => `./${name}`),
  message: `src/${folder} may import only: ${[folder, ...allowed].join(', ')} (docs/architecture.md).`,
}));

/** The production build never reaches into test or devnet code. */
const productionRule = {
  target: './src/!(*.spec).ts',
  from: ['./devnet', './test'],
  message: 'src/ must not import devnet/ or test/.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'data/', 'coverage/', 'contracts/**/*.cjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...folderRules, productionRule] }],
      'import-x/no-cycle': 'error',
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
      'max-lines': ['error', 400],
    },
  },
  {
    files: ['src/config/**', 'devnet/**', 'test/**', '**/*.spec.ts', 'vitest.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'import-x/no-restricted-paths': 'off' },
  },
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
