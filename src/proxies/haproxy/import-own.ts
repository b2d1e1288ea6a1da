import {isDeepStrictEqual} from 'node:util'
import type {Draft} from '../import-draft.ts'
import {durationText, sizeText} from '../import-draft.ts'
import {FORM_BYTES, MARGIN_MS, NETWORK_DELAY_MS} from '../margins.ts'
import {nodeNames} from '../node-names.ts'
import {durationOf} from './defaults.ts'
import type {OwnText} from './import-text.ts'
import {certificatesOf} from './import-certificates.ts'
import type {Certificates} from './import-certificates.ts'
import {chatsOf, filesFor} from './import-capacity.ts'
import {ownListeners} from './import-own-listeners.ts'
import {LAYOUTS} from './layouts.ts'
import type {Statement} from './parse.ts'
import {has} from './versions.ts'
import {isAddress, PURGES} from './view-upstream.ts'
import {RATE_SECONDS} from './view.ts'

const BACKEND = 'backend gms'
const METRICS = 'frontend gms_metrics'
/** Defaults of `upload`, ms. */
const ANSWER_WITHIN = 120_000
const STALL = 60_000

/** The parameters of a file that this tool has rendered. */
export function importOwn(text: OwnText, version: string, draft: Draft): void {
  const certificates = certificatesOf(text, version)
  ownListeners(text, certificates, draft)
  nodes(text, draft)
  towardsNodes(text, certificates, version, draft)
  affinity(text, draft)
  health(text, draft)
  times(text, draft)
  access(text, draft)
  limits(text, draft)
  logging(text, draft)
  for (const {place, text: lines, span} of text.snippets) draft.set(`snippets.haproxy.${place}`, lines, span)
  for (const {directive, words} of text.lines)
    if (!RENDERED.test(words.slice(0, 3).join(' ')))
      draft.leave(directive.span, `${words.slice(0, 3).join(' ')}: this was added by hand: a snippet keeps it`)
}

/** What lines of a rendered file begin with. */
const RENDERED = new RegExp(
  `^(?:${[
    'maxconn|log|user|group|chroot|pidfile|master-worker|localpeer|hard-stop-after|peer|mode http|nameserver|accepted_payload_size|resolve_retries|hold|load crt',
    'stats (?:socket|enable|uri|hide-version)|tune\\.ssl\\.lifetime|ssl-load-extra-del-ext|ocsp-update\\.mode|unique-id-format|log-format|error-log-format|http-reuse|retries|retry-on',
    'option (?:dontlognull|redispatch|http-server-close|idle-close-on-response|httpchk|allbackups)|timeout (?:connect|queue|check|server|client|client-fin|http-request|http-keep-alive|tunnel|resolve|retry)',
    'bind|default_backend gms|tcp-request (?:connection expect-proxy|session track-sc0)|balance (?:leastconn|hdr\\(X-Real-IP\\))|hash-type consistent|stick-table type|stick (?:on|store-response)',
    'cookie|http-check (?:send|expect)|default-server|use-server|server',
    'acl (?:trusted_balancer|trusted_hop|still_a_hop|allowed_client|public_name|gms_path|climbing|over_tls|admin|admin_client|allowed_origin|has_origin|several_origins|websocket|several_upgrades|files)',
    'http-request (?:set-var\\(txn\\.\\w+\\)|set-log-level|use-service|set-uri|deny deny_status|redirect location|return status|del-header|set-header|set-timeout server|track-sc0)',
    'http-response del-header Access-Control-|http-after-response (?:set-header (?:Strict-Transport-Security|Access-Control-)|add-header Vary|replace-header Set-Cookie)',
  ].join('|')})`,
)

const valueAfter = ({words}: Statement, word: string) => {
  const at = words.indexOf(word)
  return at === -1 ? undefined : words[at + 1]
}

/** Words of a `server` line with their values; `backup` has none. */
function optionsOf({words}: Statement): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let at = 3; at < words.length; at++) {
    const word = words[at] ?? ''
    found.set(word, word === 'backup' ? '' : (words[++at] ?? ''))
  }
  return found
}

function nodes(text: OwnText, draft: Draft): void {
  const lines = text.all(BACKEND, 'server')
  const hosts = lines.map(({words}) => {
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(words[2] ?? '') ?? []
    return {host, port: Number(port), weight: 1, backup: false, drain: false}
  })
  const names = lines.map(({words}) => words[1] ?? '')
  const unnamed = isDeepStrictEqual(nodeNames(hosts), names)
  const routes = new Map(text.all(BACKEND, 'use-server').map(({words}) => [words[1], (words[7] ?? '').replace(/^\./, '')]))
  const options = lines.map(optionsOf)
  const weights = options.map(own => own.get('weight'))
  // A weight that is written on others although it is 1: the drained node had another one.
  const hidden = weights.includes('1') && weights.every(weight => weight === '1' || weight === '0') ? weights.indexOf('0') : -1
  lines.forEach((line, index) => {
    const path = `upstream.nodes.${index}`
    const {span} = line.directive
    const weight = weights[index]
    draft.set(path, {}, span)
    draft.set(`${path}.host`, hosts[index]?.host, span)
    draft.set(`${path}.port`, hosts[index]?.port, span)
    if (!unnamed) draft.set(`${path}.name`, names[index], span)
    draft.set(`${path}.route`, routes.get(names[index]), span)
    if (weight === '0') draft.set(`${path}.drain`, true, span)
    if (weight !== undefined && weight !== '0' && weight !== '1') draft.set(`${path}.weight`, Number(weight), span)
    if (index === hidden) draft.set(`${path}.weight`, 2, span)
    const most = options[index]?.get('maxconn')
    if (most !== undefined) draft.set(`${path}.maxConnections`, Number(most), span)
    if (options[index]?.has('backup') === true) draft.set(`${path}.backup`, true, span)
  })
}

function towardsNodes(text: OwnText, certificates: Certificates, version: string, draft: Draft): void {
  const tls = text.all(BACKEND, 'default-server', 'ssl')[0]
  if (tls) {
    const {span} = tls.directive
    draft.set('upstream.tls', {}, span)
    if (valueAfter(tls, 'verify') === 'none') draft.set('upstream.tls.verify', false, span)
    const authority = valueAfter(tls, 'ca-file')
    const ofSystem = has(version, 'systemAuthorities')
      ? authority === '@system-ca'
      : Object.values(LAYOUTS).some(({authorities}) => authorities === authority)
    if (!ofSystem) draft.set('upstream.tls.authority', authority, span)
    const {certificate, key} = certificates.upstream(valueAfter(tls, 'crt'))
    draft.set('upstream.tls.certificate', certificate, span)
    draft.set('upstream.tls.key', key, span)
    const servers = text.all(BACKEND, 'server')
    const asked = servers.map(line => /^str\((.*)\)$/.exec(optionsOf(line).get('sni') ?? '')?.[1])
    const meant = servers.map(({words}) => (words[2] ?? '').replace(/:\d+$/, '')).map(host => (isAddress(host) ? undefined : host))
    if (!isDeepStrictEqual(asked, meant)) draft.set('upstream.tls.serverName', asked[0], servers[0]?.directive.span)
  }
  for (const {words, directive} of text.all('resolvers gms_names', 'nameserver')) draft.add('upstream.resolvers', words[2], directive.span)
  duration(draft, 'upstream.dnsTtl', text.first('resolvers gms_names', 'hold', 'valid'), 2)
  const purge = text.first(BACKEND, 'default-server', 'pool-purge-delay')
  if (text.first('defaults', 'http-reuse', 'never')) draft.set('upstream.keepAlive', '0s')
  else if (purge) draft.set('upstream.keepAlive', durationText((durationOf(purge.words[2] ?? '') || 0) * PURGES), purge.directive.span)
  const drain = text.first('global', 'hard-stop-after')
  if (drain) duration(draft, 'upstream.drainTimeout', drain, 1)
  else if (text.fragment) draft.set('upstream.drainTimeout', commented(text, /^hard-stop-after (\S+): how long/))
}

function duration(draft: Draft, path: string, line: Statement | undefined, at: number): void {
  const ms = durationOf(line?.words[at] ?? '')
  if (line && !Number.isNaN(ms)) draft.set(path, durationText(ms), line.directive.span)
}

function commented({comments}: OwnText, pattern: RegExp): string | undefined {
  for (const text of comments) {
    const [, found] = pattern.exec(text) ?? []
    if (found !== undefined) return found
  }
  return undefined
}

function affinity(text: OwnText, draft: Draft): void {
  if (text.all(BACKEND, 'server').length < 2) return
  const cookie = text.first(BACKEND, 'cookie')
  if (cookie) {
    const {span} = cookie.directive
    const words = cookie.words.slice(2)
    draft.set('affinity.cookie', cookie.words[1], span)
    if (!words.includes('httponly')) draft.set('affinity.httpOnly', false, span)
    const overTls = text.first(text.frontend, 'http-after-response', 'replace-header', 'Set-Cookie')
    const attributes = [...words, ...(overTls?.words[4] ?? '').split('; ')]
    const sameSite = attributes.find(word => word.startsWith('SameSite='))?.slice('SameSite='.length)
    draft.set('affinity.sameSite', sameSite?.toLowerCase(), span)
    if (attributes.includes('Partitioned')) draft.set('affinity.partitioned', true, span)
    return
  }
  const stick = text.first(BACKEND, 'stick', 'on')
  const name = /^req\.cook\((.+)\)$/.exec(stick?.words[2] ?? '')?.[1]
  draft.set('affinity.mode', name !== undefined ? 'application-cookie' : stick ? 'source-address' : 'none', stick?.directive.span)
  draft.set('affinity.cookie', name, stick?.directive.span)
}

function health(text: OwnText, draft: Draft): void {
  const check = text.first(BACKEND, 'default-server', 'check')
  if (!check) return draft.set('health.mode', 'none')
  duration(draft, 'health.interval', {...check, words: ['', valueAfter(check, 'inter') ?? '']}, 1)
  draft.set('health.rise', Number(valueAfter(check, 'rise')), check.directive.span)
  draft.set('health.fall', Number(valueAfter(check, 'fall')), check.directive.span)
  const send = text.first(BACKEND, 'http-check', 'send')
  if (!send) return
  const {span, args} = send.directive
  draft.set('health.mode', 'http', span)
  draft.set('health.path', valueAfter(send, 'uri'), span)
  const at = args.findIndex(({value}, index) => value === 'Authorization' && args[index - 1]?.value === 'hdr')
  draft.set('health.auth', at === -1 ? undefined : /\$\{([A-Z0-9_]+)-/.exec(args[at + 1]?.raw ?? '')?.[1], span)
  const online = text.first(BACKEND, 'http-check', 'expect', 'status')
  draft.set('health.expect', online ? 'ONLINE' : text.first(BACKEND, 'http-check', 'expect', 'string')?.words[3], span)
}

function times(text: OwnText, draft: Draft): void {
  const line = (name: string) => text.first('defaults', 'timeout', name)
  const ms = (own: Statement | undefined, at = 2) => durationOf(own?.words[at] ?? '')
  const patience = line('server')
  const hold = ms(patience) - NETWORK_DELAY_MS - MARGIN_MS
  if (hold > 0) draft.set('polling.hold', durationText(hold), patience?.directive.span)
  duration(draft, 'upgrade.idleTimeout', line('tunnel'), 2)
  duration(draft, 'access.headerTimeout', line('http-request'), 2)
  const files = text.first(BACKEND, 'http-request', 'set-timeout', 'server')
  const late = ms(files, 3)
  const silent = ms(line('client'))
  // One limit is for headers and files: the shorter of the two is not written.
  const hidden = silent === ms(line('http-request'))
  const stall = !hidden ? silent : STALL <= silent && STALL + MARGIN_MS <= late ? STALL : Math.min(silent, late - MARGIN_MS)
  if (stall > 0) draft.set('upload.stallTimeout', durationText(stall), line('client')?.directive.span)
  const answer = late === stall + MARGIN_MS ? Math.min(late, ANSWER_WITHIN) : late
  if (answer > 0) draft.set('upload.answerWithin', durationText(answer), files?.directive.span)
  const size = text.all(text.frontend, 'http-request', 'deny').find(({words}) => words.includes('req.body_size'))
  const bytes = Number(size && valueAfter(size, 'gt'))
  if (size && bytes > FORM_BYTES) draft.set('upload.maxFileSize', sizeText(bytes - FORM_BYTES), size.directive.span)
}

function access(text: OwnText, draft: Draft): void {
  const acl = (name: string, path: string) => {
    for (const {words, directive} of text.all(text.frontend, 'acl', name)) draft.add(path, words.at(-1), directive.span)
  }
  for (const {words, directive} of text.all(text.frontend, 'acl', 'gms_path', 'path')) draft.add('access.paths', words[3], directive.span)
  acl('allowed_client', 'access.allow')
  acl('admin_client', 'access.adminAllow')
  acl('allowed_origin', 'access.origins')
  const cors = text.first(text.frontend, 'http-response', 'del-header', 'Access-Control-')
  if (cors) draft.set('access.cors', 'proxy', cors.directive.span)
  acl('trusted_hop', 'forwarding.trustedProxies')
  const forwarded = text.first(text.frontend, 'http-request', 'set-header', 'Forwarded')
  if (forwarded) draft.set('forwarding.rfc7239', true, forwarded.directive.span)
}

function limits(text: OwnText, draft: Draft): void {
  const line = text.first('global', 'maxconn')
  const maxconn = Number(line?.words[1] ?? commented(text, /^maxconn (\d+) or more/))
  const chats = chatsOf(maxconn)
  if (chats > 0) {
    draft.set('limits.chats', chats, line?.directive.span)
    draft.set('limits.openFiles', filesFor(chats, text.all(BACKEND, 'server').length), line?.directive.span)
  }
  for (const own of text.all(text.frontend, 'http-request', 'deny')) {
    const {span} = own.directive
    if (own.words.includes('sc0_conn_cur')) draft.set('limits.connectionsPerClient', Number(valueAfter(own, 'gt')), span)
    if (own.words.includes('sc0_http_req_rate')) draft.set('limits.requestsPerSecond', Number(valueAfter(own, 'gt')) / RATE_SECONDS, span)
  }
}

function logging(text: OwnText, draft: Draft): void {
  const format = text.first('defaults', 'log-format')
  if (format?.words[1]?.startsWith('{') === true) draft.set('logging.format', 'json', format.directive.span)
  if (!text.first('defaults', 'unique-id-format')) draft.set('logging.requestId', false)
  const metrics = text.first(METRICS, 'bind')
  const port = /:(\d+)$/.exec(metrics?.words[1] ?? '')?.[1]
  if (metrics && port !== undefined) draft.set('logging.metricsPort', Number(port), metrics.directive.span)
}
