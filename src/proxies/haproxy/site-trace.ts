import type {Span} from '../../model/bundle.ts'
import type {End, Listener, Request, SentHeader, Setting, Upstream, Way} from '../site.ts'
import type {Exchange} from './exchange.ts'
import {responsesOf} from './responses.ts'
import {addForwarded, sentHeader} from './site-headers.ts'
import {limitsOf} from './site-limits.ts'
import {layer4Of} from './site-listeners.ts'
import type {Entrance} from './site-listeners.ts'
import {logsOf} from './site-logs.ts'
import {goesAnywhere, lowersUpgrades, nodeLines, plainHttp, speaksHttp2, valueSetting, wordsOfServer} from './site-nodes.ts'
import {timeoutsOf} from './site-timeouts.ts'
import {applies, ruleOf, rulesOf} from './rule-lines.ts'
import {follow, redirectOf} from './rules.ts'
import type {Notes, Verdict} from './rules.ts'
import {format} from './expressions.ts'
import {PEER, textOf} from './sample.ts'
import type {Line, Section, Sections} from './sections.ts'
import {all, inForce} from './sections.ts'
import type {Settings} from './settings.ts'

/** Everything that following a request needs to know of a configuration. */
export interface Model {
  version: string
  sections: Sections
  settings: Settings
  entrances: readonly Entrance[]
  upstreamOf(section: Section): Upstream
  fileText(path: string): string | undefined
}

/** Follows one request through the sections, as HAProxy evaluates them (manual, chapter 4.2, "http-request"). */
export function traceOf(model: Model): (listener: Listener, request: Request) => Way {
  return (listener, request) => {
    const entrance = entranceOf(model, listener)
    return entrance ? wayOf(model, walk(model, entrance, listener, request)) : nowhere(listener, request, model)
  }
}

/** Where a request ends, and nothing else of its way. */
export function endOf(model: Model, listener: Listener, request: Request): End {
  const entrance = entranceOf(model, listener)
  return entrance ? walk(model, entrance, listener, request).end : nowhere(listener, request, model).end
}

function entranceOf({entrances}: Model, {address, span}: Listener): Entrance | undefined {
  return entrances.find(({listener: own}) => own.address === address && own.span.start === span.start && own.span.file === span.file)
}

function walk(model: Model, entrance: Entrance, listener: Listener, request: Request): Walked {
  const {settings} = model
  const {frontend} = entrance
  const exchange = start(model, entrance, listener, request)
  const notes: Notes = {bodyLimits: [], countLimits: [], timeouts: new Map(), tracked: new Map(), restricted: []}
  const route: Span[] = [frontend.header]
  const layer4 = listener.layer4.value
  const found = through(frontend, exchange, notes, layer4) ?? choose(model, frontend, exchange)
  let backend: Section | undefined
  let verdict: Verdict | undefined
  let target: Line | undefined
  if ('kind' in found) verdict = found
  else {
    backend = found.section
    target = found.line
    if (found.line) route.push(found.line.directive.span)
    if (backend !== frontend) {
      route.push(backend.header)
      exchange.section = backend
      verdict = through(backend, exchange, notes, layer4 && layer4Of(backend, settings).value)
    }
  }
  if (verdict) route.push(verdict.span)
  if (backend && !verdict && !layer4) addForwarded(exchange, frontend, backend, model.version)
  const end = verdict ?? endAt(model, frontend, backend, target, exchange)
  const tcp = layer4 && (backend === undefined || layer4Of(backend, settings).value)
  return {request, listener, frontend, backend, end, route, exchange, notes, layer4: tcp}
}

/** What becomes of a stranger's GET: what ends it, and whether only some are let through. */
export function visitOf(model: Model): (entrance: Entrance, path: string) => {verdict: Verdict | undefined; guarded: boolean} {
  return (entrance, path) => {
    const {frontend, listener} = entrance
    const exchange = start(model, entrance, listener, {
      title: 'a visit',
      method: 'GET',
      ...splitQuery(path),
      headers: {},
    })
    const notes: Notes = {bodyLimits: [], countLimits: [], timeouts: new Map(), tracked: new Map(), restricted: []}
    let verdict = listener.layer4.value ? undefined : through(frontend, exchange, notes, false)
    if (!verdict && !listener.layer4.value) {
      const found = choose(model, frontend, exchange)
      if ('kind' in found) verdict = found
      else if (found.section !== frontend) {
        exchange.section = found.section
        verdict = through(found.section, exchange, notes, false)
      }
    }
    return {verdict, guarded: notes.credentials !== undefined || notes.restricted.length > 0}
  }
}

function splitQuery(target: string): Pick<Request, 'path' | 'query'> {
  const [path = '', query] = target.split('?')
  return {path, ...(query === undefined ? {} : {query})}
}

function start(model: Model, {frontend, name}: Entrance, listener: Listener, request: Request): Exchange {
  const [known] = listener.serverNames
  const host = request.host ?? request.headers['host'] ?? known
  return {
    request,
    method: request.method,
    path: request.path,
    query: request.query,
    host: host ?? 'chat.invalid',
    hostKnown: host !== undefined,
    headers: new Map(),
    variables: new Map(),
    peer: {is: 'address', text: PEER, from: 'peer', exact: false, touches: new Set(['peer'])},
    listener: {
      tls: listener.tls !== undefined,
      ...(listener.port === undefined ? {} : {port: listener.port}),
      ...(name === undefined ? {} : {name}),
      frontend: frontend.name,
    },
    section: frontend,
    supposed: {body: Number(request.headers['content-length'] ?? 0) || 0, counted: 0},
    nodesOf: backend => {
      const section = model.sections.proxies.find(({name: own, kind}) => own === backend && kind !== 'frontend')
      return section ? nodeLines(section).length : 0
    },
    fileText: model.fileText,
  }
}

/** Rules of one section, in the order of their phases. */
function through(section: Section, exchange: Exchange, notes: Notes, layer4: boolean): Verdict | undefined {
  const phase = (first: string, ...words: readonly string[]) => follow(rulesOf(section, first, ...words), exchange, notes)
  const early = phase('tcp-request', 'connection') ?? phase('tcp-request', 'session') ?? phase('tcp-request', 'content')
  if (early || layer4) return early
  const monitor = inForce(section, 'monitor-uri')
  if (monitor && monitor.words[1] === exchange.path) return {kind: 'answer', status: 200, of: 'return', span: monitor.directive.span}
  return phase('http-request') ?? statistics(section, exchange) ?? redirects(section, exchange)
}

/** The page of counters: whatever begins with its path. */
function statistics(section: Section, exchange: Exchange): Verdict | undefined {
  const line = inForce(section, 'stats', 'uri')
  const enabled = line ?? inForce(section, 'stats', 'enable')
  const path = line?.words[2] ?? '/haproxy'
  const {path: asked, query} = exchange
  const target = asked === undefined ? undefined : asked + (query === undefined ? '' : `?${query}`)
  return enabled && target?.startsWith(path) ? {kind: 'answer', status: 200, of: 'files', span: enabled.directive.span} : undefined
}

function redirects(section: Section, exchange: Exchange): Verdict | undefined {
  for (const line of all(section, 'redirect')) {
    const rule = ruleOf(line, 0)
    const {value, because} = applies(rule, exchange)
    if (value === true) return redirectOf(rule.arguments, exchange, line.directive.span)
    if (value === undefined) return {kind: 'unknown', because: because ?? 'its condition is not followed', span: line.directive.span}
  }
  return undefined
}

/** `use_backend` lines in their order, then `default_backend`; a `listen` section keeps what no line sends elsewhere. */
function choose(model: Model, frontend: Section, exchange: Exchange): Verdict | {section: Section; line?: Line} {
  const backend = (name: string) => model.sections.proxies.findLast(({name: own, kind}) => own === name && kind !== 'frontend')
  const conditional = all(frontend, 'use_backend')
  for (const line of conditional) {
    const held = applies(ruleOf(line, 1), exchange)
    if (held.value === false) continue
    if (held.value === undefined)
      return {kind: 'unknown', because: held.because ?? 'its condition is not followed', span: line.directive.span}
    const name = textOf(format(line.words[1] ?? '', exchange))
    if (name === undefined || line.unclear)
      return {kind: 'unknown', because: `${line.words[1] ?? ''} is not followed`, span: line.directive.span}
    const section = backend(name)
    if (section) return {section, line}
    // a name that is made up for each request may lead nowhere: the next line is asked
    if (!line.words[1]?.includes('%')) return {kind: 'answer', status: 503, of: 'no-handler', span: line.directive.span}
  }
  const otherwise = inForce(frontend, 'default_backend')
  const section = otherwise && backend(otherwise.words[1] ?? '')
  if (otherwise && section) return {section, line: otherwise}
  if (otherwise) return {kind: 'answer', status: 503, of: 'no-handler', span: otherwise.directive.span}
  if (frontend.kind !== 'frontend') return {section: frontend}
  // a fragment's frontend may be completed elsewhere; in a whole file nothing answers
  return {kind: 'answer', status: 503, of: 'no-route', span: frontend.header}
}

function endAt(model: Model, frontend: Section, backend: Section | undefined, line: Line | undefined, exchange: Exchange): End {
  const {settings} = model
  const section = backend ?? frontend
  const lines = nodeLines(section)
  const proxied = inForce(section, 'option', 'http_proxy') ?? inForce(section, 'option', 'transparent') ?? inForce(section, 'transparent')
  if (lines.length === 0)
    return proxied
      ? {kind: 'unknown', because: 'the request says where it goes', span: proxied.directive.span}
      : {kind: 'answer', status: 503, of: 'no-handler', span: section.header}
  if (lines.every(goesAnywhere))
    return {kind: 'unknown', because: 'the request says where it goes', span: lines[0]?.directive.span ?? section.header}
  const upstream = model.upstreamOf(section)
  const span = line?.directive.span ?? section.header
  return {
    kind: 'upstream',
    upstream,
    tls: upstream.nodes.some(({tls}) => tls !== undefined),
    ...(exchange.path === undefined ? {} : {path: exchange.path}),
    span,
    target: line
      ? settings.written(upstream.name, line.words[0] ?? '', line, 1, line.section, 1)
      : settings.fixed(upstream.name, section.kind === '' ? 'server' : section.kind, upstream.name, section.header, section.header),
  }
}

interface Walked {
  request: Request
  listener: Listener
  frontend: Section
  backend: Section | undefined
  end: End
  route: readonly Span[]
  exchange: Exchange
  notes: Notes
  layer4: boolean
}

function wayOf(model: Model, {request, listener, frontend, backend, end, route, exchange, notes, layer4}: Walked): Way {
  const {settings, version} = model
  const home = backend ?? frontend
  const flags = (value: boolean, directive: string, text: string): Setting<boolean> => settings.fixed(value, directive, text, home.header)
  const isUpgrade = request.headers['upgrade'] !== undefined
  return {
    request,
    listener,
    end,
    route,
    sent: (name): SentHeader => sentHeader(name.toLowerCase(), {exchange, frontend, backend: home, layer4, version}, settings),
    httpVersion: httpVersionOf(home, isUpgrade, version, settings),
    tunnels: flags(true, 'mode', layer4 ? 'mode tcp' : 'mode http'),
    ...timeoutsOf({frontend, backend, layer4, notes, version}, settings),
    ...limitsOf({frontend, backend: home, exchange, notes, sections: model.sections}, settings),
    ...responsesOf({frontend, backend: home, exchange, layer4, notes, sections: model.sections}, settings),
    buffered: flags(false, 'mode', 'answers are passed on as they come'),
    credentials: notes.credentials
      ? settings.fixed(true, 'http-request auth', settings.textOf(notes.credentials), home.header, notes.credentials.directive.span)
      : flags(false, 'http-request auth', 'no http-request auth'),
    retriesPost: retriesOf(home, layer4, notes, settings),
    logs: logsOf(frontend, model.sections, settings),
  }
}

/** HTTP/2 when nodes are asked for it; a WebSocket then goes over HTTP/1.1 where the node offers both, unless `ws h2` is said (since 2.5). */
function httpVersionOf(section: Section, isUpgrade: boolean, version: string, settings: Settings): Setting<string> {
  const [line] = nodeLines(section)
  const words = line ? wordsOfServer(line) : []
  const tls = words.some(({word}) => word === 'ssl')
  const h2 = speaksHttp2(words, tls)
  if (!h2) return settings.fixed('1.1', 'proto', 'HTTP/1.1', section.header)
  const setting = valueSetting(isUpgrade && lowersUpgrades(words, h2, version) ? '1.1' : '2', h2, settings)
  return {...setting, put: argument => plainHttp(h2, setting, argument)}
}

/** Requests that a node has seen are sent again only where `retry-on` says so; the default, `conn-failure`, is before anything was sent. */
function retriesOf(section: Section, layer4: boolean, {noRetry}: Notes, settings: Settings): Setting<boolean> {
  const line = inForce(section, 'retry-on')
  if (!line || layer4) return settings.missing(false, 'retry-on', 'retry-on conn-failure', section)
  const harmless = ['none', 'conn-failure', '0rtt-rejected']
  const retries = inForce(section, 'retries')?.words[1]
  const again = line.words.slice(1).some(word => !harmless.includes(word)) && retries !== '0' && noRetry === undefined
  return settings.written(again, 'retry-on', line, 1, section)
}

/** A listener that is not of this configuration. */
function nowhere(listener: Listener, request: Request, model: Model): Way {
  const section: Section = {kind: 'frontend', name: '', header: listener.span, own: []}
  const exchange = start(model, {listener, frontend: section}, listener, request)
  const notes: Notes = {bodyLimits: [], countLimits: [], timeouts: new Map(), tracked: new Map(), restricted: []}
  const end: End = {kind: 'unknown', because: 'the listener is not one of this configuration', span: listener.span}
  return wayOf(model, {request, listener, frontend: section, backend: undefined, end, route: [], exchange, notes, layer4: false})
}
