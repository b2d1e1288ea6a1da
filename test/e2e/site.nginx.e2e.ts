import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {CALLBACK, H2C, HANDSHAKE, POLL, UPLOAD, WEBSOCKET, WEBSOCKET_OF_FIREFOX} from '../../src/lint/requests.ts'
import {nginx} from '../../src/proxies/nginx/index.ts'
import {site} from '../../src/proxies/nginx/site.ts'
import type {Listener, Request, Way} from '../../src/proxies/site.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import type {Runtime, RunningProxy} from '../../src/runtime/runtime.ts'
import {upstreamAddress} from '../../src/runtime/upstream-address.ts'
import {answerTo, startEchoNodes} from '../support/echo-nodes.ts'
import type {Seen} from '../support/echo-nodes.ts'
import {bundleOf, proxyOf, startNginx} from '../support/nginx-run.ts'
import {runtimeRequest} from '../support/runtime.ts'

// The model of a configuration says how requests fare; here the real nginx says it too, and both have to agree.

const NODE = 'gms1.network.local:8080'
const OTHER = 'gms2.network.local:8080'
const PASS = `proxy_pass http://${NODE};`

const on = (path: string, rest: Partial<Request> = {}): Request => ({title: path, method: 'GET', path, headers: {}, ...rest})
const post = (path: string, rest: Partial<Request> = {}): Request => on(path, {method: 'POST', ...rest})
/** Forged by a client that wants to be another. */
const FORGED: Request = on('/genesys/cometd', {
  headers: {
    'x-forwarded-for': '203.0.113.66',
    'x-real-ip': '203.0.113.66',
    forwarded: 'for=203.0.113.66',
    'x-forwarded-proto': 'https',
    cookie: 'a=1',
  },
})
const PATHS = [
  '/',
  '/genesys',
  '/genesys/',
  '/genesys/cometd',
  '/genesys/cometd/',
  '/genesys/cometd/connect',
  '/genesys/2/chat-ntf',
  '/genesys//cometd',
  '/other',
].map(path => on(path))
const CHAT = [HANDSHAKE, POLL, CALLBACK, WEBSOCKET, WEBSOCKET_OF_FIREFOX, H2C, UPLOAD, FORGED]

interface Case {
  title: string
  /** Lines of `http {}`; `server { … }` is put around those of `server`. */
  http?: string
  server?: string
  requests: readonly Request[]
  /** How many of the requests may be unknown to the model. */
  unknown?: number
}

const CASES: readonly Case[] = [
  {title: 'everything to one node', server: `location / { ${PASS} }`, requests: [...PATHS, ...CHAT]},
  {
    title: 'prefixes: the longest wins, with and without a slash',
    server: `location /genesys { return 410; } location /genesys/cometd { ${PASS} } location /genesys/2/ { ${PASS} }`,
    requests: PATHS,
  },
  {
    title: 'a prefix with a slash redirects the path without it',
    server: `location /genesys/cometd/ { ${PASS} } location /genesys/ { return 410; }`,
    requests: [...PATHS, on('/genesys/cometd', {query: 'a=b'})],
  },
  {
    title: 'an exact path, ^~, expressions in order, a prefix last',
    server: `location = /genesys/cometd { return 201; } location ^~ /genesys/2 { ${PASS} } location ~ chat-ntf { return 202; }
             location ~* ^/GENESYS/(?<rest>.*)$ { proxy_set_header X-Rest $rest; ${PASS} } location ~ cometd { return 203; } location /other { return 204; }`,
    requests: PATHS,
  },
  {
    title: 'nested locations',
    server: `location /genesys/ { location ~ ^/genesys/cometd { ${PASS} } location /genesys/2 { return 411; } return 410; } location ~ chat-ntf { ${PASS} }`,
    requests: PATHS,
  },
  {
    title: 'the path in proxy_pass replaces the prefix',
    server: `location /genesys/cometd { proxy_pass http://${NODE}/; } location /genesys/2/ { proxy_pass http://${NODE}/files/; } location = /other { proxy_pass http://${NODE}/exact?x=1; }`,
    requests: [...PATHS, on('/genesys/cometd/a%20b', {query: 'q=1'})],
  },
  {
    title: 'variables in proxy_pass: the path is what is written',
    server: `set $node ${NODE}; location /genesys/cometd { proxy_pass http://$node; } location /genesys/2/ { proxy_pass http://$node/files; } location /other { proxy_pass http://$node$request_uri; }`,
    requests: [...PATHS, on('/other', {query: 'q=1'})],
  },
  {
    title: 'rewrites: last, break, none, to another host',
    server: `rewrite ^/other$ /genesys/cometd;
             location /genesys/cometd { rewrite ^/genesys/cometd/connect$ /inner/$uri break; proxy_pass http://${NODE}/base/; }
             location /genesys/2 { rewrite ^/genesys/2/(.*)$ /inner/$1?from=2 last; ${PASS} }
             location /genesys/ { rewrite ^ https://elsewhere.example$uri permanent; }
             location /inner { ${PASS} }`,
    requests: [...PATHS, on('/genesys/2/chat-ntf', {query: 'q=1'})],
  },
  {
    title: 'return: codes, texts, redirects',
    server: `location = /a { return 204; } location = /b { return 200 text; } location = /c { return 301 /x; } location = /d { return https://e.example$request_uri; }
             location = /e { return 418; } location / { return 403; }`,
    requests: ['/a', '/b', '/c', '/d', '/e', '/f'].map(path => on(path)),
  },
  {
    title: 'error pages lead to named locations, once',
    server: `error_page 418 = @gms; error_page 419 = @twice; location /genesys/cometd { return 418; } location /genesys/2 { error_page 404 /x; return 418; }
             location /other { return 419; } location @gms { ${PASS} } location @twice { return 418; }`,
    requests: [...PATHS, post('/genesys/cometd')],
  },
  {
    title: 'try_files ends at a name, a code, a path',
    server: `root /nonexistent; location /genesys/ { try_files $uri @gms; } location /other { try_files $uri $uri/ =404; } location / { try_files $uri /genesys/cometd; } location @gms { ${PASS} }`,
    requests: [...PATHS, post('/genesys/cometd'), post('/other')],
  },
  {
    title: 'files for everything: only GET',
    server: 'root /nonexistent; location / { try_files $uri /index.html =404; }',
    requests: [post('/genesys/cometd'), on('/genesys/cometd')],
  },
  {
    title: 'if: the last one that holds rules, with what it inherits',
    server: `location / {
               set $kind "";
               if ($http_upgrade ~* websocket) { set $kind ws; }
               if ($request_method = POST) { set $kind "\${kind}post"; }
               if ($kind = post) { add_header X-Kind post always; }
               if ($kind = ws) { add_header X-Kind ws always; }
               if ($arg_jsonp) { return 410; }
               add_header X-Outer yes always;
               proxy_set_header X-Kind $kind;
               ${PASS}
             }`,
    requests: [...CHAT, on('/x')],
  },
  {
    title: 'if of a server, and proxy_pass in if',
    server: `if ($http_host ~ ^other) { return 403; } if ($uri = /moved) { rewrite ^ /genesys/cometd; }
             location / { if ($http_upgrade = websocket) { proxy_pass http://${OTHER}; } ${PASS} }`,
    requests: [...CHAT, on('/moved'), on('/x', {host: 'other.example'})],
  },
  {
    title: 'a map: exact without regard to case, expressions in order, default, empty',
    http: `map $http_upgrade $up { default ""; WebSocket exact; "~^h2c$" h2c; ~*socket other; }
           map $up $link { "" close; default upgrade; }
           map "$request_method:$uri" $where { ~^(?<method>[A-Z]+):/genesys/(?<tail>.*)$ "$method-$tail"; }`,
    server: `location / { proxy_set_header X-Up $up; proxy_set_header Connection $link; proxy_set_header X-Where $where; ${PASS} }`,
    requests: [...CHAT, ...PATHS, on('/x', {headers: {upgrade: 'my-SOCKET', connection: 'upgrade'}})],
  },
  {
    title: 'a map of host names, with masks',
    http: 'map $host $kind { hostnames; default none; .example.com dot; *.example.net star; mail.* tail; a.b.example.net exact; }',
    server: `location / { proxy_set_header X-Kind $kind; ${PASS} }`,
    requests: ['example.com', 'x.example.com', 'example.net', 'a.b.example.net', 'c.b.example.net', 'mail.org', 'nothing.example'].map(
      host => on('/x', {host}),
    ),
  },
  {
    title: 'headers: an inner list switches the outer off',
    http: 'proxy_set_header X-Outer http; proxy_http_version 1.1;',
    server: `proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header X-Outer server;
             location /genesys/cometd { proxy_set_header Host $http_host; ${PASS} } location / { ${PASS} }`,
    requests: [...CHAT, on('/other')],
  },
  {
    title: 'what is said of the client',
    server: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Real-IP $remote_addr; proxy_set_header Forwarded ""; proxy_set_header X-Forwarded-Proto $scheme;
             proxy_set_header Host $host:$server_port; proxy_set_header Cookie ""; location / { ${PASS} }`,
    requests: CHAT,
  },
  {
    title: 'the host alone, and no headers of the client',
    server: `proxy_pass_request_headers off; proxy_set_header Host $host; location / { ${PASS} }`,
    requests: CHAT,
  },
  {
    title: 'answers: headers are added and hidden, the innermost list counts',
    server: `add_header X-Outer yes always; proxy_hide_header X-Secret; location /genesys/cometd { add_header X-Inner "$scheme $uri" always; ${PASS} } location / { proxy_hide_header X-Other; ${PASS} }`,
    requests: [...PATHS],
  },
  {
    title: 'who may enter, by which method',
    server: `location /genesys/2 { limit_except POST { deny all; } ${PASS} } location /genesys/cometd { allow 127.0.0.0/8; allow 172.16.0.0/12; deny all; ${PASS} }
             location /other { deny all; ${PASS} } location /x { satisfy any; deny all; auth_basic "GMS"; auth_basic_user_file /dev/null; ${PASS} } location /inner { internal; ${PASS} }`,
    requests: [...PATHS, post('/genesys/2/chat-ntf'), post('/x'), on('/inner')],
  },
  {
    title: 'several servers on one port: name, masks, expressions, default',
    http: `server { listen 80; server_name a.example; location / { proxy_set_header X-Server a; ${PASS} } }
           server { listen 80 default_server; server_name ""; location / { proxy_set_header X-Server default; ${PASS} } }
           server { listen 80; server_name *.example *.long.example; location / { proxy_set_header X-Server star; ${PASS} } }
           server { listen 80; server_name www.*; location / { proxy_set_header X-Server tail; ${PASS} } }
           server { listen 80; server_name ~^(?<sub>[a-z]+)\\d\\.test$; location / { proxy_set_header X-Server $sub; ${PASS} } }
           server { listen 80; server_name .dot.test; location / { proxy_set_header X-Server dot; ${PASS} } }`,
    requests: [
      'a.example',
      'b.example',
      'c.long.example',
      'www.org',
      'www.example',
      'chat1.test',
      'dot.test',
      'x.dot.test',
      'nobody',
      'A.Example',
    ].map(host => on('/x', {host})),
  },
  {
    title: 'the largest body: compared where the search for a location leads',
    server: `client_max_body_size 1k; error_page 418 = @big; location /a { client_max_body_size 0; ${PASS} } location /b { return 418; } location /c { client_max_body_size 4k; return 418; }
             location /d { client_max_body_size 4k; rewrite ^ /e last; } location /e { ${PASS} } location @big { client_max_body_size 8k; ${PASS} }`,
    requests: ['/a', '/b', '/c', '/d', '/e'].flatMap(path =>
      [500, 2000, 6000, 9000].map(size => post(path, {title: `${path} ${size}`, headers: {'content-length': String(size)}})),
    ),
  },
  {
    title: 'an upstream of nodes, a name in capitals',
    http: `upstream GMS { server ${NODE}; server ${OTHER} down; keepalive 4; }`,
    server: `location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://gms/; }`,
    requests: [...CHAT, ...PATHS],
  },
  {
    title: 'addresses make a gate: others would be kept out',
    http: 'geo $inside { default 0; 127.0.0.0/8 1; 172.16.0.0/12 1; } map $inside $refused { 0 1; default 0; }',
    server: `if ($refused) { return 403; } location / { proxy_set_header X-Same $request_method; ${PASS} }`,
    requests: [...CHAT],
  },
  {
    title: 'slashes are not merged, dots are resolved, bytes are decoded',
    server: `merge_slashes off; location /genesys//cometd { return 410; } location "/a b" { ${PASS} } location /genesys/cometd { proxy_pass http://${NODE}/x; } location / { return 411; }`,
    requests: [...PATHS, on('/a%20b'), on('/x/../genesys/cometd'), on('/genesys/./cometd'), on('/%67enesys/cometd')],
  },
  {
    title: 'an internal redirect keeps set variables',
    server: `set $from none; location /a { set $from a; rewrite ^ /b last; } location /b { proxy_set_header X-From $from; ${PASS} }`,
    requests: [on('/a'), on('/b')],
  },
]

describe('what the model says of a request is what nginx does', () => {
  let runtime: Runtime
  let address: {listen: string; reach: string}
  beforeAll(async () => {
    runtime = await resolveRuntime(nginx, runtimeRequest('nginx'), new AbortController().signal)
    address = await upstreamAddress(runtime)
  })
  let judged = 0
  afterAll(() => expect(judged).toBeGreaterThan(250))

  it.each(CASES)('$title', async ({http = '', server, requests, unknown = 0}) => {
    const block = server === undefined ? '' : `server { listen 80; ${server} }`
    const text = `events {\n}\nhttp {\n${http}\n${block}\n}\n`
    await using nodes = await startEchoNodes(2, {host: address.listen, answers: {'X-Secret': 'a', 'X-Other': 'b'}})
    const where = nodes.ports.map(port => `${address.reach}:${port}`)
    await using proxy = proxyOf(await startNginx(text, {runtime, nodes: where}))
    const model = site(nginx.parse(bundleOf(text)), runtime.version)
    const named = [...new Set(nginx.nodes(nginx.parse(bundleOf(text))).map(node => node.address))]
    const [listener] = model.listeners
    if (!listener) throw new Error('no listener')
    nodes.take()
    let untold = 0
    for (const request of requests) {
      const way = model.trace(listener, request)
      const got = await ask(proxy, listener, request)
      const seen = nodes.take()
      if (way.end.kind === 'unknown') untold++
      else {
        expect
          .soft(got.outcome(way, seen, where), `${request.title} ${request.method} ${request.path} ${request.host ?? ''}`)
          .toEqual(predicted(way, request, named))
        judged++
      }
    }
    expect(untold).toBe(unknown)
  })
})

const TOLD = [
  'host',
  'upgrade',
  'connection',
  'x-forwarded-for',
  'x-real-ip',
  'forwarded',
  'x-forwarded-proto',
  'cookie',
  'x-up',
  'x-where',
  'x-kind',
  'x-outer',
  'x-rest',
  'x-server',
  'x-from',
  'x-same',
]

/** What a way claims, in the shape of what is observed. */
function predicted(way: Way, request: Request, nodes: readonly string[]): unknown {
  const size = Number(request.headers['content-length'] ?? 0)
  if (way.bodyLimit.value !== undefined && size > way.bodyLimit.value) return {status: 413}
  if (way.credentials.value && way.end.kind !== 'redirect') return {status: 401}
  const {end} = way
  if (end.kind === 'answer') return {status: end.status ?? 404}
  if (end.kind === 'redirect') return {status: end.status, location: end.to}
  if (end.kind !== 'upstream') throw new Error(`no outcome for ${end.kind}`)
  return {
    status: 200,
    node: nodes.indexOf(end.upstream.nodes.find(({down}) => !down)?.address ?? ''),
    path: end.path,
    httpVersion: way.httpVersion.value,
    headers: Object.fromEntries(TOLD.map(name => [name, claim(way, name)])),
    added: way.addedAnswers.map(({name, value}) => `${name}: ${value}`),
    hidden: ['x-secret', 'x-other'].filter(name => way.hiddenAnswers.some(({value}) => value === name)),
  }
}

function claim(way: Way, name: string): unknown {
  const {value, sends} = way.sent(name)
  if (value === 'peer') return 'the peer'
  if (value === 'client-and-peer') return 'the client, the peer'
  // The sandbox has put the address of the simulated node into the place of the name.
  if (value === 'node') return sends?.includes(':') === true ? 'the node' : sends
  return sends ?? value
}

async function ask(proxy: RunningProxy, listener: Listener, request: Request) {
  const {headers} = request
  const {statusCode = 0, headers: answer, rawHeaders} = await answerTo(proxy.url, listener, request)
  return {
    outcome: (way: Way, seen: readonly Seen[], nodes: readonly string[]): unknown => {
      const [one] = seen
      if (seen.length > 1) return {twice: seen}
      if (!one)
        return {
          status: statusCode,
          ...(answer.location === undefined ? {} : {location: answer.location.replace(/^http:\/\/localhost(?::\d+)?(?=\/)/, '')}),
        }
      const observe = (name: string): string => {
        const {value, sends} = way.sent(name)
        const written = String(one.headers[name] ?? '')
        if (value === 'peer' && /^(?:127|172)\.[\d.]+$/.test(written)) return 'the peer'
        if (value === 'client-and-peer') {
          const own = headers[name]
          return new RegExp(`^${own === undefined ? '' : `${own}, `}[\\d.]+$`).test(written) ? 'the client, the peer' : written
        }
        if (value === 'node') return nodes.includes(written) ? 'the node' : written
        return sends === undefined && value.startsWith('host') ? value : written
      }
      return {
        status: statusCode,
        node: one.node,
        path: one.url.replace(/\?.*$/, ''),
        httpVersion: one.httpVersion,
        headers: Object.fromEntries(TOLD.map(name => [name, observe(name)])),
        added: rawHeaders.flatMap((name, index) =>
          index % 2 === 0 && way.addedAnswers.some(added => added.name === name.toLowerCase())
            ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`]
            : [],
        ),
        hidden: ['x-secret', 'x-other'].filter(name => answer[name] === undefined),
      }
    },
  }
}
