import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import {durationOf} from './defaults.ts'
import {fileOf, same} from './import-source.ts'
import type {Source} from './import-source.ts'
import {all, inForce} from './sections.ts'
import {flag, nodeLines, valued, wordsOfServer} from './site-nodes.ts'
import type {Word} from './site-nodes.ts'
import {PURGES} from './view-upstream.ts'

/** Largest weight of the parameters. */
const HEAVIEST = 100
/** GMS closes an unused connection then, ms. */
const GMS_KEEPS = 30_000

/** `upstream`, `affinity` and `health` of the parameters. */
export function importUpstream(source: Source, draft: Draft): void {
  const {upstream, site} = source
  if (!upstream) return
  nodes(source, draft)
  if (draft.list('upstream.nodes').length === 0) return
  towardsNodes(source, draft)
  if (upstream.resolution.value === 'followed') {
    for (const {address, span} of site.nameServers) draft.add('upstream.resolvers', address, span)
    const valid = source.sections.all
      .find(({kind}) => kind === 'resolvers')
      ?.own.find(({words}) => words[0] === 'hold' && words[1] === 'valid')
    const ms = durationOf(valid?.words[2] ?? '')
    if (valid && ms > 0) draft.set('upstream.dnsTtl', durationText(ms), valid.directive.span)
  } else if (upstream.resolution.value === 'request' && upstream.resolution.span)
    draft.leave(upstream.resolution.span, 'the node is chosen by a rule of the request: parameters name the nodes')
  const {keepAlive, keepAliveTimeout} = upstream
  if (source.chat.layer4.value) {
    // bytes were passed on: nothing was said of HTTP
  } else if (!keepAlive.value) draft.set('upstream.keepAlive', '0s', keepAlive.span)
  else if (keepAliveTimeout.span && keepAliveTimeout.value !== undefined && !Number.isNaN(keepAliveTimeout.value)) {
    const ms = keepAliveTimeout.value * PURGES
    if (ms < GMS_KEEPS) draft.set('upstream.keepAlive', durationText(ms), keepAliveTimeout.span)
    else
      draft.leave(
        keepAliveTimeout.span,
        'unused connections are kept for less than the 30s after which GMS closes its own (upstream.keepAlive)',
      )
  }
  const {drain} = site
  if (drain.value !== undefined && !Number.isNaN(drain.value)) draft.set('upstream.drainTimeout', durationText(drain.value), drain.span)
  affinity(source, draft)
  health(source, draft)
}

function nodes({upstream, backend}: Source, draft: Draft): void {
  const lines = backend ? nodeLines(backend) : []
  const lineOf = (span: {file: string; start: number; end: number}) =>
    lines.find(({directive}) => same(directive.span, span as typeof directive.span))
  const weights = (upstream?.nodes ?? []).flatMap(({span}) => {
    const line = lineOf(span)
    return Number((line && valued(wordsOfServer(line), 'weight')?.values[0]) ?? 1)
  })
  const heaviest = Math.max(...weights)
  const seen = new Set<string>()
  let index = 0
  for (const [position, node] of (upstream?.nodes ?? []).entries()) {
    const line = lineOf(node.span)
    const words = line ? wordsOfServer(line) : []
    if (line?.words[0] === 'server-template') {
      if (seen.has(`${node.span.start}`)) continue
      seen.add(`${node.span.start}`)
      draft.leave(
        node.span,
        `${node.address} stands for as many nodes as its name has addresses: name each, or leave the name and set upstream.resolvers`,
      )
    }
    if (node.port === undefined) {
      draft.leave(node.span, `${node.address} is not an address with a port: nodes are host:port`)
      continue
    }
    if (node.down) {
      draft.leave(node.span, `${node.address} is disabled: it gets no chats, and is not a node of the parameters`)
      continue
    }
    const path = `upstream.nodes.${index++}`
    const weight = weights[position] ?? 1
    draft.set(path, {}, node.span)
    draft.set(`${path}.host`, node.host.includes(':') ? `[${node.host}]` : node.host, node.span)
    draft.set(`${path}.port`, node.port, node.span)
    const name = line?.words[0] === 'server' ? line.words[1] : undefined
    if (name !== undefined && name !== node.host.split('.')[0]) draft.set(`${path}.name`, name, line?.args[0]?.span)
    if (weight === 0) draft.set(`${path}.drain`, true, node.span)
    else if (weight > 0 && weight !== 1)
      draft.set(`${path}.weight`, heaviest > HEAVIEST ? Math.max(1, Math.round((weight * HEAVIEST) / heaviest)) : weight, node.span)
    if (node.backup) draft.set(`${path}.backup`, true, node.span)
    draft.set(`${path}.maxConnections`, node.maxConnections.value, node.maxConnections.span)
    if (node.sendsProxyProtocol.value) draft.leave(node.sendsProxyProtocol.span ?? node.span, 'GMS reads no PROXY protocol: it is not sent')
    for (const {word} of words)
      if (/^(?:slowstart|on-error|observe|on-marked-down|source|redir|agent-check)$/.test(word))
        draft.leave(node.span, `${word}: no parameter says it`)
  }
}

function towardsNodes({backend, upstream, sections}: Source, draft: Draft): void {
  const [line] = backend ? nodeLines(backend) : []
  if (!line || !upstream?.nodes.some(({tls}) => tls)) return
  const words = wordsOfServer(line)
  const ssl = flag(words, 'ssl')
  draft.set('upstream.tls', {}, ssl?.line.directive.span)
  const value = (name: string) => {
    const found: Word | undefined = valued(words, name)
    return {text: found?.values[0], span: found?.line.directive.span}
  }
  const verified = upstream.nodes.find(({tls}) => tls)?.tls?.verified
  const authority = value('ca-file')
  if (verified?.value === false && value('verify').text === 'none') {
    draft.set('upstream.tls.verify', false, verified.span)
  } else if (authority.text !== undefined && authority.text !== '@system-ca')
    draft.set('upstream.tls.authority', fileOf(authority.text, 'ca-base', sections), authority.span)
  const names = new Set(upstream.nodes.map(({tls}) => tls?.serverName?.value))
  const [name] = names
  const setting = upstream.nodes.find(({tls}) => tls?.serverName)?.tls?.serverName
  const host = upstream.nodes.length === 1 ? upstream.nodes[0]?.host : undefined
  if (names.size === 1 && name !== undefined && name !== host && /^[A-Za-z0-9.-]+$/.test(name))
    draft.set('upstream.tls.serverName', name, setting?.span)
  else if (name !== undefined && !/^[A-Za-z0-9.-]+$/.test(name) && setting?.span)
    draft.leave(setting.span, `the name ${name} changes with the request: upstream.tls.serverName is one name, or that of each node`)
  const certificate = value('crt')
  if (certificate.text !== undefined)
    draft.set('upstream.tls.certificate', fileOf(certificate.text, 'crt-base', sections), certificate.span)
}

function affinity({upstream}: Source, draft: Draft): void {
  if (!upstream || upstream.nodes.length < 2) return
  const {kind, setting, cookie} = upstream.affinity
  const span = setting.span ?? setting.home
  if (kind === 'address') draft.set('affinity.mode', 'source-address', span)
  else if (kind === 'inserted-cookie') {
    draft.set('affinity.cookie', cookie, span)
    if (!/\bhttponly\b/.test(setting.text)) draft.set('affinity.httpOnly', false, span)
    const [, sameSite] = /SameSite=(Lax|Strict|None)/i.exec(setting.text) ?? []
    draft.set('affinity.sameSite', sameSite?.toLowerCase(), span)
    if (/Partitioned/i.test(setting.text)) draft.set('affinity.partitioned', true, span)
    for (const word of ['maxlife', 'maxidle', 'domain', 'dynamic', 'preserve'])
      if (new RegExp(`\\b${word}\\b`).test(setting.text)) draft.leave(span, `${word} of the cookie ${cookie ?? ''}: no parameter says it`)
  } else if (kind === 'application-cookie' || kind === 'prefixed-cookie') {
    draft.set('affinity.mode', 'application-cookie', span)
    draft.set('affinity.cookie', cookie, span)
  } else if (kind === 'none')
    draft.leave(span, `requests of one session could reach any node (${setting.text}): affinity.mode cookie keeps them on one`)
  else draft.leave(span, `${setting.text} chose the node: affinity.mode cookie does now`)
}

function health({upstream, backend}: Source, draft: Draft): void {
  if (!upstream || !backend) return
  const {kind, setting, path} = upstream.health
  if (kind === 'none') return draft.leave(setting.span ?? setting.home, 'nodes were not checked: health.mode tcp tries them')
  const [line] = nodeLines(backend)
  const words = line ? wordsOfServer(line) : []
  const value = (name: string) => valued(words, name)
  const inter = value('inter')
  const ms = durationOf(inter?.values[0] ?? '')
  if (ms > 0) draft.set('health.interval', durationText(ms), inter?.line.directive.span)
  for (const name of ['rise', 'fall'] as const) {
    const found = value(name)
    if (found) draft.set(`health.${name}`, Number(found.values[0]), found.line.directive.span)
  }
  if (kind !== 'http') return
  draft.set('health.mode', 'http', setting.span)
  draft.set('health.path', path, setting.span)
  const expected = inForce(backend, 'http-check', 'expect')
  if (expected?.words[2] === 'string') draft.set('health.expect', expected.words[3], expected.directive.span)
  else if (expected && !/^(?:status 2\d\d|rstatus )/.test(expected.words.slice(2).join(' ')))
    draft.leave(expected.directive.span, `${expected.words.slice(2).join(' ')}: health.expect is a text that the answer holds`)
  if (upstream.health.credentials === true) {
    const send = all(backend, 'http-check', 'send').find(({words: own}) => own.some(word => /^authorization$/i.test(word)))
    const at = send?.args.findIndex(({value: own}) => /^authorization$/i.test(own)) ?? -1
    const name = /\$\{?([A-Z][A-Z0-9_]*)/.exec(send?.args[at + 1]?.raw ?? '')?.[1]
    if (name === undefined)
      draft.leave(
        send?.directive.span ?? setting.home,
        'the Authorization of the health check is a secret: put it into an environment variable and name that in health.auth',
      )
    else draft.set('health.auth', name, send?.directive.span)
  }
}
