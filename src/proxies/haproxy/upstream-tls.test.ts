import {expect, test} from 'vitest'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {haproxy} from './index.ts'

const bundleOf = (text: string): ConfigBundle => ({proxy: 'haproxy', entry: 'h.cfg', files: [{path: 'h.cfg', text}], origin: 'read'})
const nodesOf = (text: string) => haproxy.nodes(haproxy.parse(bundleOf(text))).map(({tls, followed}) => ({tls, followed}))
const PLAN: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '2.6.12',
  listenAddress: '127.0.0.1',
  ports: [20001],
  nodes: ['127.0.0.1:21001', '127.0.0.1:21002'],
  installation: {version: '2.6.12', builtin: [], loadable: []},
  allowExec: false,
}
const CERTIFICATES = {authority: '/box/ca.pem', certificate: '/box/cert.pem', key: '/box/key.pem', bundle: '/box/both.pem'}

function run(text: string, plan: Partial<SandboxPlan> = {}): string {
  const bundle = bundleOf(text)
  return applyEdits(bundle, haproxy.sandbox(haproxy.parse(bundle), {...PLAN, ...plan}).edits).files[0]?.text ?? ''
}

test.each([
  ['backend b\n server a gms:80\n', undefined],
  ['backend b\n server a gms:80 ssl verify none\n', {}],
  ['backend b\n server a gms:80 ssl sni str(gms.local)\n', {serverName: 'gms.local'}],
  ['backend b\n server a gms:80 ssl sni str(gms.local) verifyhost other.local\n', {serverName: 'other.local'}],
  ['backend b\n server a gms:80 ssl sni req.hdr(host)\n', {}],
  ['backend b\n default-server ssl verify none\n server a gms:80\n', {}],
  ['backend b\n server a gms:80\n default-server ssl\n', undefined],
  ['defaults\n default-server ssl\nbackend b\n server a gms:80\n', {}],
  ['defaults\n default-server ssl\ndefaults\n mode http\nbackend b\n server a gms:80\n', undefined],
  ['backend b\n default-server ssl\n server a gms:80 no-ssl\n', undefined],
  ['backend b\n server a gms:80 cookie ssl\n', undefined],
])('%j', (text, tls) => expect(nodesOf(text)[0]?.tls).toEqual(tls))

test.each([
  ['backend b\n server a gms.local:80 resolvers r\n', true],
  ['backend b\n default-server resolvers r\n server a gms.local:80\n', true],
  ['backend b\n server a gms.local:80\n', undefined],
  ['backend b\n server a 10.0.0.1:80 resolvers r\n', undefined],
])('follows %j: %s', (text, followed) => expect(nodesOf(text)[0]?.followed).toBe(followed))

test('authorities and certificates are those of the run, verification stays as it is', () => {
  const text = 'backend b\n server a gms:80 ssl verify required ca-file @system-ca crl-file x.crl crt me.pem sni req.hdr(host) check\n'
  expect(run(text, {certificates: CERTIFICATES})).toContain(
    "server a 127.0.0.1:21001 ssl verify required ca-file /box/ca.pem crt /box/both.pem sni 'req.hdr(host),field(1,:)' check",
  )
  expect(run('backend b\n server a gms:80 ssl verify none\n', {certificates: CERTIFICATES})).toContain('ssl verify none')
})

test('what is meant for TLS goes where nobody speaks it', () => {
  expect(run('backend b\n default-server ca-file x.pem check-ssl\n server a gms:80 check\n')).toContain(
    ' default-server\n server a 127.0.0.1:21001 check\n',
  )
})

test('with a name server, names that are followed stay, others become the address of the start', () => {
  const text =
    'resolvers r\n nameserver a 10.0.0.53:53\n parse-resolv-conf\n hold valid 10s\nbackend b\n server a gms1:80 resolvers r init-addr none\n server b gms2:80\n'
  const edited = run(text, {nameServer: '127.0.0.1:5300'})
  expect(edited).toContain('resolvers r\n nameserver a 127.0.0.1:5300\n nameserver sandbox 127.0.0.1:5300\n hold valid 10s\n')
  expect(edited).toContain(' server a gms1:21001 init-addr 127.0.0.1 resolvers r\n server b 127.0.0.1:21002\n')
  expect(run(text)).toContain('# resolvers r\n')
  expect(haproxy.nameServers?.(haproxy.parse(bundleOf(text)))).toHaveLength(2)
})
