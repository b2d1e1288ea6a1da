import {expect, it} from 'vitest'
import {PROXIES} from '../../src/proxies/index.ts'
import {assertAccepted, installed, PATIENCE_MS, RUNS} from '../support/accepted.ts'

const proxy = PROXIES.apache
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
