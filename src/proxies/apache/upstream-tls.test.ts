import {expect, test} from 'vitest'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {apache} from './index.ts'

const bundleOf = (text: string): ConfigBundle => ({proxy: 'apache', entry: 'a.conf', files: [{path: 'a.conf', text}], origin: 'read'})
const PLAN: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '2.4.71',
  listenAddress: '127.0.0.1',
  ports: [20001],
  nodes: ['127.0.0.1:21001'],
  installation: {version: '2.4.71', builtin: [], loadable: []},
  allowExec: false,
}
const CERTIFICATES = {authority: '/box/ca.pem', certificate: '/box/cert.pem', key: '/box/key.pem', bundle: '/box/both.pem'}

function run(text: string, plan: Partial<SandboxPlan> = {}): string {
  const bundle = bundleOf(text)
  return applyEdits(bundle, apache.sandbox(apache.parse(bundle), {...PLAN, ...plan}).edits).files[0]?.text ?? ''
}

test.each([
  ['ProxyPass / http://gms/', undefined],
  ['ProxyPass / https://gms/', {}],
  ['ProxyPass / wss://gms/', {}],
  ['<Proxy balancer://b>\nBalancerMember https://gms:8443\n</Proxy>', {}],
  ['Define GMS gms:8443\nProxyPass / https://${GMS}/', {}],
])('%j', (text, tls) => expect(apache.nodes(apache.parse(bundleOf(text)))[0]?.tls).toEqual(tls))

test.each([
  ['SSLProxyVerify require\n', 'SSLProxyVerify require\n'],
  ['SSLProxyVerify none\n', 'SSLProxyVerify none\n'],
  ['SSLProxyCheckPeerName off\n', 'SSLProxyCheckPeerName off\n'],
  ['SSLProxyCACertificateFile conf/ca.pem\n', 'SSLProxyCACertificateFile "/box/ca.pem"\n'],
  ['SSLProxyCACertificatePath /etc/ssl/certs\n', 'SSLProxyCACertificateFile "/box/ca.pem"\n'],
  ['SSLProxyCARevocationFile x.crl\n', '# SSLProxyCARevocationFile x.crl\n'],
  ['SSLProxyCARevocationCheck chain\n', '# SSLProxyCARevocationCheck chain\n'],
  ['SSLProxyMachineCertificateFile me.pem\n', 'SSLProxyMachineCertificateFile "/box/both.pem"\n'],
  ['SSLProxyMachineCertificatePath /etc/me\n', 'SSLProxyMachineCertificateFile "/box/both.pem"\n'],
])('%j becomes %j', (line, expected) => {
  const text = `SSLProxyEngine On\n${line}ProxyPass / https://gms/\n`
  expect(run(text, {certificates: CERTIFICATES})).toBe(`SSLProxyEngine On\n${expected}ProxyPass / https://127.0.0.1:21001/\n`)
})

test('nothing is read from this machine where nobody speaks TLS', () => {
  expect(run('SSLProxyCACertificateFile conf/ca.pem\nProxyPass / http://gms/\n')).toMatch(/^# SSLProxyCACertificateFile/)
})
