import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {End, Listener, Request, Site, Upstream, Way} from '../site.ts'
import {nameServersOf} from './addresses.ts'
import {capacityOf} from './site-capacity.ts'
import {consolesOf} from './site-consoles.ts'
import {doorsOf, inOrder} from './site-listeners.ts'
import type {Door} from './site-listeners.ts'
import {serverFor} from './site-match.ts'
import {odditiesOf, unknownOf} from './site-oddities.ts'
import {headOf, layoutOf} from './site-scope.ts'
import type {Layout} from './site-scope.ts'
import {inForce, setting} from './site-setting.ts'
import {courseOf} from './site-trace.ts'
import type {Course} from './site-trace.ts'
import {durationOf} from './site-units.ts'
import {believesAll, blockKey, upstreamOf} from './site-upstreams.ts'
import {Variables, withGroups} from './site-values.ts'
import type {Moment} from './site-values.ts'
import {wayOf} from './site-way.ts'
import {walk} from './tree.ts'

/** What tells whether a listener serves chats: the two paths of GMS, by the methods that chats use. */
const OF_A_CHAT: readonly Request[] = [
  {title: 'a message', method: 'POST', path: COMETD_PATH, headers: {}},
  {title: 'the held poll', method: 'POST', path: `${COMETD_PATH}/connect`, headers: {}},
  {title: 'the upgrade', method: 'GET', path: COMETD_PATH, headers: {upgrade: 'websocket', connection: 'Upgrade'}},
  {title: 'the upload', method: 'POST', path: FILES_PATH, headers: {}},
]
const GMS_PATH = /cometd|chat-ntf|genesys/i

/** What a configuration of nginx means for chat, with the defaults of `version`. Never throws for bad text. */
export function site(config: ParsedConfig, version: string): Site {
  return new Model(config, version).site()
}

/** Doors among which a Host chooses. */
function groupOf({server, socket}: Door): string {
  return `${server.level} ${socket}`
}

interface Chosen {
  chosen: Door
  match?: RegExpExecArray
}

class Model {
  private readonly layout: Layout
  private readonly variables: Variables
  private readonly upstreams = new Map<string, Upstream>()
  /** Those of `upstream` blocks, found without making them again. */
  private readonly byBlock = new Map<string, Upstream>()
  private readonly byListener = new Map<Listener, Door>()
  private readonly bySocket = new Map<string, Door[]>()

  constructor(
    private readonly config: ParsedConfig,
    private readonly version: string,
  ) {
    this.layout = layoutOf(config)
    const lines = walk(config).map(({directive}) => directive)
    this.variables = new Variables(config, this.layout.http, lines)
  }

  site(): Site {
    const {config, version, layout} = this
    const unmarked = doorsOf(layout, version, this.variables)
    const chatting = this.chatDoors(unmarked)
    // What was traced so far may belong to other sites: upstreams are those of the chat routes.
    this.upstreams.clear()
    this.byBlock.clear()
    const marked = unmarked.map(door => (chatting.has(door) ? {...door, listener: {...door.listener, chat: true}} : door))
    // In the order of the file: of two servers with one name, the first answers to it.
    for (const door of marked) {
      this.byListener.set(door.listener, door)
      const peers = this.bySocket.get(groupOf(door))
      if (peers) peers.push(door)
      else this.bySocket.set(groupOf(door), [door])
    }
    const doors = inOrder(marked, layout)
    const listeners = doors.map(({listener}) => listener)
    const used = doors.filter(({listener}) => listener.chat).flatMap(door => OF_A_CHAT.map(request => this.endAt(door, request)))
    const upstreams = new Set(used.flatMap(end => (end.kind === 'upstream' ? [end.upstream] : [])))
    return {
      proxy: 'nginx',
      version,
      config,
      listeners,
      upstreams: [...upstreams],
      trace: (listener, request) => this.trace(listener, request),
      capacity: capacityOf(layout, version),
      drain: inForce<number | undefined>(layout.main, 'worker_shutdown_timeout', version, ([time]) =>
        time === undefined ? undefined : durationOf(time),
      ),
      consoles: consolesOf(layout),
      nameServers: nameServersOf(config).map(span => ({address: textAt(config, span), span})),
      oddities: odditiesOf(layout.http, this.variables, version),
      unknown: unknownOf(layout.http),
    }
  }

  /** Listeners from which paths of GMS lead to nodes; where some name these paths, others that lead elsewhere serve other sites. */
  private chatDoors(doors: readonly Door[]): ReadonlySet<Door> {
    const traced = doors.map(door => ({door, ends: OF_A_CHAT.map(request => this.endAt(door, request))}))
    const leading = traced.filter(({ends}) => ends.some(({kind}) => kind === 'upstream' || kind === 'unknown'))
    const http = leading.filter(({door}) => !door.listener.layer4.value)
    const candidates = http.length > 0 ? http : leading
    const names = ({door}: {door: Door}) => door.server.all('location').some(({args}) => args.some(({value}) => GMS_PATH.test(value)))
    const naming = candidates.filter(names)
    const upstreams = new Set(naming.flatMap(({ends}) => ends.flatMap(end => (end.kind === 'upstream' ? [end.upstream.name] : []))))
    const chosen =
      naming.length === 0
        ? candidates
        : candidates.filter(one => names(one) || one.ends.some(end => end.kind === 'upstream' && upstreams.has(end.upstream.name)))
    if (chosen.length > 0) return new Set(chosen.map(({door}) => door))
    return new Set(inOrder(doors, this.layout).slice(0, 1))
  }

  private trace(listener: Listener, request: Request): Way {
    const door = this.byListener.get(listener)
    if (!door) throw new Error('a listener of another site')
    const peers = this.bySocket.get(groupOf(door)) ?? [door]
    const host = request.host?.replace(/:\d+$/, '').toLowerCase()
    const chosen: Chosen | undefined = host === undefined ? {chosen: door} : serverFor(peers, host)
    if (!chosen) return this.lost(listener, request, door)
    const {server, listener: taking} = chosen.chosen
    if (server.level === 'stream-server') return this.stream(taking, request, chosen.chosen)
    const moment = this.moment(taking, request, chosen.chosen, chosen.match)
    const course = courseOf(server, moment, this.variables)
    return wayOf(request, taking, this.endOf(course), course, this.variables, this.version)
  }

  /** Where a request ends that the server of a door takes. */
  private endAt(door: Door, request: Request): End {
    if (door.server.level === 'stream-server') return this.stream(door.listener, request, door).end
    return this.endOf(courseOf(door.server, this.moment(door.listener, request, door), this.variables))
  }

  private moment(listener: Listener, request: Request, {server}: Pick<Door, 'server'>, match?: RegExpExecArray): Moment {
    const host = request.host ?? listener.serverNames.find(name => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name))
    const name = server.first('server_name')?.args[0]?.value
    const moment: Moment = {
      request,
      tls: listener.tls !== undefined,
      uri: request.path,
      args: request.query ?? '',
      variables: new Map(),
      captures: [],
      addressOfClient: believesAll(server),
      ...(host === undefined ? {} : {host}),
      ...(listener.port === undefined ? {} : {port: listener.port}),
      ...(name === undefined ? {} : {serverName: name}),
    }
    return match ? withGroups(moment, match) : moment
  }

  private endOf(course: Course): End {
    const {end} = course
    if (end.kind !== 'pass') return end
    const setup = {http: this.layout.http, variables: this.variables, version: this.version}
    const block = blockKey(end.target, this.layout.http)
    const known = block === undefined ? undefined : this.byBlock.get(block)
    const upstream =
      known ?? this.once(upstreamOf({line: end.line, scope: end.scope, target: end.target, moment: course.moment}, setup), 'http')
    if (upstream && block !== undefined) this.byBlock.set(block, upstream)
    const written = end.line.args[0]?.value ?? ''
    if (!upstream) return {kind: 'unknown', because: `where ${written} leads`, span: end.line.span}
    return {
      kind: 'upstream',
      upstream,
      tls: upstream.nodes.some(({tls}) => tls !== undefined),
      span: end.line.span,
      target: setting({
        value: written,
        directive: 'proxy_pass',
        text: `proxy_pass ${end.line.args[0]?.raw ?? ''}`,
        span: end.line.span,
        home: headOf(end.line),
        put: argument => (end.line.args[0] ? [{span: end.line.args[0].span, text: argument, why: `proxy_pass ${argument}`}] : []),
      }),
      ...(end.path === undefined ? {} : {path: end.path}),
    }
  }

  /** The same object for the same nodes, whichever route leads to them first. */
  private once(upstream: Upstream | undefined, layer: string): Upstream | undefined {
    if (!upstream) return undefined
    const tls = upstream.nodes.some(node => node.tls !== undefined)
    const key = [layer, upstream.name.toLowerCase(), tls, upstream.resolution.value].join(' ')
    const known = this.upstreams.get(key)
    if (known) return known
    this.upstreams.set(key, upstream)
    return upstream
  }

  private lost(listener: Listener, request: Request, {server}: Door): Way {
    const moment = this.moment(listener, request, {server})
    const course = courseOf(server, moment, this.variables)
    const end: End = {kind: 'unknown', because: 'an expression of server_name', span: server.home}
    return wayOf(request, listener, end, course, this.variables, this.version)
  }

  /** Bytes are passed on as they come: nothing of a request is read. */
  private stream(listener: Listener, request: Request, door: Door): Way {
    const {server} = door
    const moment = this.moment(listener, request, door)
    const line = server.first('proxy_pass')
    const course: Course = {
      end: line
        ? {kind: 'pass', line, scope: server, target: this.variables.evaluate(line.args[0]?.value ?? '', moment), path: request.path}
        : {kind: 'answer', of: 'no-route', span: server.home},
      scope: server,
      measured: [],
      route: [server.home],
      moment,
      method: request.method,
    }
    const http = this.layout.stream ?? this.layout.http
    const upstream =
      course.end.kind === 'pass'
        ? upstreamOf(
            {line: course.end.line, scope: server, target: course.end.target, moment},
            {http, variables: this.variables, version: this.version},
          )
        : undefined
    const shared = this.once(upstream, 'stream')
    const end: End =
      line && shared
        ? {
            kind: 'upstream',
            upstream: shared,
            tls: false,
            path: request.path,
            span: line.span,
            target: setting({
              value: line.args[0]?.value ?? '',
              directive: 'proxy_pass',
              text: `proxy_pass ${line.args[0]?.raw ?? ''}`,
              span: line.span,
              home: headOf(line),
            }),
          }
        : {kind: 'unknown', because: 'where the stream leads', span: server.home}
    const way = wayOf(request, listener, end, course, this.variables, this.version)
    const of = <T>(value: T, directive: string) => setting({value, directive, text: directive, home: server.home})
    const idle = inForce<number | undefined>(server, 'proxy_timeout', this.version, ([time = '']) => durationOf(time))
    const none = <T>(directive: string) => of<T | undefined>(undefined, directive)
    return {
      ...way,
      sent: name => ({...of('client', `stream passes ${name} on`), sends: request.headers[name.toLowerCase()] ?? ''}),
      httpVersion: of('1.1', 'stream'),
      tunnels: of(true, 'stream'),
      answerTimeout: idle,
      idleTimeout: idle,
      bodyTimeout: idle,
      bodyLimit: none<number>('stream'),
      buffered: of(false, 'stream'),
      compressed: of(false, 'stream'),
      cached: of(false, 'stream'),
      credentials: of(false, 'stream'),
      errorsReplaced: of(false, 'stream'),
      redirectsTranslated: of(false, 'stream'),
      retriesPost: of(false, 'stream'),
      hiddenAnswers: [],
      addedAnswers: [],
      requestsPerSecond: none<{rate: number; burst: number}>('stream'),
      logs: [],
    }
  }
}

function textAt({bundle}: ParsedConfig, {file, start, end}: {file: string; start: number; end: number}): string {
  return bundle.files.find(({path}) => path === file)?.text.slice(start, end) ?? ''
}
