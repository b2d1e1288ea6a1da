import {parseNode} from '../../parameters/grammar.ts'
import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import {nodeNames} from '../node-names.ts'
import type {Node, Upstream} from '../site.ts'
import type {Source} from './import-source.ts'
import type {Line} from './site-lines.ts'

/** Half of what GMS (Jetty) keeps an idle connection for, and all of it, ms. */
const KEEP_ALIVE_MS = 15_000
const JETTY_KEEPS_MS = 30_000

/** `upstream`, `affinity` and `health` of a configuration that others wrote. */
export function foreignUpstream(source: Source, draft: Draft): void {
  const {upstream} = source
  if (!upstream) return
  nodes(source, upstream, draft)
  towardsNodes(source, upstream, draft)
  const {keepAlive, keepAliveTimeout, resolution} = upstream
  const ms = keepAliveTimeout.value
  if (!keepAlive.value && keepAlive.span) draft.set('upstream.keepAlive', '0s', keepAlive.span)
  else if (keepAliveTimeout.span && ms !== undefined && ms !== KEEP_ALIVE_MS) {
    if (ms < JETTY_KEEPS_MS) draft.set('upstream.keepAlive', durationText(ms), keepAliveTimeout.span)
    else draft.leave(keepAliveTimeout.span, 'unused connections are kept for 15s instead: GMS closes its own after 30s')
  }
  if (resolution.value === 'followed' && resolution.span && keepAlive.value)
    draft.leave(resolution.span, 'node names were followed with the name servers of the system: name them in upstream.resolvers')
  affinity(source, upstream, draft)
  health(source, upstream, draft)
}

function nodes(source: Source, {nodes: all}: Upstream, draft: Draft): void {
  const known = all.filter(node => {
    const address = `${node.host}:${node.port ?? 80}`
    if (!parseNode(address)) draft.leave(node.span, `${node.address} is no host that parameters could name`)
    return parseNode(address) !== undefined
  })
  const unique = known.filter((node, index) => known.findIndex(own => own.host === node.host && own.port === node.port) === index)
  const keys = unique.map(({key}) => key?.value)
  const application = isApplication(source)
  const whole = keys.every(key => key !== undefined && /^[A-Za-z][\w-]{0,63}$/.test(key)) && new Set(keys).size === keys.length
  const usual = nodeNames(unique.map(({host, port = 0}) => ({host, port, weight: 1, backup: false, drain: false})))
  unique.forEach((node, index) => {
    const path = `upstream.nodes.${index}`
    draft.set(path, {}, node.span)
    draft.set(`${path}.host`, node.host, node.span)
    draft.set(`${path}.port`, node.port ?? 80, node.span)
    if (whole && application) draft.set(`${path}.route`, keys[index], node.key?.span)
    else if (whole && keys.some((key, at) => key !== usual[at])) draft.set(`${path}.name`, keys[index], node.key?.span)
    if (node.backup) draft.set(`${path}.backup`, true, node.span)
    if (node.down) draft.set(`${path}.drain`, true, node.span)
    weigh(source, node, path, draft)
    if (node.maxConnections.value !== undefined && node.maxConnections.span)
      draft.leave(
        node.maxConnections.span,
        `${node.maxConnections.text}: httpd counts it for each of its processes; upstream.nodes maxConnections is for all`,
      )
  })
}

function weigh({lines}: Source, {span}: Node, path: string, draft: Draft): void {
  const line = lines.find(({directive}) => directive.span.file === span.file && directive.span.start === span.start)
  const factor = line?.values.findLast(value => /^loadfactor=/i.test(value))?.slice('loadfactor='.length)
  const weight = Number(factor)
  if (factor === undefined || !Number.isFinite(weight) || weight === 1) return
  draft.set(`${path}.weight`, Math.max(1, Math.round(weight)), span)
}

function isApplication({upstream}: Source): boolean {
  return upstream?.affinity.kind === 'application-cookie' || upstream?.affinity.kind === 'prefixed-cookie'
}

function towardsNodes({lines, poll, chat}: Source, upstream: Upstream, draft: Draft): void {
  const tls = upstream.nodes.find(node => node.tls)?.tls
  if (!tls) return
  const last = (name: string): Line | undefined => lines.findLast(line => line.name === name)
  const {span} = poll.end
  draft.set('upstream.tls', {}, span)
  if (!tls.verified.value) {
    draft.set('upstream.tls.verify', false, tls.verified.span ?? span)
    if (!tls.verified.span)
      draft.leave(span, 'httpd believes whoever answers at a node (SSLProxyVerify none is its default): so does upstream.tls.verify false')
  } else {
    const authority = last('sslproxycacertificatefile')
    draft.set('upstream.tls.authority', authority?.values[0], authority?.directive.span)
    const asked = tls.serverName?.value
    const hosts = new Set(upstream.nodes.map(({host}) => host))
    const [only] = chat.flatMap(({serverNames}) => serverNames)
    if (asked !== undefined && !(hosts.has(asked) && asked !== only)) draft.set('upstream.tls.serverName', asked, tls.serverName?.span)
  }
  const certificate = last('sslproxymachinecertificatefile')
  draft.set('upstream.tls.certificate', certificate?.values[0], certificate?.directive.span)
}

function affinity({poll}: Source, upstream: Upstream, draft: Draft): void {
  const {kind, setting, cookie} = upstream.affinity
  const span = setting.span ?? setting.home
  if (kind === 'address') draft.set('affinity.mode', 'source-address', span)
  else if (kind === 'inserted-cookie') {
    draft.set('affinity.cookie', cookie, span)
    const added = poll.addedAnswers.find(({name, value}) => name === 'set-cookie' && value.startsWith(`${cookie ?? ''}=`))
    if (!added) return
    if (!/;\s*httponly/i.test(added.value)) draft.set('affinity.httpOnly', false, added.span)
    const [, sameSite] = /;\s*samesite=(lax|strict|none)/i.exec(added.value) ?? []
    draft.set('affinity.sameSite', sameSite?.toLowerCase(), added.span)
    if (/;\s*partitioned/i.test(added.value)) draft.set('affinity.partitioned', true, added.span)
  } else if (kind === 'application-cookie' || kind === 'prefixed-cookie') {
    draft.set('affinity.mode', 'application-cookie', span)
    draft.set('affinity.cookie', cookie, span)
    if (upstream.nodes.some(({key}) => key === undefined))
      draft.leave(span, `${cookie ?? 'the cookie'} is found again by the route of a node: give each node its route`)
  } else if (upstream.nodes.length > 1)
    draft.leave(
      span,
      kind === 'none'
        ? `requests of one session could reach any node (${setting.text || 'no stickysession='}): affinity.mode cookie keeps them on one`
        : `${setting.text} chose the node: affinity.mode cookie does now`,
    )
}

function health({lines}: Source, {health: check, nodes: all}: Upstream, draft: Draft): void {
  const {kind, setting} = check
  const span = setting.span ?? setting.home
  if (kind === 'tcp' || kind === 'http') {
    if (kind === 'http' && check.path !== undefined) {
      draft.set('health.mode', 'http', span)
      draft.set('health.path', check.path, span)
      const [, body] = /hc\('body'\) =~ \/([^/]*)\//.exec(check.expect ?? '') ?? []
      draft.set('health.expect', body, span)
      if (check.expect !== undefined && body === undefined)
        draft.leave(span, `what the answer of a health check must be (${check.expect.trim()}): a status of 2xx; health.expect adds a text`)
    }
    const line = lines.find(({directive}) => directive.span.file === span.file && directive.span.start === span.start)
    const value = (name: string) => line?.values.findLast(word => word.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
    const interval = Number(value('hcinterval') ?? '30')
    if (interval > 0) draft.set('health.interval', durationText(interval * 1000), span)
    if (value('hcfails') !== undefined) draft.set('health.fall', Number(value('hcfails')), span)
    if (value('hcpasses') !== undefined) draft.set('health.rise', Number(value('hcpasses')), span)
    return
  }
  for (const {outFor} of all)
    if (outFor.span) draft.leave(outFor.span, `retry=${outFor.value / 1000}: replaced by health, which asks each node every 3s`)
}
