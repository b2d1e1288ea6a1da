import type {Span} from '../../model/bundle.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../import-foreign.ts'
import type {Listener, Site, Upstream, Way} from '../site.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {site as siteOf} from './site.ts'
import {locationsIn, namedLocation} from './site-match.ts'
import {expanded, layoutOf} from './site-scope.ts'
import type {Layout, Scope} from './site-scope.ts'
import {upstreamBlock, upstreamOf} from './site-upstreams.ts'
import {valueOf, Variables} from './site-values.ts'
import {walk} from './tree.ts'

/** A configuration as an import reads it. */
export interface Source {
  config: ParsedConfig
  version: string
  site: Site
  layout: Layout
  /** This tool has rendered it: what its text says is meant exactly so. */
  ours: boolean
  /** Servers that serve the chat, in order. */
  servers: readonly Scope[]
  /** Those that serve other sites, or send everything to https. */
  others: readonly Scope[]
  listenerOf(server: Scope): Listener | undefined
  upstream?: Upstream
  /** Absent when the route names one node directly. */
  nodesBlock?: Scope
  /** At the first chat listener. */
  poll: Way
  upload: Way
  webSocket: Way
  /** Comments of the entry file. */
  comments: readonly string[]
}

/** `undefined` when nobody listens. */
export function sourceOf(config: ParsedConfig, version: string): Source | undefined {
  const site = siteOf(config, version)
  const layout = layoutOf(config)
  const [first] = site.listeners
  if (!first) return undefined
  const nodesOfOurs = upstreamBlock(layout.http, 'gms_nodes')
  const ours =
    nodesOfOurs !== undefined &&
    table(layout, 'map', '$gms_upgrade_query') !== undefined &&
    layout.http.all('log_format').some(({args}) => args[0]?.value === 'gms_chat') &&
    layout.servers.some(server => namedLocation(server, '@gms_query') !== undefined)
  const listenerOf = (server: Scope) =>
    site.listeners.find(({span}) => [server.home, ...server.all('listen').map(line => line.span)].some(own => same(own, span)))
  const serves = (server: Scope) => (ours ? counters(server) === undefined : listenersOf(site, server).some(({chat}) => chat))
  const servers = layout.servers.filter(serves)
  const chat = site.listeners.find(own => own.chat) ?? first
  const poll = site.trace(chat, POLL)
  const ends = [poll, site.trace(chat, WEBSOCKET), site.trace(chat, UPLOAD)].flatMap(({end}) =>
    end.kind === 'upstream' ? [end.upstream] : [],
  )
  const upstream = ours ? upstreamOfOurs(servers, layout, config, version) : (ends[0] ?? site.upstreams[0])
  const block = ours ? nodesOfOurs : upstream && upstreamBlock(layout.http, upstream.name)
  return {
    config,
    version,
    site,
    layout,
    ours,
    servers,
    others: layout.servers.filter(server => !servers.includes(server)),
    listenerOf,
    ...(upstream ? {upstream} : {}),
    ...(block ? {nodesBlock: block} : {}),
    poll,
    upload: site.trace(chat, UPLOAD),
    webSocket: site.trace(chat, WEBSOCKET),
    comments: config.files.find(({path}) => path === config.bundle.entry)?.comments?.map(({text}) => text) ?? [],
  }
}

/** Where the locations of a rendered file lead; its paths need not be those of a chat. */
function upstreamOfOurs(servers: readonly Scope[], layout: Layout, config: ParsedConfig, version: string): Upstream | undefined {
  const scope = servers.flatMap(inside).find(own => own.has('proxy_pass'))
  const line = scope?.first('proxy_pass')
  if (!scope || !line) return undefined
  const variables = new Variables(
    config,
    layout.http,
    walk(config).map(({directive}) => directive),
  )
  const scheme = line.args[0]?.value.startsWith('https:') === true ? 'https' : 'http'
  const moment = {request: POLL, tls: false, uri: '/', args: '', variables: new Map(), captures: [], addressOfClient: false}
  return upstreamOf({line, scope, target: valueOf(`${scheme}://gms_nodes`), moment}, {http: layout.http, variables, version})
}

function listenersOf(site: Site, server: Scope): readonly Listener[] {
  const spans = [server.home, ...server.all('listen').map(line => line.span)]
  return site.listeners.filter(({span}) => spans.some(own => same(own, span)))
}

export function same(a: Span, b: Span): boolean {
  return a.file === b.file && a.start === b.start
}

/** A `map` or `geo` by the variable that it sets. */
export function table({http}: Layout, kind: 'map' | 'geo', variable: string): Directive | undefined {
  return http.all(kind).find(({args, block}) => block && args.at(-1)?.value === variable)
}

/** Key and value of every line of a `map` or `geo`. */
export function rowsOf(config: ParsedConfig, line: Directive | undefined): readonly {key: string; value: string; span: Span}[] {
  return expanded(config, line?.block ?? []).map(({name, args, span}) => ({
    key: name.replace(/^(["'])(.*)\1$/s, '$2'),
    value: args[0]?.value ?? '',
    span,
  }))
}

/** The line that serves the counters of nginx in a server. */
export function counters(server: Scope): Directive | undefined {
  return server.first('stub_status') ?? locationsIn(server).flatMap(({scope}) => scope.first('stub_status') ?? [])[0]
}

/** The line in force, and its first argument. */
export function lineOf(scope: Scope, name: string): {line: Directive; word: string; words: readonly string[]} | undefined {
  const line = scope.holder(name)?.first(name)
  if (!line) return undefined
  const words = line.args.map(({value}) => value)
  return {line, word: words[0] ?? '', words}
}

/** Every scope within a block, itself first: locations, and conditions in them. */
export function inside(scope: Scope): readonly Scope[] {
  return [scope, ...locationsIn(scope).flatMap(location => inside(location.scope))]
}
