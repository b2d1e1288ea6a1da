import type {Request, Site} from '../site.ts'
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
    const leads = OF_CHAT.filter(request => tracer.trace(entrance, request).end.kind === 'upstream').length
    return {entrance, tls: entrance.listener.tls !== undefined, serves: leads > 0 ? 1 : 0, leads}
  })
  const ordered = chatFirst(judged)
  entrances = ordered.map(({entrance, leads}, index) => ({
    ...entrance,
    listener: {...entrance.listener, chat: leads > 0 || (index === 0 && ordered.every(other => other.leads === 0))},
  }))
  return {
    proxy: 'apache',
    version,
    config,
    listeners: entrances.map(({listener}) => listener),
    upstreams: tracer.reached(),
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
