import type {Request, Site} from '../site.ts'
import type {ParsedConfig} from '../syntax.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import {chatFirst} from '../chat-first.ts'
import {forChat, NAMES_CHAT_PATH} from '../of-chat.ts'
import {capacityOf} from './site-capacity.ts'
import {consolesOf} from './site-consoles.ts'
import {effective} from './site-lines.ts'
import {listenerOf} from './site-listeners.ts'
import {odditiesOf} from './site-oddities.ts'
import {doorsOf, serversOf} from './site-servers.ts'
import {Settings} from './site-settings.ts'
import type {Entrance} from './site-trace.ts'
import {Tracer} from './site-trace.ts'

/** Requests by which a listener shows that it leads to GMS: a poll, an upgrade, an upload. */
const OF_CHAT: readonly Request[] = [
  {title: 'a poll', method: 'POST', path: `${COMETD_PATH}/connect`, headers: {'content-type': 'application/json'}},
  {title: 'an upgrade', method: 'GET', path: COMETD_PATH, headers: {upgrade: 'websocket', connection: 'Upgrade'}},
  {title: 'an upload', method: 'POST', path: FILES_PATH, headers: {}},
]

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
    const nodes = ends.flatMap(end => (end.kind === 'upstream' ? end.upstream.nodes.map(({address}) => address) : []))
    const upstreams = ends.flatMap(end => (end.kind === 'upstream' ? [end.upstream] : []))
    const names = entrance.server.lines.some(({values}) => values.some(value => NAMES_CHAT_PATH.test(value)))
    return {entrance, upstreams, leading: {entrance, layer4: false, names, nodes}}
  })
  const chats = forChat(judged.flatMap(({leading, upstreams}) => (upstreams.length > 0 ? [leading] : [])))
  const ordered = chatFirst(
    judged.map(({entrance}) => ({entrance, tls: entrance.listener.tls !== undefined, serves: chats.includes(entrance) ? 1 : 0})),
  )
  // What was traced so far may belong to other sites: upstreams are those of the chat.
  const upstreams = new Set(judged.flatMap(({entrance, upstreams: own}) => (chats.includes(entrance) ? own : [])))
  entrances = ordered.map(({entrance, serves}, index) => ({
    ...entrance,
    listener: {...entrance.listener, chat: serves > 0 || (index === 0 && chats.length === 0)},
  }))
  return {
    proxy: 'apache',
    version,
    config,
    listeners: entrances.map(({listener}) => listener),
    upstreams: [...upstreams],
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
