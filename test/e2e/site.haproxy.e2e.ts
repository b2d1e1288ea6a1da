import {spawn, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {createServer, request as httpRequest} from 'node:http'
import type {IncomingHttpHeaders, IncomingMessage} from 'node:http'
import {connect, createServer as createTcpServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import * as requests from '../../src/lint/requests.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Request, Way} from '../../src/proxies/site.ts'

// What the model predicts of a request is what the real HAProxy does with it.

const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`
const banner = spawnSync('haproxy', ['-v'], {env: {PATH: path}, encoding: 'utf8'})
const version = PROXIES.haproxy.parseVersion(banner.stdout) ?? ''

const FORGED: Request = {
  ...requests.PUBLISH,
  title: 'a message with a forged address',
  headers: {...requests.PUBLISH.headers, 'x-forwarded-for': '192.0.2.66', 'x-forwarded-proto': 'ftp', 'x-real-ip': '192.0.2.67'},
}
const OTHER: Request = {title: 'a page', method: 'GET', path: '/index.html', query: 'a=b', headers: {}, host: 'www.example.com'}
const DEEP: Request = {title: 'a status', method: 'GET', path: '/genesys/1/admin/node/status', headers: {}}
const HTTP: readonly Request[] = [
  requests.HANDSHAKE,
  requests.CALLBACK,
  requests.WEBSOCKET,
  requests.WEBSOCKET_OF_FIREFOX,
  requests.WEBSOCKET_CAPITALISED,
  requests.H2C,
  requests.UPLOAD,
  FORGED,
  OTHER,
  DEEP,
]

/** `PORT` is the listener's, `ONE` and `TWO` are nodes. What every configuration has is added. */
const HEAD = 'defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 2s\n'
const LEADS = 'backend one\n  server a ONE\nbackend two\n  server b TWO\n'
const CONFIGURATIONS: readonly (readonly [title: string, text: string])[] = [
  ['listen', `${HEAD}listen l\n  bind PORT\n  server a ONE\n`],
  ['default_backend', `${HEAD}frontend f\n  bind PORT\n  default_backend two\n${LEADS}`],
  ['default_backend of defaults', `${HEAD}  default_backend two\nfrontend f\n  bind PORT\n${LEADS}`],
  ['no backend at all', `${HEAD}frontend f\n  bind PORT\n`],
  ['a backend without servers', `${HEAD}frontend f\n  bind PORT\n  default_backend empty\nbackend empty\n`],
  [
    'paths',
    `${HEAD}frontend f\n  bind PORT\n  acl gms path_beg /genesys/cometd /genesys/2\n  use_backend one if gms\n  default_backend two\n${LEADS}`,
  ],
  ['an exact path', `${HEAD}frontend f\n  bind PORT\n  use_backend one if { path /genesys/cometd }\n  default_backend two\n${LEADS}`],
  [
    'directories and ends',
    `${HEAD}frontend f\n  bind PORT\n  use_backend one if { path_dir cometd }\n  use_backend two if { path_end .html } or { path_sub admin }\n${LEADS}`,
  ],
  [
    'regular expressions',
    `${HEAD}frontend f\n  bind PORT\n  use_backend one if { path_reg -i ^/GENESYS/(cometd|2)(/|$) }\n  default_backend two\n${LEADS}`,
  ],
  [
    'upgrades apart',
    `${HEAD}frontend f\n  bind PORT\n  acl ws hdr(Upgrade) -i websocket\n  acl up hdr_dom(Connection) -i upgrade\n  use_backend two if ws up\n  default_backend one\n${LEADS}`,
  ],
  [
    'an upgrade that must be spelled so',
    `${HEAD}frontend f\n  bind PORT\n  use_backend two if { hdr(Upgrade) websocket }\n  default_backend one\n${LEADS}`,
  ],
  [
    'methods',
    `${HEAD}frontend f\n  bind PORT\n  http-request deny deny_status 405 unless METH_GET or METH_POST\n  http-request return status 204 if METH_GET !{ hdr(upgrade) -m found }\n  default_backend one\n${LEADS}`,
  ],
  [
    'rules in their order',
    `${HEAD}frontend f\n  bind PORT\n  http-request allow if { path_beg /genesys/cometd }\n  http-request deny deny_status 404 if { path_beg /genesys }\n  http-request redirect location /elsewhere code 307\n  default_backend one\n${LEADS}`,
  ],
  [
    'rules see what rules before them wrote',
    `${HEAD}frontend f\n  bind PORT\n  http-request set-path /new%[path] if { path_beg /genesys/cometd }\n  http-request set-header X-Real-IP changed if { path_beg /new }\n  use_backend two if { path_beg /new }\n  default_backend one\n${LEADS}`,
  ],
  [
    'rewritten paths',
    `${HEAD}frontend f\n  bind PORT\n  default_backend one\nbackend one\n  http-request replace-path /genesys/(.*) /gms/\\1\n  http-request set-query x=%[query] if { query -m found }\n  server a ONE\n`,
  ],
  ['a path that is replaced as a whole', `${HEAD}listen l\n  bind PORT\n  http-request replace-path cometd /other\n  server a ONE\n`],
  ['a rewritten target', `${HEAD}listen l\n  bind PORT\n  http-request replace-uri ^([^?]*)(\\?.*)?$ /root\\1\\2\n  server a ONE\n`],
  ['forwardfor', `${HEAD}  option forwardfor\nlisten l\n  bind PORT\n  server a ONE\n`],
  ['forwardfor, unless there is one', `${HEAD}listen l\n  bind PORT\n  option forwardfor if-none\n  server a ONE\n`],
  [
    'forwardfor under another name',
    `${HEAD}  option forwardfor\nfrontend f\n  bind PORT\n  default_backend one\nbackend one\n  option forwardfor header X-Real-IP\n  server a ONE\n`,
  ],
  [
    'an option switched off',
    `${HEAD}  option http-buffer-request\nlisten l\n  bind PORT\n  no option http-buffer-request\n  server a ONE\n`,
  ],
  [
    'a client that is not believed',
    `${HEAD}listen l\n  bind PORT\n  option forwardfor\n  http-request del-header X-Forwarded-For\n  http-request set-header X-Real-IP %[src]\n  http-request set-header X-Forwarded-Proto https if { ssl_fc }\n  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }\n  server a ONE\n`,
  ],
  [
    'headers by prefix, and added ones',
    `${HEAD}listen l\n  bind PORT\n  http-request del-header X-Forwarded- -m beg\n  http-request add-header X-Forwarded-For %[src]\n  http-request add-header X-Real-IP %[src]\n  server a ONE\n`,
  ],
  [
    'only WebSocket is asked for',
    `${HEAD}listen l\n  bind PORT\n  http-request del-header Upgrade unless { req.hdr(Upgrade) -i websocket }\n  server a ONE\n`,
  ],
  ['Connection taken out', `${HEAD}listen l\n  bind PORT\n  http-request del-header Connection\n  server a ONE\n`],
  ['Upgrade taken out', `${HEAD}listen l\n  bind PORT\n  http-request del-header Upgrade\n  server a ONE\n`],
  [
    'hosts',
    `${HEAD}frontend f\n  bind PORT\n  acl chat hdr(host) -i chat.example.com\n  acl www hdr_beg(host) -i www.\n  use_backend one if chat\n  use_backend two if www\n${LEADS}`,
  ],
  [
    'a host without its port',
    `${HEAD}frontend f\n  bind PORT\n  http-request deny deny_status 421 unless { req.hdr(host),field(1,:) -i chat.example.com }\n  http-request set-header Host %[req.hdr(host),host_only]\n  default_backend one\n${LEADS}`,
  ],
  ['another host', `${HEAD}listen l\n  bind PORT\n  http-request set-header Host gms.internal\n  server a ONE\n`],
  [
    'variables',
    `${HEAD}frontend f\n  bind PORT\n  http-request set-var(txn.kind) str(chat) if { path_beg /genesys/cometd }\n  http-request set-var(txn.kind) str(file) if { path_beg /genesys/2 }\n  http-request set-header X-Real-IP %[var(txn.kind)]\n  use_backend one if { var(txn.kind) -m str chat }\n  use_backend two if { var(txn.kind) -m beg fi }\n${LEADS}`,
  ],
  [
    'names made up',
    `${HEAD}frontend f\n  bind PORT\n  use_backend %[path,field(3,/),lower] if { path_beg /genesys }\n  default_backend two\nbackend cometd\n  server a ONE\n${LEADS}`,
  ],
  [
    'legacy redirects',
    `${HEAD}frontend f\n  bind PORT\n  redirect prefix http://new.example.com code 301 if { path_beg /index }\n  redirect scheme https if { path_sub admin }\n  default_backend one\n${LEADS}`,
  ],
  [
    'monitor-uri',
    `${HEAD}listen l\n  bind PORT\n  monitor-uri /genesys/1/admin/node/status\n  http-request deny if { path_sub admin }\n  server a ONE\n`,
  ],
  ['a page of counters', `${HEAD}listen l\n  bind PORT\n  stats uri /genesys/1/admin\n  server a ONE\n`],
  ['sizes', `${HEAD}listen l\n  bind PORT\n  http-request deny deny_status 413 if { req.body_size gt 10 }\n  server a ONE\n`],
  [
    'layer 4',
    `defaults\n  mode tcp\n  timeout client 5s\n  timeout server 5s\n  timeout connect 2s\nlisten l\n  bind PORT\n  server a ONE\n`,
  ],
  [
    'the last defaults, and those that are named',
    `defaults first\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 2s\n  option forwardfor\ndefaults second\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 2s\nfrontend f from first\n  bind PORT\n  default_backend one\n${LEADS}`,
  ],
  [
    'defaults of defaults',
    `defaults first\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 2s\n  option forwardfor\ndefaults second from first\n  default_backend two\nfrontend f\n  bind PORT\n${LEADS}`,
  ],
  [
    '.if',
    `${HEAD}listen l\n  bind PORT\n.if version_atleast(2.4)\n  http-request set-header X-Real-IP new\n.else\n  http-request set-header X-Real-IP old\n.endif\n.if streq(a,b) || !version_atleast(2.0)\n  http-request deny\n.elif 1\n  http-request set-header X-Forwarded-Proto elif\n.endif\n  server a ONE\n`,
  ],
  [
    'the environment',
    `global\n  setenv WHERE /genesys/2\n  presetenv WHERE /nowhere\n${HEAD}frontend f\n  bind PORT\n  use_backend one if { path_beg "$WHERE" }\n  use_backend two if { path_beg "\${MISSING-/genesys/cometd}" }\n${LEADS}`,
  ],
  [
    'negations',
    `${HEAD}frontend f\n  bind PORT\n  acl get method GET\n  acl deep path_beg /genesys/1\n  use_backend one if !get or ! deep\n  use_backend two if get !{ path_beg /index }\n${LEADS}`,
  ],
]

interface Seen {
  node: number
  url: string
  headers: readonly string[]
}
interface Answered {
  status: number | undefined
  headers: IncomingHttpHeaders
  seen?: Seen
}

const servers: {close(): void}[] = []
let ports: readonly number[] = []

beforeAll(async () => {
  const started = await Promise.all([node(), node()])
  servers.push(...started)
  ports = started.map(server => (server.address() as AddressInfo).port)
})
afterAll(() => {
  for (const server of servers) server.close()
})

/** Says in its answer what came. */
async function node() {
  const saw = (message: IncomingMessage, port: number) =>
    Buffer.from(JSON.stringify({node: port, url: message.url, headers: message.rawHeaders})).toString('base64')
  const server = createServer((message, response) => {
    message.resume()
    message.on('end', () => response.setHeader('x-saw', saw(message, (server.address() as AddressInfo).port)).end('{}'))
  })
  server.on('upgrade', (message, socket) => {
    socket.on('error', () => undefined)
    const key = `${message.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    socket.end(
      [
        'HTTP/1.1 101 Switching Protocols',
        `Upgrade: ${message.headers.upgrade ?? ''}`,
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
        `X-Saw: ${saw(message, (server.address() as AddressInfo).port)}`,
        '\r\n',
      ].join('\r\n'),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function withProxy<T>(text: string, port: number, work: () => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gms-proxy-site-'))
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, text)
  const child = spawn('haproxy', ['-db', '-f', file], {env: {PATH: path}, stdio: ['ignore', 'ignore', 'pipe']})
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = once(child, 'exit')
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(said)
      if (await accepts(port)) return await work()
    }
  } finally {
    child.kill('SIGKILL')
    await ended
    await rm(folder, {recursive: true})
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Sends what the request says, and nothing else. */
function send(request: Request, port: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const body = request.method === 'POST' ? '[]' : undefined
    const outgoing = httpRequest({
      port,
      host: '127.0.0.1',
      method: request.method,
      path: request.path + (request.query === undefined ? '' : `?${request.query}`),
      headers: {
        host: request.host ?? 'chat.example.com',
        ...request.headers,
        ...(body === undefined ? {} : {'content-length': request.headers['content-length'] ?? body.length}),
      },
      agent: false,
    })
    const done = (message: IncomingMessage) => {
      const saw = message.headers['x-saw']
      const seen = typeof saw === 'string' ? (JSON.parse(Buffer.from(saw, 'base64').toString()) as Seen) : undefined
      resolve({status: message.statusCode, headers: message.headers, ...(seen ? {seen} : {})})
      message.destroy()
    }
    outgoing.on('response', done)
    outgoing.on('upgrade', done)
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const HEADERS = ['host', 'upgrade', 'connection', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip', 'http2-settings', 'content-type']

function assertSame(way: Way, {status, headers, seen}: Answered, request: Request): void {
  const {end} = way
  if (end.kind === 'unknown') throw new Error(end.because)
  if (end.kind !== 'upstream') {
    expect({status, seen}).toEqual({status: end.status, seen: undefined})
    if (end.kind === 'redirect') expect(headers.location).toBe(end.to)
    return
  }
  expect(end.upstream.nodes.map(({port}) => port)).toContain(seen?.node)
  expect(seen?.url.split('?')[0]).toBe(end.path)
  for (const name of HEADERS) {
    // what this client writes itself when it is told nothing
    if (name === 'connection' && request.headers[name] === undefined && way.listener.layer4.value) continue
    const arrived = (seen?.headers ?? []).filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name)
    const {value, sends} = way.sent(name)
    const believed = way.sent(name).text.includes('if-none')
    const given = name === 'host' ? (request.host ?? 'chat.example.com') : request.headers[name]
    const expected = {
      // with `if-none` the address is added for those who bring none
      client: given === undefined ? (believed ? ['127.0.0.1'] : []) : [sends ?? given],
      nothing: [],
      text: [sends],
      scheme: [sends],
      host: [given],
      'host-without-port': [given?.replace(/:\d+$/, '')],
      peer: ['127.0.0.1'],
      'client-and-peer': [...(given === undefined ? [] : [given]), '127.0.0.1'],
      node: [],
      unknown: arrived,
    }[value]
    expect({name, arrived}).toEqual({name, arrived: expected})
    if (sends !== undefined) expect({name, arrived}).toEqual({name, arrived: [sends]})
  }
}

describe.skipIf(banner.status !== 0)('what the model says of a request is what HAProxy does', () => {
  it.each(CONFIGURATIONS)('%s', async (_, pattern) => {
    const port = await freePort()
    const text = pattern
      .replace(/\bPORT\b/g, `127.0.0.1:${port}`)
      .replace(/\bONE\b/g, `127.0.0.1:${ports[0] ?? 0}`)
      .replace(/\bTWO\b/g, `127.0.0.1:${ports[1] ?? 0}`)
    const config = PROXIES.haproxy.parse({proxy: 'haproxy', entry: 'haproxy.cfg', origin: 'read', files: [{path: 'haproxy.cfg', text}]})
    const site = PROXIES.haproxy.site?.(config, version)
    const [listener] = site?.listeners ?? []
    if (!site || !listener) throw new Error('no site')
    await withProxy(text, port, async () => {
      for (const asked of HTTP) {
        const request = {
          ...asked,
          host: asked.host ?? 'chat.example.com',
          headers: {...asked.headers, ...(asked.method === 'POST' ? {'content-length': '2'} : {})},
        }
        for (const one of [
          request,
          ...(pattern.includes('body_size') && asked.method === 'POST'
            ? [{...request, headers: {...request.headers, 'content-length': '20'}}]
            : []),
        ]) {
          const answered = await send(one, port)
          try {
            assertSame(site.trace(listener, one), answered, one)
          } catch (error) {
            throw new Error(`${one.title}: ${error instanceof Error ? error.message : String(error)}`, {cause: error})
          }
        }
      }
    })
  })
})
