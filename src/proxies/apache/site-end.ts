import type {Span} from '../../model/bundle.ts'
import type {End} from '../site.ts'
import {atLeast} from '../version.ts'
import type {Access} from './site-access.ts'
import type {Exchange} from './site-exchange.ts'
import type {Line} from './site-lines.ts'
import type {Led, Passage, Reached} from './site-passage.ts'
import {isLocal, isUpgrade} from './site-passage.ts'
import {find} from './site-servers.ts'
import type {Balancer, Worker} from './site-workers.ts'

/** Where a request ends: at a node, or at an answer of httpd itself. */
export function endOf(passage: Passage, led: Led, found: Reached | undefined, access: Access, placeOf: (line: Line) => Span): End {
  const {around, exchange, section} = passage
  const span = placeOf(led.line)
  if (led.unknown !== undefined) return {kind: 'unknown', because: led.unknown, span}
  if (led.answer && !isLocal(led.answer.of) && led.answer.of !== 'handler') return {kind: 'answer', ...led.answer, span}
  if (access.granted === false && access.line) return {kind: 'answer', status: 403, of: 'deny', span: access.line.directive.span}
  const doubt = section.doubtful.find(({name}) => name === 'require')
  if (doubt && led.url !== undefined)
    return {kind: 'unknown', because: 'whether the section around it takes the request cannot be told', span: doubt.directive.span}
  const allowed = section.lines.findLast(({name}) => name === 'allowmethods')
  if (
    allowed &&
    !allowed.values.some(value => /^reset$/i.test(value)) &&
    !allowed.values.some(method => method.toUpperCase() === exchange.request.method)
  )
    return {kind: 'answer', status: 405, of: 'method', span: allowed.directive.span}
  if (led.redirect) return {kind: 'redirect', ...led.redirect, span}
  if (led.answer) return {kind: 'answer', ...led.answer, span}
  if (!found) return {kind: 'unknown', because: `${led.url ?? ''} is no address that could be followed`, span}
  const {upstream, worker, target, balancer} = found
  const scheme = worker.target.scheme
  const {modules, version} = around
  if (modules.has('proxy') === false) return {kind: 'answer', status: 403, of: 'no-handler', span}
  const handled = !/^(?:http|https|ws|wss|h2|h2c|balancer)$/.test(scheme)
    ? false
    : /^h2/.test(scheme)
      ? modules.has('proxy_http2') !== false
      : /^ws/.test(scheme)
        ? modules.has('proxy_wstunnel') !== false || (modules.has('proxy_http') !== false && atLeast(version, '2.4.47'))
        : modules.has('proxy_http') !== false
  if (!handled || (balancer && modules.has('proxy_balancer') === false)) return {kind: 'answer', status: 500, of: 'no-handler', span}
  if (/^ws/.test(scheme) && !isUpgrade(exchange)) {
    const line = find(passage.server, 'ProxyWebsocketFallbackToProxyHttp')
    const off = /^off$/i.test(line?.values[0] ?? 'on')
    if (!atLeast(version, '2.4.47') || modules.has('proxy_http') === false) return {kind: 'answer', status: 500, of: 'no-handler', span}
    if (off && modules.has('proxy_wstunnel') !== false)
      return {kind: 'answer', status: 426, of: 'no-handler', span: line?.directive.span ?? span}
  }
  const path = led.pathless !== true && (led.nocanon || !exchange.request.path.includes('%')) ? target.path : undefined
  return {
    kind: 'upstream',
    upstream,
    tls: /^(?:https|wss|h2)$/.test(scheme),
    ...(path === undefined ? {} : {path: memberPath(worker, balancer) + (path === '' && !balancer ? '/' : path)}),
    span,
    target: passage.around.settings.written(passage.server, led.line, led.url ?? '', led.line.name === 'rewriterule' ? 1 : undefined),
  }
}

/** The node is asked to switch protocols: `upgrade=` of the pool, or a `ws://` address (mod_proxy_http since 2.4.47, mod_proxy_wstunnel). */
export function switches(passage: Passage, worker: Worker, exchange: Exchange): boolean {
  const state = exchange.headers.get('upgrade')
  const asked = state?.sends ?? ''
  if (asked === '' || exchange.request.method !== 'GET') return false
  const isWs = /^wss?$/.test(worker.target.scheme)
  if (!atLeast(passage.around.version, '2.4.47')) return isWs && /^websocket$/i.test(asked)
  const own = worker.parameters.get('upgrade')?.value ?? (isWs ? 'WebSocket' : 'NONE')
  if (/^none$/i.test(own)) return false
  return /^any$/i.test(own) || own === '*' || own.toLowerCase() === asked.toLowerCase()
}

/** Members of a balancer may have a path in front. */
function memberPath(worker: Worker, balancer: Balancer | undefined): string {
  return balancer ? worker.target.path.replace(/\/$/, '') : ''
}
