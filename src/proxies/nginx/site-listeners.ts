import type {Argument, Directive} from '../syntax.ts'
import type {Listener, ListenerTls, Setting} from '../site.ts'
import {listenersOf} from './addresses.ts'
import {namesOf} from './site-match.ts'
import {expanded, headOf} from './site-scope.ts'
import type {Layout, Scope} from './site-scope.ts'
import {inForce, setting, textOf} from './site-setting.ts'
import {durationOf, sizeOf} from './site-units.ts'
import {textIn} from './site-values.ts'
import type {Variables} from './site-values.ts'

/** A listener with the server that it belongs to. */
export interface Door {
  listener: Listener
  server: Scope
  isDefault: boolean
  /** `*:80`: what is one socket for nginx. */
  socket: string
  /** The `listen` line; absent for the port that a server without one gets. */
  line?: Directive
}

/** `80`, `*:80` and `0.0.0.0:80` are one socket. */
function socketOf(address: string): {socket: string; port?: number} {
  if (address.startsWith('unix:')) return {socket: address}
  if (/^\d+$/.test(address)) return {socket: `*:${address}`, port: Number(address)}
  const lower = address.toLowerCase().replace(/^0\.0\.0\.0(?=:|$)/, '*')
  const [, port] = /:(\d+)$/.exec(lower.replace(/^\[[^\]]*\]/, '')) ?? []
  return port === undefined ? {socket: `${lower}:80`, port: 80} : {socket: lower, port: Number(port)}
}

interface Unmarked {
  server: Scope
  line?: Directive
  argument?: Argument | undefined
  socket: string
  port?: number
}

const words = ({args}: Directive) => args.slice(1).map(({value}) => value)

/** Every listener of every server; those of one socket share their options. `chat` is false until requests were traced. */
export function doorsOf(layout: Layout, version: string, variables: Variables): readonly Door[] {
  const places = [...layout.servers, ...layout.streamServers].flatMap((server): readonly Unmarked[] => {
    const lines = server.all('listen').filter(({args}) => args.length > 0)
    const at = lines.map(line => ({server, line, argument: line.args[0], ...socketOf(line.args[0]?.value ?? '')}))
    return at.length > 0 || server.level === 'stream-server' ? at : [{server, socket: '*:80', port: 80}]
  })
  const sockets = new Map<string, {first: Unmarked; options: Directive[]}>()
  const keyOf = ({server, socket}: Unmarked) => `${server.level} ${socket}`
  for (const place of places) {
    const known = sockets.get(keyOf(place)) ?? {first: place, options: []}
    sockets.set(keyOf(place), known)
    if (!place.line || place.line.args.length < 2) continue
    if (!isMarked(known.first) && isMarked(place)) known.first = place
    known.options.push(place.line)
  }
  return places.map(place => {
    const {first, options} = sockets.get(keyOf(place)) ?? {first: place, options: []}
    const isDefault = first === place
    return {...place, isDefault, listener: listenerOf({...place, options, isDefault, first: first.server}, version, variables)}
  })
}

function isMarked({line}: Unmarked): boolean {
  return line !== undefined && words(line).some(word => word === 'default_server' || word === 'default')
}

interface Place extends Unmarked {
  options: readonly Directive[]
  isDefault: boolean
  /** The default server of the address: until a Host was read, its settings are in force. */
  first: Scope
}

function listenerOf(place: Place, version: string, variables: Variables): Listener {
  const {server, line, argument, port, options, isDefault, first} = place
  const home = line ? headOf(line) : server.home
  const layer4 = server.level === 'stream-server'
  const option = (word: string) => options.find(candidate => words(candidate).includes(word))
  const off = (word: string) => () =>
    options.flatMap(candidate => candidate.args.filter(({value}) => value === word).map(({span}) => withoutWord(span, word)))
  const proxyLine = option('proxy_protocol')
  const oldHttp2 = option('http2')
  const http2 = inForce(server, 'http2', version, ([word]) => word === 'on')
  const tls = tlsOf(place, version, variables)
  return {
    address: argument?.value ?? '80',
    ...(port === undefined ? {} : {port}),
    span: line?.span ?? home,
    serverNames: namesOf(server).filter(name => name !== '' && name !== '_'),
    isDefault,
    chat: false,
    ...(tls ? {tls} : {}),
    proxyProtocol: setting({
      value: proxyLine !== undefined,
      directive: 'listen … proxy_protocol',
      text: proxyLine ? textOf(proxyLine) : line ? textOf(line) : 'listen 80',
      span: proxyLine?.span,
      home,
      put: argument => (argument === 'off' || argument === '' ? off('proxy_protocol')() : []),
    }),
    http2: oldHttp2
      ? setting({
          value: true,
          directive: 'listen … http2',
          text: textOf(oldHttp2),
          span: oldHttp2.span,
          home,
          put: argument => (argument === 'off' ? off('http2')() : []),
        })
      : http2,
    headerTimeout: inForce<number | undefined>(first, 'client_header_timeout', version, ([time = '']) => durationOf(time)),
    requestLine: inForce(first, 'large_client_header_buffers', version, ([, size = '']) => sizeOf(size) ?? 8192),
    layer4: setting({value: layer4, directive: layer4 ? 'stream' : 'http', text: layer4 ? 'stream' : 'http', home}),
    lenient: [inForce(first, 'ignore_invalid_headers', version, ([word]) => word === 'off')].filter(({value}) => value),
    forwardProxy: openTo(server, isDefault),
  }
}

/** The word with the space before it. */
function withoutWord(span: Argument['span'], word: string) {
  return {span: {...span, start: span.start - 1, column: span.column - 1}, text: '', why: `listen without ${word}`}
}

function tlsOf({server, options, line}: Place, version: string, variables: Variables): ListenerTls | undefined {
  const all = line ? [line, ...options] : options
  const speaks = all.some(candidate => words(candidate).some(word => word === 'ssl' || word === 'quic'))
  if (!speaks && server.holder('ssl')?.first('ssl')?.args[0]?.value !== 'on') return undefined
  const read = (name: string): Setting<string> | undefined =>
    server.holder(name) && inForce(server, name, version, ([word = '']) => textIn(variables.evaluate(word, EMPTY_MOMENT)) ?? word)
  const [certificate, key] = [read('ssl_certificate'), read('ssl_certificate_key')]
  // Which old versions the default of an older nginx offers is decided by OpenSSL's level of security.
  const versions = inForce<readonly string[]>(server, 'ssl_protocols', version, (protocols, own) =>
    own || !protocols.includes('TLSv1') ? protocols : [],
  )
  return {
    ...(certificate ? {certificate} : {}),
    ...(key ? {key} : {}),
    versions,
    ciphers: inForce(server, 'ssl_ciphers', version, ([list = '']) => list),
  }
}

const EMPTY_MOMENT = {
  request: {title: '', method: 'GET', path: '/', headers: {}},
  tls: true,
  uri: '/',
  args: '',
  variables: new Map(),
  captures: [],
  addressOfClient: false,
} as const

const CLIENTS_HOST = /^(?:https?|\$\{?\w+\}?):\/\/\$\{?(?:http_host|host|arg_\w+|http_\w+)\b|^https?:\/\/\$\{?request_uri\b/

/** A route to whatever host the client names; a server that only answers to its names asks no further than those. */
function openTo(server: Scope, isDefault: boolean): Setting<boolean> {
  const lines = allLines(server)
  const line = lines.find(({name, args}) => name === 'proxy_pass' && CLIENTS_HOST.test(args[0]?.value ?? ''))
  const ofHost = /:\/\/\$\{?(?:http_)?host\b/.test(line?.args[0]?.value ?? '')
  return setting({
    value: line !== undefined && (!ofHost || isDefault),
    directive: 'proxy_pass',
    text: line ? textOf(line) : 'no proxy_pass to the host of the client',
    span: line?.span,
    home: server.home,
  })
}

function allLines(scope: Scope): readonly Directive[] {
  const deep = (lines: readonly Directive[]): readonly Directive[] =>
    lines.flatMap(line => [line, ...(line.block ? deep(expanded(scope.config, line.block)) : [])])
  return deep(scope.lines)
}

/** Chat listeners first, in the order of the distinct sockets. */
export function inOrder(doors: readonly Door[], layout: Layout): readonly Door[] {
  const ranks = new Map<string, number>()
  const keyOf = ({file, start}: Argument['span']) => `${file}:${start}`
  const sockets = listenersOf(layout.http.config)
  sockets.forEach(({listens}, index) => listens.forEach(({span}) => ranks.set(keyOf(span), index)))
  const silent = sockets.findIndex(({silent: servers}) => servers.length > 0)
  const rank = ({line, listener}: Door) => {
    const own = line?.args[0]?.span
    const at = own ? ranks.get(keyOf(own)) : silent < 0 ? undefined : silent
    return (listener.chat ? 0 : 1e6) + (at ?? sockets.length)
  }
  return doors
    .map(door => ({door, rank: rank(door)}))
    .sort((a, b) => a.rank - b.rank)
    .map(({door}) => door)
}
