import type {Console} from '../site.ts'
import {accessOf} from './site-access.ts'
import type {Exchange} from './site-exchange.ts'
import {mergedLines} from './site-routes.ts'
import type {Server} from './site-servers.ts'
import type {Settings} from './site-settings.ts'

const HANDLERS: Readonly<Record<string, string>> = {
  'server-status': 'server-status',
  'server-info': 'server-info',
  'balancer-manager': 'balancer-manager',
  'ldap-status': 'ldap-status',
}

/** Pages of httpd about itself, and whether anybody may open them. */
export function consolesOf(servers: readonly Server[], settings: Settings): readonly Console[] {
  return servers.flatMap(server =>
    server.lines.flatMap(line => {
      const what = line.name === 'sethandler' ? HANDLERS[line.values[0]?.toLowerCase() ?? ''] : undefined
      if (what === undefined) return []
      const section = line.within.findLast(({name}) => name === 'location')
      const path = section && section.values[0] !== '~' ? (section.values[0] ?? '') : `/${what}`
      const exchange: Exchange = {
        request: {title: what, method: 'GET', path, headers: {}},
        server,
        tls: false,
        uri: path,
        query: '',
        headers: new Map(),
        env: new Map(),
      }
      const access = accessOf(mergedLines(server, exchange, undefined).lines, exchange)
      return [{what, open: access.granted === true, changes: what === 'balancer-manager', setting: settings.written(server, line, what)}]
    }),
  )
}
