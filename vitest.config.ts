import {defineConfig} from 'vitest/config'

export default defineConfig({
  test: {
    // The program is run as it is shipped: built once, before anything else.
    globalSetup: ['test/support/build.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/commands/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
          sequence: {groupOrder: 0},
          setupFiles: ['test/support/seed.ts'],
        },
      },
      {
        extends: true,
        // Thousands of random deployments, judged by the real binaries (`npm run fuzz` looks longer).
        test: {
          name: 'property',
          include: ['test/property/*.test.ts'],
          testTimeout: 60_000,
          // The binaries do the work: one column beside another.
          maxWorkers: 2,
          sequence: {groupOrder: 1},
          setupFiles: ['test/support/seed.ts'],
        },
      },
      {
        extends: true,
        // Real proxies held for real waits; more at once than cores would measure the machine, not the proxies.
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
          sequence: {groupOrder: 2},
        },
      },
    ],
  },
})
