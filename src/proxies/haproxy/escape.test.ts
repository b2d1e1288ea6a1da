import {describe, expect, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {haproxy} from './index.ts'

const plan: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '2.6.12',
  listenAddress: '127.0.0.1',
  ports: [20001, 20002],
  nodes: ['127.0.0.1:21001', '127.0.0.1:21002'],
  installation: {version: '2.6.12', builtin: [], loadable: [], stockFolder: '/etc/haproxy'},
  allowExec: false,
}

function run(text: string, more: readonly ConfigFile[] = []) {
  const bundle = {
    proxy: 'haproxy',
    entry: 'haproxy.cfg',
    origin: 'read',
    root: '/srv/conf',
    files: [{path: 'haproxy.cfg', text}, ...more],
  } as const
  const result = haproxy.sandbox(haproxy.parse(bundle), plan)
  return {...result, text: applyEdits(bundle, result.edits).files[0]?.text ?? ''}
}
const inFrontend = (...lines: string[]) => `defaults\n  mode http\nfrontend f\n  bind :80\n  ${lines.join('\n  ')}\n`
const inGlobal = (...lines: string[]) => `global\n  ${lines.join('\n  ')}\n`

describe('what HAProxy reads otherwise than a person', () => {
  test.each([
    ['a word that ends early', inGlobal('lua-load\\x00zz /tmp/x.lua')],
    ['a word that ends early, in a section that is not run', 'peers p\n  peer\\x00x a:1\n'],
    ['a section that .if takes away', inGlobal('.if 0', 'backend b', '.endif', 'pidfile /tmp/x')],
    ['a section of another branch', inGlobal('.if 0', 'backend b', '.else', 'pidfile /tmp/x', '.endif')],
    ['an option from the environment', inGlobal('setenv F -f') + inFrontend('acl x src "$F" /etc/passwd')],
    ['an option that is a default', inFrontend('acl x src "${Q--f}" /etc/passwd')],
    ['a variable that cannot be followed', inFrontend('acl x src "${Q[1]}" /etc/passwd')],
    ['a file in quotes', inFrontend('http-request set-header X %[path,map("/etc/passwd")]')],
    ['a file behind an escape', inFrontend('http-request set-header X %[path,ma\\x70(/etc/passwd)]')],
    ['a file behind a variable', inFrontend('http-request set-header X "%[path,${M-map}(/etc/passwd)]"')],
    ['a file of an error', inFrontend('http-error status 500 content-type text/plain file /etc/passwd')],
    ['the configuration of this machine', inFrontend('http-request return status 200 content-type a/b file /etc/haproxy/haproxy.cfg')],
    ['a key beside another', inFrontend('http-request deny unless { req.hdr(a),jwt_verify(RS256,../../key.pem) 1 }')],
  ])('%s', (_, text) => {
    expect(run(text).refused).toHaveLength(1)
  })

  test('a variable becomes the value that was judged', () => {
    const text =
      inGlobal('setenv T 30s', 'node "${N-a}"') +
      inFrontend('timeout client "${T}"', 'http-request set-header X "a${E}b c"', 'stats auth "$U:$P"')
    const {refused, text: changed} = run(text)
    expect(refused).toEqual([])
    expect(changed).toContain('node a\n')
    expect(changed).toContain('timeout client 30s\n')
    expect(changed).toContain("set-header X 'ab c'\n")
    expect(changed).not.toContain('$')
  })

  test('a whole section under .if is nothing to complain about', () => {
    expect(run('.if defined(X)\nfrontend a\n  bind :81\n.endif\nfrontend f\n  bind :80\n').refused).toEqual([])
  })

  test('a word of a server line that a variable hides is taken away too', () => {
    const {text} = run('defaults\n  mode http\nbackend b\n  server s gms1:80 "${X-socks4}" 10.0.0.1:1080 check\n')
    expect(text).toContain('server s 127.0.0.1:21001 check\n')
  })
})

describe('nothing but the nodes of the sandbox is reached', () => {
  test.each([
    inFrontend('http-request set-dst str(93.184.216.34)'),
    inFrontend('tcp-request content set-dst ipv4(93.184.216.34)'),
    inFrontend('http-request set-dst-port int(22)'),
    inFrontend('http-request set-dst hdr_ip(x)'),
    inFrontend('http-request set-var(txn.d) str(93.184.216.34)', 'http-request set-dst var(txn.d)'),
    inFrontend('http-request set-uri http://93.184.216.34/', 'http-request set-dst url_ip'),
    inFrontend('http-request set-header Host 93.184.216.34', 'http-request set-dst req.hdr_ip(host)'),
    `defaults\n  mode http\nbackend b\n  server s 0.0.0.0:5432\n`,
  ])('%s', text => {
    expect(run(text).refused).toHaveLength(1)
  })

  test('an open forward proxy is a finding, not a refusal', () => {
    const text = inFrontend('http-request set-dst url_ip', 'http-request set-dst-port url_port', 'default_backend b')
    expect(run(`${text}backend b\n  server s 0.0.0.0:0\n`).refused).toEqual([])
  })

  test.each([
    [inFrontend('filter spoe engine e config spoe.conf'), '# filter spoe'],
    [inFrontend('http-request send-spoe-group e g'), '# http-request send-spoe-group'],
    ['fcgi-app a\n  docroot /x\n  log-stderr 10.0.0.1:514 local0\n', '# log-stderr'],
  ])('%s', (text, expected) => {
    expect(run(text, [{path: 'spoe.conf', text: '[e]\nspoe-agent a\n  log 10.0.0.1:514 local0\n'}]).text).toContain(expected)
  })
})
