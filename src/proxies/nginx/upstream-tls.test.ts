import {expect, test} from 'vitest'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {nginx} from './index.ts'

const bundleOf = (text: string): ConfigBundle => ({
  proxy: 'nginx',
  entry: 'nginx.conf',
  files: [{path: 'nginx.conf', text}],
  origin: 'read',
})
const nodesOf = (text: string) => nginx.nodes(nginx.parse(bundleOf(text))).map(({address, tls, followed}) => ({address, tls, followed}))
const PLAN: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '1.22.1',
  listenAddress: '127.0.0.1',
  ports: [20001],
  nodes: ['127.0.0.1:21001', '127.0.0.1:21002'],
  installation: {version: '1.22.1', builtin: [], loadable: []},
  allowExec: false,
}
const CERTIFICATES = {authority: '/box/ca.pem', certificate: '/box/cert.pem', key: '/box/key.pem', bundle: '/box/both.pem'}

function run(text: string, plan: Partial<SandboxPlan> = {}): string {
  const bundle = bundleOf(text)
  return applyEdits(bundle, nginx.sandbox(nginx.parse(bundle), {...PLAN, ...plan}).edits).files[0]?.text ?? ''
}

test.each([
  ['http { server { location / { proxy_pass http://gms:80; } } }', undefined],
  ['http { server { location / { proxy_pass https://gms:80; } } }', {}],
  ['http { server { proxy_ssl_name chat.local; location / { proxy_pass https://gms:80; } } }', {serverName: 'chat.local'}],
  [
    'http { proxy_ssl_name a.local; server { location / { proxy_ssl_name b.local; proxy_pass https://gms:80; } } }',
    {serverName: 'b.local'},
  ],
  ['http { server { proxy_ssl_name $host; location / { proxy_pass https://gms:80; } } }', {}],
  ['http { upstream nodes { server gms:80; } server { location / { proxy_pass https://nodes; } } }', {}],
  ['http { upstream gms.local { server gms:80; } server { location / { proxy_pass https://gms.local; } } }', {serverName: 'gms.local'}],
  ['http { upstream nodes { server gms:80; } server { location / { proxy_pass http://nodes; } } }', undefined],
  ['http { server { set $node https://gms:80; location / { proxy_pass $node; } } }', {}],
  ['http { server { set $proto https; location / { proxy_pass $proto://gms:80; } } }', {}],
  ['http { server { listen 443 ssl; location / { proxy_pass $scheme://gms:80; } } }', {}],
  ['http { server { listen 80; location / { proxy_pass $scheme://gms:80; } } }', undefined],
])('%s', (text, tls) => expect(nodesOf(text)[0]?.tls).toEqual(tls))

test.each([
  ['http { upstream n { zone n 64k; server gms:80 resolve; } server { location / { proxy_pass http://n; } } }', true],
  ['http { upstream n { server gms:80; } server { location / { proxy_pass http://n; } } }', undefined],
  ['http { server { set $gms gms:80; location / { proxy_pass http://$gms; } } }', true],
  ['http { server { set $gms 10.0.0.1:80; location / { proxy_pass http://$gms; } } }', undefined],
  ['http { server { location / { proxy_pass http://gms:80; } } }', undefined],
])('follows %s: %s', (text, followed) => expect(nodesOf(text)[0]?.followed).toBe(followed))

test('trusted authorities and client certificates are those of the run, verification stays as it is', () => {
  const text =
    'http { server { proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/ca.pem; proxy_ssl_crl /etc/crl.pem; proxy_ssl_certificate /etc/c.pem; proxy_ssl_certificate_key /etc/k.pem; proxy_ssl_password_file /etc/p; location / { proxy_pass https://gms:80; } } }'
  const edited = run(text, {certificates: CERTIFICATES})
  expect(edited).toContain('proxy_ssl_verify on; proxy_ssl_trusted_certificate /box/ca.pem; ')
  expect(edited).toContain('proxy_ssl_certificate /box/cert.pem; proxy_ssl_certificate_key /box/key.pem;')
  expect(edited).toContain('proxy_pass https://127.0.0.1:21001;')
  expect(edited).not.toContain('/etc/')
  expect(run(text.replace('verify on', 'verify off'), {certificates: CERTIFICATES})).toContain('proxy_ssl_verify off;')
  expect(run(text)).not.toContain('proxy_ssl_trusted_certificate')
})

test('with a name server, names that are followed stay, others become the address of the start', () => {
  const text =
    'http { resolver 10.0.0.53 valid=10s; upstream n { zone n 64k; server gms1:80 resolve; server gms2:80; } server { location / { proxy_pass http://n; } } }'
  expect(run(text, {nameServer: '127.0.0.1:5300'})).toContain('resolver 127.0.0.1:5300 valid=10s;')
  expect(run(text, {nameServer: '127.0.0.1:5300'})).toContain('server gms1:21001 resolve; server 127.0.0.1:21002;')
  expect(run(text)).toContain('server 127.0.0.1:21001 resolve; server 127.0.0.1:21002;')
  expect(run(text)).toContain('resolver 127.0.0.1:9 valid=10s;')
  expect(nginx.nameServers?.(nginx.parse(bundleOf(text)))).toHaveLength(1)
})

test('a name server for OCSP stapling follows no node', () => {
  const text = 'http { resolver 10.0.0.53; upstream n { server gms1:80; } server { ssl_stapling on; location / { proxy_pass http://n; } } }'
  expect(nginx.nameServers?.(nginx.parse(bundleOf(text)))).toEqual([])
  expect(nginx.nameServers?.(nginx.parse(bundleOf(text.replace('ssl_stapling on; ', ''))))).toHaveLength(1)
})

test('a port behind a variable goes when the host in it brings one', () => {
  const text = 'http { server { set $gms gms1; location / { proxy_pass http://$gms:8080/x; } } }'
  expect(run(text)).toContain('set $gms 127.0.0.1:21001; location / { proxy_pass http://$gms/x;')
  expect(run(text, {nameServer: '127.0.0.1:5300'})).toContain('set $gms gms1:21001; location / { proxy_pass http://$gms/x;')
})
