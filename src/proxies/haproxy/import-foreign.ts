import type {Draft} from '../import-draft.ts'
import {FRONT_PAGE} from '../import-foreign.ts'
import type {Listener} from '../site.ts'
import type {ParsedConfig} from '../syntax.ts'
import {importTraffic} from './import-foreign-traffic.ts'
import {importUpstream} from './import-foreign-upstream.ts'
import {chatSections, fileOf, shown, sourceOf} from './import-source.ts'
import type {Source} from './import-source.ts'
import type {Line} from './sections.ts'

/** The parameters of a configuration that others wrote. */
export function importForeign(config: ParsedConfig, version: string, draft: Draft): void {
  const source = sourceOf(config, version)
  if (!source) return
  importListeners(source, draft)
  const {layer4} = source.chat
  if (layer4.value)
    draft.leave(
      layer4.span ?? source.chat.span,
      'mode tcp passes bytes on: rendered, HAProxy reads HTTP, tells GMS the client and closes what is not the chat',
    )
  importUpstream(source, draft)
  importTraffic(source, draft)
  otherSites(source, draft)
  rest(source, draft)
}

function importListeners(source: Source, draft: Draft): void {
  const {site} = source
  const chats = site.listeners.filter(({chat}) => chat)
  const encrypted = chats.filter(({tls}) => tls)
  const redirectors = encrypted.length === 0 ? [] : site.listeners.filter(own => !own.chat && !own.tls && redirects(own, source))
  const plain = [...chats.filter(({tls}) => !tls), ...redirectors]
  for (const own of redirectors)
    draft.leave(
      own.span,
      'the paths of the chat were redirected too; rendered, this port serves them in plain text, since chat clients follow no redirect',
    )
  const redirect = plain.some(own => redirects(own, source))
  draft.set('listener', [])
  let at = 0
  for (const own of plain) if (placed(`listener.${at}`, own, 80, source, draft)) at++
  at = 0
  for (const own of encrypted) {
    const path = `tls.${at}`
    if (!placed(path, own, 443, source, draft)) continue
    at++
    if (redirect && own === encrypted[0]) draft.set(`${path}.redirect`, true, own.span)
    encryption(path, own, source, draft)
  }
}

function redirects(listener: Listener, {site}: Source): boolean {
  const {end} = site.trace(listener, FRONT_PAGE)
  return end.kind === 'redirect' && /^https:/i.test(end.to)
}

/** False for a socket of the machine, a range of ports, and what a variable decides. */
function placed(path: string, listener: Listener, standard: number, {bindOf}: Source, draft: Draft): boolean {
  const {address, port = standard, serverNames, proxyProtocol, span} = listener
  const bound = bindOf(listener)
  const [, written] = /^(?:ipv[46]@)?(.*):\d+$/.exec(bound ? address : `*:${port}`) ?? []
  const wide = written === '' || written === '0.0.0.0'
  const ip6 = written?.includes(':') === true && !written.startsWith('[') ? `[${written}]` : written
  if (written === undefined || /^(?:unix|abns|fd|sockpair|quic)/.test(address)) {
    draft.leave(span, `bind ${address}: parameters listen on an address and one port`)
    return false
  }
  draft.set(path, {}, span)
  if (!wide && ip6 !== '*') draft.set(`${path}.address`, ip6, span)
  if (port !== standard) draft.set(`${path}.port`, port, span)
  if (serverNames.length > 0) draft.set(`${path}.serverNames`, [...serverNames], span)
  if (proxyProtocol.value) draft.set(`${path}.proxyProtocol`, true, proxyProtocol.span ?? span)
  return true
}

const STRICT = 'strict-transport-security'

function encryption(path: string, listener: Listener, source: Source, draft: Draft): void {
  const {line} = source.bindOf(listener) ?? {}
  const {tls, http2} = listener
  if (!line || !tls) return
  const values = (word: string) => line.args.filter((_, index) => line.args[index - 1]?.value === word)
  const [certificate, ...others] = values('crt')
  const file = (name: string, base: string) => fileOf(name, base, source.sections)
  if (certificate) {
    const [, store, alias] = /^@([^/]+)\/(.+)$/.exec(certificate.value) ?? []
    const load = source.sections.all
      .find(({kind, name}) => kind === 'crt-store' && name === store)
      ?.own.find(({words}) => words[0] === 'load' && words[words.indexOf('alias') + 1] === alias)
    if (load) {
      draft.set(`${path}.certificate`, load.words[load.words.indexOf('crt') + 1], load.directive.span)
      if (load.words.includes('key')) draft.set(`${path}.key`, load.words[load.words.indexOf('key') + 1], load.directive.span)
    } else draft.set(`${path}.certificate`, file(certificate.value, 'crt-base'), certificate.span)
  }
  for (const {span, value} of [...others, ...values('crt-list')])
    draft.leave(span, `${value}: a listener of the parameters has one certificate: give each its own serverNames`)
  const old = tls.versions.value.filter(name => /^(?:SSLv3|TLSv1\.[01])$/.test(name))
  const span = tls.versions.span ?? listener.span
  if (tls.versions.value.length === 1 && tls.versions.value[0] === 'TLSv1.3') draft.set(`${path}.profile`, 'modern', span)
  else if (old.length > 0)
    draft.leave(span, `${old.join(', ')} are replaced by the profile intermediate (TLS 1.2 and 1.3); profile old offers them`)
  const [verify] = values('verify')
  const [authority] = values('ca-file')
  if (verify && verify.value !== 'none' && authority) {
    draft.set(`${path}.clientCertificates.authority`, file(authority.value, 'ca-base'), authority.span)
    if (verify.value === 'optional') draft.set(`${path}.clientCertificates.required`, false, verify.span)
  }
  if (!http2.value && http2.span) draft.set(`${path}.http2`, false, http2.span)
  const added =
    source.site.trace(listener, FRONT_PAGE).addedAnswers.find(({name}) => name === STRICT) ??
    source.poll.addedAnswers.find(({name}) => name === STRICT)
  const [, seconds] = /max-age="?(\d+)/i.exec(added?.value ?? '') ?? []
  if (!added || seconds === undefined) return
  draft.set(`${path}.hsts`, `${Number(seconds)}s`, added.span)
  if (added.value.includes(';'))
    draft.leave(added.span ?? listener.span, `of Strict-Transport-Security only max-age is kept: ${added.value}`)
}

function otherSites(source: Source, draft: Draft): void {
  const {site, sections} = source
  const kept = new Set([...chatSections(source)])
  const redirecting = site.listeners.filter(own => !own.chat && !own.tls && redirects(own, source)).map(own => source.bindOf(own)?.section)
  const metrics = sections.proxies.filter(section =>
    section.own.some(({words}) => words[2] === 'prometheus-exporter' || words[0] === 'stats'),
  )
  for (const section of sections.proxies) {
    if (kept.has(section) || redirecting.includes(section) || section.kind === '') continue
    if (metrics.includes(section)) {
      if (draft.get('logging.metricsPort') === undefined)
        draft.leave(section.header, `${section.kind} ${section.name} shows the state of HAProxy: logging.metricsPort does so on 127.0.0.1`)
    } else if (section.own.some(({words}) => words[0] === 'stick-table') && section.own.every(({words}) => words[0] !== 'server')) continue
    else draft.leave(section.header, `${section.kind} ${section.name} serves something else than the chat`)
  }
}

/** Lines that what was carried over implies, or that have nothing to do with a chat. */
const IMPLIED = new RegExp(
  `^(?:${[
    'bind|mode|log|option (?:httplog|tcplog|dontlognull|dontlog-normal|forwardfor|http-keep-alive|http-server-close|httpclose|redispatch|httpchk|tcp-check|prefer-last-server|log-health-checks)',
    'option (?:splice|contstats|log-separate-errors|logasap|socket-stats|tcpka|clitcpka|srvtcpka|forwarded|allbackups)|log-format|log-tag|unique-id|description|id |balance|hash-|default_backend|use_backend',
    'acl|server|default-server|server-template|dispatch|cookie|stick|http-check|tcp-check|maxconn|retries|retry-on|http-reuse|timeout|stats|capture|declare|fullconn|guid|enabled|compression|email-alert',
    'http-request (?:set-uri %\\[pathq\\]|set-header|add-header|del-header|deny|reject|redirect|return|track-sc|set-var|set-src|set-log-level|use-service|set-timeout|cache-use|wait-for-body)|redirect',
    'tcp-request (?:connection (?:expect-proxy|track-sc|reject|accept)|session track-sc|content track-sc|inspect-delay|content (?:accept|reject))|http-(?:response|after-response) (?:set-header|add-header|del-header)',
  ].join('|')})`,
)

/** Lines on the way of a chat that no parameter says. */
function rest(source: Source, draft: Draft): void {
  const bases = [...new Set(chatSections(source).flatMap(({base}) => base ?? []))]
  for (const section of [...chatSections(source), ...bases])
    for (const line of section.own) {
      if (IMPLIED.test(line.words.join(' '))) continue
      const place = section.kind === 'listen' ? 'frontend' : section.kind
      draft.leave(line.directive.span, `${shown(line)}: no parameter says it; if it is still needed, snippets.haproxy.${place} holds it`)
    }
  for (const line of source.sections.global)
    if (OF_GLOBAL.test(line.words[0] ?? ''))
      draft.leave(line.directive.span, `${shown(line)}: no parameter says it; if it is still needed, snippets.haproxy.global holds it`)
  headers(source, draft)
}

/** Of the global section what would be missed; who runs it and where it logs belongs to the installation. */
const OF_GLOBAL = /^(?:lua-load|tune\.(?:bufsize|maxrewrite|http\.maxhdr)|nbthread|cpu-map|ssl-engine|module-load|h1-case-adjust)/

/** Headers that rules set, and the parameters set otherwise or not at all. */
const OWN_HEADERS =
  /^(?:x-forwarded(?:-|$)|x-real-ip$|forwarded$|x-request-id$|upgrade$|connection$|http2-settings$|strict-transport-security$|access-control-|x-client-)/i

function headers(source: Source, draft: Draft): void {
  const of = (line: Line) =>
    /^http-(?:request|response|after-response)$/.test(line.words[0] ?? '') && /^(?:set|add|del)-header$/.test(line.words[1] ?? '')
  for (const section of chatSections(source))
    for (const line of section.own)
      if (of(line) && !OWN_HEADERS.test(line.words[2] ?? ''))
        draft.leave(
          line.directive.span,
          `${shown(line)}: no parameter says it; if it is still needed, snippets.haproxy.${section.kind === 'backend' ? 'backend' : 'frontend'} holds it`,
        )
}
