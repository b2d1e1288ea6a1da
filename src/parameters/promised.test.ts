import {expect, test} from 'vitest'
import {expectationsFrom, expectationsOfForeign} from './expectations.ts'
import {loadForeignParameters, loadParameters} from './load.ts'

const stdin = () => Promise.resolve('')
const NODES = 'upstream.nodes=gms1:8080,gms2:8080'

test('a rendered configuration is held to everything that its parameters say, defaults too', async () => {
  const {parameters, given} = await loadParameters({overrides: [NODES, 'access.allow=10.0.0.0/8', 'logging.metricsPort=8404'], stdin})
  expect(expectationsFrom(parameters, given)).toMatchObject({
    onlyPaths: true,
    headerTimeoutMs: 10_000,
    cookie: {httpOnly: true, partitioned: false},
    allow: ['10.0.0.0/8'],
    metricsPort: 8404,
  })
})

test('a foreign one is held to what somebody wrote', async () => {
  const file = {name: 'nginx.conf', nodes: 2}
  const plain = expectationsOfForeign(file)
  for (const name of ['onlyPaths', 'headerTimeoutMs', 'cookie', 'allow', 'cors', 'requestsPerSecond'])
    expect(plain).not.toHaveProperty(name)
  const stated = await loadForeignParameters({overrides: ['access.paths=/genesys/cometd', 'access.headerTimeout=5s'], stdin})
  const promises = expectationsOfForeign(file, stated)
  expect(promises).toMatchObject({onlyPaths: true, headerTimeoutMs: 5000})
  expect(promises).not.toHaveProperty('cookie')
})

test('limits and origins of a rendered configuration', async () => {
  const overrides = [NODES, 'access.origins=https://www.example.com', 'limits.requestsPerSecond=20', 'affinity.mode=none']
  const {parameters, given} = await loadParameters({overrides, stdin})
  const promises = expectationsFrom(parameters, given)
  expect(promises).toMatchObject({cors: 'gms', origins: ['https://www.example.com'], requestsPerSecond: 20})
  expect(promises).not.toHaveProperty('cookie')
})
