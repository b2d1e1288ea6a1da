import {parseDuration} from '../../parameters/units.ts'
import type {Draft} from '../import-draft.ts'
import {durationText, sizeText} from '../import-draft.ts'
import {FORM_BYTES, pollPatience} from '../margins.ts'
import {nodeNames} from '../node-names.ts'
import {importRenderedListeners} from './import-rendered-listeners.ts'
import {importSnippets} from './import-snippets.ts'
import {isIn, said} from './import-text.ts'
import type {Rendered} from './import-text.ts'
import {APACHE_LAYOUTS} from './layouts.ts'
import type {Line} from './site-lines.ts'
import {threadsFor} from './threads.ts'
import {wholeSeconds} from './view-upstream.ts'

const DEFAULT_HOLD_MS = 30_000
const DEFAULT_ANSWER_MS = 120_000
const DEFAULT_OPEN_FILES = 524_288
const SMALLEST_OPEN_FILES = 256
/** `ttl=` that stands for no `upstream.keepAlive`, seconds. */
const DEFAULT_TTL = '15'

/** Every parameter of a file that this tool has rendered. */
export function importRendered(rendered: Rendered, draft: Draft): void {
  importRenderedListeners(rendered, draft)
  upstream(rendered, draft)
  affinity(rendered, draft)
  health(rendered, draft)
  times(rendered, draft)
  access(rendered, draft)
  forwarding(rendered, draft)
  limits(rendered, draft)
  logging(rendered, draft)
  importSnippets(rendered, draft)
}

/** Lines of the first virtual host; all of them say the same, but for names and TLS. */
function inHost({lines, hosts: [host]}: Rendered, ...names: readonly string[]): readonly Line[] {
  return host ? lines.filter(line => names.includes(line.name) && isIn(line, host)) : []
}

function inBalancer({lines}: Rendered, balancer: string, ...names: readonly string[]): readonly Line[] {
  return lines.filter(
    line => names.includes(line.name) && line.within.some(({name, values}) => name === 'proxy' && values[0] === `balancer://${balancer}`),
  )
}

/** `key=value` of a line; the last one wins. */
function setting(line: Line | undefined, key: string): string | undefined {
  return line?.values.findLast(value => value.startsWith(`${key}=`))?.slice(key.length + 1)
}

const seconds = (text: string | undefined) => (text !== undefined && /^\d{1,8}$/.test(text) ? `${text}s` : undefined)

function upstream(rendered: Rendered, draft: Draft): void {
  const members = inBalancer(rendered, 'gms', 'balancermember')
  const application = modeOf(rendered) === 'application-cookie'
  const nodes = members.flatMap((line, index) => {
    const [, scheme = '', host = '', port = ''] = /^(https?):\/\/(.+):(\d+)$/.exec(line.values[0] ?? '') ?? []
    if (host === '') return []
    const path = `upstream.nodes.${index}`
    const {span} = line.directive
    draft.set(`${path}.host`, host, span)
    draft.set(`${path}.port`, Number(port), span)
    const weight = setting(line, 'loadfactor')
    if (weight !== undefined && weight !== '1') draft.set(`${path}.weight`, Number(weight), span)
    const status = setting(line, 'status') ?? ''
    if (status.includes('H')) draft.set(`${path}.backup`, true, span)
    if (status.includes('N')) draft.set(`${path}.drain`, true, span)
    return [{line, scheme, host, port: Number(port), route: setting(line, 'route')}]
  })
  const [first] = nodes
  const plain = nodes.map(({host, port}) => ({host, port, weight: 1, backup: false, drain: false}))
  const usual = nodeNames(plain)
  const unusual = nodes.some(({route}, index) => route !== undefined && route !== usual[index])
  nodes.forEach(({line, route}, index) => {
    if (application) draft.set(`upstream.nodes.${index}.route`, route, line.directive.span)
    else if (unusual) draft.set(`upstream.nodes.${index}.name`, route, line.directive.span)
  })
  if (first?.scheme === 'https') tls(rendered, draft)
  const ttl = setting(first?.line, 'ttl')
  if (first?.line.values.includes('disablereuse=on') === true) draft.set('upstream.keepAlive', '0s', first.line.directive.span)
  else if (ttl !== DEFAULT_TTL) draft.set('upstream.keepAlive', seconds(ttl), first?.line.directive.span)
  const resolvers = said(rendered.comments, /^Note: upstream\.resolvers: .*, not (\S+(?:, \S+)*); /)
  if (resolvers !== undefined) draft.set('upstream.resolvers', resolvers.split(', '), first?.line.directive.span)
  if (resolvers !== undefined) draft.set('upstream.dnsTtl', seconds(setting(first?.line, 'addressttl')), first?.line.directive.span)
  const graceful = rendered.lines.find(({name}) => name === 'gracefulshutdowntimeout')
  const drained = graceful?.values[0] ?? said(rendered.comments, /^Note: upstream\.drainTimeout: GracefulShutdownTimeout (\d+) /)
  draft.set('upstream.drainTimeout', seconds(drained), graceful?.directive.span)
}

function tls(rendered: Rendered, draft: Draft): void {
  const word = (name: string) => inBalancer(rendered, 'gms', name)[0]
  const engine = word('sslproxyengine')
  draft.set('upstream.tls', {}, engine?.directive.span)
  const verify = word('sslproxyverify')
  const authorities = Object.values(APACHE_LAYOUTS).map(layout => layout.authorities)
  const authority = word('sslproxycacertificatefile')
  if (authority && !authorities.includes(authority.values[0] ?? ''))
    draft.set('upstream.tls.authority', authority.values[0], authority.directive.span)
  const certificate = word('sslproxymachinecertificatefile')
  draft.set('upstream.tls.certificate', certificate?.values[0], certificate?.directive.span)
  if (verify?.values[0] === 'none') {
    draft.set('upstream.tls.verify', false, verify.directive.span)
    draft.set('upstream.tls.serverName', said(rendered.comments, /^Note: upstream\.tls\.serverName: .*, not (\S+)$/))
  } else draft.set('upstream.tls.serverName', inHost(rendered, 'servername')[0]?.values[0], verify?.directive.span)
}

function modeOf(rendered: Rendered): 'cookie' | 'application-cookie' | 'source-address' | 'none' {
  if (!inBalancer(rendered, 'gms', 'proxyset').some(line => setting(line, 'stickysession') !== undefined)) return 'none'
  if (inHost(rendered, 'setenvifexpr').some(line => setting(line, 'gms_route') !== undefined)) return 'source-address'
  return cookieLines(rendered).length > 0 ? 'cookie' : 'application-cookie'
}

function cookieLines({lines, hosts}: Rendered): readonly Line[] {
  return lines.filter(
    line =>
      line.name === 'header' &&
      /^set-cookie$/i.test(line.values[1] ?? '') &&
      line.values[2]?.includes('.%{BALANCER_WORKER_ROUTE}e') === true &&
      hosts.some(host => isIn(line, host)),
  )
}

function affinity(rendered: Rendered, draft: Draft): void {
  const sticky = inBalancer(rendered, 'gms', 'proxyset').find(line => setting(line, 'stickysession') !== undefined)
  draft.set('affinity.mode', modeOf(rendered), sticky?.directive.span)
  draft.set('affinity.cookie', setting(sticky, 'stickysession'), sticky?.directive.span)
  const cookies = cookieLines(rendered)
  const line = cookies.find(({values}) => values[2]?.includes('; Secure') === true) ?? cookies[0]
  if (!line) return
  const attributes = (line.values[2] ?? '').split('; ')
  const {span} = line.directive
  if (!attributes.includes('HttpOnly')) draft.set('affinity.httpOnly', false, span)
  const sameSite = attributes.find(own => own.startsWith('SameSite='))?.slice('SameSite='.length)
  draft.set('affinity.sameSite', sameSite?.toLowerCase(), span)
  if (attributes.includes('Partitioned')) draft.set('affinity.partitioned', true, span)
}

function health(rendered: Rendered, draft: Draft): void {
  const template = (name: string) => rendered.lines.find(line => line.name === 'proxyhctemplate' && line.values[0] === name)
  const http = template('gms-http')
  const line = http ?? template('gms-tcp')
  if (line) {
    const {span} = line.directive
    draft.set('health.mode', http ? 'http' : 'tcp', span)
    const rounded = said(rendered.comments, /^Note: health\.interval: /) !== undefined
    const interval = Number(setting(line, 'hcinterval') ?? '3') * 1000
    draft.set('health.interval', durationText(rounded ? interval - 500 : interval), span)
    draft.set('health.fall', Number(setting(line, 'hcfails') ?? '3'), span)
    draft.set('health.rise', Number(setting(line, 'hcpasses') ?? '2'), span)
    if (http) draft.set('health.path', setting(http, 'hcuri'), span)
    const expression = rendered.lines.find(({name, values}) => name === 'proxyhcexpr' && values[0] === 'gms_usable')
    if (http && expression) {
      const {span: place} = expression.directive
      // as written: blanks in a row are meant
      const text = rendered.config.bundle.files.find(({path}) => path === place.file)?.text.slice(place.start, place.end) ?? ''
      const [, expect] = /hc\('body'\) =~ \/(.*)\//.exec(text) ?? []
      draft.set('health.expect', expect, expression.directive.span)
    }
    return
  }
  const member = inBalancer(rendered, 'gms', 'balancermember')[0]
  const passive = said(rendered.comments, /^Note: health\.mode: one refused/) !== undefined || (setting(member, 'retry') ?? '1') !== '1'
  draft.set('health.mode', passive ? 'passive' : 'none', member?.directive.span)
  if (passive) draft.set('health.interval', seconds(setting(member, 'retry')), member?.directive.span)
}

/** What a comment says to the millisecond, where the directive, in whole seconds, has not been changed since. */
function exact(comment: string | undefined, written: string | undefined): string | undefined {
  const ms = comment === undefined ? undefined : parseDuration(comment)
  return ms !== undefined && wholeSeconds(ms) === Number(written) ? durationText(ms) : seconds(written)
}

function times(rendered: Rendered, draft: Draft): void {
  const {comments} = rendered
  const hold = parseDuration(said(comments, /^polling: GMS answers a quiet poll after (\S+) /) ?? '') ?? DEFAULT_HOLD_MS
  draft.set('polling.hold', durationText(hold))
  const timeout = inHost(rendered, 'proxytimeout')[0]
  const patience = wholeSeconds(pollPatience(hold))
  const written = Number(timeout?.values[0] ?? DEFAULT_ANSWER_MS / 1000)
  // where a poll may take longer than an upload, nothing of the upload's is written
  if (written > patience || DEFAULT_ANSWER_MS > patience * 1000)
    draft.set('upload.answerWithin', durationText(written * 1000), timeout?.directive.span)
  if (timeout && written < patience)
    draft.leave(timeout.directive.span, `answers are waited for ${patience}s: GMS holds a quiet poll for ${durationText(hold)}`)
  const tunnel = inBalancer(rendered, 'gms-websocket', 'balancermember')[0]
  const idle = exact(said(comments, /^upgrade: .* idle for (\S+) /), setting(tunnel, 'timeout'))
  draft.set('upgrade.idleTimeout', idle, tunnel?.directive.span)
  const size = inHost(rendered, 'rewritecond').find(({values}) => values[0] === 'expr' && values[1]?.includes('Content-Length') === true)
  const bytes = Number(/-gt (\d+)/.exec(size?.values[1] ?? '')?.[1] ?? Number.NaN)
  if (Number.isFinite(bytes)) draft.set('upload.maxFileSize', sizeText(bytes - FORM_BYTES), size?.directive.span)
  const stall = inHost(rendered, 'timeout')[0]
  draft.set('upload.stallTimeout', seconds(stall?.values[0]), stall?.directive.span)
  const header = inHost(rendered, 'requestreadtimeout')[0]
  draft.set('access.headerTimeout', seconds(setting(header, 'header')), header?.directive.span)
}

function access(rendered: Rendered, draft: Draft): void {
  for (const {values, directive} of inHost(rendered, 'proxypass')) draft.add('access.paths', values[0], directive.span)
  const inside = (section: string) =>
    inHost(rendered, 'require').filter(({values, within}) => within.some(({name}) => name === section) && values[0] === 'ip')
  for (const {values, directive} of inside('location')) draft.add('access.allow', values[1], directive.span)
  for (const {values, directive} of inside('locationmatch')) draft.add('access.adminAllow', values[1], directive.span)
  const origin = inHost(rendered, 'rewritecond').find(({values}) => values[0] === '%{HTTP:Origin}' && values[1] !== '!^$')
  const [, list] = /^!\^\((.*)\)\$$/.exec(origin?.values[1] ?? '') ?? []
  for (const text of list?.split('|') ?? []) draft.add('access.origins', text.replaceAll('\\.', '.'), origin?.directive.span)
  const cors = inHost(rendered, 'setenvifnocase').find(line => setting(line, 'gms_origin') !== undefined)
  if (cors) draft.set('access.cors', 'proxy', cors.directive.span)
}

function forwarding(rendered: Rendered, draft: Draft): void {
  const proxies = inHost(rendered, 'remoteipinternalproxy')
  for (const {values, directive} of proxies) draft.add('forwarding.trustedProxies', values[0], directive.span)
  // where every listener expects a PROXY protocol header, the directives name all addresses but those
  const [expecting] = proxies.length > 0 ? [] : inHost(rendered, 'remoteipproxyprotocol')
  const balancers = expecting && said(rendered.comments, /^listener: load balancers at (.*) name the client/)
  if (balancers) for (const network of balancers.split(', ')) draft.add('forwarding.trustedProxies', network, expecting.directive.span)
  const element = inHost(rendered, 'requestheader').find(({values}) => values[0] === 'append' && values[1] === 'Forwarded')
  if (element) draft.set('forwarding.rfc7239', true, element.directive.span)
}

function limits({lines, comments}: Rendered, draft: Draft): void {
  const text = said(comments, /^(\d+) chats, polling/) ?? said(comments, /: (\d+) chats hold a thread each/)
  const workers = lines.find(({name}) => name === 'maxrequestworkers')
  const chats = text === undefined ? undefined : Number(text)
  draft.set('limits.chats', chats, workers?.directive.span)
  const files = said(comments, / of the (\d+) that one process may have/)
  const used = Number(said(comments, /; (\d+) open files for a process/) ?? Number.NaN)
  const usual = chats === undefined || !(used < threadsFor(chats, DEFAULT_OPEN_FILES).filesPerChild)
  if (files !== undefined) draft.set('limits.openFiles', Number(files), workers?.directive.span)
  // the smallest number from which the same processes are made
  else if (!usual) draft.set('limits.openFiles', Math.max(SMALLEST_OPEN_FILES, used))
}

function logging({lines, metrics}: Rendered, draft: Draft): void {
  const format = lines.find(({name, values}) => name === 'logformat' && values[1] === 'gms')
  const text = format?.values[0] ?? ''
  if (text.startsWith('{')) draft.set('logging.format', 'json', format?.directive.span)
  if (format && !text.includes('%{UNIQUE_ID}e')) draft.set('logging.requestId', false, format.directive.span)
  const port = /:(\d+)$/.exec(metrics?.args[0]?.value ?? '')?.[1]
  if (port !== undefined) draft.set('logging.metricsPort', Number(port), metrics?.span)
}
