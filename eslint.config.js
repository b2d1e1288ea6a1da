import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {ignores: ['dist*/', 'node_modules/', 'coverage/', 'src/**/*.generated.*', 'fixtures/']},
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {parserOptions: {projectService: true, tsconfigRootDir: import.meta.dirname}},
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
      '@typescript-eslint/no-unused-vars': ['error', {argsIgnorePattern: '^_', varsIgnorePattern: '^_'}],
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
      // A WebSocket message is a Buffer here (ws's default), whatever else its type allows.
      '@typescript-eslint/no-base-to-string': ['error', {ignoredTypeNames: ['Error', 'URL', 'URLSearchParams', 'ArrayBuffer', 'RawData']}],
      // It cannot see what changes while we wait: `signal.aborted` after an await.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Strings are spread on purpose, to count code points.
      '@typescript-eslint/no-misused-spread': 'off',
      // Contracts are objects of functions that are taken apart at will; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      // An async function that fulfils a contract need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    // Everything below the command line is a library: no output, no exit code, no signal of the process.
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/commands/**', 'src/runtime/**', '**/*.test.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        {name: 'process', message: 'Only src/cli and src/commands speak for the process; src/runtime cleans up what it spawned.'},
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {name: 'node:child_process', message: 'Only src/runtime starts processes.'},
            {name: 'execa', message: 'Only src/runtime starts processes.'},
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/commands/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {selector: 'ExportDefaultDeclaration', message: 'Named exports only: oclif needs the default in src/commands alone.'},
      ],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.e2e.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
      },
    },
  },
)
