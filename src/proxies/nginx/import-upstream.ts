import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import {absolute} from './import-listeners.ts'
import {lineOf, rowsOf, table} from './import-source.ts'
import type {Source} from './import-source.ts'
import {LAYOUTS} from './layouts.ts'
import {parameter} from './site-limits.ts'
import type {Scope} from './site-scope.ts'
import {durationOf} from './site-units.ts'

/** What is rendered when `upstream.keepAlive` is not given, ms. */
const KEEP_ALIVE = 15_000
/** Jetty closes an unused connection then, ms. */
const JETTY_KEEPS = 30_000

/** `upstream`, `affinity` and `health` of the parameters. */
export function importUpstream(source: Source, draft: Draft): void {
  const {upstream, nodesBlock} = source
  if (!upstream) return
  for (const other of source.site.upstreams)
    if (other !== upstream && other.name !== upstream.name)
      draft.leave(other.span, `${other.name} is a second set of nodes: parameters have one`)
  nodes(source, draft)
  towardsNodes(source, draft)
  resolvers(source, draft)
  if (nodesBlock) kept(nodesBlock, source, draft)
  const drain = lineOf(source.layout.main, 'worker_shutdown_timeout')
  const comment = source.comments.map(text => /^worker_shutdown_timeout (\S+);/.exec(text)?.[1]).find(text => text !== undefined)
  const drained = durationOf(drain?.word ?? (source.ours && source.layout.fragment ? comment : undefined) ?? '')
  if (drained !== undefined && drained > 0) draft.set('upstream.drainTimeout', durationText(drained), drain?.line.span)
  affinity(source, draft)
  health(source, draft)
}

function nodes(source: Source, draft: Draft): void {
  const {upstream, nodesBlock, ours} = source
  const routes = routesOf(source)
  const lines = nodesBlock?.all('server') ?? []
  let index = 0
  for (const [position, node] of (upstream?.nodes ?? []).entries()) {
    const line = lines[position]
    const word = (name: string) => line?.args.some(({value}) => value === name) === true
    if (node.port === undefined || node.address.startsWith('unix:')) {
      draft.leave(node.span, `${node.address} is a socket of the machine: nodes are host:port`)
      continue
    }
    if (word('down') && !ours) {
      draft.leave(node.span, `${node.address} is marked down: it gets no chats, and is not a node of the parameters`)
      continue
    }
    const path = `upstream.nodes.${index++}`
    draft.set(path, {}, node.span)
    draft.set(`${path}.host`, node.host, node.span)
    draft.set(`${path}.port`, node.port, node.span)
    const route = (line && parameter(line, 'route')) ?? routes[position]
    draft.set(`${path}.route`, route, line?.span)
    const weight = Number((line && parameter(line, 'weight')) ?? 1)
    if (weight !== 1) draft.set(`${path}.weight`, weight, line?.span)
    if (node.backup) draft.set(`${path}.backup`, true, node.span)
    draft.set(`${path}.maxConnections`, node.maxConnections.value, node.maxConnections.span)
    if (word('drain') || word('down')) draft.set(`${path}.drain`, true, node.span)
    for (const {value, span} of line?.args.slice(1) ?? [])
      if (/^(?:slow_start|service)=/.test(value)) draft.leave(span, `${value}: no parameter says it`)
  }
}

/** Routes by node, where a table over the cookie leads to one upstream for each (before `sticky`). */
function routesOf({ours, config, layout}: Source): readonly string[] {
  if (!ours) return []
  return rowsOf(config, table(layout, 'map', '$gms_upstream')).flatMap(({key}) => /\[\^;\]\*\\\.(.+?)\\s\*\(;\|\$\)$/.exec(key)?.[1] ?? [])
}

function towardsNodes({upstream, poll, ours, servers}: Source, draft: Draft): void {
  if (!upstream?.nodes.some(({tls}) => tls)) return
  const server =
    (poll.end.kind === 'upstream' ? servers.find(own => own.block === undefined || within(own, poll.end.span)) : undefined) ?? servers[0]
  if (!server) return
  // A location may have its own: what is in force there wins.
  const scope = server
  const verified = upstream.nodes[0]?.tls?.verified
  draft.set('upstream.tls', {}, poll.end.span)
  if (verified?.value === false) {
    draft.set('upstream.tls.verify', false, verified.span)
    if (!ours && !verified.span)
      draft.leave(
        poll.end.span,
        'nginx believes whoever answers at a node (proxy_ssl_verify off is its default): so does upstream.tls.verify false',
      )
  }
  const authority = lineOf(scope, 'proxy_ssl_trusted_certificate')
  const ofSystem = Object.values(LAYOUTS).some(({systemAuthorities}) => systemAuthorities === authority?.word)
  if (authority && !ofSystem && verified?.value !== false)
    draft.set('upstream.tls.authority', absolute(authority.word), authority.line.span)
  const name = lineOf(scope, 'proxy_ssl_name')
  const only = upstream.nodes.length === 1 ? upstream.nodes[0]?.host : undefined
  if (name && !name.word.includes('$') && name.word !== only) draft.set('upstream.tls.serverName', name.word, name.line.span)
  else if (name?.word.includes('$') === true && name.word !== '$proxy_host')
    draft.leave(name.line.span, `proxy_ssl_name ${name.word} changes with the request`)
  const certificate = lineOf(scope, 'proxy_ssl_certificate')
  const key = lineOf(scope, 'proxy_ssl_certificate_key')
  if (certificate && certificate.word !== '') {
    draft.set('upstream.tls.certificate', absolute(certificate.word), certificate.line.span)
    if (key && key.word !== certificate.word) draft.set('upstream.tls.key', absolute(key.word), key.line.span)
  }
}

function within({block}: Scope, span: Span): boolean {
  return block !== undefined && block.span.file === span.file && block.span.start <= span.start && span.end <= block.span.end
}

function resolvers({upstream, nodesBlock, servers}: Source, draft: Draft): void {
  const line = nodesBlock?.first('resolver') ?? servers.map(server => lineOf(server, 'resolver')?.line).find(own => own !== undefined)
  if (!line) return
  if (upstream?.resolution.value === 'start') {
    draft.leave(line.span, 'the names of the nodes are looked up once, at the start: upstream.resolvers follows them')
    return
  }
  for (const {value, span} of line.args) {
    if (value.startsWith('valid=')) {
      const ttl = durationOf(value.slice('valid='.length))
      draft.set('upstream.dnsTtl', ttl === undefined ? undefined : durationText(ttl), span)
    } else if (!value.includes('=')) draft.add('upstream.resolvers', value, span)
  }
}

function kept(block: Scope, {ours}: Source, draft: Draft): void {
  const count = block.first('keepalive')
  const time = block.first('keepalive_timeout')
  const ms = durationOf(time?.args[0]?.value ?? '60s')
  if (ours) {
    if (!count || count.args[0]?.value === '0') draft.set('upstream.keepAlive', '0s', count?.span)
    else if (ms !== undefined && ms !== KEEP_ALIVE) draft.set('upstream.keepAlive', durationText(ms), time?.span)
    return
  }
  if (!count || ms === undefined || ms === KEEP_ALIVE) return
  if (time && ms < JETTY_KEEPS) draft.set('upstream.keepAlive', durationText(ms), time.span)
  else draft.leave((time ?? count).span, 'unused connections are kept for 15s instead: GMS closes its own after 30s')
}

const hidden = /^(?:.*?)\(\^\|;\)\\s\*([A-Za-z][\w-]*)=/

function affinity(source: Source, draft: Draft): void {
  const {ours, config, layout, nodesBlock, upstream} = source
  if (!upstream || upstream.nodes.length < 2) {
    if (upstream && upstream.affinity.kind !== 'none') draft.set('affinity.mode', undefined)
    return
  }
  if (!ours) return foreignAffinity(source, draft)
  const hash = nodesBlock?.first('hash')
  const sticky = nodesBlock?.first('sticky')
  const routes = table(layout, 'map', '$gms_upstream') ?? table(layout, 'map', '$gms_route')
  const key = hash?.args[0]?.value ?? (sticky && parameter(sticky, 'create'))
  if (routes) {
    draft.set('affinity.mode', 'application-cookie', routes.span)
    return draft.set('affinity.cookie', hidden.exec(rowsOf(config, routes)[0]?.key ?? '')?.[1], routes.span)
  }
  if (key === undefined) return draft.set('affinity.mode', 'none', nodesBlock?.home)
  if (key === '$remote_addr') return draft.set('affinity.mode', 'source-address', (hash ?? sticky)?.span)
  if (key.startsWith('$upstream_cookie_')) {
    draft.set('affinity.mode', 'application-cookie', sticky?.span)
    return draft.set('affinity.cookie', key.slice('$upstream_cookie_'.length), sticky?.span)
  }
  const keys = table(layout, 'map', '$gms_affinity_key')
  draft.set('affinity.cookie', hidden.exec(rowsOf(config, keys)[0]?.key ?? '')?.[1], keys?.span)
  const attributes = table(layout, 'map', '$gms_affinity_attributes')
  const cookie = table(layout, 'map', '$gms_affinity_cookie')
  const secure = rowsOf(config, attributes).find(({key: own}) => own === 'https')?.value
  const text = secure ?? rowsOf(config, cookie).find(({key: own}) => own === 'default')?.value ?? ''
  attributesOf(text, draft, (attributes ?? cookie)?.span)
}

function attributesOf(text: string, draft: Draft, span: Span | undefined): void {
  if (!/;\s*httponly/i.test(text)) draft.set('affinity.httpOnly', false, span)
  const [, sameSite] = /;\s*samesite=(lax|strict|none)/i.exec(text) ?? []
  draft.set('affinity.sameSite', sameSite?.toLowerCase(), span)
  if (/;\s*partitioned/i.test(text)) draft.set('affinity.partitioned', true, span)
}

function foreignAffinity({upstream, poll, nodesBlock}: Source, draft: Draft): void {
  if (!upstream) return
  const {kind, setting, cookie} = upstream.affinity
  const span = setting.span ?? setting.home
  if (kind === 'address') draft.set('affinity.mode', 'source-address', span)
  else if (kind === 'inserted-cookie') {
    draft.set('affinity.cookie', cookie, span)
    const added = poll.addedAnswers.find(({name}) => name === 'set-cookie')
    const sticky = nodesBlock?.first('sticky')
    const text = added?.value ?? sticky?.args.map(({value}) => `; ${value}`).join('')
    if (text !== undefined) attributesOf(text, draft, added?.span ?? sticky?.span)
  } else if (kind === 'application-cookie' || kind === 'prefixed-cookie') {
    draft.set('affinity.mode', 'application-cookie', span)
    draft.set('affinity.cookie', cookie, span)
  } else if (kind === 'none')
    draft.leave(span, `requests of one session could reach any node (${setting.text}): affinity.mode cookie keeps them on one`)
  else draft.leave(span, `${setting.text} chose the node: affinity.mode cookie does now`)
}

function health({ours, comments, nodesBlock, upstream}: Source, draft: Draft): void {
  const [line] = nodesBlock?.all('server') ?? []
  const fails = line && parameter(line, 'max_fails')
  const rest = durationOf((line && parameter(line, 'fail_timeout')) ?? '10s') ?? 10_000
  if (ours && line) {
    const tcp = comments.some(text => text.startsWith('health.mode: open-source nginx sends no health checks'))
    if (!tcp) draft.set('health.mode', fails === '0' ? 'none' : 'passive', line.span)
    if (fails === '0' || fails === undefined) return
    const fall = Number(fails)
    draft.set('health.fall', fall, line.span)
    return draft.set('health.interval', durationText(intervalOf(fall, rest)), line.span)
  }
  const check = upstream?.health.kind === 'http' || upstream?.health.kind === 'tcp' ? upstream.health : undefined
  if (check?.setting.span) {
    if (check.kind === 'http') {
      draft.set('health.mode', 'http', check.setting.span)
      draft.set('health.path', check.path, check.setting.span)
    }
    const words = check.setting.text.split(/\s+/)
    const value = (name: string) => words.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1)
    const plus = check.setting.directive === 'health_check'
    const interval = value('interval')
    const every = interval === undefined ? undefined : plus ? durationOf(interval) : Number(interval)
    draft.set('health.interval', every === undefined ? undefined : durationText(every), check.setting.span)
    for (const [own, name] of [
      ['rise', plus ? 'passes' : 'rise'],
      ['fall', plus ? 'fails' : 'fall'],
    ] as const) {
      const count = value(name)
      if (count !== undefined) draft.set(`health.${own}`, Number(count), check.setting.span)
    }
    if (value('match') !== undefined || value('type') !== undefined)
      draft.leave(check.setting.span, 'what the answer of a health check must be: health.expect says it')
    return
  }
  for (const own of nodesBlock?.all('server') ?? []) {
    const written = own.args.filter(({value}) => /^(?:max_fails|fail_timeout)=/.test(value))
    const [first] = written
    if (first && !(fails === '3' && rest === 9000))
      draft.leave(first.span, `${written.map(({value}) => value).join(' ')}: replaced by health (3 failures in 9s rest a node for 9s)`)
  }
}

/** An interval from which the time that a node rests is made again: `fall` of them, in whole seconds. */
function intervalOf(fall: number, restMs: number): number {
  return Math.floor(restMs / fall)
}
