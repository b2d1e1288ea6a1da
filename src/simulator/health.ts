import {randomId} from './bayeux-session.ts'
import {encodedMatches, type Credentials} from './credentials.ts'
import type {HttpExchange} from './http-exchange.ts'

/** The node API (vendor page "Node API" of GMS 8.5.1). */
const NODE_API = '/genesys/1/admin/node/'
/** Services by name (vendor page "Get and Basic Get"). */
const SERVICES = '/genesys/1/service/'
/** How long an answer may be taken from a cache, s (example of the page). */
const MAX_AGE_S = 300

/** What `GET /genesys/1/admin/node/status` answers. */
export type NodeStatus = 'ONLINE' | 'OFFLINE'

export interface HealthOptions {
  adminAuth: Credentials | 'any' | false
  statusServices: readonly string[] | 'any'
}

/** What the health endpoints read and change. */
export interface HealthSubject {
  status: NodeStatus
}

/** True for a path of which {@link serveHealth} takes care. */
export function isHealthPath(path: string): boolean {
  return path.startsWith(NODE_API) || path.startsWith(SERVICES)
}

/** Answers `GET …/admin/node/status`, `POST …/admin/node/changestatus/<status>` and `GET …/service/<name>`. The body of the request is not read. */
export function serveHealth(exchange: HttpExchange, node: HealthSubject, {adminAuth, statusServices}: HealthOptions): void {
  exchange.streamBody()
  const {path, method} = exchange
  if (path.startsWith(SERVICES)) {
    if (statusServices !== 'any' && !statusServices.includes(path.slice(SERVICES.length))) exchange.refuse(404, 'Not Found')
    else if (method !== 'GET') notAllowed(exchange, 'GET')
    else if (node.status === 'ONLINE') exchange.send(200, {'Content-Type': 'application/json;charset=utf-8'}, '{}')
    else exchange.refuse(503, 'Service Unavailable')
    return
  }
  const what = path.slice(NODE_API.length)
  const change = /^changestatus\/(ONLINE|OFFLINE)$/.exec(what)?.[1] as NodeStatus | undefined
  if (what !== 'status' && change === undefined) {
    exchange.refuse(404, 'Not Found')
    return
  }
  const shown = /^Basic\s+(\S+)$/i.exec(exchange.header('authorization')[0] ?? '')?.[1] ?? ''
  if (adminAuth && !(adminAuth === 'any' ? shown !== '' : encodedMatches(shown, adminAuth))) {
    exchange.send(
      401,
      {'WWW-Authenticate': 'Basic realm="Genesys"', 'Content-Type': 'text/plain;charset=ISO-8859-1'},
      'You need an Authentication header',
    )
    return
  }
  if (change !== undefined) {
    if (method !== 'POST') return notAllowed(exchange, 'POST')
    node.status = change
    exchange.send(200, {})
    return
  }
  if (method !== 'GET') return notAllowed(exchange, 'GET')
  exchange.send(
    200,
    {
      Expires: new Date(Date.now() + MAX_AGE_S * 1000).toUTCString(),
      'Set-Cookie': `JSESSIONID=${randomId(25)};Path=/genesys;HttpOnly`,
      'Cache-Control': `max-age=${MAX_AGE_S}`,
      'Content-Type': 'text/plain;charset=ISO-8859-1',
    },
    node.status,
  )
}

function notAllowed(exchange: HttpExchange, method: string): void {
  exchange.refuse(405, 'Method Not Allowed', 'none', {Allow: method})
}
