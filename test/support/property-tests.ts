import {expect, it} from 'vitest'
import type {Proxy} from '../../src/proxies/proxy.ts'
import {assertAccepted, assertAllAccepted, installed, PATIENCE_MS, RUNS} from './accepted.ts'
import {parametersFixtures} from './golden.ts'

/** The tests of one proxy against its real binary; each proxy has a file of its own, so that they run side by side. */
export async function propertyTests(proxy: Proxy): Promise<void> {
  const binary = await installed(proxy)

  it.skipIf(binary === undefined)(
    `${proxy.title} takes ${RUNS} random deployments without a word`,
    async ({annotate}) => {
      const {runs, refusals} = await assertAccepted(proxy, binary ?? '')
      expect(runs).toBe(RUNS)
      await annotate(`${runs} accepted; of ${refusals} something had been taken out that the proxy declares it cannot do`)
    },
    PATIENCE_MS,
  )

  it.skipIf(binary === undefined)(
    `${proxy.title} takes every deployment of fixtures/parameters that it does not decline, without a word`,
    async () => {
      const deployments = (await parametersFixtures()).map(({parameters}) => parameters)
      expect(await assertAllAccepted(proxy, binary ?? '', deployments)).toBeGreaterThan(deployments.length)
    },
    PATIENCE_MS,
  )
}
