import {describe, expect, test} from 'vitest'
import {PLAIN, render} from '../../bundle/render.ts'
import type {ParametersInput} from '../../parameters/schema.ts'
import {parametersSchema} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {chatsThatFit, filesFor} from './capacity.ts'
import {nginx} from './index.ts'
import {networksOf} from './networks.ts'
import {BRANCHES, SINCE} from './versions.ts'

const nodes = ['gms1.network.local:8080', 'gms2.network.local:8080']
const OLD = '1.28.3'
const read = (input: Partial<ParametersInput>) => parametersSchema.parse({upstream: {nodes}, ...input})
const text = (input: Partial<ParametersInput> = {}, version = OLD, how: Partial<RenderTarget> = {}) =>
  render(nginx, read(input), version, {...PLAIN, ...how}).files[0]?.text ?? ''
/** Lines without indentation, comments and blanks. */
const lines = (...args: Parameters<typeof text>) =>
  text(...args)
    .split('\n')
    .map(line => line.replace(/ {4}# .*$| {6,}# .*$/, '').trim())
    .filter(line => line !== '' && !line.startsWith('#'))
const refused = (input: Partial<ParametersInput>, version = OLD, how: Partial<RenderTarget> = {}) =>
  nginx.unsupported(read(input), {...PLAIN, ...how, version}).map(({path}) => path)
const weaker = (input: Partial<ParametersInput>, version = OLD, how: Partial<RenderTarget> = {}) =>
  nginx.caveats(read(input), {...PLAIN, ...how, version}).map(({path}) => path)

describe('listener', () => {
  test('IPv4 and IPv6 of the same names are one server', () => {
    const found = lines({
      listener: [
        {port: 80, serverNames: ['a.example']},
        {address: '[::]', port: 80, serverNames: ['a.example']},
      ],
    })
    expect(found.filter(line => line === 'server {')).toHaveLength(1)
    expect(found).toEqual(expect.arrayContaining(['listen 80;', 'listen [::]:80;', 'server_name a.example;']))
  })

  test('other names are another server', () => {
    const found = lines({
      listener: [
        {port: 80, serverNames: ['a.example']},
        {port: 80, serverNames: ['b.example']},
      ],
    })
    expect(found.filter(line => line === 'server {')).toHaveLength(2)
  })

  test('PROXY protocol names the client, and headers of the client are a stranger’s', () => {
    const found = lines({listener: {proxyProtocol: true}, forwarding: {trustedProxies: ['10.0.0.0/8']}})
    expect(found).toEqual(
      expect.arrayContaining(['listen 80 proxy_protocol;', 'set_real_ip_from 10.0.0.0/8;', 'real_ip_header proxy_protocol;']),
    )
    expect(found).toContain('proxy_set_header X-Forwarded-For    $remote_addr;')
    expect(found.join('\n')).not.toContain('$gms_hop')
  })

  test('long names get longer buckets, but not from a fragment: another file may have set them', () => {
    const input = {
      listener: [{serverNames: [`${'a'.repeat(60)}.example`]}, {serverNames: ['b.example']}],
    }
    expect(lines(input)).toContain('server_names_hash_bucket_size 512;')
    expect(lines(input, OLD, {fragment: true})).not.toContain('server_names_hash_bucket_size 512;')
    expect(text(input, OLD, {fragment: true})).toContain('#   server_names_hash_bucket_size 512;')
  })
})

describe('tls', () => {
  const tls = {certificate: '/etc/ssl/a.pem'}

  test('HTTP/2 is a parameter of listen before 1.25.1, a directive from then on', () => {
    expect(lines({tls}, '1.25.0')).toContain('listen 443 ssl http2;')
    expect(lines({tls}, '1.25.1')).toEqual(expect.arrayContaining(['listen 443 ssl;', 'http2 on;']))
    expect(text({tls: {...tls, http2: false}}, '1.25.1')).not.toMatch(/http2 on/)
    expect(text({tls: {...tls, http2: false}}, '1.25.0')).not.toMatch(/ssl http2/)
  })

  test('session tickets are off where their keys never change', () => {
    expect(lines({tls}, '1.23.1')).toContain('ssl_session_tickets off;')
    expect(lines({tls}, '1.23.2')).not.toContain('ssl_session_tickets off;')
  })

  test.each([
    ['modern', 'ssl_protocols TLSv1.3;', /^(?!.*ssl_ciphers)/s],
    ['intermediate', 'ssl_protocols TLSv1.2 TLSv1.3;', /ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:/],
    ['old', 'ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;', /ssl_ciphers @SECLEVEL=0:ECDHE/],
  ] as const)('profile %s', (profile, protocols, ciphers) => {
    const found = lines({tls: {...tls, profile}})
    expect(found).toContain(protocols)
    expect(found.join('\n')).toMatch(ciphers)
  })

  test('certificate and key, or both in one file; a place for them when none is named', () => {
    expect(lines({tls: {...tls, key: '/etc/ssl/a.key'}})).toContain('ssl_certificate_key /etc/ssl/a.key;')
    expect(lines({tls})).toContain('ssl_certificate_key /etc/ssl/a.pem;')
    expect(lines({tls: {}})).toContain('ssl_certificate /etc/ssl/certs/gms-chat.pem;')
    expect(weaker({tls: {}})).toContain('tls.0.certificate')
    expect(weaker({tls})).not.toContain('tls.0.certificate')
  })

  test('everything but the chat is redirected, from plain listeners only', () => {
    const found = lines({tls: {...tls, port: 8443, redirect: true}})
    expect(found.filter(line => line === 'return 301 https://$host:8443$request_uri;')).toHaveLength(1)
    expect(found.filter(line => line === 'return 404;')).toHaveLength(1)
    expect(found.filter(line => line === 'location ~ "^/genesys/cometd(/[^;]*)?$" {')).toHaveLength(2)
    expect(lines({tls: {...tls, redirect: true}})).toContain('return 301 https://$host$request_uri;')
  })

  test('a redirect leads to the names of its server alone', () => {
    const redirecting = {tls: {...tls, redirect: true}}
    const one = lines({...redirecting, listener: {serverNames: ['a.example']}})
    expect(one).toContain('return 301 https://$server_name$request_uri;')
    const two = lines({...redirecting, listener: {serverNames: ['a.example', 'b.example']}})
    expect(two).toEqual(
      expect.arrayContaining([
        'return 301 https://$gms_public_host$request_uri;',
        String.raw`"~*^b\.example$"  $host;`,
        'default  $server_name;',
      ]),
    )
    expect(two.join('\n')).not.toContain('https://$host')
    expect(lines({tls, listener: {serverNames: ['a.example', 'b.example']}}).join('\n')).not.toContain('$gms_public_host')
  })

  test('Strict-Transport-Security over TLS only, in every location that answers for the chat', () => {
    const [plain = '', encrypted = ''] = text({tls: {...tls, hsts: '1y'}}).split(/(?=listen 443)/)
    expect(plain).not.toContain('Strict-Transport')
    expect(encrypted.match(/add_header Strict-Transport-Security "max-age=31536000" always;/g)).toHaveLength(
      encrypted.match(/proxy_pass /g)?.length ?? 0,
    )
  })

  test('Strict-Transport-Security of 0s is said: it is what ends an earlier one', () => {
    expect(lines({tls: {...tls, hsts: '0s'}})).toContain('add_header Strict-Transport-Security "max-age=0" always;')
    expect(text({tls})).not.toContain('Strict-Transport')
  })

  test('client certificates, stapling', () => {
    const found = lines({tls: {...tls, clientCertificates: {authority: '/etc/ssl/ca.pem', required: false}, ocspStapling: true}})
    expect(found).toEqual(
      expect.arrayContaining(['ssl_client_certificate /etc/ssl/ca.pem;', 'ssl_verify_client optional;', 'ssl_stapling on;']),
    )
    expect(weaker({tls: {...tls, ocspStapling: true}})).toContain('tls.0.ocspStapling')
  })

  test('two certificates of one address are two servers; a profile of the second that is not that of the first is said', () => {
    const two = [
      {serverNames: ['a.example'], certificate: '/a.pem'},
      {serverNames: ['b.example'], certificate: '/b.pem', profile: 'modern' as const},
    ]
    expect(lines({listener: [], tls: two}).filter(line => line === 'server {')).toHaveLength(2)
    expect(weaker({listener: [], tls: two})).toContain('tls.1.profile')
  })
})

describe('upstream', () => {
  test('what a client learnt is kept for whole seconds: nginx takes no fraction', () => {
    const found = text({upgrade: {idleTimeout: '172800001ms'}}, '1.30.0')
    expect(found).toContain('timeout=172801s header;')
  })

  test('weights and limits of nodes', () => {
    const upstream = {nodes: [{host: 'a', port: 1, weight: 3, maxConnections: 500}, 'b:2']}
    expect(lines({upstream})).toContain('server a:1 weight=3 max_conns=500 max_fails=3 fail_timeout=9s;')
    expect(weaker({upstream})).toContain('upstream.nodes.0.maxConnections')
  })

  test('a backup and a node that is drained need sticky where a key is hashed', () => {
    const upstream = {nodes: [...nodes, {host: 'c', port: 1, backup: true}, {host: 'd', port: 1, drain: true}]}
    expect(refused({upstream})).toEqual(['upstream.nodes.2.backup', 'upstream.nodes.3.drain'])
    expect(refused({upstream}, SINCE.sticky.since)).toEqual([])
    const found = lines({upstream}, SINCE.sticky.since)
    expect(found).toEqual(
      expect.arrayContaining(['server c:1 max_fails=3 fail_timeout=9s backup;', 'server d:1 max_fails=3 fail_timeout=9s drain;']),
    )
    expect(found.join('\n')).not.toMatch(/^hash /m)
    expect(lines({upstream, affinity: {mode: 'none'}})).toContain('server d:1 max_fails=3 fail_timeout=9s down;')
  })

  test('names are followed from 1.27.3 on', () => {
    const upstream = {nodes, resolvers: ['127.0.0.11', '[fd00::1]:5353'], dnsTtl: '1500ms'}
    expect(refused({upstream}, '1.27.2')).toEqual(['upstream.resolvers'])
    expect(refused({upstream}, '1.27.3')).toEqual([])
    expect(lines({upstream}, '1.27.3')).toEqual(
      expect.arrayContaining([
        'resolver 127.0.0.11:53 [fd00::1]:5353 valid=2s;',
        'server gms1.network.local:8080 max_fails=3 fail_timeout=9s resolve;',
      ]),
    )
  })

  test('connections are kept, or closed, which 1.29.7 must be told', () => {
    expect(lines()).toEqual(expect.arrayContaining(['keepalive 64;', 'keepalive_timeout 15s;']))
    const none = {upstream: {nodes, keepAlive: '0s'}}
    expect(lines(none)).toContain('default    close;')
    expect(text(none)).not.toMatch(/^\s+keepalive /m)
    expect(lines(none, SINCE.keepaliveByDefault.since)).toContain('keepalive 0;')
  })

  test('TLS to the nodes: one name for all of them', () => {
    expect(refused({upstream: {nodes, tls: {}}})).toEqual(['upstream.tls.verify'])
    expect(refused({upstream: {nodes: ['127.0.0.1:1'], tls: {}}})).toEqual(['upstream.tls.verify'])
    expect(refused({upstream: {nodes: ['gms:1'], tls: {}}})).toEqual([])
    expect(lines({upstream: {nodes: ['gms:1'], tls: {}}})).toEqual(
      expect.arrayContaining([
        'proxy_pass https://gms_nodes;',
        'proxy_ssl_name gms;',
        'proxy_ssl_verify on;',
        'proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
      ]),
    )
    const own = {serverName: 'gms.example', authority: '/ca.pem', certificate: '/c.pem', key: '/c.key'}
    expect(lines({upstream: {nodes, tls: own}})).toEqual(
      expect.arrayContaining([
        'proxy_ssl_name gms.example;',
        'proxy_ssl_trusted_certificate /ca.pem;',
        'proxy_ssl_certificate /c.pem;',
        'proxy_ssl_certificate_key /c.key;',
      ]),
    )
    expect(lines({upstream: {nodes, tls: {verify: false}}})).toEqual(
      expect.arrayContaining(['proxy_ssl_server_name off;', 'proxy_ssl_verify off;']),
    )
    expect(weaker({upstream: {nodes, tls: {verify: false}}})).toContain('upstream.tls.serverName')
  })

  test('a reload waits for chats as long as it is told', () => {
    expect(lines({upstream: {nodes, drainTimeout: '30m'}})).toContain('worker_shutdown_timeout 30m;')
    expect(text()).not.toContain('worker_shutdown_timeout')
    expect(weaker({upstream: {nodes, drainTimeout: '30m'}}, OLD, {fragment: true})).toContain('upstream.drainTimeout')
  })
})

describe('affinity', () => {
  const setCookie = (...args: Parameters<typeof text>) => lines(...args).filter(line => line.includes('GMS_NODE=$request_id'))
  const attributes = (...args: Parameters<typeof text>) =>
    /\$gms_affinity_attributes \{[^}]*\}/.exec(text(...args))?.[0].replace(/\s+/g, ' ')

  test('Secure exactly where the client came over TLS', () => {
    expect(setCookie()).toEqual(['default  "GMS_NODE=$request_id; Path=/; HttpOnly";'])
    expect(setCookie({listener: [], tls: {}})).toEqual(['default  "GMS_NODE=$request_id; Path=/; HttpOnly; Secure";'])
    expect(attributes({tls: {}})).toBe('$gms_affinity_attributes { https "; HttpOnly; Secure"; default "; HttpOnly"; }')
    expect(text({forwarding: {trustedProxies: ['10.0.0.1']}})).toContain('map $gms_scheme $gms_affinity_attributes')
  })

  test('what browsers drop without Secure is only sent with it', () => {
    expect(attributes({tls: {}, affinity: {sameSite: 'none', partitioned: true}})).toBe(
      '$gms_affinity_attributes { https "; HttpOnly; Secure; SameSite=None; Partitioned"; default "; HttpOnly"; }',
    )
    expect(setCookie({affinity: {sameSite: 'lax', httpOnly: false}})).toEqual(['default  "GMS_NODE=$request_id; Path=/; SameSite=Lax";'])
  })

  test('chats that moved stay where they are from 1.29.6 on', () => {
    expect(weaker({})).toContain('affinity.mode')
    expect(weaker({}, SINCE.sticky.since)).not.toContain('affinity.mode')
    expect(text({}, SINCE.sticky.since)).toMatch(/hash \$gms_affinity_key consistent;[^]*sticky learn create=\$gms_affinity_key /)
    expect(text({}, '1.29.5')).not.toContain('sticky learn')
  })

  test('by address, or not at all', () => {
    expect(lines({affinity: {mode: 'source-address'}})).toContain('hash $remote_addr consistent;')
    expect(text({affinity: {mode: 'none'}}, SINCE.sticky.since)).not.toMatch(/hash|sticky|Set-Cookie/)
    expect(text({upstream: {nodes: ['a:1']}}, SINCE.sticky.since)).not.toMatch(/hash|sticky|Set-Cookie/)
  })

  test('a cookie of the application: its routes, or what is learnt', () => {
    const routed = {
      affinity: {mode: 'application-cookie' as const},
      upstream: {
        nodes: [
          {host: 'a', port: 1, route: 'one'},
          {host: 'b', port: 2, route: 'two', drain: true},
        ],
      },
    }
    expect(lines(routed)).toEqual(
      expect.arrayContaining([
        '"~(^|;)\\s*JSESSIONID=[^;]*\\.two\\s*(;|$)"  gms_route_2;',
        'proxy_pass http://$gms_upstream;',
        'server b:2 max_fails=3 fail_timeout=9s down;',
        'server a:1 max_fails=3 fail_timeout=9s backup;',
      ]),
    )
    expect(lines(routed, SINCE.sticky.since)).toEqual(
      expect.arrayContaining([
        'sticky route $gms_route;',
        'server b:2 max_fails=3 fail_timeout=9s route=two drain;',
        'proxy_pass http://gms_nodes;',
      ]),
    )
    const learnt = {affinity: {mode: 'application-cookie' as const, cookie: 'A-b'}}
    expect(refused(learnt)).toEqual(['affinity.mode'])
    expect(refused(learnt, SINCE.sticky.since)).toEqual([])
    expect(text(learnt, SINCE.sticky.since)).toContain('sticky learn create=$upstream_cookie_A-b lookup=$cookie_A-b zone=gms_sticky:')
    const long = {...routed, upstream: {nodes: [{host: 'a', port: 1, route: 'r'.repeat(33)}, routed.upstream.nodes[1] ?? 'b:2']}}
    expect(refused(long, SINCE.sticky.since)).toEqual(['upstream.nodes.0.route'])
    expect(refused(long)).toEqual([])
  })
})

describe('polling, upload, health', () => {
  test('waits', () => {
    const found = lines({
      polling: {hold: '60s'},
      upload: {answerWithin: '5m', stallTimeout: '90s', maxFileSize: '20MiB'},
      upgrade: {idleTimeout: '2h'},
    })
    expect(found).toEqual(
      expect.arrayContaining([
        'proxy_read_timeout 75s;',
        'proxy_read_timeout 5m;',
        'proxy_read_timeout 2h;',
        'client_body_timeout 90s;',
        'client_max_body_size 21m;',
      ]),
    )
  })

  test('nobody is asked how he is', () => {
    expect(refused({health: {mode: 'http'}})).toEqual(['health.mode'])
    expect(weaker({health: {mode: 'tcp'}})).toContain('health.mode')
    expect(weaker({health: {mode: 'passive'}})).not.toContain('health.mode')
    expect(lines({health: {mode: 'none'}})).toContain('server gms1.network.local:8080 max_fails=0;')
  })
})

describe('forwarding', () => {
  test('a trusted hop is believed, by its network as nginx wants it', () => {
    const found = lines({forwarding: {trustedProxies: ['10.1.2.3/8', '10.0.0.0/8'], rfc7239: true}})
    expect(found.filter(line => line === 'set_real_ip_from 10.0.0.0/8;')).toHaveLength(1)
    expect(found).toEqual(
      expect.arrayContaining([
        'proxy_set_header X-Forwarded-For    $gms_forwarded_for;',
        'proxy_set_header X-Forwarded-Proto  $gms_scheme;',
        'proxy_set_header X-Forwarded-Port   $gms_port;',
        'proxy_set_header Forwarded          "$gms_forwarded_chain$gms_forwarded_element;proto=$gms_scheme$gms_forwarded_host";',
      ]),
    )
  })

  test('nobody is trusted unasked', () => {
    expect(text({forwarding: {rfc7239: true}})).not.toMatch(/set_real_ip_from|\$gms_hop/)
    expect(lines({forwarding: {rfc7239: true}})).toContain(
      'proxy_set_header Forwarded          "$gms_forwarded_element;proto=$scheme$gms_forwarded_host";',
    )
  })

  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1/32', '192.0.2.1'],
    ['fd00::1/8', 'fd00::/8'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::/1', '::/1'],
    ['::ffff:10.0.0.1/104', '0:0:0:0:0:ffff:a00:0/104'],
  ])('%s → %s', (written, canonical) => {
    expect(networksOf([written, canonical])).toEqual([canonical])
  })
})

describe('access', () => {
  test('the administration is closed where paths cover it, or open for some', () => {
    const admin = 'location ~ "^/genesys/1/admin(/[^;]*)?$" {    # the administration'
    expect(text()).not.toContain('/admin')
    expect(text({access: {paths: ['/genesys']}})).toMatch(/admin\(\/\[\^;\]\*\)\?\$" \{[^\n]*\n\s+return 403;/)
    expect(text({access: {paths: ['/genesys'], adminAllow: ['10.0.0.0/8']}})).toMatch(
      /if \(\$gms_not_admin\) \{\s+return 403;\s+\}\s+proxy_pass/,
    )
    expect(text({access: {paths: ['/genesys/1']}})).toContain(admin)
    const within = text({access: {paths: ['/genesys/cometd', '/genesys/1/admin/node/status']}})
    expect(within.indexOf('"^/genesys/1/admin/node/status')).toBeLessThan(within.indexOf('"^/genesys/cometd'))
    expect(within).not.toContain('"^/genesys/1/admin(')
  })

  test('networks, origins, CORS', () => {
    expect(lines({access: {allow: ['10.0.0.0/8']}})).toEqual(expect.arrayContaining(['10.0.0.0/8 0;', 'if ($gms_outside) {']))
    const found = lines({access: {origins: ['https://www.example.com:8443'], cors: 'proxy'}})
    expect(found).toEqual(
      expect.arrayContaining([
        '"~*^https://www\\.example\\.com:8443$"  "";',
        'if ($gms_foreign_origin) {',
        'if ($gms_preflight) {',
        'proxy_hide_header Access-Control-Allow-Origin;',
        'add_header Access-Control-Allow-Origin $gms_cors_origin always;',
      ]),
    )
    expect(text({access: {origins: ['https://a']}})).not.toMatch(/cors|Access-Control/)
  })

  test('a request with a query is passed on where errors are not logged', () => {
    const found = text()
    expect(found.match(/if \(\$is_args\)/g)).toHaveLength(2)
    expect(found).toMatch(/location @gms_query \{\s+error_log \/dev\/stderr crit;/)
    expect(found).toMatch(/location @gms_websocket \{\s+proxy_read_timeout/)
  })
})

describe('limits', () => {
  test('what fits, and what does not', () => {
    for (const files of [1000, 20_000, 524_288]) {
      expect(filesFor(chatsThatFit(files))).toBeLessThanOrEqual(files)
      expect(filesFor(chatsThatFit(files) + 1)).toBeGreaterThan(files)
    }
    expect(chatsThatFit(256)).toBe(0)
    expect(refused({limits: {chats: 9500, openFiles: 20_000}})).toEqual([])
    const [tooMany] = nginx.unsupported(read({limits: {chats: 9800, openFiles: 20_000}}), {...PLAIN, version: OLD})
    expect(tooMany?.because).toContain('9,650 fit')
    expect(refused({limits: {connectionsPerClient: 65_536}})).toEqual(['limits.connectionsPerClient'])
  })

  test('9,500 chats: two connections each, and a few', () => {
    expect(lines({limits: {chats: 9500}})).toEqual(expect.arrayContaining(['worker_connections 19400;', 'worker_rlimit_nofile 19700;']))
  })

  test('rates answer 429', () => {
    expect(lines({limits: {connectionsPerClient: 50, requestsPerSecond: 20}})).toEqual(
      expect.arrayContaining([
        'limit_conn_zone $binary_remote_addr zone=gms_connections:10m;',
        'limit_req_zone $binary_remote_addr zone=gms_requests:10m rate=20r/s;',
        'limit_conn gms_connections 50;',
        'limit_req zone=gms_requests burst=100 nodelay;',
        'limit_conn_status 429;',
        'limit_req_status 429;',
      ]),
    )
  })
})

describe('logging', () => {
  test('text and JSON, with and without ids; counters for this machine only', () => {
    expect(text()).toContain(' id=$request_id')
    expect(text({logging: {requestId: false}})).not.toMatch(/id=\$request_id|X-Request-ID/)
    expect(text({logging: {format: 'json'}})).toContain(`"request_id":"$request_id"}';`)
    expect(text({logging: {format: 'json', requestId: false}})).toContain(`"$upstream_response_time"}';`)
    expect(lines({logging: {metricsPort: 9113}})).toEqual(expect.arrayContaining(['listen 127.0.0.1:9113;', 'stub_status;']))
  })

  test.each([{}, {logging: {format: 'json' as const}}])('neither query nor cookie is logged', input => {
    const [format = ''] = /log_format[^;]*;/.exec(text(input)) ?? []
    expect(format).not.toMatch(/\$request |\$request"|\$request_uri|\$args|\$query|\$http_|cookie/)
  })
})

describe('snippets', () => {
  test('stand at their places', () => {
    const snippets = {
      nginx: {
        main: 'worker_priority 5;',
        http: 'map $a $b { default 1; }',
        upstream: 'keepalive_requests 5;',
        server: 'gunzip on;',
        location: 'proxy_limit_rate 1m;',
      },
    }
    const found = text({snippets})
    expect(found).toMatch(/worker_priority 5;\n\nhttp \{/)
    expect(found).toMatch(/keepalive_requests 5;\n {4}\}/)
    expect(found.match(/proxy_limit_rate 1m;\n\s+proxy_pass/g)).toHaveLength(found.match(/proxy_pass/g)?.length ?? 0)
    expect(refused({snippets}, OLD, {fragment: true})).toEqual(['snippets.nginx.main'])
  })

  test('do not make nginx forget headers of ours', () => {
    const found = text({snippets: {nginx: {server: 'add_header X-Served-By "a b" always;', location: 'proxy_set_header X-Brand x;'}}})
    const locations = found.split(/location /).filter(part => part.includes('proxy_pass'))
    for (const location of locations)
      expect(location).toMatch(/add_header X-Served-By "a b" always;[^]*proxy_set_header X-Forwarded-For [^]*proxy_set_header X-Brand x;/)
  })

  test.each(['gzip off', 'if ($a) {', '}', 'server { } } server {', 'set $a "b;', "return 200 'x;", '} #'])(
    'that are not whole are refused: %s',
    server => {
      expect(refused({snippets: {nginx: {server}}})).toEqual(['snippets.nginx.server'])
    },
  )

  test('a comment at the end swallows nothing', () => {
    expect(text({snippets: {nginx: {server: 'gunzip on; # yes'}}})).toMatch(/# yes\n {4}\}/)
  })
})

describe('targets', () => {
  test('layouts', () => {
    expect(lines({}, OLD, {layout: 'debian'})).toEqual(
      expect.arrayContaining(['user              www-data;', 'access_log /var/log/nginx/access.log gms_chat;']),
    )
    expect(text({}, OLD, {layout: 'rhel'})).toContain('# SELinux')
    expect(lines({}, OLD, {layout: 'source'})).toContain('pid               logs/nginx.pid;')
    expect(lines()).toContain('access_log /dev/stdout gms_chat;')
  })

  test('a fragment is what stands in http {}, and names what the file around it must have', () => {
    const found = text({}, OLD, {fragment: true})
    const {directives} = nginx.parse({proxy: 'nginx', entry: 'a', origin: 'rendered', files: [{path: 'a', text: found}]}).files[0] ?? {
      directives: [],
    }
    expect(new Set(directives.map(({name}) => name))).toEqual(new Set(['log_format', 'map', 'upstream', 'server']))
    for (const {name, args} of directives) if (name !== 'server') expect(args.map(({value}) => value).join(' ')).toMatch(/gms_/)
    expect(found).toContain('#   events { worker_connections 2300; }')
    // read from the first site of the port, before nginx knows that it is ours
    expect(found).toContain('#   large_client_header_buffers 4 16k;\n#   client_header_timeout 10s;')
    expect(weaker({}, OLD, {fragment: true})).toContain('listener.serverNames')
  })

  test('the header stands on top', () => {
    expect(text({}, OLD, {header: ['one', 'two']})).toMatch(/^# one\n# two\n/)
  })

  test('a caveat is said in the file too', () => {
    expect(text()).toContain('# health.mode: open-source nginx')
  })

  test('every branch that is rendered is known, and no line of the text ends in a blank', () => {
    expect(BRANCHES.map(({branch}) => branch)).toContain(nginx.versions.newest.replace(/\.\d+$/, ''))
    expect(text({tls: {}})).not.toMatch(/[ \t]$/m)
  })
})
