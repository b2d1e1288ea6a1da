import {expect, test} from 'vitest'
import {isWithin, pathAtGms} from './gms-path.ts'

test.each([
  ['/genesys/cometd/handshake?x=/../y', '/genesys/cometd/handshake'],
  ['/genesys/cometd/../1/admin', '/genesys/1/admin'],
  ['/genesys/cometd/..;/1/admin', '/genesys/1/admin'],
  ['/genesys/cometd/%2e%2e/1/%61dmin', '/genesys/1/admin'],
  ['/genesys/cometd/..%2f1/admin', '/genesys/1/admin'],
  ['/genesys/1/admin;x=/../y/node', '/genesys/1/y/node'],
  ['http://host:80/genesys/admin', '/genesys/admin'],
  ['//genesys/admin', '//genesys/admin'],
  ['/%zz/%ff', '/%zz/%ff'],
  ['*', '/'],
])('%s is %s at GMS', (target, path) => {
  expect(pathAtGms(target)).toBe(path)
})

test('a name that only begins alike is another path', () => {
  expect(isWithin('/genesys/cometdx', ['/genesys/cometd'])).toBe(false)
  expect(isWithin('/genesys/cometd/connect', ['/genesys/cometd'])).toBe(true)
  expect(isWithin('/genesys/cometd', ['/genesys/cometd'])).toBe(true)
  expect(isWithin('/anything', ['/'])).toBe(true)
})
