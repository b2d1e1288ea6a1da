import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {CALLBACK, H2C, HANDSHAKE, POLL, UPLOAD, WEBSOCKET, WEBSOCKET_CAPITALISED, WEBSOCKET_OF_FIREFOX} from '../../src/lint/requests.ts'
import {silentLogger} from '../../src/log.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import {apache} from '../../src/proxies/apache/index.ts'
import {site} from '../../src/proxies/apache/site.ts'
import type {Listener, Request, Way} from '../../src/proxies/site.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import type {RunningProxy, Runtime} from '../../src/runtime/runtime.ts'
import {start} from '../../src/runtime/start.ts'
import {upstreamAddress} from '../../src/runtime/upstream-address.ts'
import {answerTo, startEchoNodes} from '../support/echo-nodes.ts'
import type {Seen} from '../support/echo-nodes.ts'
import {runtimeRequest} from '../support/runtime.ts'

// The model of a configuration says how requests fare; here the real httpd says it too, and both have to agree.

const NODE = 'gms1.network.local:8080'
const OTHER = 'gms2.network.local:8080'
const PASS = `ProxyPass / http://${NODE}/`

const on = (path: string, rest: Partial<Request> = {}): Request => ({title: path, method: 'GET', path, headers: {}, ...rest})
const post = (path: string, rest: Partial<Request> = {}): Request => on(path, {method: 'POST', ...rest})
/** Forged by a client that wants to be another. */
const FORGED: Request = on('/genesys/cometd', {
  title: 'a forged request',
  headers: {
    'x-forwarded-for': '203.0.113.66',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '203.0.113.66',
    forwarded: 'for=203.0.113.66',
    'x-forwarded-proto': 'https',
    cookie: 'a=1',
  },
})
const PATHS = [
  '/genesys',
  '/genesys/',
  '/genesys/cometd',
  '/genesys/cometd/connect',
  '/genesys/cometdx',
  '/genesys/2/chat-ntf',
  '/other',
].map(path => on(path))
const CHAT = [HANDSHAKE, POLL, CALLBACK, WEBSOCKET, WEBSOCKET_OF_FIREFOX, WEBSOCKET_CAPITALISED, H2C, UPLOAD, FORGED]

interface Case {
  title: string
  /** Lines around the virtual host. */
  main?: string
  /** Lines of `<VirtualHost *:80>`; absent when `main` says everything. */
  host?: string
  requests: readonly Request[]
  /** How many of the requests may be unknown to the model. */
  unknown?: number
}

const CASES: readonly Case[] = [
  {title: 'everything to one node', host: PASS, requests: [...PATHS, ...CHAT]},
  {
    title: 'the first ProxyPass that fits wins, an exclamation mark keeps the path here',
    host: `ProxyPass /genesys/2 !
           ProxyPass /genesys http://${NODE}/genesys
           ProxyPass /genesys/cometd http://${OTHER}/genesys/cometd
           ProxyPass /genesys/2 http://${OTHER}/genesys/2`,
    requests: PATHS,
  },
  {
    title: 'slashes at the ends of a ProxyPass',
    host: `ProxyPass /genesys/cometd/ http://${NODE}/a/
           ProxyPass /genesys/2 http://${NODE}/b/
           ProxyPass /other http://${NODE}/c`,
    requests: [...PATHS, on('/genesys/cometd/'), on('/genesys//2/chat-ntf'), on('/other/x/y')],
  },
  {
    title: 'ProxyPassMatch with and without references',
    host: `ProxyPassMatch ^/genesys/cometd(.*)$ http://${NODE}/x$1
           ProxyPassMatch ^/genesys/2 http://${OTHER}/y`,
    requests: PATHS,
  },
  {
    title: 'a ProxyPass of a Location comes before those of the server, the last Location wins',
    host: `ProxyPass / http://${NODE}/
           <Location /genesys>
             ProxyPass http://${OTHER}/first
           </Location>
           <Location /genesys/cometd>
             ProxyPass http://${OTHER}/second
           </Location>
           <LocationMatch "^/genesys/2">
             ProxyPass !
           </LocationMatch>`,
    requests: PATHS,
  },
  {
    title: 'those of the virtual host come before those around it',
    main: `ProxyPass /genesys/cometd http://${OTHER}/main\nProxyPass /other http://${OTHER}/other\nProxyPreserveHost On`,
    host: `ProxyPass /genesys http://${NODE}/host`,
    requests: PATHS,
  },
  {
    title: 'virtual hosts by name, alias and mask, the first is the default',
    main: `<VirtualHost *:80>
             ServerName a.example
             ProxyPass / http://${NODE}/a/
           </VirtualHost>
           <VirtualHost *:80>
             ServerName b.example
             ServerAlias *.b.example c?.example
             ProxyPass / http://${NODE}/b/
           </VirtualHost>
           <VirtualHost *:80>
             ServerName x.b.example
             ProxyPass / http://${NODE}/x/
           </VirtualHost>`,
    requests: ['a.example', 'b.example', 'x.b.example', 'c1.example', 'c12.example', 'nobody', 'B.Example'].map(host => on('/p', {host})),
  },
  {
    title: 'the published rewrite to ws://',
    host: `ProxyPass / http://${NODE}/
           RewriteEngine on
           RewriteCond %{HTTP:Upgrade} websocket [NC]
           RewriteCond %{HTTP:Connection} upgrade [NC]
           RewriteRule ^/?(.*) "ws://${OTHER}/$1" [P,L]`,
    requests: [...CHAT, ...PATHS],
  },
  {
    title: 'conditions that compare too strictly',
    host: `${PASS}
           RewriteEngine on
           RewriteCond %{HTTP:Upgrade} ^websocket$
           RewriteCond %{HTTP:Connection} ^Upgrade$
           RewriteRule .* ws://${OTHER}%{REQUEST_URI} [P,L]`,
    requests: CHAT,
  },
  {
    title: 'a rewrite to ws:// without P redirects',
    host: `${PASS}
           RewriteEngine on
           RewriteCond %{HTTP:Upgrade} =websocket [NC]
           RewriteRule ^/(.*)$ ws://${NODE}/$1 [L]`,
    requests: CHAT,
  },
  {
    title: 'chains, skips, OR, negation, references of conditions',
    host: `RewriteEngine on
           RewriteCond %{REQUEST_METHOD} =POST [OR]
           RewriteCond %{QUERY_STRING} jsonp=(\\w+)
           RewriteRule ^/genesys/(cometd.*)$ http://${NODE}/$1-%1 [P]
           RewriteRule ^/other - [S=1]
           RewriteRule ^ - [E=seen:yes]
           RewriteCond %{ENV:seen} !=yes
           RewriteRule ^(.*)$ http://${OTHER}/skipped$1 [P]
           RewriteRule !^/genesys - [R=404,L]
           RewriteRule ^/genesys/2 - [C]
           RewriteRule chat - [F]
           RewriteRule ^/genesys/?$ /genesys/cometd [R=301,L]
           ProxyPass /genesys/cometd/connect http://${OTHER}/genesys/cometd/connect
           ProxyPass / http://${NODE}/`,
    requests: [...PATHS, ...CHAT],
  },
  {
    title: 'a rewrite to another path ends at the files, PT hands it on',
    host: `RewriteEngine on
           RewriteRule ^/genesys/2/(.*)$ /moved/$1
           RewriteRule ^/other$ /genesys/cometd [PT]
           ProxyPass /genesys http://${NODE}/genesys
           ProxyPass /moved http://${NODE}/moved`,
    requests: PATHS,
  },
  {
    title: 'the engine and the rules around a virtual host',
    main: `RewriteEngine on\nRewriteRule ^/genesys/2 - [F]`,
    host: `RewriteRule ^/other - [F]\n${PASS}`,
    requests: PATHS,
  },
  {
    title: 'inherited rules',
    main: `RewriteEngine on\nRewriteRule ^/genesys/2 - [F]`,
    host: `RewriteEngine on\nRewriteOptions Inherit\nRewriteRule ^/other - [G]\n${PASS}`,
    requests: PATHS,
  },
  {
    title: 'expressions in conditions',
    host: `RewriteEngine on
           RewriteCond expr "%{HTTP:Content-Length} -gt 1000"
           RewriteRule ^ - [R=413,L]
           RewriteCond expr "%{REQUEST_URI} =~ m#^/genesys/2# && %{REQUEST_METHOD} != 'POST'"
           RewriteRule ^ - [R=405,L]
           RewriteCond expr "-n %{HTTP:Upgrade} && tolower(%{HTTP:Upgrade}) == 'websocket'"
           RewriteRule ^ http://${OTHER}%{REQUEST_URI} [P]
           ${PASS}`,
    requests: [
      ...CHAT,
      ...PATHS,
      post('/x', {title: 'small', headers: {'content-length': '1000'}}),
      post('/x', {title: 'large', headers: {'content-length': '1001'}}),
    ],
  },
  {
    title: 'upgrade= of a ProxyPass',
    host: `ProxyPass /genesys/cometd http://${NODE}/genesys/cometd upgrade=websocket
           ProxyPass /genesys/2 http://${NODE}/genesys/2 upgrade=ANY
           ProxyPass /other http://${NODE}/other upgrade=NONE`,
    requests: [...CHAT, {...H2C, path: '/genesys/2'}, {...WEBSOCKET, path: '/other'}],
  },
  {
    title: 'ws:// serves both, and only WebSocket without the fallback',
    host: `ProxyPass /genesys/2 ws://${OTHER}/genesys/2
           ProxyPass / ws://${NODE}/`,
    requests: [...CHAT, {...H2C, path: '/genesys/2'}],
  },
  {
    title: 'rewriting in a Location takes the request from a ProxyPass',
    host: `ProxyPass / http://${NODE}/
           <Location /genesys/cometd>
             RewriteEngine on
             RewriteCond %{HTTP:Upgrade} websocket [NC]
             RewriteRule .* ws://${OTHER}%{REQUEST_URI} [P]
           </Location>
           <Location /other>
             RewriteEngine on
             RewriteRule ^/other - [F]
           </Location>`,
    requests: [...CHAT, ...PATHS],
  },
  {
    title: 'what is said of the client',
    host: `${PASS}
           ProxyPreserveHost On
           RequestHeader unset X-Forwarded-For
           RequestHeader unset X-Forwarded-Host early
           RequestHeader set X-Real-IP "expr=%{REMOTE_ADDR}"
           RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"
           RequestHeader unset Forwarded
           RequestHeader set X-Kind fixed
           RequestHeader append X-Kind more
           RequestHeader edit X-Kind fix(.*) $1ture
           RequestHeader unset Cookie`,
    requests: [...CHAT, ...PATHS],
  },
  {
    title: 'headers of the client are passed on, the address is added',
    host: PASS,
    requests: CHAT,
  },
  {
    title: 'no headers are added',
    host: `${PASS}\nProxyAddHeaders Off\nRequestHeader setifempty X-Forwarded-Proto http`,
    requests: CHAT,
  },
  {
    title: 'header directives: server, Location, If, conditions',
    main: 'RequestHeader set X-Outer main',
    host: `${PASS}
           SetEnvIf Request_URI "^/genesys/2" files
           SetEnvIfNoCase Upgrade "^websocket$" ws=1
           RequestHeader set X-Kind ws env=ws
           RequestHeader set X-Kind plain env=!ws
           RequestHeader set X-Same files "expr=-n reqenv('files')"
           <Location /genesys/cometd>
             RequestHeader set X-Outer location
             RequestHeader unset X-Real-IP
           </Location>
           <If "%{REQUEST_METHOD} == 'POST'">
             RequestHeader set X-Where post
           </If>`,
    requests: [...CHAT, ...PATHS],
  },
  {
    title: 'answers: headers are added and hidden',
    host: `${PASS}
           Header unset X-Secret
           Header always set X-Added "a b"
           Header add X-More 1
           <Location /genesys/cometd>
             Header unset X-Other
             Header add X-More 2
           </Location>`,
    requests: PATHS,
  },
  {
    title: 'who may enter, by which method',
    host: `${PASS}
           <Location /genesys/2>
             <LimitExcept POST>
               Require all denied
             </LimitExcept>
           </Location>
           <Location /genesys/cometd>
             Require ip 127.0.0.0/8 172.16.0.0/12
           </Location>
           <Location /other>
             Require all denied
           </Location>
           <Location /both>
             <RequireAll>
               Require all granted
               Require not method POST
             </RequireAll>
           </Location>
           <Location /inner>
             Require all denied
           </Location>
           <Location /inner/open>
             Require all granted
           </Location>
           <Proxy "http://${NODE}/closed">
             Require all denied
           </Proxy>`,
    requests: [...PATHS, ...CHAT, post('/both'), on('/both'), on('/inner/x'), on('/inner/open/x'), on('/closed/x')],
  },
  {
    title: 'the words of Apache 2.2',
    host: `${PASS}
           <Location /other>
             Order deny,allow
             Deny from all
           </Location>
           <Location /genesys/2>
             Order allow,deny
             Allow from all
           </Location>`,
    requests: PATHS,
  },
  {
    title: 'redirects: of the server after ProxyPass, of a Location before it',
    host: `ProxyPass /genesys http://${NODE}/genesys
           Redirect permanent /genesys/cometd https://elsewhere.example/c
           Redirect 302 /other https://elsewhere.example/o
           RedirectMatch 403 ^/gone
           <Location /genesys/2>
             Redirect 307 /genesys/2 https://elsewhere.example/files
           </Location>`,
    requests: [...PATHS, on('/gone/x'), on('/other/a')],
  },
  {
    title: 'a balancer, defined around the virtual host',
    main: `<Proxy balancer://gms>
             BalancerMember http://${NODE}/inner route=one
             ProxySet stickysession=GMS_NODE
           </Proxy>`,
    host: `ProxyPass /genesys balancer://GMS/genesys
           Header add Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; Path=/" env=BALANCER_ROUTE_CHANGED`,
    requests: PATHS,
  },
  {
    title: 'HTTP/1.0 to the node for some',
    host: `${PASS}\nSetEnvIf Request_URI /genesys/2 force-proxy-request-1.0 proxy-nokeepalive`,
    requests: PATHS,
  },
  {
    title: 'variables, conditions at start, methods that are allowed',
    host: `Define TARGET ${NODE}
           <IfVersion >= 2.4>
             ProxyPass /genesys http://\${TARGET}/genesys
           </IfVersion>
           <IfVersion < 2.4>
             ProxyPass /genesys http://${OTHER}/genesys
           </IfVersion>
           <IfModule !mod_proxy.c>
             Redirect /other /nowhere
           </IfModule>
           <IfDefine NOT_DEFINED>
             ProxyPass /other http://${OTHER}/
           </IfDefine>`,
    requests: PATHS,
  },
  {
    title: 'encoded slashes',
    host: `AllowEncodedSlashes NoDecode
           ProxyPass /genesys http://${NODE}/genesys nocanon`,
    requests: [on('/genesys/2/x%2Fy'), on('/genesys/2/x%20y')],
  },
  {title: 'encoded slashes are refused', host: PASS, requests: [on('/genesys/2/x%2Fy'), on('/genesys')]},
]

const configOf = ({main = '', host}: Case) =>
  `ServerName localhost\n${main}\n${host === undefined ? '' : `<VirtualHost *:80>\n${host}\n</VirtualHost>\n`}`.replace(/^ +/gm, '')

function bundleOf(text: string): ConfigBundle {
  return {proxy: 'apache', entry: 'httpd.conf', files: [{path: 'httpd.conf', text}], origin: 'read'}
}

describe('what the model says of a request is what httpd does', () => {
  let runtime: Runtime
  let address: {listen: string; reach: string}
  beforeAll(async () => {
    runtime = await resolveRuntime(apache, runtimeRequest('apache'), new AbortController().signal)
    address = await upstreamAddress(runtime)
  })
  let judged = 0
  afterAll(() => expect(judged).toBeGreaterThan(250))

  it.each(CASES)('$title', async own => {
    const text = configOf(own)
    await using nodes = await startEchoNodes(2, {host: address.listen, answers: {'X-Secret': 'a', 'X-Other': 'b'}})
    const config = apache.parse(bundleOf(text))
    const named = [...new Set(apache.nodes(config).map(node => node.address))]
    const where = named.map(name => `${address.reach}:${nodes.ports[name === NODE ? 0 : 1] ?? 0}`)
    const result = await start({
      proxy: apache,
      bundle: bundleOf(text),
      allowExec: false,
      keep: false,
      signal: new AbortController().signal,
      logger: silentLogger,
      runtime,
      nodes: where,
    })
    if (!result.started) throw new Error(`it did not start: ${JSON.stringify(result.messages)}`)
    await using proxy = result.proxy
    const model = site(config, runtime.version)
    const [listener] = model.listeners
    if (!listener) throw new Error('no listener')
    nodes.take()
    let untold = 0
    for (const request of own.requests) {
      const way = model.trace(listener, request)
      const got = await ask(proxy, listener, request)
      const seen = nodes.take()
      if (way.end.kind === 'unknown') untold++
      else {
        expect
          .soft(got(way, seen, where), `${request.title}: ${request.method} ${request.path} ${request.host ?? ''}`)
          .toEqual(predicted(way, [NODE, OTHER]))
        judged++
      }
    }
    expect(untold).toBe(own.unknown ?? 0)
  })
})

const TOLD = [
  'host',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
  'x-forwarded-proto',
  'cookie',
  'x-kind',
  'x-outer',
  'x-same',
  'x-where',
]

/** The sandbox puts addresses into the place of names: as they were written. */
function named(text: string, nodes: readonly string[]): string {
  return nodes.reduce((result, node, index) => result.replace(node, [NODE, OTHER][index] ?? node), text)
}

/** What a way claims, in the shape of what is observed. */
function predicted(way: Way, nodes: readonly string[]): unknown {
  const {end} = way
  if (end.kind === 'answer') return {status: end.status ?? 404}
  if (end.kind === 'redirect') return {status: end.status, location: end.to}
  if (end.kind !== 'upstream') throw new Error(`no outcome for ${end.kind}`)
  return {
    status: 200,
    node: nodes.indexOf(end.upstream.nodes[0]?.address ?? ''),
    ...(end.path === undefined ? {} : {path: end.path}),
    httpVersion: way.httpVersion.value,
    headers: Object.fromEntries(TOLD.map(name => [name, claim(way, name)])),
    tunnels: way.tunnels.value,
    added: way.addedAnswers.filter(({name}) => name !== 'set-cookie').map(({name, value}) => `${name}: ${value}`),
    hidden: ['x-secret', 'x-other'].filter(name => way.hiddenAnswers.some(({value}) => value === name)),
  }
}

function claim(way: Way, name: string): string {
  const {value, sends} = way.sent(name)
  if (value === 'peer') return 'the peer'
  if (name === 'x-forwarded-for' && value === 'client-and-peer') return 'the client, the peer'
  if (value === 'node') return 'the node'
  if (value === 'scheme') return 'http'
  return sends ?? (value === 'client' ? '' : value)
}

async function ask(proxy: RunningProxy, listener: Listener, request: Request) {
  const {headers} = request
  const {statusCode = 0, headers: answer, rawHeaders} = await answerTo(proxy.url, listener, request)
  return (way: Way, seen: readonly Seen[], nodes: readonly string[]): unknown => {
    const [one] = seen
    if (seen.length > 1) return {twice: seen}
    if (!one)
      return {
        status: statusCode,
        ...(answer.location === undefined
          ? {}
          : {location: named(answer.location, nodes).replace(/^http:\/\/localhost(?::\d+)?(?=\/)/, '')}),
      }
    const observe = (name: string): string => {
      const {value} = way.sent(name)
      const written = String(one.headers[name] ?? '')
      const own = headers[name]
      if (value === 'peer' && /^(?:127|172)\.[\d.]+$/.test(written)) return 'the peer'
      if (name === 'x-forwarded-for' && value === 'client-and-peer')
        return new RegExp(`^${own === undefined ? '' : `${own}, `}[\\d.]+$`).test(written) ? 'the client, the peer' : written
      return value === 'node' && nodes.includes(written)
        ? 'the node'
        : written === '' && value === 'nothing'
          ? (way.sent(name).sends ?? 'nothing')
          : written
    }
    const path = one.url.replace(/\?.*$/, '')
    return {
      status: statusCode,
      node: one.node,
      ...(way.end.kind === 'upstream' && way.end.path === undefined ? {} : {path}),
      httpVersion: one.httpVersion,
      headers: Object.fromEntries(TOLD.map(name => [name, observe(name)])),
      tunnels: one.headers.upgrade !== undefined,
      added: rawHeaders.flatMap((name, index) =>
        index % 2 === 0 && name.toLowerCase() !== 'set-cookie' && way.addedAnswers.some(added => added.name === name.toLowerCase())
          ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`]
          : [],
      ),
      hidden: ['x-secret', 'x-other'].filter(name => answer[name] === undefined),
    }
  }
}
