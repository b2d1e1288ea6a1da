import {describe, expect, it} from 'vitest'
import {render} from '../../bundle/render.ts'
import {loadParameters} from '../../parameters/load.ts'
import type {Parameters} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {haproxy} from './index.ts'
import {BRANCHES, SINCE} from './versions.ts'

const NODES = {nodes: ['gms1.network.local:8080', 'gms2.network.local:8080']}
const WHOLE: RenderTarget = {version: '3.4.0', layout: 'docker', fragment: false, header: []}

async function load(input: object): Promise<Parameters> {
  const text = JSON.stringify({upstream: NODES, ...input})
  return (await loadParameters({file: '-', stdin: () => Promise.resolve(text), overrides: []})).parameters
}

/** Lines of the rendered file, without comments and the white space that aligns values. */
async function lines(input: object, target: Partial<RenderTarget> = {}): Promise<readonly string[]> {
  const parameters = await load(input)
  const {version, ...how} = {...WHOLE, ...target}
  const text = render(haproxy, parameters, version, how).files[0]?.text ?? ''
  return text.split('\n').map(line => line.trim().replace(/ {2,}/g, ' '))
}

async function refusals(input: object, target: Partial<RenderTarget> = {}): Promise<readonly string[]> {
  return haproxy.unsupported(await load(input), {...WHOLE, ...target}).map(({path}) => path)
}

async function caveats(input: object, target: Partial<RenderTarget> = {}): Promise<readonly string[]> {
  return haproxy.caveats(await load(input), {...WHOLE, ...target}).map(({path}) => path)
}

const TLS = {certificate: '/etc/ssl/chat.pem'}

describe('each parameter reaches its directive', () => {
  it.each<[string, object, readonly string[]]>([
    ['IPv6 beside IPv4', {listener: [{}, {address: '[::]'}]}, ['bind *:80 name plain1', 'bind [::]:80 name plain2 v6only']],
    [
      'the PROXY protocol of trusted hops',
      {listener: {proxyProtocol: true}, forwarding: {trustedProxies: ['10.0.0.0/8']}},
      ['acl trusted_balancer src 10.0.0.0/8', 'tcp-request connection expect-proxy layer4 if trusted_balancer { so_name plain1 }'],
    ],
    [
      'names beside an address for any name',
      {listener: [{port: 80, serverNames: ['a.test']}, {port: 81}]},
      ['acl public_name req.hdr(Host),field(1,:) -m str -i a.test', 'http-request deny deny_status 404 if { so_name plain1 } !public_name'],
    ],
    [
      'names of several addresses',
      {
        listener: [
          {port: 80, serverNames: ['a.test']},
          {port: 81, serverNames: ['b.test']},
        ],
      },
      ['acl public_name req.hdr(Host),field(1,:) -m str -i b.test', 'http-request deny deny_status 404 if !public_name'],
    ],
    ['HSTS', {tls: {...TLS, hsts: '1y'}}, ['http-after-response set-header Strict-Transport-Security max-age=31536000 if { ssl_fc }']],
    [
      'HSTS of whole seconds',
      {tls: {...TLS, hsts: '1500ms'}},
      ['http-after-response set-header Strict-Transport-Security max-age=1 if { ssl_fc }'],
    ],
    ['OCSP stapling', {tls: {...TLS, ocspStapling: true}}, ['ocsp-update.mode on']],
    [
      'a redirect to another port',
      {tls: {...TLS, port: 8443, redirect: true}},
      [
        'http-request redirect location https://%[req.hdr(Host),field(1,:)]:8443%[pathq] code 301 if !over_tls !gms_path METH_GET { req.hdr(Host) -m found }',
      ],
    ],
    [
      'a key of its own',
      {tls: {...TLS, key: '/etc/ssl/private/chat.key'}},
      ['crt-store gms_certificates', 'load crt /etc/ssl/chat.pem key /etc/ssl/private/chat.key alias chat1'],
    ],
    ['keepAlive 0s', {upstream: {...NODES, keepAlive: '0s'}}, ['http-reuse never', 'option http-server-close']],
    ['keepAlive', {upstream: {...NODES, keepAlive: '20s'}}, ['http-reuse safe', 'default-server pool-purge-delay 4s']],
    ['drainTimeout', {upstream: {...NODES, drainTimeout: '30m'}}, ['hard-stop-after 30m']],
    [
      'name servers',
      {upstream: {...NODES, resolvers: ['127.0.0.11'], dnsTtl: '5s'}},
      ['nameserver dns1 127.0.0.11:53', 'hold valid 5s', 'default-server resolvers gms_names resolve-prefer ipv4 init-addr last,libc,none'],
    ],
    [
      'nodes that differ',
      {
        upstream: {
          nodes: [
            {host: 'a', port: 1, weight: 3, maxConnections: 9},
            {host: 'b', port: 1, drain: true},
            {host: 'c', port: 1, backup: true},
          ],
        },
      },
      ['server a a:1 cookie a weight 3 maxconn 9', 'server b b:1 cookie b weight 0', 'server c c:1 cookie c weight 1 backup'],
    ],
    [
      'TLS to nodes',
      {upstream: {...NODES, tls: {authority: '/etc/ssl/company.pem', serverName: 'gms.test'}}},
      [
        'default-server ssl verify required ca-file /etc/ssl/company.pem',
        'server gms1 gms1.network.local:8080 cookie gms1 sni str(gms.test) check-sni gms.test verifyhost gms.test',
      ],
    ],
    ['TLS to whatever node', {upstream: {...NODES, tls: {verify: false}}}, ['default-server ssl verify none']],
    ['the upgrade', {upgrade: {idleTimeout: '8h'}}, ['timeout tunnel 8h']],
    ['the hold', {polling: {hold: '1m'}}, ['timeout server 75s']],
    [
      'uploads',
      {upload: {answerWithin: '10m', stallTimeout: '2m', maxFileSize: '1MiB'}},
      [
        'http-request set-timeout server 10m if files',
        'timeout client 2m',
        'http-request deny deny_status 413 if { req.body_size gt 2097152 }',
      ],
    ],
    ['the header', {access: {headerTimeout: '5s'}}, ['timeout http-request 5s']],
    [
      'allowed networks, behind trusted hops',
      {access: {allow: ['192.0.2.0/24']}, forwarding: {trustedProxies: ['10.0.0.0/8']}},
      ['acl allowed_client var(txn.client) -m ip 192.0.2.0/24', 'http-request deny deny_status 403 if !allowed_client'],
    ],
    [
      'origins, answered here',
      {access: {origins: ['https://www.example.com'], cors: 'proxy'}},
      [
        'acl allowed_origin req.fhdr(Origin) -m str -i https://www.example.com',
        'http-request deny deny_status 403 if has_origin !allowed_origin || several_origins',
        'http-response del-header Access-Control- -m beg',
      ],
    ],
    [
      'limits of a client',
      {limits: {connectionsPerClient: 30, requestsPerSecond: 20}},
      [
        'tcp-request session track-sc0 src table gms_clients',
        'http-request deny deny_status 429 if { sc0_conn_cur gt 30 }',
        'http-request deny deny_status 429 if { sc0_http_req_rate gt 200 }',
      ],
    ],
    [
      'limits of a client behind trusted hops',
      {limits: {requestsPerSecond: 20}, forwarding: {trustedProxies: ['10.0.0.0/8']}},
      ['http-request track-sc0 var(txn.client) table gms_clients'],
    ],
    [
      'metrics',
      {logging: {metricsPort: 9145}},
      ['bind 127.0.0.1:9145', 'http-request use-service prometheus-exporter if { path /metrics }'],
    ],
    [
      'snippets',
      {
        snippets: {
          haproxy: {
            global: 'spread-checks 5',
            defaults: 'option tcpka',
            frontend: 'http-response del-header Server',
            backend: 'fullconn 9',
          },
        },
      },
      ['spread-checks 5', 'option tcpka', 'http-response del-header Server', 'fullconn 9'],
    ],
  ])('%s', async (_, input, expected) => {
    expect(await lines(input)).toEqual(expect.arrayContaining([...expected]))
  })
})

describe('TLS profiles', () => {
  const bind = async (profile: string, more: object = {}) =>
    (await lines({listener: [], tls: {...TLS, profile, ...more}})).find(line => line.startsWith('bind')) ?? ''

  it('modern speaks TLS 1.3 only', async () => {
    const line = await bind('modern')
    expect(line).toContain('ssl-min-ver TLSv1.3')
    expect(line).not.toContain(' ciphers ')
  })

  it('intermediate lets the client choose, over HTTP/2 or HTTP/1.1', async () => {
    expect(await bind('intermediate')).toMatch(/alpn h2,http\/1\.1 ssl-min-ver TLSv1\.2 .*no-tls-tickets prefer-client-ciphers$/)
  })

  it('old keeps its own order, and opens OpenSSL 3 for TLS 1.0', async () => {
    const line = await bind('old', {http2: false})
    expect(line).toContain('alpn http/1.1 ssl-min-ver TLSv1.0 ciphers @SECLEVEL=0:')
    expect(line).not.toContain('prefer-client-ciphers')
  })

  it('asks for certificates of clients', async () => {
    const ask = (required: boolean) => bind('modern', {clientCertificates: {authority: '/etc/ssl/customers.pem', required}})
    expect(await ask(true)).toContain('ca-file /etc/ssl/customers.pem verify required')
    expect(await ask(false)).toContain('ca-file /etc/ssl/customers.pem verify optional')
  })

  it('serves several names of one address from one line', async () => {
    const all = await lines({
      tls: [
        {...TLS, serverNames: ['a.test']},
        {certificate: '/etc/ssl/b.pem', serverNames: ['b.test']},
      ],
    })
    expect(all.filter(line => line.startsWith('bind *:443'))).toHaveLength(1)
    expect(all.join('\n')).toContain('ssl crt /etc/ssl/chat.pem crt /etc/ssl/b.pem')
  })
})

describe('affinity', () => {
  const cookie = async (input: object) => (await lines(input)).find(line => line.startsWith('cookie ')) ?? ''

  it('is Secure exactly where clients come over TLS', async () => {
    expect(await cookie({})).toBe('cookie GMS_NODE insert indirect nocache httponly')
    expect(await cookie({listener: [], tls: TLS})).toBe('cookie GMS_NODE insert indirect nocache httponly secure')
    const both = {tls: TLS, affinity: {sameSite: 'none', partitioned: true}}
    expect(await cookie(both)).toBe('cookie GMS_NODE insert indirect nocache httponly')
    expect(await lines(both)).toContain(
      'http-after-response replace-header Set-Cookie ^(GMS_NODE=.*)$ "\\1; Secure; SameSite=None; Partitioned" if { var(txn.scheme) -m str https }',
    )
  })

  it('carries the attributes that were asked for', async () => {
    const affinity = {httpOnly: false, sameSite: 'none', partitioned: true}
    expect(await cookie({listener: [], tls: TLS, affinity})).toBe(
      'cookie GMS_NODE insert indirect nocache secure attr "SameSite=None" attr "Partitioned"',
    )
    expect(await cookie({affinity: {sameSite: 'lax'}})).toBe('cookie GMS_NODE insert indirect nocache httponly attr "SameSite=Lax"')
  })

  it('learns an application cookie, and knows routes from before a reload', async () => {
    const nodes = [
      {host: 'a', port: 1, route: 'r1'},
      {host: 'b', port: 1, route: 'r2'},
    ]
    expect(await lines({upstream: {nodes}, affinity: {mode: 'application-cookie'}})).toEqual(
      expect.arrayContaining([
        'stick on req.cook(JSESSIONID)',
        'stick store-response res.cook(JSESSIONID)',
        'use-server b if { req.cook(JSESSIONID) -m end .r2 } !{ req.cook(JSESSIONID),in_table(gms) }',
      ]),
    )
  })

  it('takes the address that trusted hops name', async () => {
    expect(await lines({affinity: {mode: 'source-address'}})).toEqual(expect.arrayContaining(['balance hdr(X-Real-IP)', 'stick on src']))
    expect(await lines({affinity: {mode: 'source-address'}, forwarding: {trustedProxies: ['10.0.0.0/8']}})).toContain(
      'stick on var(txn.client)',
    )
  })

  it('needs nothing for one node', async () => {
    expect((await lines({upstream: {nodes: ['a:1']}})).filter(line => /^(cookie|stick)/.test(line))).toEqual([])
  })
})

describe('health', () => {
  const expectations = async (health: object) => (await lines({health})).filter(line => line.startsWith('http-check expect'))

  it('drains a node that says OFFLINE', async () => {
    expect(await expectations({mode: 'http'})).toEqual([
      'http-check expect status 200',
      'http-check expect rstring (ONLINE|OFFLINE)',
      'http-check expect error-status L7OKC string ONLINE',
    ])
  })

  it('looks for a text of one’s own', async () => {
    expect(await expectations({mode: 'http', path: '/up', expect: 'all well'})).toEqual([
      'http-check expect rstatus ^([23]|503)',
      'http-check expect error-status L7OKC rstatus ^[23]',
      'http-check expect string "all well"',
    ])
  })

  it('takes the credentials from the environment', async () => {
    expect((await lines({health: {mode: 'http', auth: 'GMS_AUTH'}})).join('\n')).toContain('hdr Authorization "${GMS_AUTH-Basic ')
  })

  it('may be off', async () => {
    expect((await lines({health: {mode: 'none'}})).filter(line => line.startsWith('default-server check'))).toEqual([])
  })
})

describe('the administration of GMS', () => {
  const denials = async (access: object) => (await lines({access})).filter(line => line.includes(' admin'))

  it('is closed where the paths reach it, however a path is written', async () => {
    const found = await denials({paths: ['/genesys']})
    expect(found).toContain('http-request deny deny_status 403 if admin')
    expect(found).toContain("acl admin 'path,url_dec,regsub(;[^/]*,,g),regsub(/+,/,g),lower' -m beg /genesys/1/admin/")
  })

  it('is open to the networks that are named', async () => {
    expect(await denials({paths: ['/genesys'], adminAllow: ['10.0.0.0/8']})).toContain(
      'http-request deny deny_status 403 if admin !admin_client',
    )
  })

  it('needs no rule where the paths do not reach it', async () => {
    expect(await denials({})).toEqual([])
  })
})

describe('forwarding', () => {
  it('keeps the chain of a trusted hop only', async () => {
    const strict = await lines({})
    expect(strict).toContain('http-request set-header X-Forwarded-For %[src]')
    expect(strict.join('\n')).not.toContain('txn.chain')
    expect(await lines({forwarding: {trustedProxies: ['10.0.0.0/8'], rfc7239: true}})).toEqual(
      expect.arrayContaining([
        'http-request set-header X-Forwarded-For "%[var(txn.chain)], %[src]" if { var(txn.chain) -m found }',
        'http-request set-var(txn.client) req.hdr_ip(X-Forwarded-For,-1) if trusted_hop still_a_hop',
        'http-request set-var(txn.client) req.hdr_ip(X-Forwarded-For,-2) if trusted_hop still_a_hop { req.hdr_ip(X-Forwarded-For,-1) -m found }',
        'http-request set-header Forwarded for=%[src]',
      ]),
    )
  })
})

describe('capacity', () => {
  it('holds 9,500 chats with 20,000 descriptors', async () => {
    const limits = {chats: 9500, openFiles: 20_000}
    expect(await refusals({limits})).toEqual([])
    expect(await lines({limits})).toContain('maxconn 9785')
  })

  it('says how many fit, and these do', async () => {
    const over = {limits: {chats: 20_000, openFiles: 20_000}}
    const because = haproxy.unsupported(await load(over), WHOLE)[0]?.because ?? ''
    const fit = Number(/([\d,]+) fit;/.exec(because)?.[1]?.replaceAll(',', ''))
    expect(fit).toBeGreaterThan(9500)
    expect(await refusals({limits: {chats: fit, openFiles: 20_000}})).toEqual([])
    expect(await refusals({limits: {chats: fit + 1, openFiles: 20_000}})).toEqual(['limits.chats'])
  })
})

describe('logging', () => {
  const format = async (logging: object, version = '3.4.0') =>
    (await lines({logging}, {version})).filter(line => line.includes('log-format'))

  it('writes JSON', async () => {
    const [line = '', errors = ''] = await format({format: 'json'})
    const sample = (text: string) =>
      text
        .replace(/^.*?'|'$/g, '')
        .replace(/"%[^"]*"/g, '"x"')
        .replace(/%Ts\.%ms|%\w+/g, '1')
    expect(JSON.parse(sample(line))).toMatchObject({node: 'x', upgrade: 'x', request_id: 'x', total_ms: 1})
    expect(JSON.parse(sample(errors))).toMatchObject({error: 'x'})
    expect(await format({format: 'json'}, '2.4.0')).toHaveLength(1)
    expect(await caveats({logging: {format: 'json'}}, {version: '2.4.0'})).toEqual(['logging.format'])
  })

  it('takes nobody’s id for its own', async () => {
    expect(await lines({})).toContain('http-request set-header X-Request-ID %[unique-id]')
    expect((await lines({logging: {requestId: false}})).join('\n')).not.toMatch(/X-Request-ID|%ID/)
  })
})

describe('what is declared instead of dropped', () => {
  const same = {...TLS, serverNames: ['a.test']}
  it.each<[string, object, string, Partial<RenderTarget>?]>([
    ['passive health', {health: {mode: 'passive'}}, 'health.mode'],
    ['a key of its own, before 3.0', {tls: {...TLS, key: '/etc/ssl/k'}}, 'tls.0.key', {version: '2.8.0'}],
    ['stapling, before 3.0', {tls: {...TLS, ocspStapling: true}}, 'tls.0.ocspStapling', {version: '2.8.0'}],
    ['two profiles on one address', {tls: [same, {...TLS, serverNames: ['b.test'], profile: 'old'}]}, 'tls.1.profile'],
    ['a certificate for an address', {upstream: {nodes: ['10.0.0.1:1'], tls: {}}}, 'upstream.tls'],
    ['a global snippet in a fragment', {snippets: {haproxy: {global: 'spread-checks 5'}}}, 'snippets.haproxy.global', {fragment: true}],
  ])('%s', async (_, input, path, target = {}) => {
    expect(await refusals(input, target)).toEqual([path])
  })

  it.each<[string, object, readonly string[], Partial<RenderTarget>?]>([
    ['a certificate that is not named', {tls: {}}, ['tls.0.certificate']],
    ['several certificates', {tls: [same, {...TLS, serverNames: ['b.test']}]}, ['tls']],
    ['keepAlive', {upstream: {...NODES, keepAlive: '10s'}}, ['upstream.keepAlive']],
    ['the TTL', {upstream: {...NODES, resolvers: ['127.0.0.11']}}, ['upstream.dnsTtl']],
    ['learned cookies', {affinity: {mode: 'application-cookie'}}, ['affinity.cookie']],
    ['learned cookies in a fragment', {affinity: {mode: 'application-cookie'}}, ['affinity.mode', 'affinity.cookie'], {fragment: true}],
    ['addresses in a fragment', {affinity: {mode: 'source-address'}}, ['affinity.mode'], {fragment: true}],
    ['a path that cannot drain', {health: {mode: 'http', path: '/up'}}, ['health.path']],
    ['a status that needs credentials', {health: {mode: 'http'}}, ['health.auth']],
    ['what belongs around a fragment', {upstream: {...NODES, drainTimeout: '1h'}}, ['upstream.drainTimeout'], {fragment: true}],
    ['nothing', {}, []],
  ])('%s is said', async (_, input, paths, target = {}) => {
    expect(await caveats(input, target)).toEqual(paths)
  })

  it('finds name.key beside name.crt in every version', async () => {
    const tls = {certificate: '/etc/ssl/chat.crt', key: '/etc/ssl/chat.key'}
    expect(await refusals({tls}, {version: '2.4.0'})).toEqual([])
    expect(await lines({tls}, {version: '2.4.0'})).toContain('ssl-load-extra-del-ext')
    expect(await lines({tls})).not.toContain('ssl-load-extra-del-ext')
  })
})

describe('a snippet stays where it is put', () => {
  it.each([
    ['another section', 'option tcpka\nbackend evil'],
    ['another section in quotes', '"backend" evil'],
    ['a quote that is not closed', 'option "tcpka'],
    ['a branch', '.if 0'],
    ['a name from the environment', '"${X}" evil'],
    ['a cut word', 'option tcpka\\x00 frontend'],
    ['a line that goes on', 'option tcpka \\'],
  ])('%s', async (_, text) => {
    for (const place of ['global', 'defaults', 'frontend', 'backend'])
      expect(await refusals({snippets: {haproxy: {[place]: text}}})).toEqual([`snippets.haproxy.${place}`])
  })
})

describe('a fragment', () => {
  it('stands in sections of its own, and says what it needs around it', async () => {
    const all = await lines({limits: {requestsPerSecond: 10}, logging: {metricsPort: 9145}}, {fragment: true})
    expect(all).not.toContain('global')
    expect(all.filter(line => /^(defaults|frontend|backend)\b/.test(line))).toEqual([
      'defaults gms_defaults',
      'frontend gms_chat from gms_defaults',
      'backend gms from gms_defaults',
      'backend gms_clients from gms_defaults',
      'frontend gms_metrics from gms_defaults',
    ])
    expect(all.join('\n')).toContain('maxconn 1100 or more')
    expect(all.join('\n')).toContain('No frontend of another file may listen on its ports')
  })
})

describe('layouts', () => {
  it('differ in sockets, logs and folders', async () => {
    expect(await lines({}, {layout: 'debian'})).toEqual(
      expect.arrayContaining([
        'log /dev/log local0 info',
        'chroot /var/lib/haproxy',
        'stats socket /run/haproxy/admin.sock mode 600 level admin',
      ]),
    )
    expect(await lines({}, {layout: 'source'})).toContain('master-worker')
    expect((await lines({})).filter(line => /^(chroot|stats|pidfile)/.test(line))).toEqual([])
    const upstream = {...NODES, tls: {}}
    expect((await lines({upstream}, {layout: 'rhel', version: '2.4.0'})).join('\n')).toContain('ca-file /etc/pki/tls/certs/ca-bundle.crt')
    expect((await lines({upstream}, {layout: 'rhel'})).join('\n')).toContain('ca-file @system-ca')
  })

  it('puts the header on top', async () => {
    expect((await lines({}, {header: ['gms-proxy 1.2.3', 'gms-proxy render haproxy']})).slice(0, 2)).toEqual([
      '# gms-proxy 1.2.3',
      '# gms-proxy render haproxy',
    ])
  })
})

it('knows the end of every branch from the oldest to the newest', () => {
  expect(BRANCHES[0]?.branch).toBe(haproxy.versions.newest.replace(/\.\d+$/, ''))
  expect(BRANCHES.at(-1)?.branch).toBe(haproxy.versions.oldest.replace(/\.\d+$/, ''))
  for (const {since} of Object.values(SINCE)) expect(BRANCHES.some(({branch}) => since.startsWith(`${branch}.`))).toBe(true)
})
