import type {End, Request, Site} from '../site.ts'
import type {ParsedConfig} from '../syntax.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import {chatFirst} from '../chat-first.ts'
import {capacityOf} from './site-capacity.ts'
import {consolesOf} from './site-consoles.ts'
import {effective} from './site-lines.ts'
import {listenerOf} from './site-listeners.ts'
import {odditiesOf} from './site-oddities.ts'
import {doorsOf, serversOf} from './site-servers.ts'
import type {Server} from './site-servers.ts'
import {Settings} from './site-settings.ts'
import type {Entrance} from './site-trace.ts'
import {Tracer} from './site-trace.ts'

/** Requests by which a listener shows that it leads to GMS: a poll, an upgrade, an upload. */
const OF_CHAT: readonly Request[] = [
  {title: 'a poll', method: 'POST', path: `${COMETD_PATH}/connect`, headers: {'content-type': 'application/json'}},
  {title: 'an upgrade', method: 'GET', path: COMETD_PATH, headers: {upgrade: 'websocket', connection: 'Upgrade'}},
  {title: 'an upload', method: 'POST', path: FILES_PATH, headers: {}},
]

const GMS_PATH = /cometd|chat-ntf|genesys/i
/** Directives and sections that choose requests by their path. */
const ROUTES = new Set(['proxypass', 'proxypassmatch', 'location', 'locationmatch', 'rewriterule', 'rewritecond'])

interface Judged {
  entrance: Entrance
  ends: readonly End[]
}

/** Where some virtual hosts name the paths of GMS, others that lead elsewhere serve other sites; else all that lead to nodes serve chats. */
function ofChat(judged: readonly Judged[]): ReadonlySet<Entrance> {
  const upstreamsOf = ({ends}: Judged) => ends.flatMap(end => (end.kind === 'upstream' ? [end.upstream.name] : []))
  const leading = judged.filter(one => upstreamsOf(one).length > 0)
  const naming = leading.filter(({entrance}) => namesGms(entrance.server))
  const shared = new Set(naming.flatMap(upstreamsOf))
  const chosen =
    naming.length === 0 ? leading : leading.filter(one => naming.includes(one) || upstreamsOf(one).some(name => shared.has(name)))
  return new Set(chosen.map(({entrance}) => entrance))
}

function namesGms({lines, outer}: Server): boolean {
  return [...(outer?.own ?? []), ...lines].some(({name, values}) => ROUTES.has(name) && values.some(value => GMS_PATH.test(value)))
}

/** What an Apache httpd configuration means for chat. Never throws. */
export function site(config: ParsedConfig, version: string): Site {
  const {lines, modules, variables, unknown} = effective(config, version)
  const settings = new Settings(config)
  const servers = serversOf(lines)
  const [main] = servers
  if (!main) throw new RangeError('a configuration without a main server')
  let entrances: readonly Entrance[] = []
  const tracer = new Tracer({settings, modules, version}, () => entrances)
  entrances = doorsOf(servers, config).flatMap(door =>
    door.servers.map((server): Entrance => ({door, server, listener: listenerOf(door, server, settings, modules, version)})),
  )
  const judged = entrances.map(entrance => {
    const ends = OF_CHAT.map(request => tracer.trace(entrance, request).end)
    return {entrance, ends}
  })
  const chats = ofChat(judged)
  const ordered = chatFirst(
    judged.map(({entrance}) => ({entrance, tls: entrance.listener.tls !== undefined, serves: chats.has(entrance) ? 1 : 0})),
  )
  entrances = ordered.map(({entrance}, index) => ({
    ...entrance,
    listener: {...entrance.listener, chat: chats.has(entrance) || (index === 0 && chats.size === 0)},
  }))
  // what other sites lead to is theirs
  const upstreams = new Set(
    judged
      .filter(({entrance}) => chats.has(entrance))
      .flatMap(({ends}) => ends.flatMap(end => (end.kind === 'upstream' ? [end.upstream] : []))),
  )
  return {
    proxy: 'apache',
    version,
    config,
    listeners: entrances.map(({listener}) => listener),
    upstreams: tracer.reached().filter(upstream => chats.size === 0 || upstreams.has(upstream)),
    trace: (listener, request) => {
      const entrance = entrances.find(other => other.listener === listener) ?? entrances[0]
      if (!entrance) throw new RangeError('a configuration without listeners')
      return tracer.trace(entrance, request)
    },
    capacity: capacityOf(main, modules, settings, version),
    drain: settings.missing<number | undefined>(main, 'GracefulShutdownTimeout', undefined, 'a reload lets open WebSockets be'),
    consoles: consolesOf(servers, settings),
    nameServers: [],
    oddities: odditiesOf({config, lines, modules, variables, version, servers}),
    unknown,
  }
}
