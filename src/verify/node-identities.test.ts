import {X509Certificate} from 'node:crypto'
import {expect, test} from 'vitest'
import type {Promises} from '../model/report.ts'
import type {NodeAddress} from '../proxies/proxy.ts'
import {makeAuthority} from '../runtime/certificates.ts'
import type {Shown} from './node-identities.ts'
import {nodeIdentities} from './node-identities.ts'

const SPAN = {file: 'nginx.conf', start: 0, end: 0, line: 1, column: 1}
const PROMISES: Promises = {
  chats: 1,
  maxFileSize: 1,
  nodes: 2,
  holdMs: 1,
  upgradeIdleMs: 1,
  paths: [],
  affinity: 'none',
  tls: false,
  upstreamTls: false,
  origins: [],
  serverName: 'chat.example.com',
  source: {},
}
const MENTIONS: readonly NodeAddress[] = [
  {address: 'gms1.network.local:8443', span: SPAN, tls: {serverName: 'gms.network.local'}},
  {address: 'gms2.network.local:8080', span: SPAN},
  {address: 'gms1.network.local:8443', span: SPAN},
]

async function shown(how: Shown, mentions = MENTIONS, promises = PROMISES) {
  const authority = await makeAuthority('test')
  const identities = await nodeIdentities({mentions, promises, names: ['www.example.com'], reach: ['127.0.0.1'], authority}, how)
  const certificates = identities.map(identity => identity && new X509Certificate(identity.cert))
  return {certificates, isSigned: certificates[0]?.verify(new X509Certificate(authority.certificate).publicKey)}
}

test('a node has every name that the proxy may look for, and only those that speak TLS have a certificate', async () => {
  const {certificates, isSigned} = await shown('right')
  expect(certificates).toHaveLength(2)
  expect(certificates[1]).toBeUndefined()
  for (const name of ['gms1.network.local', 'gms.network.local', 'www.example.com', 'chat.example.com', '127.0.0.1'])
    expect(certificates[0]?.checkHost(name), name).toBe(name)
  expect(certificates[0]?.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificates[0]?.checkHost('gms2.network.local')).toBeUndefined()
  expect(isSigned).toBe(true)
})

test('a stranger has the right names, and nobody who vouches for them', async () => {
  const {certificates, isSigned} = await shown('stranger')
  expect(certificates[0]?.checkHost('gms1.network.local')).toBe('gms1.network.local')
  expect(isSigned).toBe(false)
})

test('who is misnamed is vouched for, and has no name that counts', async () => {
  const {certificates, isSigned} = await shown('misnamed')
  for (const name of ['gms1.network.local', 'gms.network.local', 'chat.example.com', '127.0.0.1'])
    expect(certificates[0]?.checkHost(name), name).toBeUndefined()
  expect(isSigned).toBe(true)
})

test('parameters that say whether nodes speak TLS decide', async () => {
  const stated = (upstreamTls: boolean): Promises => ({...PROMISES, upstreamTls, source: {upstreamTls: 'parameters'}})
  expect((await shown('right', MENTIONS, stated(true))).certificates.every(Boolean)).toBe(true)
  expect((await shown('right', MENTIONS, stated(false))).certificates).toEqual([undefined, undefined])
})
