import type {Span} from '../../model/bundle.ts'
import type {Listener, Request, Setting, Upstream, Way} from '../site.ts'
import type {Access} from './site-access.ts'
import {accessOf} from './site-access.ts'
import {endOf, switches} from './site-end.ts'
import type {Exchange, HeaderState} from './site-exchange.ts'
import {bodyBuffer, bodyLimit, cached, credentials, errorsReplaced, filtered, httpVersion, redirectsTranslated} from './site-facts.ts'
import type {HeaderLine} from './site-headers.ts'
import {answerLines, applyEnvironment, applyHeaders, conditionHolds, sentHeader} from './site-headers.ts'
import {inSections, lead} from './site-lead.ts'
import type {Line} from './site-lines.ts'
import {logsOf} from './site-logs.ts'
import type {Led, Passage, Reached} from './site-passage.ts'
import {NOWHERE, SET_ENV} from './site-passage.ts'
import {mergedLines} from './site-routes.ts'
import type {Door, Server} from './site-servers.ts'
import {all, find, serverFor} from './site-servers.ts'
import {flag} from './site-settings.ts'
import {answerTimeout, connectTimeout, idleTimeout, timeoutOf, wholeBodyTimeout} from './site-timeouts.ts'
import type {Surroundings} from './site-upstreams.ts'
import {balancedUpstream, singleUpstream} from './site-upstreams.ts'
import type {Worker, Workers} from './site-workers.ts'
import {balancerFor, targetOf, workerFor, workersOf} from './site-workers.ts'

/** A listener of the model with what stands behind it. */
export interface Entrance {
  listener: Listener
  door: Door
  server: Server
}

/** Follows requests through one configuration. Upstreams are made once each. */
export class Tracer {
  private readonly upstreams = new Map<string, Upstream>()
  private readonly workers = new Map<Server, Workers>()
  /** Rules ask about the same few requests again and again. */
  private readonly ways = new WeakMap<Request, Map<Listener, Way>>()
  private indexed: {entrances: readonly Entrance[]; byServer: ReadonlyMap<Server, readonly Entrance[]>} | undefined

  constructor(
    private readonly around: Omit<Surroundings, 'server'>,
    private readonly entrances: () => readonly Entrance[],
  ) {}

  private workersOf(server: Server): Workers {
    const known = this.workers.get(server)
    if (known) return known
    const made = workersOf(server)
    this.workers.set(server, made)
    return made
  }

  trace(entrance: Entrance, request: Request): Way {
    const known = this.ways.get(request) ?? new Map<Listener, Way>()
    this.ways.set(request, known)
    const way = known.get(entrance.listener) ?? this.follow(entrance, request)
    known.set(entrance.listener, way)
    return way
  }

  private follow(entrance: Entrance, request: Request): Way {
    const host = request.host ?? entrance.listener.serverNames.find(name => !/[*?]/.test(name))
    const server = host === undefined ? entrance.server : serverFor(entrance.door, host)
    const listener = this.listenerOf(server, entrance.door) ?? entrance.listener
    const around = {...this.around, server}
    const exchange = arriving({...request, ...(host === undefined ? {} : {host})}, listener, server, entrance.door)
    const passage: Passage = {around, server, listener, exchange, route: [], touched: new Map(), section: {lines: [], doubtful: []}}
    return journey(passage, ({url, line}) => (url === undefined ? undefined : this.upstreamOf(url, line, around)))
  }

  private listenerOf(server: Server, door: Door): Listener | undefined {
    const entrances = this.entrances()
    if (this.indexed?.entrances !== entrances) {
      const byServer = new Map<Server, Entrance[]>()
      for (const entrance of entrances) byServer.set(entrance.server, [...(byServer.get(entrance.server) ?? []), entrance])
      this.indexed = {entrances, byServer}
    }
    return this.indexed.byServer.get(server)?.find(other => other.door === door)?.listener
  }

  private upstreamOf(url: string, line: Line, around: Surroundings): Reached | undefined {
    const target = targetOf(url)
    if (!target) return undefined
    const workers = this.workersOf(around.server)
    if (target.scheme === 'balancer') {
      const balancer = balancerFor(workers, url)
      const placeholder = {name: `balancer://${target.host}`, line, members: [], parameters: new Map()}
      const found = balancer ?? placeholder
      const upstream = this.keep(`${found.name} ${found.line.directive.span.file}:${found.line.directive.span.start}`, () =>
        balancedUpstream(found, around),
      )
      const worker = found.members[0] ?? {target, url, line, parameters: new Map(), shared: true}
      return {upstream, worker, target, balancer: found}
    }
    const worker = workerFor(workers, url, target, line)
    const {file, start} = worker.line.directive.span
    return {upstream: this.keep(`${worker.target.authority} ${file}:${start}`, () => singleUpstream(worker, around)), worker, target}
  }

  private keep(key: string, make: () => Upstream): Upstream {
    const known = this.upstreams.get(key)
    if (known) return known
    const made = make()
    this.upstreams.set(key, made)
    return made
  }
}

/** A request as it comes in: its headers are the client's, its environment is empty. */
function arriving(request: Request, listener: Listener, server: Server, {port}: Door): Exchange {
  const headers = new Map<string, HeaderState>(
    Object.entries(request.headers).map(([name, sends]) => [name.toLowerCase(), {source: 'client', sends}]),
  )
  const standard = listener.tls ? 443 : 80
  const host = request.host ?? 'localhost'
  headers.set('host', {source: 'client', sends: /:\d+$/.test(host) || port === undefined || port === standard ? host : `${host}:${port}`})
  return {
    request,
    server,
    tls: listener.tls !== undefined,
    ...(port === undefined ? {} : {port}),
    uri: request.path.replace(/\/{2,}/g, '/'),
    query: request.query ?? '',
    headers,
    env: new Map(),
  }
}

/** Follows a request as far as it gets. */
function journey(passage: Passage, reach: (led: Led) => Reached | undefined): Way {
  const {exchange, server} = passage
  // before anything looks at the path
  applyHeaders(all(server, 'RequestHeader'), exchange, passage.touched, true)
  applyEnvironment(
    [...all(server, ...SET_ENV)].sort((a, b) => a.order - b.order),
    exchange,
    false,
  )
  const led = lead(passage)
  const proxied = led.url
  passage.section = mergedLines(server, exchange, proxied)
  const final = inSections(passage, led)
  const access = accessOf(passage.section.lines, exchange)
  applyEnvironment(passage.section.lines, exchange, false)
  applyEnvironment([...all(server, ...SET_ENV), ...passage.section.lines], exchange, true)
  applyHeaders(
    [...all(server, 'RequestHeader'), ...passage.section.lines.filter(({name}) => name === 'requestheader')],
    exchange,
    passage.touched,
    false,
  )
  return arrive(passage, final, access, final.url === undefined ? undefined : reach(final))
}

/** Everything about a way, its end included. */
function arrive(passage: Passage, led: Led, access: Access, found: Reached | undefined): Way {
  const {around, server, listener, exchange, section} = passage
  const {settings, version, modules} = around
  const home = settings.homeOf(server)
  const placeOf = (line: Line): Span => (line === NOWHERE ? home : line.directive.span)
  const sectionLine = (name: string) => section.lines.findLast(line => line.name === name.toLowerCase()) ?? find(server, name)
  const switchable = (name: string, fallback: boolean, text: string): Setting<boolean> => {
    const line = sectionLine(name)
    const value = line && !line.unknown ? flag(line.values) : undefined
    return line && value !== undefined ? settings.written(server, line, value, 0) : settings.missing(server, name, fallback, text)
  }

  // Whichever member of a balancer gets the upgrade has to take it.
  const refuses = found && (found.balancer?.members ?? [found.worker]).find(member => !switches(passage, member, exchange))
  const tunnels = found !== undefined && refuses === undefined
  const worker: Worker = found?.worker ?? {
    target: {scheme: 'http', host: '', authority: '', path: ''},
    url: '',
    line: led.line,
    parameters: new Map(),
    shared: true,
  }
  const preserveHost = switchable('ProxyPreserveHost', false, 'ProxyPreserveHost Off')
  const noKeepAlive = exchange.env.has('proxy-nokeepalive')
  const keepsAlive = found?.upstream.keepAlive.value === true && !noKeepAlive
  // mod_proxy_balancer says which node it chose, and whether that is another one
  if (found?.balancer) for (const name of BALANCER_VARIABLES) exchange.env.set(name, undefined)
  const end = endOf(passage, led, found, access, placeOf)
  const answers = answerLines(server, section.lines)
  const inForce = (header: HeaderLine) => conditionHolds(header.condition, exchange) !== false
  const switching = refuses ?? worker
  const upgradeParameter = switching.parameters.get('upgrade')
  return {
    request: exchange.request,
    listener,
    end,
    route: [...(server.section ? [home] : []), ...passage.route.map(({directive}) => directive.span)],
    sent: name =>
      sentHeader(name.toLowerCase(), {
        exchange,
        settings,
        server,
        touched: passage.touched,
        section: section.lines,
        preserveHost,
        switches: tunnels,
        route: led.line === NOWHERE ? worker.line : led.line,
        ...(found ? {node: found.worker.target.authority} : {}),
        keepsAlive,
      }),
    httpVersion: httpVersion(passage, worker, found?.balancer),
    tunnels: upgradeParameter
      ? settings.parameter(upgradeParameter.line, 'upgrade', tunnels, '')
      : worker.shared
        ? {
            ...settings.fixed(
              tunnels,
              worker.line.directive.name,
              led.line === NOWHERE ? '' : settings.textOf(worker.line.directive.span),
              placeOf(worker.line),
            ),
          }
        : settings.parameter(switching.line, 'upgrade', tunnels, 'no upgrade='),
    answerTimeout: answerTimeout(worker, around),
    idleTimeout: idleTimeout(worker, around),
    bodyTimeout: timeoutOf(server, settings, version),
    wholeBodyTimeout: wholeBodyTimeout(server, settings, modules, version),
    connectTimeout: connectTimeout(worker, around),
    bodyLimit: bodyLimit(passage, sectionLine),
    bodyBuffer: bodyBuffer(passage),
    buffered: filtered(passage, /^(?:BUFFER|SUBSTITUTE|XML2ENC|PROXY-HTML|SED|CONTENT_LENGTH)$/i, 'SetOutputFilter'),
    compressed: filtered(passage, /^(?:DEFLATE|BROTLI_COMPRESS)$/i, 'SetOutputFilter'),
    cached: cached(passage),
    credentials: credentials(passage, access),
    errorsReplaced: errorsReplaced(passage, sectionLine),
    redirectsTranslated: redirectsTranslated(passage, found?.worker, led.url),
    retriesPost: settings.missing(server, 'maxattempts=', false, 'only requests that no node has seen are tried again'),
    hiddenAnswers: answers
      .filter(header => (header.action === 'unset' || (header.action === 'set' && !header.always)) && inForce(header))
      .map(({line, name}) => settings.written(server, line, name)),
    addedAnswers: answers
      .filter(header => ['add', 'append', 'merge', 'set', 'setifempty'].includes(header.action) && inForce(header))
      .map(({line, name, value}) => ({...settings.written(server, line, value), name})),
    connectionsPerClient: settings.missing<number | undefined>(server, 'httpd', undefined, 'httpd has no limit for one client'),
    requestsPerSecond: settings.missing<{rate: number; burst: number} | undefined>(
      server,
      'httpd',
      undefined,
      'httpd has no limit for one client',
    ),
    logs: logsOf(server, exchange, settings),
  }
}

const BALANCER_VARIABLES = [
  'BALANCER_SESSION_STICKY',
  'BALANCER_SESSION_ROUTE',
  'BALANCER_NAME',
  'BALANCER_WORKER_NAME',
  'BALANCER_WORKER_ROUTE',
  'BALANCER_ROUTE_CHANGED',
]
