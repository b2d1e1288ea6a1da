import {POLL, UPLOAD, WEBSOCKET} from '../import-foreign.ts'
import type {Listener, Site, Upstream, Way} from '../site.ts'
import type {ParsedConfig} from '../syntax.ts'
import {site as siteOf} from './site.ts'
import type {Line} from './site-lines.ts'
import type {Server} from './site-servers.ts'
import {serversOf} from './site-servers.ts'

/** A configuration that others wrote, as an import reads it. */
export interface Source {
  config: ParsedConfig
  site: Site
  lines: readonly Line[]
  servers: readonly Server[]
  /** Listeners that lead to GMS, or the first one when none does. */
  chat: readonly Listener[]
  others: readonly Listener[]
  serverOf(listener: Listener): Server | undefined
  upstream?: Upstream
  /** At the first chat listener that leads to the nodes. */
  poll: Way
  upload: Way
  webSocket: Way
}

/** Absent: nothing listens. */
export function sourceOf(config: ParsedConfig, version: string, lines: readonly Line[]): Source | undefined {
  const site = siteOf(config, version)
  const found = site.listeners.filter(({chat}) => chat)
  const chat = found.length > 0 ? found : site.listeners.slice(0, 1)
  const leads = chat.find(listener => site.trace(listener, POLL).end.kind === 'upstream') ?? chat[0]
  if (!leads) return undefined
  const [poll, upload, webSocket] = [site.trace(leads, POLL), site.trace(leads, UPLOAD), site.trace(leads, WEBSOCKET)]
  const ends = [poll, webSocket, upload].flatMap(({end}) => (end.kind === 'upstream' ? [end.upstream] : []))
  const upstream = ends[0] ?? site.upstreams[0]
  const servers = serversOf(lines)
  return {
    config,
    site,
    lines,
    servers,
    chat,
    others: site.listeners.filter(listener => !chat.includes(listener)),
    serverOf: ({span}) =>
      servers.find(({section}) => section?.directive.span.file === span.file && section.directive.span.start === span.start) ?? servers[0],
    ...(upstream ? {upstream} : {}),
    poll,
    upload,
    webSocket,
  }
}
