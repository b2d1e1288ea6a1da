import {describe, expect, test} from 'vitest'
import {applyEdits} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {PROXIES} from './index.ts'
import type {SandboxPlan} from './proxy.ts'

const PLAN: SandboxPlan = {
  folder: '/sandbox',
  runtime: 'binary',
  version: '2.4.71',
  listenAddress: '127.0.0.1',
  ports: [20_801, 20_802, 20_803],
  nodes: ['127.0.0.1:20901', '127.0.0.1:20902'],
  installation: {version: '2.4.71', builtin: [], loadable: []},
  allowExec: false,
}
const FILES: Readonly<Record<ProxyName, string>> = {nginx: 'nginx.conf', apache: 'httpd.conf', haproxy: 'haproxy.cfg'}
const BALANCER = {balancer: '127.127.0.1'}

function read(name: ProxyName, text: string, change: Partial<SandboxPlan> = BALANCER) {
  const proxy = PROXIES[name]
  const bundle = {proxy: name, entry: FILES[name], files: [{path: FILES[name], text}], origin: 'read'} as const
  const config = proxy.parse(bundle)
  const {edits} = proxy.sandbox(config, {...PLAN, ...change})
  return {
    expecting: proxy.listeners(config).flatMap(({address, proxyProtocol}) => (proxyProtocol ? [address] : [])),
    lines: (applyEdits(bundle, edits).files[0]?.text ?? '').split('\n').map(line => line.trim()),
  }
}

describe('nginx', () => {
  const site = (server: string, http = '') =>
    `events {}\nhttp {\n${http}\nserver {\n${server}\nlocation / { proxy_pass http://gms1:8080; }\n}\nserver {\nlisten 81;\nset_real_ip_from 10.0.0.0/8;\n}\n}\n`

  test('the listener says so, and keeps saying so', () => {
    const {expecting, lines} = read('nginx', site('listen 80 proxy_protocol;'))
    expect(expecting).toEqual(['80'])
    expect(lines).toContain('listen 127.0.0.1:20801 proxy_protocol;')
    expect(read('nginx', site('listen 80;')).expecting).toEqual([])
  })

  test('one server of a socket says so for all', () => {
    const {expecting} = read('nginx', site('listen 80;', 'server { listen 80 proxy_protocol; server_name b.example; }'))
    expect(expecting).toEqual(['80'])
  })

  test('the balancer of the sandbox is trusted where others are, and nowhere else', () => {
    const trusting = read('nginx', site('listen 80 proxy_protocol;\nset_real_ip_from 10.0.0.0/8;\nset_real_ip_from 10.1.0.1;'))
    expect(trusting.lines.filter(line => line.includes('set_real_ip_from'))).toEqual([
      'set_real_ip_from 127.127.0.1; set_real_ip_from 10.0.0.0/8;',
      'set_real_ip_from 10.1.0.1;',
      'set_real_ip_from 10.0.0.0/8;',
    ])
    const {lines} = read('nginx', site('listen 80 proxy_protocol;'))
    expect(lines.filter(line => line.includes('127.127'))).toEqual([])
    expect(read('nginx', site('listen 80 proxy_protocol;'), {}).lines.filter(line => line.includes('127.127'))).toEqual([])
  })
})

describe('Apache', () => {
  const site = (inside: string, more = '') =>
    `Listen 80\nListen 81\n${more}\n<VirtualHost *:80>\nProxyPass / http://gms1:8080/\n${inside}\n</VirtualHost>\n<VirtualHost *:81>\n</VirtualHost>\n`

  test('the virtual host says so for its address, the server for all', () => {
    expect(read('apache', site('RemoteIPProxyProtocol On')).expecting).toEqual(['80'])
    expect(read('apache', site('RemoteIPProxyProtocol Off', 'RemoteIPProxyProtocol On')).expecting).toEqual(['81'])
    expect(read('apache', site('RemoteIPProxyProtocol Off')).expecting).toEqual([])
    expect(read('apache', site('RemoteIPProxyProtocol On')).lines).toContain('RemoteIPProxyProtocol On')
  })

  test('the balancer of the sandbox is no exception, and everybody else stays one', () => {
    const exceptions = (text: string, change?: Partial<SandboxPlan>) =>
      read('apache', site(`RemoteIPProxyProtocol On\nRemoteIPProxyProtocolExceptions ${text}`), change).lines.find(line =>
        line.includes('RemoteIPProxyProtocolExceptions'),
      )
    expect(exceptions('127.127.0.0/30 10.0.0.0/255.0.0.0')).toBe(
      'RemoteIPProxyProtocolExceptions 127.127.0.0/32 127.127.0.2/31 10.0.0.0/255.0.0.0',
    )
    expect(exceptions('127.0.0.1 monitor.example ::1')).toBe('RemoteIPProxyProtocolExceptions 127.0.0.1 monitor.example ::1')
    expect(exceptions('127.127.0.1')).toBe('# RemoteIPProxyProtocolExceptions 127.127.0.1')
    expect(exceptions('127.127.0.1', {})).toBe('RemoteIPProxyProtocolExceptions 127.127.0.1')
    expect(exceptions('172.16.0.0/11', {...BALANCER, runtime: 'docker'})).toBe('RemoteIPProxyProtocolExceptions 172.0.0.0/12')
  })
})

describe('HAProxy', () => {
  const site = (rules: string, bind = '') =>
    `defaults\nmode http\nfrontend f\nbind :80 name plain${bind}\nbind :81 name other\n${rules}\ndefault_backend b\nbackend b\nserver s1 gms1:8080\n`
  const rule = (condition: string) => `tcp-request connection expect-proxy layer4 ${condition}`

  test.each([
    ['accept-proxy', '', ' accept-proxy', [':80']],
    ['for everybody', rule(''), '', [':80', ':81']],
    ['for those whom an acl names', `acl lb src 10.0.0.0/8\n${rule('if lb')}`, '', [':80', ':81']],
    ['for one listener', `acl lb src 10.0.0.0/8\n${rule('if lb { so_name plain }')}`, '', [':80']],
    ['either of two', rule('if { so_name plain } || { so_name other }'), '', [':80', ':81']],
    ['unless inside', rule('unless { src 192.168.0.0/16 }'), '', [':80', ':81']],
    ['unless on this machine', rule('unless { src 127.0.0.0/8 }'), '', []],
    ['if not inside', `acl inside src 192.168.0.0/16\n${rule('if !inside')}`, '', [':80', ':81']],
    ['unless inside, at one listener', rule('unless { src 192.168.0.0/16 } || { so_name other }'), '', [':80']],
    ['nothing', '', '', []],
  ])('%s', (_, rules, bind, expecting) => {
    expect(read('haproxy', site(rules, bind)).expecting).toEqual(expecting)
  })

  test('the balancer of the sandbox is among those who are trusted, and among nobody else', () => {
    const {lines} = read('haproxy', site(`acl lb src 10.0.0.0/8\nacl inside src 192.168.0.0/16\n${rule('if lb !inside')}`))
    expect(lines).toEqual(
      expect.arrayContaining(['acl lb src 10.0.0.0/8 127.127.0.1', 'acl inside src 192.168.0.0/16', rule('if lb !inside')]),
    )
    expect(read('haproxy', site(rule('if { src 10.0.0.0/8 }'))).lines).toContain(rule('if { src 10.0.0.0/8 127.127.0.1 }'))
    expect(read('haproxy', site(rule('if { src 10.0.0.0/8 }')), {}).lines).toContain(rule('if { src 10.0.0.0/8 }'))
  })

  test('an acl that lets users in as well gets both', () => {
    const {lines} = read('haproxy', site(`acl lb src 10.0.0.0/8\n${rule('if lb')}\nhttp-request deny unless lb`))
    expect(lines).toContain('acl lb src 10.0.0.0/8 127.127.0.1 127.0.0.0/9')
  })

  test('a condition that cannot be told is taken out, with the reason', () => {
    const {expecting, lines} = read('haproxy', site(rule('if { dst_port 80 }')))
    expect(expecting).toEqual([])
    expect(lines).toContain(`# ${rule('if { dst_port 80 }')}`)
  })
})
