import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {describe, expect, test} from 'vitest'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import {render} from '../../bundle/render.ts'
import {loadParameters} from '../../parameters/load.ts'
import type {SandboxPlan} from '../proxy.ts'
import {haproxy} from './index.ts'

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`
const installed = spawnSync('haproxy', ['-v'], {env: {PATH}}).status === 0
const fixture = (path: string) => readFileSync(new URL(`../../../fixtures/${path}`, import.meta.url), 'utf8')
const bundleOf = (text: string, more: readonly {path: string; text: string}[] = []): ConfigBundle => ({
  proxy: 'haproxy',
  entry: 'haproxy.cfg',
  origin: 'read',
  root: '/srv/conf',
  files: [{path: 'haproxy.cfg', text}, ...more],
})
const PLAN: SandboxPlan = {
  folder: '/sandbox',
  runtime: 'binary',
  version: '2.6.12',
  listenAddress: '127.0.0.1',
  ports: [20001, 20002, 20003],
  nodes: ['127.0.0.1:20011', '127.0.0.1:20012'],
  installation: {version: '2.6.12', builtin: [], loadable: [], stockFolder: '/etc/haproxy'},
  allowExec: false,
}

function sandboxed(bundle: ConfigBundle, plan: Partial<SandboxPlan> = {}) {
  const result = haproxy.sandbox(haproxy.parse(bundle), {...PLAN, ...plan})
  const files = [...applyEdits(bundle, result.edits).files, ...result.added]
  return {
    ...result,
    files,
    text: files.find(({path}) => path === bundle.entry)?.text ?? '',
    wrapper: files.find(({path}) => path === result.entry)?.text ?? '',
  }
}
const inBackend = (line: string) => `defaults\n  mode http\nbackend b\n  ${line}\n`
const inFrontend = (line: string) => `defaults\n  mode http\nfrontend f\n  ${line}\n`
const inGlobal = (line: string) => `global\n  ${line}\n`

/** `haproxy -c` on the sandboxed bundle in a folder of its own. */
function configTest(bundle: ConfigBundle) {
  const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-haproxy-'))
  try {
    const {files, entry} = sandboxed(bundle, {folder})
    for (const file of files) {
      mkdirSync(dirname(join(folder, file.path)), {recursive: true})
      writeFileSync(join(folder, file.path), file.text)
    }
    const [command = '', ...args] = haproxy.configTest('haproxy', join(folder, entry), folder).argv
    const {status, stdout, stderr} = spawnSync(command, args, {encoding: 'utf8', env: {PATH}})
    return {
      status,
      messages: haproxy.parseConfigTest(stdout + stderr).map(message => ({...message, file: message.file?.slice(folder.length + 1)})),
    }
  } finally {
    rmSync(folder, {recursive: true})
  }
}

describe('refuses what would run its author’s code or read others’ files', () => {
  test.each([
    inGlobal('lua-load /tmp/x.lua'),
    inGlobal('lua-load-per-thread x.lua'),
    inGlobal('lua-prepend-path /tmp/?.lua'),
    inGlobal('"lua-load" /tmp/x.lua'),
    inGlobal('lua\\x2dload /tmp/x.lua'),
    inGlobal('external-check'),
    inGlobal('insecure-fork-wanted'),
    inGlobal('ssl-engine evil'),
    inGlobal('"$NAME" /tmp/x.lua'),
    inGlobal('"lua-${X}" /tmp/x.lua'),
    inGlobal('stats "$X" /tmp/x'),
    inGlobal('maxconn "${WORDS[*]}"'),
    inBackend('option external-check'),
    inBackend('external-check command /bin/sh'),
    inBackend('no option external-check'),
    inBackend('option "$X"'),
    inFrontend('filter opentracing id x'),
    inFrontend('filter spoe engine e config /tmp/spoe.conf'),
    inFrontend('http-request return status 200 content-type text/plain file /etc/passwd'),
    inFrontend('http-request set-header X %[path,map(/etc/shadow)]'),
    inFrontend('acl x path -f ../secret'),
    inFrontend('http-request deny if { src -f /root/list }'),
    inFrontend('http-request set-map(/etc/shadow) %[src] x'),
    inFrontend('http-request deny unless { req.hdr(a),jwt_verify(RS256,/root/key.pem) 1 }'),
    'program evil\n  command /bin/sh -c id\n',
  ])('%s', text => {
    const {refused} = sandboxed(bundleOf(text))
    expect(refused).toHaveLength(1)
    expect(refused[0]?.because).toMatch(/^(it |a variable )/)
    expect(refused[0]?.span.line).toBeGreaterThan(0)
  })

  test('code may be allowed, files of others may not', () => {
    expect(sandboxed(bundleOf(inGlobal('lua-load x.lua')), {allowExec: true})).toMatchObject({
      refused: [],
      text: inGlobal('lua-load x.lua'),
    })
    expect(sandboxed(bundleOf(inFrontend('acl x path -f /root/list')), {allowExec: true}).refused).toHaveLength(1)
  })
})

describe('moves', () => {
  const line = (text: string) => sandboxed(bundleOf(text)).text.split('\n').at(-2)?.trim()

  test.each([
    [inGlobal('pidfile /run/x.pid'), '# pidfile /run/x.pid'],
    [inGlobal('chroot /var/lib/haproxy'), '# chroot /var/lib/haproxy'],
    [inGlobal('user haproxy'), '# user haproxy'],
    [inGlobal('daemon'), '# daemon'],
    [inGlobal('log /dev/log local0'), '# log /dev/log local0'],
    [
      inGlobal('stats socket /run/a.sock mode 660 user root group haproxy level admin'),
      'stats socket /sandbox/stats-1.sock mode 660 level admin',
    ],
    [inGlobal('stats socket ipv4@*:9999 level admin'), 'stats socket /sandbox/stats-1.sock level admin'],
    [inFrontend('bind :80'), 'bind 127.0.0.1:20001'],
    [inFrontend('bind *:80,[::]:80 v4v6 name a'), 'bind 127.0.0.1:20001,127.0.0.1:20002 name a'],
    [inFrontend('bind "unix@/run/x.sock" mode 666 user x'), 'bind 127.0.0.1:20001'],
    [inFrontend('bind ":${PORT}" interface eth0'), 'bind 127.0.0.1:20001'],
    [inFrontend('bind quic4@:443 ssl crt x alpn h3'), '# bind quic4@:443 ssl crt x alpn h3'],
    [inFrontend('log 10.0.0.1:514 local0 notice'), 'log global'],
    [inFrontend('log global'), 'log global'],
    [inFrontend('errorfile 503 /etc/other/503.http'), '# errorfile 503 /etc/other/503.http'],
    [inFrontend('errorfile 503 /etc/haproxy/errors/503.http'), 'errorfile 503 /etc/haproxy/errors/503.http'],
    [inBackend('server a gms1:8080 check inter 3s port 81 resolvers dns init-addr none'), 'server a 127.0.0.1:20011 check inter 3s'],
    [inBackend('server a <your_domain_name>:<your_port> cookie port'), 'server a 127.0.0.1:20011 cookie port'],
    [inBackend('server a "$GMS" ssl verify none ca-file @system-ca sni str(x) maxconn 5'), 'server a 127.0.0.1:20011 maxconn 5'],
    [inBackend('server-template t 1-3 gms.local:80 resolvers dns check'), 'server-template t 1-3 127.0.0.1:20011 check'],
    [inBackend('default-server inter 3s resolvers dns'), 'default-server inter 3s'],
    [inBackend('http-check connect port 81 addr 10.0.0.1'), 'http-check connect'],
    [inBackend('stick-table type ip size 1m peers others expire 1h'), 'stick-table type ip size 1m expire 1h'],
    [inBackend('source 0.0.0.0 usesrc clientip'), '# source 0.0.0.0 usesrc clientip'],
  ])('%s', (text, expected) => expect(line(text)).toBe(expected))

  test('files of the folder, wherever a directive names them', () => {
    const text =
      'frontend f\n  acl a path -f lists/a.lst\n  use_backend %[path,map_beg(/srv/conf/my.map,b)]\n  http-request return status 200 content-type text/plain file ./a.txt\n'
    const {text: moved, refused} = sandboxed(
      bundleOf(
        text,
        ['lists/a.lst', 'my.map', 'a.txt'].map(path => ({path, text: 'x\n'})),
      ),
    )
    expect(refused).toEqual([])
    expect([...moved.matchAll(/\/sandbox\/[\w./]+/g)].map(String)).toEqual(['/sandbox/lists/a.lst', '/sandbox/my.map', '/sandbox/a.txt'])
    expect(haproxy.includes?.(haproxy.parse(bundleOf(text)).files[0]?.directives ?? []).map(({pattern}) => pattern)).toEqual([
      'lists/a.lst',
      '/srv/conf/my.map',
      './a.txt',
    ])
  })

  test('one address to one node, also when it is named twice', () => {
    const {text} = sandboxed(bundleOf('backend a\n  server x gms1:80\n  server y gms2:80\nbackend b\n  server z gms1:80\n'))
    expect([...text.matchAll(/127\.0\.0\.1:\d+/g)].map(String)).toEqual(['127.0.0.1:20011', '127.0.0.1:20012', '127.0.0.1:20011'])
  })

  test('whole sections that talk to others, line by line', () => {
    const {text} = sandboxed(
      bundleOf('peers p\n  peer a 10.0.0.1:1024\nresolvers r\n  nameserver n 127.0.0.11:53\nring x\n  backing-file /tmp/y\n'),
    )
    expect(text).toBe(
      '# peers p\n  # peer a 10.0.0.1:1024\n# resolvers r\n  # nameserver n 127.0.0.11:53\n# ring x\n  # backing-file /tmp/y\n',
    )
  })

  test('a process that talks to its successor alone goes on doing so, under a name that no other run has', () => {
    const text = 'peers own\n  peer me abns@own\nbackend b\n  stick-table type ip size 1m peers own expire 1h\n'
    const moved = sandboxed(bundleOf(text)).text
    expect(moved).toMatch(/^ {2}peer me abns@own-[0-9a-f]{12}$/m)
    expect(moved).toContain('stick-table type ip size 1m peers own expire 1h')
    const shared = sandboxed(bundleOf(text.replace('backend', '  peer other 10.0.0.1:1024\nbackend'))).text
    expect(shared).toContain('# peer me abns@own')
    expect(shared).toContain('stick-table type ip size 1m expire 1h')
  })

  test('no line changes its number', () => {
    const text = fixture('foreign/haproxy/genesys-sample/haproxy.cfg')
    expect(sandboxed(bundleOf(text)).text.split('\n')).toHaveLength(text.split('\n').length)
  })

  test('the user of the workers, and limits of the machine, into the wrapper', () => {
    expect(sandboxed(bundleOf(inGlobal('maxconn 1')), {user: {name: 'nobody', group: 'nogroup'}}).wrapper).toMatch(
      /no strict-limits\n {4}noreuseport\n {4}user nobody\n {4}group nogroup/,
    )
  })
})

describe('finds', () => {
  test('the listener of the chat before a redirect and statistics, TLS first', () => {
    const text = `frontend stats\n bind :9000\n stats enable\nfrontend tls\n bind :443 ssl crt x\n default_backend b\nfrontend plain\n bind :80,:8080\n acl h hdr(host) -i chat.example.com\n default_backend b\n`
    const found = haproxy.listeners(haproxy.parse(bundleOf(text)))
    expect(found.map(({address}) => address)).toEqual([':443', ':80', ':8080', ':9000'])
    expect(found[1]).toMatchObject({serverName: 'chat.example.com', tls: false, span: {line: 8}})
  })

  test('no node among peers and name servers', () => {
    const text =
      'peers p\n  server a 10.0.0.1:1\nresolvers r\n  nameserver a 10.0.0.2:53\nlisten l\n  server b "10.0.0.3:80"\n  dispatch 10.0.0.4:80\n'
    expect(haproxy.nodes(haproxy.parse(bundleOf(text))).map(({address}) => address)).toEqual(['10.0.0.3:80', '10.0.0.4:80'])
  })
})

describe.skipIf(!installed)('HAProxy accepts without a warning', () => {
  test.each(['genesys-sample', 'genesys-sample-two-nodes'])('%s', name => {
    expect(configTest(bundleOf(fixture(`foreign/haproxy/${name}/haproxy.cfg`)))).toEqual({status: 0, messages: []})
  })

  test.each([
    ['lines without a section', 'balance roundrobin\nserver a gms1:8080 check\nserver b gms2:8080'],
    ['a listener without a section', 'bind :80\nserver a gms1:8080'],
    ['a backend', 'backend gms\n  server a gms1:8080 check\n'],
    ['a frontend and a backend', 'frontend f\n  bind *:80\n  default_backend b\nbackend b\n  server a gms1:8080 check'],
    ['a listen section with comments and CRLF', '# chat\r\nlisten chat\r\n  bind *:80\r\n  # nodes\r\n  server a gms1:8080\r\n'],
    [
      'a file without global',
      'defaults\n  mode http\n  timeout connect 1s\n  timeout client 1m\n  timeout server 1m\nlisten chat\n  bind *:80\n  server a gms1:8080\n',
    ],
  ])('%s', (_, text) => expect(configTest(bundleOf(text))).toEqual({status: 0, messages: []}))

  test.each([
    {},
    {affinity: {mode: 'none'}},
    {health: {mode: 'none'}, upgrade: {idleTimeout: '7d'}, polling: {hold: '600s'}},
    {limits: {chats: 1}, upstream: {nodes: ['[::1]:8080']}},
    {limits: {chats: 9500}, listener: {address: '[::1]', port: 8080, serverNames: []}},
    {
      upload: {maxFileSize: '10GiB'},
      access: {paths: ['/genesys/', '/a.b~c-d']},
      upstream: {nodes: Array.from({length: 12}, (_, i) => `10.0.0.${i}:80`)},
    },
    {listener: {serverNames: ['a.example', 'b_c.example', '10.0.0.1']}, affinity: {cookie: 'A_b-c'}, health: {interval: '500ms'}},
  ])('what is rendered from %j', async override => {
    const overrides = Object.entries(override).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    const {parameters} = await loadParameters({
      file: new URL('../../../fixtures/parameters/two-nodes.yaml', import.meta.url).pathname,
      overrides,
      stdin: () => Promise.resolve(''),
    })
    const bundle = render(haproxy, parameters, haproxy.versions.newest)
    expect(bundle.files[0]?.text).not.toMatch(/\n\n\n| +$/m)
    expect(configTest(bundle)).toEqual({status: 0, messages: []})
  })

  test('nothing of a broken file: its messages name file and line', () => {
    expect(
      configTest(bundleOf('defaults\n  mode http\n  timeout client 25\n  optoin httplog\nfrontend f\n  bind :80\n  default_backend gone\n'))
        .messages,
    ).toEqual([{level: 'error', text: expect.stringContaining("unknown keyword 'optoin'") as string, file: 'haproxy.cfg', line: 4}])
  })
})
