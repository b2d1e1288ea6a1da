import {describe, expect, test} from 'vitest'
import type {ProxyName} from '../model/catalogue.ts'
import {isNetwork} from './sandbox-clients.ts'
import {PROXIES} from './index.ts'
import type {SandboxPlan} from './proxy.ts'

const PLAN: SandboxPlan = {
  folder: '/sandbox',
  runtime: 'binary',
  version: '2.4.71',
  listenAddress: '127.0.0.1',
  ports: [20_801, 20_802],
  nodes: ['127.0.0.1:20901', '127.0.0.1:20902'],
  installation: {version: '2.4.71', builtin: [], loadable: []},
  allowExec: false,
}

/** What is put in for the users of the sandbox, with the text before it on the same line. */
function admitted(name: ProxyName, path: string, text: string, runtime: SandboxPlan['runtime'] = 'binary'): readonly string[] {
  const proxy = PROXIES[name]
  const {edits} = proxy.sandbox(proxy.parse({proxy: name, entry: path, files: [{path, text}], origin: 'read'}), {...PLAN, runtime})
  return edits
    .filter(({why}) => why.includes('users of the sandbox'))
    .map(({span, text: put}) => `${text.slice(text.lastIndexOf('\n', span.start - 1) + 1, span.start).trim()}|${put.trim()}`)
}

describe('lists of networks let the users of the sandbox in', () => {
  test('nginx: allow and deny all', () => {
    const text =
      'events {}\nhttp {\n server {\n  listen 80;\n  allow 10.0.0.0/8;\n  deny all;\n  location / { proxy_pass http://gms1:8080; }\n }\n}\n'
    expect(admitted('nginx', 'nginx.conf', text)).toEqual(['|allow 127.0.0.0/9;'])
    expect(admitted('nginx', 'nginx.conf', text, 'docker')).toEqual(['|allow 10.0.0.0/8; allow 172.16.0.0/12; allow 192.168.0.0/16;'])
    expect(admitted('nginx', 'nginx.conf', text.replace('allow 10.0.0.0/8;', ''))).toEqual([])
  })

  test('nginx: geo that decides about a refusal, and no other', () => {
    const text =
      'events {}\nhttp {\n geo $outside {\n  default 1;\n  10.0.0.0/8 0;\n }\n server {\n  listen 80;\n  if ($outside) { return 403; }\n  location / { proxy_pass http://gms1:8080; }\n }\n}\n'
    expect(admitted('nginx', 'nginx.conf', text)).toEqual(['|127.0.0.0/9 0;'])
    expect(admitted('nginx', 'nginx.conf', text.replace('($outside)', '($other)'))).toEqual([])
  })

  test('Apache: Require ip and Allow from, not what is to be kept out', () => {
    const site = (rule: string) =>
      `<VirtualHost *:80>\n ProxyPass / http://gms1:8080/\n <Location "/">\n${rule}\n </Location>\n</VirtualHost>\n`
    expect(admitted('apache', 'httpd.conf', site('Require ip 10.0.0.0/8'))).toEqual(['Require ip 10.0.0.0/8|127.0.0.0/9'])
    expect(admitted('apache', 'httpd.conf', site('Allow from 10.1'))).toEqual(['Allow from 10.1|127.0.0.0/9'])
    expect(admitted('apache', 'httpd.conf', site('<RequireNone>\nRequire ip 10.0.0.0/8\n</RequireNone>'))).toEqual([])
    expect(admitted('apache', 'httpd.conf', site('Require not ip 10.0.0.0/8'))).toEqual([])
    expect(admitted('apache', 'httpd.conf', site('Require all granted'))).toEqual([])
  })

  test('HAProxy: acls and conditions without which a request is refused', () => {
    const site = (rules: string) =>
      `defaults\n mode http\nfrontend f\n bind :80\n${rules}\n default_backend b\nbackend b\n server s1 gms1:8080\n`
    expect(admitted('haproxy', 'haproxy.cfg', site('acl office src 10.0.0.0/8\nhttp-request deny unless office'))).toEqual([
      'acl office src 10.0.0.0/8|127.0.0.0/9',
    ])
    expect(admitted('haproxy', 'haproxy.cfg', site('acl office src 10.0.0.0/8\nhttp-request deny if !office'))).toHaveLength(1)
    expect(admitted('haproxy', 'haproxy.cfg', site('http-request deny unless { src 10.0.0.0/8 }'))).toEqual([
      'http-request deny unless { src 10.0.0.0/8|127.0.0.0/9',
    ])
    expect(admitted('haproxy', 'haproxy.cfg', site('http-request deny if !{ src 10.0.0.0/8 }'))).toHaveLength(1)
    expect(admitted('haproxy', 'haproxy.cfg', site('acl bad src 10.0.0.0/8\nhttp-request deny if bad'))).toEqual([])
    expect(admitted('haproxy', 'haproxy.cfg', site('http-request deny if { src 10.0.0.0/8 }'))).toEqual([])
  })
})

test.each([
  ['10.0.0.0/8', true],
  ['10.1', true],
  ['10.1.', true],
  ['192.0.2.0/255.255.255.0', true],
  ['2001:db8::/32', true],
  ['::1', true],
  ['all', false],
  ['example.com', false],
  ['granted', false],
  ['8080', false],
])('%s is a network: %s', (text, is) => {
  expect(isNetwork(text)).toBe(is)
})
