import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigBundle, Edit} from '../../model/bundle.ts'
import type {Request, Site, Way} from '../site.ts'
import {DEFAULTS, durationOf, sizeOf} from './defaults.ts'
import {parse} from './parse.ts'
import {site} from './site.ts'

const POLL: Request = {
  title: 'the held poll',
  method: 'POST',
  path: '/genesys/cometd/connect',
  headers: {'content-type': 'application/json'},
}
const UPLOAD: Request = {title: 'the upload', method: 'POST', path: '/genesys/2/chat-ntf', headers: {}}
const WEBSOCKET: Request = {
  title: 'the upgrade',
  method: 'GET',
  path: '/genesys/cometd',
  headers: {upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'x', 'sec-websocket-version': '13'},
}
const environment = {PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`}
const installed = spawnSync('haproxy', ['-v'], {env: environment}).status === 0

const bundleOf = (text: string): ConfigBundle => ({
  proxy: 'haproxy',
  entry: 'haproxy.cfg',
  origin: 'read',
  files: [{path: 'haproxy.cfg', text}],
})
const read = (text: string, version = '2.6.12') => site(parse(bundleOf(text)), version)
function way(from: string | Site, request: Request = POLL): Way {
  const known = typeof from === 'string' ? read(from) : from
  const [listener] = known.listeners
  if (!listener) throw new Error('no listener')
  return known.trace(listener, request)
}
const HEAD = 'defaults\n  mode http\n  timeout client 25s\n  timeout server 25s\n  timeout connect 5s\n'
const LISTEN = `${HEAD}listen chat\n  bind :80\n`
const endOf = ({end}: Way) => (end.kind === 'upstream' ? end.upstream.name : end.kind === 'answer' ? (end.status ?? end.of) : end.kind)

describe('time limits', () => {
  test.each([
    ['of defaults', '', 25_000, 25_000],
    ['a section wins over its defaults', '  timeout server 45s\n  timeout tunnel 1h\n', 45_000, 3_600_000],
    ['a bare number is milliseconds', '  timeout server 605\n', 605, 605],
    ['the last line wins', '  timeout server 10s\n  timeout server 1m\n', 60_000, 25_000],
    ['0 is none', '  timeout server 0\n', undefined, 25_000],
    ['every unit', '  timeout server 1d\n  timeout tunnel 5000000us\n', 86_400_000, 5000],
    ['for some paths', '  http-request set-timeout server 2m if { path_beg /genesys/cometd }\n', 120_000, 120_000],
    ['for other paths', '  http-request set-timeout server 2m if { path_beg /genesys/2 }\n', 25_000, 25_000],
  ])('%s', (_, lines, answer, idle) => {
    const text = `${LISTEN}${lines}  server a 10.0.0.1:80\n`
    expect(way(text).answerTimeout.value).toBe(answer)
    if (answer !== 120_000) expect(way(text, WEBSOCKET).idleTimeout.value).toBe(idle)
  })

  test('none at all', () => {
    const found = way('listen l\n  mode http\n  bind :80\n  server a 10.0.0.1:80\n')
    expect([found.answerTimeout, found.idleTimeout, found.connectTimeout, found.bodyTimeout].map(({value, span}) => [value, span])).toEqual(
      Array.from({length: 4}, () => [undefined, undefined]),
    )
  })

  test('client of the frontend, server and tunnel of the backend', () => {
    const found = way(
      `${HEAD}frontend f\n  bind :80\n  timeout client 10s\n  timeout tunnel 5s\n  default_backend b\nbackend b\n  timeout server 40s\n  server a 10.0.0.1:80\n`,
    )
    expect([found.answerTimeout.value, found.idleTimeout.value]).toEqual([40_000, 10_000])
  })

  test('on layer 4 the client counts for a poll', () =>
    expect(
      way('listen l\n  mode tcp\n  bind :80\n  timeout client 20s\n  timeout server 50s\n  server a 10.0.0.1:80\n').answerTimeout.value,
    ).toBe(20_000))

  test('a pause in an upload: the server of 2.6, the client since 2.8', () => {
    const text = `${LISTEN}  timeout client 60s\n  server a 10.0.0.1:80\n`
    expect(['2.6.12', '3.0.11'].map(version => way(read(text, version), UPLOAD).bodyTimeout.value)).toEqual([25_000, 60_000])
  })

  test('one that comes from outside is not known', () => {
    const found = read(`${LISTEN}  timeout server "\${T}"\n  server a 10.0.0.1:80\n`)
    expect(way(found).answerTimeout.value).toBeNaN()
    expect(found.unknown).toHaveLength(1)
  })
})

describe('routes', () => {
  const routed = (lines: string) =>
    `${HEAD}frontend f\n  bind :80\n${lines}backend gms\n  server a 10.0.0.1:80\nbackend www\n  server b 10.0.0.2:80\n`
  test.each<[string, string, Request, string | number]>([
    ['the first that holds', '  use_backend gms if { path_beg /genesys }\n  use_backend www if TRUE\n', POLL, 'gms'],
    ['or', '  acl a path /x\n  acl b path_end /connect\n  use_backend gms if a or b\n  default_backend www\n', POLL, 'gms'],
    ['acls of one name are alternatives', '  acl a path /x\n  acl a path_end /connect\n  use_backend gms if a\n', POLL, 'gms'],
    ['a network that a stranger is not in', '  use_backend www if { src 10.0.0.0/8 }\n  default_backend gms\n', POLL, 'gms'],
    ['refused by path', '  http-request deny deny_status 404 unless { path_beg /genesys/2 }\n  default_backend gms\n', POLL, 404],
    ['networks that are let in', '  http-request deny unless { src 10.0.0.0/8 }\n  default_backend gms\n', POLL, 'gms'],
    [
      'some are let in, then everybody is refused',
      '  http-request allow if { src 10.0.0.0/8 }\n  http-request deny\n  default_backend gms\n',
      POLL,
      'gms',
    ],
    ['a maintenance page when no node is up', '  use_backend www if { nbsrv(gms) lt 1 }\n  default_backend gms\n', POLL, 'gms'],
    ['what is not followed', '  use_backend www if { lua.decide }\n  default_backend gms\n', POLL, 'unknown'],
    ['a map that is not at hand', '  use_backend %[path,map_beg(/etc/routes.map,gms)]\n', POLL, 'unknown'],
    [
      'a list of pieces',
      '  use_backend gms if { req.hdr(connection) -i upgrade }\n  default_backend www\n',
      {...WEBSOCKET, headers: {...WEBSOCKET.headers, connection: 'keep-alive, Upgrade'}},
      'gms',
    ],
    ['redirected', '  http-request redirect scheme https unless { ssl_fc }\n  default_backend gms\n', POLL, 'redirect'],
    ['no such backend', '  default_backend nowhere\n', POLL, 503],
  ])('%s', (_, lines, request, expected) => expect(endOf(way(routed(lines), request))).toBe(expected))

  test('a list of the bundle is read', () => {
    const bundle = {...bundleOf(routed('  use_backend gms if { path -f lists/paths }\n  default_backend www\n'))}
    const files = [...bundle.files, {path: 'lists/paths', text: '# ours\n/genesys/cometd/connect\n'}]
    expect(endOf(way(site(parse({...bundle, files}), '2.6.12')))).toBe('gms')
  })

  test('names: the one that leads to the chat first', () => {
    const found = read(
      routed(
        '  acl chat hdr(host) -i chat.example.com\n  acl www hdr(host) -i www.example.com\n  use_backend www if www\n  use_backend gms if chat\n',
      ),
    )
    expect(found.listeners.map(({serverNames}) => serverNames)).toEqual([['chat.example.com', 'www.example.com']])
    expect(endOf(way(found))).toBe('gms')
  })

  test('chat listeners first; a redirect to https is none', () => {
    const found = read(
      `${HEAD}frontend plain\n  bind :80\n  http-request redirect scheme https\nfrontend tls\n  bind :443 ssl crt /a.pem\n  default_backend gms\nbackend gms\n  server a 10.0.0.1:80\n`,
    )
    expect(found.listeners.map(({address, chat, tls}) => [address, chat, tls?.versions.value])).toEqual([
      [':443', true, ['TLSv1.2', 'TLSv1.3']],
      [':80', false, undefined],
    ])
  })

  test('a fragment that is only a backend', () => expect(endOf(way('backend gms\n  mode http\n  server a 10.0.0.1:80\n'))).toBe('gms'))
})

describe('defaults sections', () => {
  test('`from` another', () => {
    const found = way(
      'defaults a\n  mode http\n  timeout server 1m\ndefaults b from a\n  timeout client 10s\nlisten l from b\n  bind :80\n  server a 10.0.0.1:80\n',
    )
    expect([found.answerTimeout.value, found.bodyTimeout.value]).toEqual([60_000, 60_000])
  })
  test('each begins anew', () => {
    const found = way('defaults\n  mode http\n  timeout server 1m\ndefaults\n  mode http\nlisten l\n  bind :80\n  server a 10.0.0.1:80\n')
    expect(found.answerTimeout.value).toBeUndefined()
  })
})

describe('preprocessing', () => {
  const decided = (condition: string, version = '2.6.12') =>
    way(read(`${LISTEN}.if ${condition}\n  timeout server 1m\n.else\n  timeout server 2m\n.endif\n  server a 10.0.0.1:80\n`, version))
      .answerTimeout.value
  test.each([
    ['version_atleast(2.6)', 60_000],
    ['version_before(2.6)', 120_000],
    ['!version_atleast(2.6) || streq(a,a)', 60_000],
    ['(1 && 0)', 120_000],
    ['', 120_000],
  ])('.if %s', (condition, expected) => expect(decided(condition)).toBe(expected))

  test('what depends on the machine is said', () =>
    expect(read(`${LISTEN}.if feature(QUIC)\n  timeout server 1m\n.endif\n  server a 10.0.0.1:80\n`).unknown).toMatchObject([
      {span: {line: 8}},
    ]))

  test('variables of the file, and defaults', () => {
    const found = way(`global\n  setenv T 1m\n${LISTEN}  timeout server "$T"\n  timeout tunnel "\${U-2h}"\n  server a 10.0.0.1:80\n`)
    expect([found.answerTimeout.value, found.idleTimeout.value]).toEqual([60_000, 7_200_000])
  })
})

describe('headers', () => {
  const sent = (lines: string, name: string, request = POLL) => {
    const {value, sends} = way(`${LISTEN}${lines}  server a 10.0.0.1:80\n`, request).sent(name)
    return [value, sends]
  }
  test.each<[string, string, string, string | undefined]>([
    ['', 'x-forwarded-for', 'client', undefined],
    ['  option forwardfor\n', 'x-forwarded-for', 'client-and-peer', undefined],
    ['  option forwardfor except 127.0.0.1\n', 'x-forwarded-for', 'client-and-peer', undefined],
    ['  option forwardfor if-none\n', 'x-forwarded-for', 'client', undefined],
    ['  http-request del-header X-Forwarded-For\n  option forwardfor\n', 'x-forwarded-for', 'peer', undefined],
    ['  http-request set-header X-Forwarded-For %[src]\n', 'x-forwarded-for', 'peer', undefined],
    ['  http-request set-header X-Forwarded-For "%[req.hdr(x-forwarded-for)], %[src]"\n', 'x-forwarded-for', 'client-and-peer', undefined],
    ['  http-request del-header X-Forwarded- -m beg\n', 'x-forwarded-for', 'nothing', undefined],
    ['  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]\n', 'x-forwarded-proto', 'scheme', 'http'],
    ['  http-request set-header X-Forwarded-Proto https\n', 'x-forwarded-proto', 'text', 'https'],
    ['  http-request set-header Host gms.internal\n', 'host', 'text', 'gms.internal'],
    ['  http-request set-header Host %[req.hdr(host),field(1,:)]\n', 'host', 'host-without-port', undefined],
    ['  http-request set-header X-Real-IP %[lua.guess]\n', 'x-real-ip', 'unknown', undefined],
    ['  http-request set-header X-Real-IP a if { lua.guess }\n', 'x-real-ip', 'unknown', undefined],
  ])('%s%s: %s', (lines, name, value, sends) => expect(sent(lines, name)).toEqual([value, sends]))

  test('h2c is kept back by later releases', () => {
    const h2c = {...WEBSOCKET, headers: {upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings'}}
    const upgrades = ['2.6.12', '2.6.22', '2.8.12', '3.0.11'].map(
      version => way(read(`${LISTEN}  server a 10.0.0.1:80\n`, version), h2c).sent('upgrade').value,
    )
    expect(upgrades).toEqual(['client', 'nothing', 'client', 'nothing'])
  })
})

describe('upstreams', () => {
  const upstream = (lines: string, version?: string) => {
    const [found] = read(`${HEAD}frontend f\n  bind :80\n  default_backend gms\nbackend gms\n${lines}`, version).upstreams
    if (!found) throw new Error('no upstream')
    return found
  }
  const TWO = '  server a gms1:80 cookie a\n  server b gms2:80 cookie b\n'
  test.each([
    ['', 'none', false],
    ['  cookie N insert indirect nocache\n', 'inserted-cookie', false],
    ['  cookie JSESSIONID prefix\n', 'prefixed-cookie', false],
    ['  cookie SRV\n', 'application-cookie', false],
    ['  balance source\n', 'address', false],
    ['  balance uri\n', 'other', true],
    ['  stick-table type ip size 1m\n  stick on src\n', 'address', false],
    ['  stick-table type string size 1m\n  stick on req.cook(JSESSIONID)\n', 'application-cookie', true],
    [
      '  stick-table type string size 1m\n  stick on req.cook(JSESSIONID)\n  stick store-response res.cook(JSESSIONID)\n',
      'application-cookie',
      false,
    ],
  ])('affinity of %j', (lines, kind, unstable) => expect(upstream(lines + TWO).affinity).toMatchObject({kind, unstable}))

  test('default-server holds for lines behind it, and is overridden', () => {
    const {nodes, health} = upstream(
      '  default-server check inter 5s rise 3 maxconn 10\n  server a gms1:80\n  server b gms2:80 maxconn 20 no-check disabled\n',
    )
    expect(nodes.map(({outFor, maxConnections, down}) => [outFor.value, maxConnections.value, down])).toEqual([
      [15_000, 10, false],
      [0, 20, true],
    ])
    expect(health.kind).toBe('none')
  })

  test('checks', () => {
    expect(upstream('  server a gms1:80 check\n').health).toMatchObject({kind: 'tcp'})
    expect(upstream('  option httpchk GET /status\n  http-check expect status 200\n  server a gms1:80 check\n').health).toMatchObject({
      kind: 'http',
      method: 'GET',
      path: '/status',
      expect: 'status 200',
    })
  })

  test('names that are followed, and name servers', () => {
    const found = read(`resolvers r\n  nameserver a 10.0.0.53:53\n${LISTEN}  server-template n 3 gms.local:8080 resolvers r\n`)
    expect(found.upstreams[0]).toMatchObject({resolution: {value: 'followed'}, hasNameServers: true})
    expect(found.upstreams[0]?.nodes).toHaveLength(3)
    expect(found.nameServers.map(({address}) => address)).toEqual(['10.0.0.53:53'])
  })

  test('TLS and HTTP/2 towards nodes', () => {
    const [node] = upstream('  server a gms1:443 ssl verify none sni str(gms1) alpn h2\n').nodes
    expect(node).toMatchObject({tls: {verified: {value: false}, serverName: {value: 'gms1'}}, http2: {value: true}})
    const both = (version: string) => upstream('  server a gms1:443 ssl ca-file /ca alpn h2,http/1.1\n', version).nodes[0]?.http2.value
    expect([both('2.4.0'), both('2.6.12')]).toEqual([true, false])
  })
})

describe('limits', () => {
  test('sizes, whichever way they are asked', () => {
    for (const condition of ['req.body_size gt 1048576', 'req.body_size ge 1048577', 'req.hdr_val(content-length) gt 1048576'])
      expect(
        way(`${LISTEN}  http-request deny deny_status 413 if { ${condition} }\n  server a 10.0.0.1:80\n`, UPLOAD).bodyLimit.value,
      ).toBe(1_048_576)
    const own = `${LISTEN}  acl big req.body_size gt 100\n  http-request deny if big { path_beg /genesys/2 }\n  server a 10.0.0.1:80\n`
    expect([POLL, UPLOAD].map(request => way(own, request).bodyLimit.value)).toEqual([undefined, 100])
    expect(endOf(way(own, {...UPLOAD, headers: {'content-length': '101'}}))).toBe(403)
  })

  test('connections and requests of one client', () => {
    const found = way(
      `${LISTEN}  stick-table type ip size 1m store conn_cur,http_req_rate(10s)\n  http-request track-sc0 src\n  http-request deny if { sc_conn_cur(0) gt 5 }\n  http-request deny if { sc0_http_req_rate gt 20 }\n  server a 10.0.0.1:80\n`,
    )
    expect([found.connectionsPerClient.value, found.requestsPerSecond.value]).toEqual([5, {rate: 2, burst: 20}])
  })

  test('chats', () => {
    const {capacity, oddities} = read(`global\n  maxconn 2000\n${LISTEN}  maxconn 10000\n  server a 10.0.0.1:80\n`)
    expect(capacity.chats).toBe(2000)
    expect(oddities).toMatchObject([{kind: 'limit-without-effect', name: 'maxconn 10000'}])
  })
})

describe('consoles', () => {
  test.each([
    ['  stats socket /run/a.sock mode 777', true, false],
    ['  stats socket /run/a.sock mode 660 level admin', false, true],
    ['  stats socket /run/a.sock', false, false],
    ['  stats socket ipv4@*:9999 level admin', true, true],
  ])('%s', (line, open, changes) => expect(read(`global\n${line}\n`).consoles).toMatchObject([{open, changes}]))

  test.each([
    ['', true],
    ['  stats auth a:b\n', false],
    ['  http-request deny unless { src 10.0.0.0/8 }\n', false],
    ['  http-request deny if { path_beg /other }\n', true],
  ])('a page: %j', (lines, open) =>
    expect(read(`${LISTEN}  stats uri /stats\n${lines}  server a 10.0.0.1:80\n`).consoles).toMatchObject([{open}]),
  )
})

describe('oddities', () => {
  test('words that are gone, with what took their place', () => {
    const text = `${LISTEN}  reqadd X-A:\\ b\n  server a 10.0.0.1:80\n`
    const [oddity] = read(text).oddities
    expect(oddity).toMatchObject({kind: 'word-removed', name: 'reqadd', span: {line: 8}})
    expect(mended(text, oddity?.mend ?? [])).toContain('  http-request add-header X-A b\n')
  })
  test('durations without a unit', () =>
    expect(
      read(`${LISTEN}  timeout tarpit 605\n  timeout queue 0\n  server a 10.0.0.1:80 check inter 2000\n`).oddities.map(({kind, name}) => [
        kind,
        name,
      ]),
    ).toEqual([
      ['duration-without-unit', 'timeout tarpit'],
      ['duration-without-unit', 'inter'],
    ]))
})

test('the logs of the published format', () => {
  const logged = (lines: string) =>
    way(`global\n  log stdout format raw local0\n${HEAD}  log global\n${lines}listen l\n  bind :80\n  server a 10.0.0.1:80\n`).logs
  expect(logged('  option httplog\n')).toMatchObject([{namesNode: true, holdsQuery: true, holdsSecrets: false, escapes: true}])
  expect(logged('')).toMatchObject([{namesNode: false, holdsQuery: false}])
  expect(logged('  log-format "%ci %b/%s %HM %HP"\n')).toMatchObject([{namesNode: true, holdsQuery: false}])
  expect(logged('  no log\n')).toEqual([])
})

function mended(text: string, edits: readonly Edit[]): string {
  return applyEdits(bundleOf(text), edits).files[0]?.text ?? ''
}

describe('edits', () => {
  const own = `# a site\r\n${LISTEN}  timeout server 10s # short\n  server a 10.0.0.1:80\n`
  const shared = `${HEAD}frontend f\n  bind :80\n  use_backend www if { path_beg /www }\n  default_backend gms\nbackend gms\n\tserver a 10.0.0.1:80 # first\nbackend www\n  server b 10.0.0.2:80\n`
  const alone = `${HEAD}frontend f\n  bind :80\n  default_backend gms\nbackend gms\n  server a 10.0.0.1:80\n`
  const CASES: readonly [string, string, (from: Way) => readonly Edit[], (from: Way) => unknown, unknown][] = [
    ['a value', own, ({answerTimeout}) => answerTimeout.put('45s'), ({answerTimeout}) => answerTimeout.value, 45_000],
    ['defaults that others share', shared, ({answerTimeout}) => answerTimeout.put('45s'), ({answerTimeout}) => answerTimeout.value, 45_000],
    ['defaults of this site alone', alone, ({answerTimeout}) => answerTimeout.put('45s'), ({answerTimeout}) => answerTimeout.value, 45_000],
    ['what is missing', shared, ({idleTimeout}) => idleTimeout.put('1h'), ({idleTimeout}) => idleTimeout.value, 3_600_000],
    ['a header', alone, from => from.sent('x-forwarded-for').put('%[src]'), from => from.sent('x-forwarded-for').value, 'peer'],
    ['a header that does not pass', alone, from => from.sent('x-real-ip').put(''), from => from.sent('x-real-ip').value, 'nothing'],
    [
      'affinity',
      alone,
      ({end}) => (end.kind === 'upstream' ? end.upstream.affinity.setting.put('N insert indirect nocache') : []),
      ({end}) => (end.kind === 'upstream' ? end.upstream.affinity.kind : undefined),
      'inserted-cookie',
    ],
    [
      'checks',
      shared,
      ({end}) => (end.kind === 'upstream' ? end.upstream.health.setting.put('') : []),
      ({end}) => (end.kind === 'upstream' ? end.upstream.health.kind : undefined),
      'tcp',
    ],
    [
      'a size',
      `${LISTEN}  http-request deny deny_status 413 if { req.body_size gt 1000 }\n  server a 10.0.0.1:80\n`,
      ({bodyLimit}) => bodyLimit.put('11534336'),
      ({bodyLimit}) => bodyLimit.value,
      11_534_336,
    ],
    [
      'retries',
      `${LISTEN}  retry-on all-retryable-errors\n  server a 10.0.0.1:80\n`,
      ({retriesPost}) => retriesPost.put('conn-failure'),
      ({retriesPost}) => retriesPost.value,
      false,
    ],
  ]
  test.each(CASES)('%s', (_, text, change, look, expected) => {
    const edits = change(way(text))
    expect(edits).not.toEqual([])
    const after = mended(text, edits)
    expect(look(way(after))).toEqual(expected)
    // the other site keeps what it had
    if (text === shared) expect(way(after, {...POLL, path: '/www/index'}).answerTimeout.value).toBe(25_000)
    if (installed) expect(accepted(after)).toBe('')
  })

  test('comments and other bytes stay', () =>
    expect(mended(shared, way(shared).answerTimeout.put('45s'))).toBe(shared.replace('# first\n', '# first\n\ttimeout server 45s\n')))
})

/** What HAProxy has against a configuration. */
function accepted(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-site-'))
  try {
    writeFileSync(join(folder, 'a.cfg'), text)
    const {status, stderr} = spawnSync('haproxy', ['-c', '-f', 'a.cfg'], {cwd: folder, encoding: 'utf8', env: environment})
    return status === 0 ? '' : stderr
  } finally {
    rmSync(folder, {recursive: true})
  }
}

test('durations and sizes', () => {
  expect(['1500', '1s', '2m', '1h', '1d', '1us', '5x', '1.5s', '', '9999999999'].map(text => durationOf(text))).toEqual([
    1500,
    1000,
    120_000,
    3_600_000,
    86_400_000,
    1,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ])
  expect([durationOf('30', 's'), sizeOf('16k')]).toEqual([30_000, 16_384])
  for (const {without} of DEFAULTS)
    if (typeof without === 'string') expect(DEFAULTS.map(({directive}) => `= ${directive}`)).toContain(without)
})

describe('what is rendered', () => {
  const root = new URL('../../../fixtures/golden/haproxy/', import.meta.url).pathname
  const rendered = readdirSync(root).flatMap(name => {
    const file = join(root, name, 'haproxy.cfg')
    try {
      return [[name, readFileSync(file, 'utf8')] as const]
    } catch {
      return []
    }
  })
  test('is there', () => expect(rendered.length).toBeGreaterThan(40))
  test.each(rendered)('%s leads chats to GMS as they came', (name, text) => {
    const version = /@(\d+\.\d+\.\d+)/.exec(name)?.[1] ?? '3.4.0'
    const found = read(text, version)
    expect(parse(bundleOf(text)).problems).toEqual([])
    expect(found.oddities).toEqual([])
    expect(found.unknown).toEqual([])
    const chats = found.listeners.filter(({chat}) => chat)
    expect(chats).not.toEqual([])
    for (const listener of chats)
      for (const request of [POLL, WEBSOCKET, UPLOAD]) {
        const traced = found.trace(listener, request)
        expect(traced.end).toMatchObject({kind: 'upstream', path: request.path})
        expect(traced.answerTimeout.value).toBeGreaterThanOrEqual(45_000)
        expect(traced.sent('x-forwarded-for').value).toBe('peer')
        expect(traced.sent('host').value).toBe('host')
        expect(traced.sent('upgrade').value).toBe(request === WEBSOCKET ? 'client' : 'nothing')
        expect(traced.retriesPost.value).toBe(false)
      }
  })
})

describe('what is written in another way', () => {
  const affinity = (lines: string) => {
    const {end} = way(`${LISTEN}${lines}  server a 10.0.0.1:80\n  server b 10.0.0.2:80\n`)
    return end.kind === 'upstream' ? end.upstream.affinity : undefined
  }
  test.each(['balance hdr(Host)', 'balance hdr(User-Agent)', 'balance hash req.hdr(host)', 'balance hash str(gms)'])(
    '%s is one key for many, and stays the same',
    line => expect(affinity(`  ${line}\n`)).toMatchObject({shared: true, unstable: false}),
  )
  test('a header of the session is a key like others', () => {
    expect(affinity('  balance hdr(X-Chat-Session)\n')).toMatchObject({kind: 'session-text', unstable: false})
  })

  test('an address that every client may write is no address', () => {
    const sent = (rule: string) =>
      way(`${LISTEN}  ${rule}\n  http-request set-header X-Forwarded-For %[src]\n  server a 10.0.0.1:80\n`).sent('x-forwarded-for').value
    expect(sent('http-request set-src hdr(X-Forwarded-For)')).toBe('client-and-peer')
    expect(sent('http-request set-src hdr(X-Forwarded-For) if { src 10.0.0.0/8 }')).toBe('peer')
  })

  test('who has no credentials is refused', () => {
    const {credentials} = way(
      `${LISTEN}  http-request deny deny_status 401 unless { req.hdr(Authorization) -m found }\n  server a 10.0.0.1:80\n`,
    )
    expect(credentials.value).toBe(true)
  })

  test('maxconn of a bind line bounds the chats', () => {
    const {capacity} = read(`${HEAD}listen chat\n  bind :80 maxconn 50\n  server a 10.0.0.1:80\n`)
    expect(capacity.chats).toBe(50)
    expect(capacity.setting.put('2000').map(({text}) => text)).toEqual(['2000'])
  })

  test('a limit that refuses at a number lets one less in, and what is put there as well', () => {
    const {connectionsPerClient} = way(
      `${LISTEN}  stick-table type ip size 1k store conn_cur\n  http-request track-sc0 src\n  http-request deny if { sc0_conn_cur ge 3 }\n  server a 10.0.0.1:80\n`,
    )
    expect(connectionsPerClient.value).toBe(2)
    expect(connectionsPerClient.put('60').map(({text}) => text)).toEqual(['61'])
  })

  test('what is added beside the words of a client has to replace them', () => {
    const header = way(`${LISTEN}  http-request add-header X-Forwarded-For %[src]\n  server a 10.0.0.1:80\n`).sent('x-forwarded-for')
    expect(header.put('%[src]').map(({text}) => text)).toEqual(['set-header', '%[src]'])
  })

  test('a name that default-server gives to all is changed for one', () => {
    const {end} = way(`${LISTEN}  cookie C insert\n  default-server cookie x\n  server a 10.0.0.1:80\n  server b 10.0.0.2:80\n`)
    const [, second] = end.kind === 'upstream' ? end.upstream.nodes : []
    expect(second?.key?.put('b').map(({text}) => text)).toEqual([' cookie b'])
  })
})
