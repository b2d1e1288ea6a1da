import {defineConfig} from 'vitest/config'

/** Opt-in (`npm run test:oracle`): a real CometD server beside the simulator. Not part of `npm test`: it needs Java, Maven and the first time Maven Central. */
export default defineConfig({
  test: {
    name: 'oracle',
    include: ['test/oracle/*.oracle.ts'],
    globalSetup: ['test/oracle/set-up.ts', 'test/support/build.ts'],
    testTimeout: 120_000,
    maxConcurrency: 12,
    fileParallelism: false,
  },
})
