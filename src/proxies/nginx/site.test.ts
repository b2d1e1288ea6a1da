import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {
  CALLBACK,
  H2C,
  HANDSHAKE,
  POLL,
  PUBLISH,
  UPLOAD,
  WEBSOCKET,
  WEBSOCKET_CAPITALISED,
  WEBSOCKET_OF_FIREFOX,
} from '../../lint/requests.ts'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {Request, Setting, Site, Way} from '../site.ts'
import {parse} from './parse.ts'
import {site} from './site.ts'

const bundleOf = (text: string, others: Readonly<Record<string, string>> = {}): ConfigBundle => ({
  proxy: 'nginx',
  entry: 'nginx.conf',
  origin: 'read',
  files: [{path: 'nginx.conf', text}, ...Object.entries(others).map(([path, own]) => ({path, text: own}))],
})
const read = (text: string, {version = '1.22.1', others = {}}: {version?: string; others?: Readonly<Record<string, string>>} = {}): Site =>
  site(parse(bundleOf(text, others)), version)
const http = (text: string, version?: string) => read(`events {}\nhttp {\n${text}\n}\n`, version === undefined ? {} : {version})
const server = (text: string, version?: string) => http(`server {\n${text}\n}`, version)
const trace = (model: Site, request: Request): Way => {
  const [listener] = model.listeners
  if (!listener) throw new Error('no listener')
  return model.trace(listener, request)
}
const get = (path: string, rest: Partial<Request> = {}): Request => ({title: path, method: 'GET', path, headers: {}, ...rest})
const endOf = ({end}: Way): string => {
  if (end.kind === 'upstream') return `${end.upstream.name} ${end.path}`
  if (end.kind === 'answer') return `${end.of} ${end.status}`
  return end.kind === 'redirect' ? `${end.status} ${end.to}` : `unknown: ${end.because}`
}
const PASS = 'proxy_pass http://gms:8080;'
const TWO = 'upstream gms { server a:1; server b:2; }'

describe('where a request ends (the rest is compared with nginx itself: site.nginx.e2e.ts)', () => {
  it.each([
    ['code of other modules', `location / { access_by_lua_block { ngx.exit(403) } ${PASS} }`, 'unknown: the code of access_by_lua_block'],
    ['an answer of code', 'location / { content_by_lua_file x.lua; }', 'unknown: the code of content_by_lua_file'],
    [
      'a target that nothing here sets',
      'location / { auth_request_set $where $upstream_http_x; proxy_pass http://$where; }',
      'unknown: where http://$where leads',
    ],
    [
      'a redirect by a condition that cannot be told',
      `if ($request_id ~ ^0) { return 302 /login; } location / { ${PASS} }`,
      'unknown: a condition that only a running proxy can decide',
    ],
    [
      'a refusal by a condition that cannot be told',
      `if ($ssl_client_verify != SUCCESS) { return 403; } location / { ${PASS} }`,
      'gms:8080 /genesys/cometd',
    ],
    [
      'an expression this engine does not know',
      `location ~ ^/genesys/(?>cometd) { ${PASS} }`,
      'unknown: the expression ^/genesys/(?>cometd)',
    ],
    ['another protocol', 'location / { fastcgi_pass unix:/run/php.sock; }', 'fastcgi_pass undefined'],
    ['a loop of rewrites', 'location / { rewrite ^ /x last; }', 'rewrite 500'],
    ['nothing', '', 'files undefined'],
  ])('%s', (_, text, expected) => {
    expect(endOf(trace(server(text), get('/genesys/cometd')))).toBe(expected)
  })

  it('a fragment of http, a fragment of server, files that are included', () => {
    expect(endOf(trace(read(`server { listen 80; location / { ${PASS} } }`), POLL))).toBe('gms:8080 /genesys/cometd/connect')
    expect(endOf(trace(read(`listen 80;\nlocation / { ${PASS} }`), POLL))).toBe('gms:8080 /genesys/cometd/connect')
    const included = read('events {}\nhttp { include conf.d/*.conf; }', {
      others: {'conf.d/a.conf': `server { listen 80; include part.inc; }`, 'part.inc': `location / { ${PASS} }`},
    })
    expect(endOf(trace(included, POLL))).toBe('gms:8080 /genesys/cometd/connect')
    expect(included.unknown).toEqual([])
  })
})

describe('listeners', () => {
  it('those of the chat come first; a port that only redirects is none', () => {
    const model = http(`${TWO} server { listen 80; return 301 https://$host$request_uri; }
      server { listen 443 ssl; listen [::]:443 ssl; server_name chat.example; ssl_certificate a; location /genesys { proxy_pass http://gms; } }
      server { listen 443 ssl; server_name www.example; location / { proxy_pass http://other:1; } }`)
    expect(model.listeners.map(({address, chat, isDefault}) => [address, chat, isDefault])).toEqual([
      ['443', true, true],
      ['[::]:443', true, true],
      ['443', false, false],
      ['80', false, true],
    ])
    expect(model.upstreams.map(({name}) => name)).toEqual(['gms'])
    expect(model.listeners[0]).toMatchObject({
      port: 443,
      serverNames: ['chat.example'],
      tls: {certificate: {value: 'a'}, versions: {value: []}},
    })
  })

  it('of two servers with one name the first answers', () => {
    const model = http(
      `server { listen 80; server_name a; location / { return 200; } } server { listen 80; server_name a; location / { ${PASS} } }`,
    )
    const [listener] = model.listeners
    expect(listener?.chat).toBe(true)
    expect(endOf(trace(model, get('/', {host: 'a:80'})))).toBe('return 200')
  })

  it('what holds before a Host is read is that of the default server', () => {
    const model = http(
      `server { listen 80 default_server; client_header_timeout 7s; large_client_header_buffers 2 16k; } server { listen 80; location /genesys { ${PASS} } }`,
    )
    expect(model.listeners[0]).toMatchObject({headerTimeout: {value: 7000}, requestLine: {value: 16384}, isDefault: false})
  })

  it('PROXY protocol, HTTP/2, layer 4', () => {
    const [plain] = server(`listen 8080 proxy_protocol http2; location / { ${PASS} }`).listeners
    expect([plain?.proxyProtocol.value, plain?.http2.value, plain?.layer4.value]).toEqual([true, true, false])
    const stream = read(
      'events {}\nstream { upstream gms { server a:1; } server { listen 80; proxy_pass gms; proxy_protocol on; proxy_timeout 1h; } }',
    )
    const way = trace(stream, WEBSOCKET)
    expect([stream.listeners[0]?.layer4.value, endOf(way), way.idleTimeout.value, way.sent('upgrade').value]).toEqual([
      true,
      'gms /genesys/cometd',
      3_600_000,
      'client',
    ])
    expect(stream.upstreams[0]?.nodes[0]?.sendsProxyProtocol.value).toBe(true)
  })

  it('a forward proxy is one that leads where the client says', () => {
    const open = (text: string) => http(text).listeners[0]?.forwardProxy.value
    expect(open('server { listen 80; location / { proxy_pass http://$http_host$request_uri; } }')).toBe(true)
    expect(
      open('server { listen 80; return 444; } server { listen 80; server_name a b; location / { proxy_pass http://$host:8080; } }'),
    ).toBe(false)
    expect(open(`server { listen 80; location / { ${PASS} } }`)).toBe(false)
  })
})

describe('headers for GMS', () => {
  const sent = (lines: string, name: string, request = POLL, version?: string) => {
    const {value, sends} = trace(server(`${lines} location / { ${PASS} }`, version), request).sent(name)
    return sends === undefined ? value : `${value}: ${sends}`
  }
  it.each([
    ['host', '', 'node: gms:8080'],
    ['host', 'server_name a.example; proxy_set_header Host $http_host;', 'host: a.example'],
    ['host', 'server_name a.example; listen 81; proxy_set_header Host $host:$server_port;', 'host: a.example:81'],
    ['host', 'server_name *.example; proxy_set_header Host $host;', 'host-without-port'],
    ['host', 'proxy_set_header Host chat.example;', 'text: chat.example'],
    ['connection', '', 'text: close'],
    ['x-forwarded-for', '', 'client: '],
    ['x-forwarded-for', 'proxy_set_header X-Forwarded-For $remote_addr;', 'peer'],
    ['x-forwarded-for', 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;', 'client-and-peer'],
    ['x-forwarded-for', 'proxy_set_header X-Forwarded-For "$http_x_forwarded_for, $remote_addr";', 'client-and-peer'],
    ['x-forwarded-for', 'proxy_set_header X-Forwarded-For $http_x_forwarded_for;', 'client: '],
    ['x-forwarded-for', 'proxy_set_header X-Forwarded-For "";', 'nothing: '],
    [
      'x-forwarded-for',
      'set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; proxy_set_header X-Forwarded-For $remote_addr;',
      'client',
    ],
    [
      'x-forwarded-for',
      'set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; proxy_set_header X-Forwarded-For $remote_addr;',
      'peer',
    ],
    ['x-forwarded-proto', 'proxy_set_header X-Forwarded-Proto $scheme;', 'scheme: http'],
    ['forwarded', 'proxy_set_header Forwarded "for=$remote_addr;proto=$scheme";', 'peer'],
    ['cookie', 'proxy_pass_request_headers off;', 'nothing: '],
  ])('%s with %j is %s', (name, lines, expected) => expect(sent(lines, name)).toBe(expected))

  it('the line that believes everybody is the one to blame', () => {
    const {span, text} = trace(
      server(`set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; proxy_set_header X-Real-IP $remote_addr; location / { ${PASS} }`),
      POLL,
    ).sent('x-real-ip')
    expect(text).toBe('set_real_ip_from 0.0.0.0/0')
    expect(span).toBeDefined()
  })

  it.each(['"gms"', '$host', '$http_user_agent', '$scheme$server_port'])('all clients share a key such as %s', key => {
    const model = http(`upstream gms { hash ${key}; server a:80; server b:80; } server { location / { proxy_pass http://gms; } }`)
    const {end} = trace(model, POLL)
    expect(end.kind === 'upstream' && end.upstream.affinity).toMatchObject({shared: true, unstable: false})
  })

  it('a table that believes a header when there is one can be cheated', () => {
    const model = http(
      `map $http_x_forwarded_for $xff { "" $remote_addr; default $http_x_forwarded_for; } server { proxy_set_header X-Forwarded-For $xff; location / { ${PASS} } }`,
    )
    expect(trace(model, POLL).sent('x-forwarded-for').value).toBe('client')
  })

  it('from 1.29.7 on Connection is empty and HTTP/1.1 is spoken', () => {
    expect(sent('', 'connection', POLL, '1.29.6')).toBe('text: close')
    expect(sent('', 'connection', POLL, '1.29.7')).toBe('nothing: ')
    expect([
      trace(server(`location / { ${PASS} }`, '1.29.6'), POLL).httpVersion.value,
      trace(server(`location / { ${PASS} }`, '1.29.7'), POLL).httpVersion.value,
    ]).toEqual(['1.0', '1.1'])
  })

  it('says which line an inner list switches off', () => {
    const model = server(`proxy_set_header Upgrade $http_upgrade; location / {\nproxy_set_header Host $host;\n${PASS} }`)
    const upgrade = trace(model, WEBSOCKET).sent('upgrade')
    expect([upgrade.value, upgrade.overshadowed?.span.line, upgrade.overshadowed?.by.line]).toEqual(['nothing', 4, 5])
  })
})

describe('what is in force', () => {
  it('defaults are told as such, with the place for another value', () => {
    const way = trace(server(`location /genesys {\n${PASS} }`), POLL)
    expect(way.answerTimeout).toMatchObject({value: 60_000, text: 'proxy_read_timeout 60s', home: {line: 4}})
    expect(way.answerTimeout.span).toBeUndefined()
    expect(way.bodyLimit).toMatchObject({value: 1_048_576, text: 'client_max_body_size 1m'})
  })

  it.each([
    ['bodyLimit', 'client_max_body_size 0;', undefined],
    ['bodyLimit', 'client_max_body_size 11m;', 11_534_336],
    ['answerTimeout', 'proxy_read_timeout 1h30m;', 5_400_000],
    ['answerTimeout', 'proxy_read_timeout 45;', 45_000],
    ['bodyTimeout', 'client_body_timeout 500ms;', 500],
    ['credentials', 'auth_basic "GMS";', true],
    ['credentials', 'auth_basic off;', false],
    ['compressed', 'gzip on;', false],
    ['compressed', 'gzip on; gzip_types text/plain application/json;', true],
    ['buffered', 'proxy_http_version 1.1;', false],
    ['buffered', 'proxy_http_version 1.1; gzip on; gzip_types *;', true],
    ['errorsReplaced', 'proxy_intercept_errors on;', false],
    ['errorsReplaced', 'proxy_intercept_errors on; error_page 500 502 /x;', true],
    ['redirectsTranslated', 'proxy_redirect off;', false],
    ['retriesPost', 'proxy_next_upstream error non_idempotent;', true],
    ['retriesPost', '', false],
    ['cached', 'proxy_cache z; proxy_cache_valid 1m;', false],
    ['cached', 'proxy_cache z; proxy_cache_valid 1m; proxy_cache_methods GET POST;', true],
    ['throttled', 'limit_rate 10k;', 10_240],
    ['connectionsPerClient', 'limit_conn c 2;', 2],
    ['connectionsPerClient', 'limit_conn s 2;', undefined],
    ['requestsPerSecond', 'limit_req zone=r burst=5;', {rate: 0.5, burst: 5}],
  ] as const)('%s with %j is %s', (part, lines, expected) => {
    const zones =
      'limit_conn_zone $binary_remote_addr zone=c:1m; limit_conn_zone $server_name zone=s:1m; limit_req_zone $binary_remote_addr zone=r:1m rate=30r/m;'
    const way = trace(http(`${zones} server { ${lines} location / { ${PASS} } }`), POLL)
    expect(way[part]?.value).toEqual(expected)
  })

  it('logs: the default, a format, none', () => {
    const logs = (lines: string) =>
      trace(http(`log_format own escape=none '$upstream_addr $uri' ' $http_cookie'; server { ${lines} location / { ${PASS} } }`), POLL).logs
    expect(logs('')).toMatchObject([{namesNode: false, holdsQuery: true, holdsSecrets: false, escapes: true}])
    expect(logs('access_log /x own;')).toMatchObject([{namesNode: true, holdsQuery: false, holdsSecrets: true, escapes: false}])
    expect(logs('access_log off;')).toEqual([])
    expect(logs('access_log /x combined if=$arg_never;')).toEqual([])
  })

  it('capacity: connections, workers, files', () => {
    const chats = (main: string, events: string) =>
      read(`${main} events { ${events} }\nhttp { server { location / { ${PASS} } } }`).capacity.chats
    expect(chats('', '')).toBe(240)
    expect(chats('worker_processes 2;', 'worker_connections 768;')).toBe(720)
    expect(chats('worker_processes 1; worker_rlimit_nofile 512;', 'worker_connections 4096;')).toBe(240)
    expect(chats('worker_processes auto;', 'worker_connections 4096;')).toBeUndefined()
  })

  it('consoles: open, guarded', () => {
    const model = server(
      'location = /a { stub_status; } location = /b { stub_status; allow 127.0.0.1; deny all; } location = /c { auth_basic x; stub_status; }',
    )
    expect(model.consoles.map(({what, open}) => [what, open])).toEqual([
      ['stub_status', true],
      ['stub_status', false],
      ['stub_status', false],
    ])
  })
})

describe('affinity', () => {
  const affinity = (lines: string, more = '', location = '') => {
    const model = http(
      `${more} upstream gms { ${lines} server a:1; server b:2; } server { location / { ${location} proxy_pass http://gms; } }`,
    )
    const {kind, cookie, of, unstable} = model.upstreams[0]?.affinity ?? {}
    return [kind, cookie ?? of, unstable]
  }
  const KEY = 'map $cookie_NODE $key { "" $request_id; default $cookie_NODE; }'
  it.each([
    ['', '', '', ['none', undefined, false]],
    ['least_conn;', '', '', ['none', undefined, false]],
    ['ip_hash;', '', '', ['address', 'peer', false]],
    ['hash $binary_remote_addr;', '', '', ['address', 'peer', false]],
    ['hash $http_x_forwarded_for;', '', '', ['address', 'forwarded', false]],
    ['hash $remote_addr$request_id;', '', '', ['other', undefined, true]],
    ['hash $request_uri consistent;', '', '', ['other', undefined, true]],
    ['hash $cookie_JSESSIONID;', '', '', ['application-cookie', 'JSESSIONID', false]],
    ['hash $key;', KEY, '', ['application-cookie', 'NODE', false]],
    ['hash $key;', KEY, 'add_header Set-Cookie "NODE=$key; Path=/";', ['inserted-cookie', 'NODE', false]],
    ['hash $arg_session;', '', '', ['session-text', undefined, false]],
    ['sticky cookie srv expires=1h;', '', '', ['inserted-cookie', 'srv', false]],
    ['sticky learn create=$upstream_cookie_S lookup=$cookie_S zone=s:1m;', '', '', ['application-cookie', 'S', false]],
  ])('%j', (lines, more, location, expected) => expect(affinity(lines, more, location)).toEqual(expected))

  it('nodes: what counts against them, how names are followed', () => {
    const [gms] = http(
      `resolver 127.0.0.1; upstream gms { zone g 64k; server a:1 max_fails=3 fail_timeout=9s resolve; server b backup max_conns=5 resolve; server c:3 down resolve; } server { location / { proxy_pass https://gms; } }`,
    ).upstreams
    expect(gms?.nodes).toMatchObject([
      {address: 'a:1', host: 'a', port: 1, failures: {value: 3}, outFor: {value: 9000}, backup: false, tls: {verified: {value: false}}},
      {address: 'b', port: 443, failures: {value: 1}, outFor: {value: 10_000}, maxConnections: {value: 5}, backup: true},
      {address: 'c:3', down: true},
    ])
    expect([gms?.resolution.value, gms?.hasNameServers, gms?.health.kind, gms?.movesSessions.value]).toEqual([
      'followed',
      true,
      'passive',
      true,
    ])
    expect(http('server { set $n gms:1; location / { proxy_pass http://$n; } }').upstreams[0]).toMatchObject({
      resolution: {value: 'request'},
      hasNameServers: false,
    })
  })
})

describe('oddities', () => {
  it.each([
    ['server { location / { proxy_set_header Connection $nothing; } }', 'variable-unknown $nothing'],
    ['server { location ~ ^/g { proxy_pass http://a/x; } }', 'refused proxy_pass'],
    ['server { location @g { proxy_pass http://a/x; } }', 'refused proxy_pass'],
    ['server { location / { if ($arg_a) { proxy_pass http://a/; } } }', 'refused proxy_pass'],
    ['server { location / { proxy_pass a:1; } }', 'refused proxy_pass'],
    ['server { location / { proxy_bufering off; } }', 'word-unknown proxy_bufering'],
    ['server { location / { proxy set header Upgrade x; } }', 'word-unknown proxy'],
    ['server { location / { map $a $b { } } }', 'refused map'],
    ['server { proxy_read_timeout 60sec; }', 'refused proxy_read_timeout'],
    ['server { gzip on; gzip off; }', 'refused gzip'],
    ['server { location /a { } location /a { } }', 'refused location'],
    ['server { listen 80\n  server_tokens off; }', 'refused listen'],
    [
      'server { location ~ ^/(?<part>x) { proxy_set_header A $part$1$http_x$cookie_y$ssl_client_verify; proxy_pass http://a$request_uri; } }',
      '',
    ],
    ['server { more_set_headers "A: b"; brotli on; vhost_traffic_status on; }', ''],
    ['include /etc/elsewhere/maps.conf; server { proxy_set_header A $there; }', ''],
    ['map $http_upgrade $u {\ndefault "";\nwebsocket upgrade;\nWebSocket upgrade;\n}', 'refused WebSocket'],
    ['map $http_upgrade $u {\ndefault "";\nwebsocket upgrade;\ndefault close;\n}', 'refused default'],
    ['map $http_upgrade $u {\nhostnames;\n~*websocket upgrade;\n~*websocket close;\n}', ''],
  ])('%j', (text, expected) => {
    const {oddities} = http(text)
    expect(oddities.map(({kind, name}) => `${kind} ${name}`).join(', ')).toBe(expected)
    for (const {mend} of oddities)
      expect(site(parse(applyEdits(bundleOf(`events {}\nhttp {\n${text}\n}\n`), mend)), '1.22.1').oddities.length).toBeLessThan(
        mend.length > 0 ? oddities.length : 2,
      )
  })

  it.each([
    ['http2 on;', 'http2', '1.25.0', '1.25.1'],
    ['keepalive_min_timeout 5s;', 'keepalive_min_timeout', '1.27.3', '1.27.4'],
    ['location / { proxy_http_version 2; }', 'proxy_http_version 2', '1.29.3', '1.29.4'],
    ['resolver 10.0.0.1 ipv4=off;', 'resolver ipv4=off', '1.23.0', '1.23.1'],
    ['listen 443 quic;', 'listen quic', '1.24.0', '1.25.0'],
  ])('%j: %s came after %s', (line, name, before, since) => {
    expect(server(line, before).oddities).toMatchObject([{kind: 'word-unknown', name}])
    expect(server(line, since).oddities).toEqual([])
  })

  it('words that NGINX Plus and modules of others have had for longer', () => {
    const upstream = 'upstream u { zone u 64k; server a:1 resolve; sticky cookie c; }'
    const of = (text: string, version: string) => site(parse(bundleOf(text)), version).oddities.map(({name}) => name)
    expect(of(`events {}\nhttp { ${upstream} }`, '1.22.1')).toEqual(['server resolve', 'sticky'])
    expect(of(`events {}\nhttp { ${upstream} }`, '1.29.6')).toEqual([])
    expect(of(`load_module modules/ngx_sticky_module.so;\nevents {}\nhttp { ${upstream} }`, '1.22.1')).toEqual([])
    expect(of(`events {}\nhttp { ${upstream} server { location /api { api; } } }`, '1.22.1')).toEqual([])
  })

  it('what SPDY left behind', () => {
    expect(server('listen 443 ssl spdy;', '1.22.1').oddities.map(({kind, name}) => `${kind} ${name}`)).toEqual(['word-removed listen spdy'])
    expect(server('spdy_headers_comp 6;', '1.22.1').oddities.map(({kind}) => kind)).toEqual(['word-removed'])
  })

  it('a word that a version removed, a byte order mark', () => {
    expect(server('ssl on;', '1.25.1').oddities.map(({kind}) => kind)).toEqual(['word-removed'])
    expect(server('ssl on;', '1.25.0').oddities).toEqual([])
    expect(read('\uFEFFevents {}\nhttp {}').oddities).toMatchObject([{kind: 'refused', name: 'byte order mark'}])
  })
})

describe('put', () => {
  const text = `events {}
http {
    upstream gms {
        server a:1;   # the first
        server b:2 max_fails=2;
        keepalive 8;
    }
    proxy_read_timeout 50s;
    server {
        listen 80;
        server_name one;
        proxy_set_header Host $host;   # the name
        location /genesys/ { proxy_pass http://gms; }
    }
    server {
        listen 80;
        server_name two;
        location /genesys/ {
            client_max_body_size 2m; # small
            proxy_pass http://gms; # there
        }
    }
}
`
  const settings: readonly [string, (way: Way, model: Site) => Setting<unknown> | undefined, string, unknown][] = [
    ['a value written here', way => way.bodyLimit, '11m', 11_534_336],
    ['a default', way => way.bodyTimeout, '2m', 120_000],
    ['a value of all sites', way => way.answerTimeout, '70s', 70_000],
    ['a header', way => way.sent('host'), '$http_host', 'host'],
    ['a header nobody sets', way => way.sent('x-real-ip'), '$remote_addr', 'peer'],
    ['a header with its table', way => way.sent('connection'), '$gms_connection', 'text'],
    ['a balancing method', (_, model) => model.upstreams[0]?.affinity.setting, 'ip_hash', 'ip_hash'],
    [
      'an affinity by a cookie',
      (_, model) => model.upstreams[0]?.affinity.setting,
      'hash $gms_affinity_key consistent',
      'hash $gms_affinity_key consistent',
    ],
    ['a parameter of a node', (_, model) => model.upstreams[0]?.nodes[0]?.failures, '3', 3],
    ['a parameter that is written', (_, model) => model.upstreams[0]?.nodes[1]?.failures, '3', 3],
    ['a drain', (_, model) => model.drain, '1h', 3_600_000],
    ['a count of connections', (_, model) => model.capacity.setting, '4096', 4096],
  ]
  describe.each([
    ['', text],
    [' with CRLF', text.replaceAll('\n', '\r\n')],
  ])('changes one place%s', (_, written) => {
    it.each(settings)('%s', (__, setting, argument, expected) => {
      for (const index of [0, 1]) {
        const model = read(written)
        const listener = model.listeners[index]
        const other = model.listeners[1 - index]
        if (!listener || !other) throw new Error('two listeners')
        const chosen = setting(model.trace(listener, WEBSOCKET), model)
        const edits = chosen?.put(argument) ?? []
        const bundle = applyEdits(bundleOf(written), edits)
        const after = site(parse(bundle), '1.22.1')
        const [again, still] = [after.listeners[index], after.listeners[1 - index]]
        if (!again || !still) throw new Error('two listeners')
        expect(setting(after.trace(again, WEBSOCKET), after)?.value).toEqual(expected)
        expect(after.oddities).toEqual([])
        // Nothing but the edit, and nothing at the other site.
        const lines = (text: string) => text.split('\n')
        const kept = lines(bundle.files[0]?.text ?? '').filter(line => lines(written).includes(line))
        expect(kept.length).toBeGreaterThanOrEqual(lines(written).length - edits.length - 1)
        expect(bundle.files[0]?.text.includes('\n') && /[^\r]\n/.test(bundle.files[0].text)).toBe(!written.includes('\r\n'))
        const way = after.trace(still, WEBSOCKET)
        const before = model.trace(other, WEBSOCKET)
        expect([
          way.answerTimeout.value,
          way.bodyLimit.value,
          way.bodyTimeout.value,
          way.sent('host').value,
          way.sent('connection').sends,
        ]).toEqual([
          before.answerTimeout.value,
          before.bodyLimit.value,
          before.bodyTimeout.value,
          before.sent('host').value,
          before.sent('connection').sends,
        ])
      }
    })
  })

  it('an empty argument takes a line of a list out', () => {
    const model = server(`proxy_hide_header Set-Cookie;\nlocation / { ${PASS} }`)
    const edits = trace(model, POLL).hiddenAnswers[0]?.put('') ?? []
    expect(applyEdits(model.config.bundle, edits).files[0]?.text).toBe(`events {}\nhttp {\nserver {\nlocation / { ${PASS} }\n}\n}\n`)
  })
})

const goldens = join(import.meta.dirname, '../../../fixtures/golden/nginx')
const chat = [HANDSHAKE, POLL, PUBLISH, CALLBACK, UPLOAD]

describe('what is rendered', () => {
  const rendered = readdirSync(goldens).filter(name =>
    readdirSync(join(goldens, name), {recursive: true, encoding: 'utf8'}).some(path => path.endsWith('.conf')),
  )
  it.each(rendered)('%s means what it should', name => {
    const folder = join(goldens, name)
    const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter(path => path.endsWith('.conf'))
    const [entry = ''] = files
    const version = /@([\d.]+)/.exec(name)?.[1] ?? '1.30.0'
    const bundle: ConfigBundle = {
      proxy: 'nginx',
      entry,
      origin: 'rendered',
      files: files.map(path => ({path, text: readFileSync(join(folder, path), 'utf8')})),
    }
    const model = site(parse(bundle), version)
    expect(model.oddities).toEqual([])
    expect(model.unknown).toEqual([])
    const listeners = model.listeners.filter(listener => listener.chat)
    expect(listeners.length).toBeGreaterThan(0)
    for (const listener of listeners) {
      for (const request of chat) {
        const way = model.trace(listener, request)
        expect(way.end).toMatchObject({kind: 'upstream', path: request.path})
        expect([way.sent('upgrade').value, way.sent('connection').sends]).toEqual(['nothing', expect.stringMatching(/^(?:close)?$/)])
        expect(way.sent('host').value).toBe('host')
        expect(way.sent('x-forwarded-for').value).toBe('peer')
        expect(way.answerTimeout.value).toBeGreaterThanOrEqual(41_000)
        expect([way.cached.value, way.compressed.value, way.buffered.value, way.retriesPost.value, way.credentials.value]).toEqual([
          false,
          false,
          false,
          false,
          false,
        ])
        expect(
          way.logs.every(({holdsQuery, holdsSecrets, namesNode, escapes}) => !holdsQuery && !holdsSecrets && namesNode && escapes),
        ).toBe(true)
      }
      for (const request of [WEBSOCKET, WEBSOCKET_OF_FIREFOX, WEBSOCKET_CAPITALISED]) {
        const way = model.trace(listener, request)
        expect([way.end.kind, way.sent('upgrade').sends, way.sent('connection').sends, way.httpVersion.value, way.tunnels.value]).toEqual([
          'upstream',
          'websocket',
          'upgrade',
          '1.1',
          true,
        ])
      }
      expect(model.trace(listener, H2C).sent('upgrade').sends).toBe('')
      if (!/^(?:all|wider)-paths/.test(name)) expect(model.trace(listener, get('/elsewhere')).end.kind).toMatch(/answer|redirect/)
    }
  })
})
