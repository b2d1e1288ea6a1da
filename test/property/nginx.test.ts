import {expect, it} from 'vitest'
import {PROXIES} from '../../src/proxies/index.ts'
import {assertAccepted, assertAllAccepted, installed, PATIENCE_MS, RUNS} from '../support/accepted.ts'
import {parametersFixtures} from '../support/golden.ts'

const proxy = PROXIES.nginx
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
