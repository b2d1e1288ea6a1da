import type {Span} from '../../model/bundle.ts'
import {chatFirst} from '../chat-first.ts'
import type {ListenerAddress, NodeAddress} from '../proxy.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Placed} from './tree.ts'
import {isData, kindOf, startOf, walk} from './tree.ts'
import {namesIn, valuesOf} from './variables.ts'

/** One socket that nginx would open. `listens` are the arguments that name it; empty for a server without `listen` (nginx then takes port 80). */
export interface Listener extends ListenerAddress {
  listens: readonly Argument[]
  /** Servers without `listen` that end up on this socket. */
  silent: readonly Directive[]
}

/** A place that names a node: `scheme` is part of the span when it must change with it. */
export interface NodePlace extends NodeAddress {
  /** As it is written; it may be a variable. */
  scheme?: string
  /** It belongs to other paths than those of GMS. */
  foreign: boolean
}

const GMS_PATH = /cometd|chat-ntf|genesys/i
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+|<[^<>\s]+>)(?::(?:\d+|<[^<>\s]+>))?$/

/** What a target may begin with; the scheme of the request may decide. */
export const SCHEME = /^(?:(?:https?|grpcs?|s?uwsgi):\/\/|\$(?:\{\w+\}|\w+):\/\/)/i

/** Other protocols than HTTP: never GMS. */
const OTHER_PASS = /^(?:fastcgi|uwsgi|scgi|memcached|grpc)_pass$/

const inside = ({around}: Placed, name: string) => around.some(block => block.name === name)

/** Distinct sockets of the configuration, that of the chat first. */
export function listenersOf(config: ParsedConfig): readonly Listener[] {
  const places = walk(config)
  const servers = places.filter(
    ({directive, around}) => directive.name === 'server' && directive.block && around.at(-1)?.name !== 'upstream',
  )
  const found = new Map<string, Listener & {serves: number}>()
  const belongings = new Map<Directive, Placed[]>(servers.map(({directive}) => [directive, []]))
  const lines = new Map<Directive | undefined, Directive[]>()
  const lists = new Map<string, {listens: Argument[]; silent: Directive[]}>()
  for (const place of places) {
    for (const block of place.around) belongings.get(block)?.push(place)
    const parent = place.around.at(-1)
    const known = lines.get(parent)
    if (known) known.push(place.directive)
    else lines.set(parent, [place.directive])
  }
  for (const {directive: server, around} of servers) {
    const own = belongings.get(server) ?? []
    const name = own
      .filter(({directive, around: blocks}) => directive.name === 'server_name' && blocks.at(-1) === server)
      .flatMap(({directive}) => directive.args)
      .find(({value}) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(value))?.value
    const listens = own.filter(({directive, around: blocks}) => directive.name === 'listen' && blocks.at(-1) === server)
    const base = around.some(({name: block}) => block === 'stream' || block === 'mail') ? -4 : 0
    const proxies = own.some(({directive}) => directive.name === 'proxy_pass') ? 2 : 0
    const chat = own.some(({directive}) => directive.name === 'location' && directive.args.some(({value}) => GMS_PATH.test(value))) ? 4 : 0
    const says = (directive: string, value: RegExp) =>
      [undefined, server, ...around].some(block =>
        lines.get(block)?.some(({name: line, args: [first]}) => line === directive && value.test(first?.value ?? '')),
      )
    const speaksTls = ({args}: Directive) => args.slice(1).some(({value}) => value === 'ssl' || value === 'quic') || says('ssl', /^on$/)
    const meansTls =
      own.some(({directive, around: blocks}) => directive.name === 'ssl_certificate' && blocks.at(-1) === server) &&
      !listens.some(({directive}) => speaksTls(directive))
    const serves = base + proxies + chat
    const add = (address: string, tls: boolean, span: Span, listen?: Argument, announced = false) => {
      const key = keyOf(address)
      const known = found.get(key)
      const better = !known || serves > known.serves
      // Lists that grow: one socket may have thousands of servers.
      const members = lists.get(key) ?? {listens: [], silent: []}
      lists.set(key, members)
      if (listen) members.listens.push(listen)
      else members.silent.push(server)
      found.set(key, {
        address: known?.address ?? address,
        tls: tls || (known?.tls ?? false),
        span: known?.span ?? span,
        serves: Math.max(serves, known?.serves ?? serves),
        ...members,
        ...(better && name !== undefined ? {serverName: name} : known?.serverName === undefined ? {} : {serverName: known.serverName}),
        ...(meansTls || known?.meansTls ? {meansTls: true} : {}),
        ...((tls && says('ssl_verify_client', /^on$/)) || known?.demandsCertificate ? {demandsCertificate: true} : {}),
        ...(announced || known?.proxyProtocol ? {proxyProtocol: true} : {}),
      })
    }
    for (const {directive} of listens) {
      const [address] = directive.args
      if (address) add(address.value, speaksTls(directive), address.span, address, isAnnounced(directive))
    }
    if (listens.length === 0 && base === 0) add('80', false, server.nameSpan)
  }
  // The part of a `server {}` that a fragment is: its lines stand in no block.
  const loose = places.filter(place => place.directive.name === 'listen' && place.around.at(-1)?.name !== 'server' && !isData(place))
  for (const {directive} of loose) {
    const [address, ...options] = directive.args
    if (!address) continue
    const known = found.get(keyOf(address.value))
    const tls = options.some(({value}) => value === 'ssl' || value === 'quic')
    found.set(keyOf(address.value), {
      ...(known ?? {address: address.value, span: address.span, serves: 0, silent: []}),
      tls: tls || (known?.tls ?? false),
      ...(isAnnounced(directive) || known?.proxyProtocol ? {proxyProtocol: true} : {}),
      listens: [...(known?.listens ?? []), address],
    })
  }
  if (found.size === 0 && kindOf(config) === 'server') return [{address: '80', tls: false, span: startOf(config), listens: [], silent: []}]
  return chatFirst([...found.values()]).map(({serves: _, ...listener}) => listener)
}

/** `listen … proxy_protocol`: it holds for the socket, whichever of its servers says so. */
export function isAnnounced({args}: Directive): boolean {
  return args.slice(1).some(({value}) => value === 'proxy_protocol')
}

/** `80`, `*:80` and `0.0.0.0:80` are one socket. */
function keyOf(address: string): string {
  if (address.startsWith('unix:')) return address
  if (/^\d+$/.test(address)) return `*:${address}`
  const lower = address.toLowerCase().replace(/^0\.0\.0\.0(?=:|$)/, '*')
  return /:\d+(-\d+)?$/.test(lower) && !/^\[[^\]]*$/.test(lower) ? lower : `${lower}:80`
}

/**
 * Every place that names the address of a server behind nginx: `server` in an upstream, `proxy_pass`, and values of variables that a
 * `proxy_pass` uses. Where the file names paths of GMS, only what those lead to are nodes; the rest is `foreign`.
 */
export function nodePlaces(config: ParsedConfig): readonly NodePlace[] {
  const places = walk(config).filter(place => !inside(place, 'mail'))
  const byBlock = new Map<Directive | undefined, Directive[]>()
  for (const {directive, around} of places) {
    const lines = byBlock.get(around.at(-1))
    if (lines) lines.push(directive)
    else byBlock.set(around.at(-1), [directive])
  }
  const named = (block: Directive | undefined, name: string) => (byBlock.get(block) ?? []).filter(line => line.name === name)
  const upstreams = new Map<string, readonly Directive[]>()
  for (const {directive, around} of places) {
    const [name] = directive.args
    if (directive.name === 'upstream' && directive.block && name) upstreams.set(upstreamKey(name.value, around), named(directive, 'server'))
  }
  const passes = places.filter(place => place.directive.name === 'proxy_pass' && !isData(place))
  const underGms = (place: Placed) =>
    place.around.some(block => block.name === 'location' && block.args.some(({value}) => GMS_PATH.test(value)))
  const chatPasses = passes.some(underGms) ? passes.filter(underGms) : passes
  const found: NodePlace[] = []
  const seen = new Set<string>()
  const record = (
    argument: Argument,
    {foreign, tls, followed = false}: {foreign: boolean; tls?: NodeAddress['tls']; followed?: boolean},
  ) => {
    const id = `${argument.span.file}:${argument.span.start}`
    if (seen.has(id)) return
    seen.add(id)
    const place = addressIn(argument)
    if (place) found.push({...place, foreign, ...(tls ? {tls} : {}), ...(followed && !isAddress(place.address) ? {followed} : {})})
  }
  const follow = (
    argument: Argument | undefined,
    around: readonly Directive[],
    foreign: boolean,
    outer?: NodeAddress['tls'],
    depth = 0,
  ): void => {
    if (!argument || depth > 4) return
    const scheme = SCHEME.exec(argument.value)?.[0] ?? ''
    const target = argument.value.slice(scheme.length)
    const name = target.replace(/[/?$].*$/, '')
    const upstream = upstreams.get(upstreamKey(name, around))
    const tls = scheme === '' ? outer : isTls(scheme) ? tlsOf(around, upstream ? name : undefined) : undefined
    if (upstream) {
      for (const server of upstream)
        if (server.args[0]) record(server.args[0], {foreign, tls, followed: server.args.some(({value}) => value === 'resolve')})
      return
    }
    for (const variable of namesIn(scheme + target))
      for (const value of valuesOf(`$${variable}`, places, config) ?? []) follow(value, around, foreign, tls, depth + 1)
    if (!target.startsWith('$')) record(argument, {foreign, tls, followed: depth > 0})
  }
  const isTls = (scheme: string): boolean => {
    if (!scheme.startsWith('$')) return /^https:/i.test(scheme)
    const [variable = ''] = namesIn(scheme)
    if (variable === 'scheme') return listenersOf(config)[0]?.tls ?? false
    return (valuesOf(`$${variable}`, places, config) ?? []).some(({value}) => /^https$/i.test(value))
  }
  /** An upstream that has the name of a host is named so for its certificate; `gms_nodes` is no such name. */
  const tlsOf = (around: readonly Directive[], upstream: string | undefined): NodeAddress['tls'] => {
    const written = [undefined, ...around].flatMap(block => named(block, 'proxy_ssl_name')).at(-1)?.args[0]?.value
    const serverName = written ?? (upstream?.includes('.') === true ? upstream : undefined)
    return serverName === undefined || serverName.includes('$') ? {} : {serverName: serverName.replace(/:\d+$/, '')}
  }
  for (const {directive, around} of chatPasses) follow(directive.args[0], around, false)
  for (const {directive, around} of passes) follow(directive.args[0], around, true)
  for (const place of places)
    if (OTHER_PASS.test(place.directive.name) && !isData(place)) follow(place.directive.args[0], place.around, true)
  for (const servers of upstreams.values())
    for (const server of servers) if (server.args[0]) record(server.args[0], {foreign: chatPasses.length > 0})
  const order = new Map(config.files.map(({path}, index) => [path, index * 1e9]))
  const at = ({span: {file, start}}: NodePlace) => (order.get(file) ?? 0) + start
  return found.sort((a, b) => at(a) - at(b))
}

/**
 * Ports behind a variable that holds hosts without one (`proxy_pass http://$gms:8080`), with the places of these hosts: when a host moves and
 * brings its port, the one behind it has to go.
 */
export function portsBehindHosts(config: ParsedConfig): readonly {port: Span; hosts: readonly Span[]}[] {
  const places = walk(config)
  return places.flatMap(place => {
    const [argument] = place.directive.args
    if (place.directive.name !== 'proxy_pass' || isData(place) || !argument) return []
    const [, before = '', braced, plain = '', port = ''] =
      /^((?:https?:\/\/)?\$(?:\{(\w+)\}|(\w+)))(:\d+)(?=[/?]|$)/i.exec(argument.value) ?? []
    const offset = argument.quote === undefined ? 0 : 1
    if (port === '' || !argument.raw.startsWith(before + port, offset)) return []
    const hosts = (valuesOf(`$${braced ?? plain}`, places, config) ?? []).map(value => addressIn(value))
    if (hosts.length === 0 || hosts.some(host => !host || /:\d+$/.test(host.address))) return []
    const start = argument.span.start + offset + before.length
    const span = {...argument.span, start, end: start + port.length, column: argument.span.column + offset + before.length}
    return [{port: span, hosts: hosts.flatMap(host => host?.span ?? [])}]
  })
}

/** Of four numbers, in brackets, or a socket of this machine: there is nothing to look up. */
function isAddress(address: string): boolean {
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}(?::|$)|\[|unix:)/.test(address)
}

/** Every argument that names a name server, but those that are there to find an OCSP responder: no node name is followed beside them. */
export function nameServersOf(config: ParsedConfig): readonly Span[] {
  const places = walk(config)
  const staples = places.some(({directive: {name, args}}) => name === 'ssl_stapling' && args[0]?.value === 'on')
  if (staples && !nodePlaces(config).some(({followed}) => followed)) return []
  return places
    .filter(place => place.directive.name === 'resolver' && !isData(place))
    .flatMap(({directive}) => nameServerArguments(directive).map(({span}) => span))
}

/** The arguments of `resolver` that are addresses. */
export function nameServerArguments({args}: Directive): readonly Argument[] {
  return args.filter(({value}) => !/^(?:valid|ipv4|ipv6|status_zone)=/.test(value))
}

/** `stream` has upstreams of its own. */
function upstreamKey(name: string, around: readonly Directive[]): string {
  return `${around[0]?.name === 'stream' ? 'stream' : 'http'} ${name.toLowerCase()}`
}

/** The address inside an argument such as `https://gms1:8080/path`, with the span of just it (and of its scheme). */
export function addressIn(argument: Argument): Omit<NodePlace, 'foreign'> | undefined {
  const scheme = SCHEME.exec(argument.value)?.[0]
  const [address] = /^(?:unix:[^:]+(?=:|$)|[^/?$]+)/i.exec(argument.value.slice(scheme?.length ?? 0)) ?? []
  if (address === undefined || !(HOST_AND_PORT.test(address) || address.startsWith('unix:'))) return undefined
  const offset = argument.quote === undefined ? 0 : 1
  if (!argument.raw.startsWith((scheme ?? '') + address, offset)) return undefined
  const start = argument.span.start + offset
  const span = {...argument.span, start, end: start + (scheme ?? '').length + address.length, column: argument.span.column + offset}
  return {address, span, ...(scheme === undefined ? {} : {scheme: scheme.toLowerCase()})}
}
