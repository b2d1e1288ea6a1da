import {ADMIN_PATHS, FILES_PATH} from '../../wire/chat.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import {durationText, sizeText} from '../import-draft.ts'
import {DEFAULTS, importCors, replaced} from '../import-foreign.ts'
import {FORM_BYTES, MARGIN_MS, NETWORK_DELAY_MS, pollPatience} from '../margins.ts'
import {filesFor, workerConnections} from './capacity.ts'
import {counters, inside, lineOf, rowsOf, table} from './import-source.ts'
import type {Source} from './import-source.ts'
import {locationsIn} from './site-match.ts'
import type {Scope} from './site-scope.ts'
import {durationOf, sizeOf} from './site-units.ts'

/** `upgrade`, `polling`, `upload`, `forwarding`, `limits` and `logging` of the parameters. */
export function importTraffic(source: Source, draft: Draft): void {
  if (source.ours) ownTimes(source, draft)
  else foreignTimes(source, draft)
  forwarding(source, draft)
  limits(source, draft)
  logging(source, draft)
}

function ownTimes({servers: [server]}: Source, draft: Draft): void {
  if (!server) return
  const duration = (scope: Scope | undefined, name: string) => {
    const found = scope && lineOf(scope, name)
    return {ms: durationOf(found?.word ?? ''), span: found?.line.span}
  }
  const named = (name: string) => locationsIn(server).find(location => location.kind === 'named' && location.name === name)?.scope
  const patience = duration(server, 'proxy_read_timeout')
  const hold = (patience.ms ?? pollPatience(DEFAULTS.hold)) - NETWORK_DELAY_MS - MARGIN_MS
  draft.set('polling.hold', durationText(hold), patience.span)
  const idle = duration(named('@gms_websocket'), 'proxy_read_timeout')
  if (idle.ms !== undefined) draft.set('upgrade.idleTimeout', durationText(idle.ms), idle.span)
  const late = duration(named('@gms_files_query'), 'proxy_read_timeout')
  // Where a poll may take longer than an upload, nothing of the upload's is written.
  if (named('@gms_files_query') && late.ms !== undefined) draft.set('upload.answerWithin', durationText(late.ms), late.span)
  else if (pollPatience(hold) < DEFAULTS.answerWithin) draft.set('upload.answerWithin', durationText(pollPatience(hold)), patience.span)
  const size = lineOf(server, 'client_max_body_size')
  const bytes = sizeOf(size?.word ?? '')
  if (bytes !== undefined) draft.set('upload.maxFileSize', sizeText(bytes - FORM_BYTES), size?.line.span)
  const stall = duration(server, 'client_body_timeout')
  if (stall.ms !== undefined) draft.set('upload.stallTimeout', durationText(stall.ms), stall.span)
  const header = duration(server, 'client_header_timeout')
  if (header.ms !== undefined) draft.set('access.headerTimeout', durationText(header.ms), header.span)
}

function foreignTimes({poll, upload, webSocket, site}: Source, draft: Draft): void {
  const patience = pollPatience(DEFAULTS.hold)
  const {answerTimeout} = poll
  if (poll.end.kind === 'upstream' && answerTimeout.value !== patience)
    replaced(
      answerTimeout,
      `a poll is answered within ${patience / 1000}s while GMS holds it for 30s; where it holds longer, say so in polling.hold`,
      draft,
    )
  const idle = webSocket.idleTimeout
  if (idle.value !== undefined && idle.value > DEFAULTS.idleTimeout) draft.set('upgrade.idleTimeout', durationText(idle.value), idle.span)
  else if (idle.value !== DEFAULTS.idleTimeout) replaced(idle, 'a silent WebSocket stays open for an hour (upgrade.idleTimeout)', draft)
  const late = upload.answerTimeout
  if (late.value !== undefined && late.value > DEFAULTS.answerWithin && late.value !== answerTimeout.value)
    draft.set('upload.answerWithin', durationText(late.value), late.span)
  const {bodyLimit} = upload
  if (bodyLimit.value === undefined) replaced(bodyLimit, 'a limit of 10 MiB instead of none (upload.maxFileSize)', draft)
  else if (bodyLimit.value > DEFAULTS.maxFileSize + FORM_BYTES)
    draft.set('upload.maxFileSize', sizeText(bodyLimit.value - FORM_BYTES), bodyLimit.span)
  else if (bodyLimit.value !== DEFAULTS.maxFileSize + FORM_BYTES)
    replaced(bodyLimit, 'files of up to 10 MiB fit (upload.maxFileSize)', draft)
  const stall = upload.bodyTimeout
  if (stall.span && stall.value !== undefined && stall.value > DEFAULTS.stallTimeout)
    draft.set('upload.stallTimeout', durationText(stall.value), stall.span)
  else if (stall.value !== DEFAULTS.stallTimeout)
    replaced(stall, 'a client that sends nothing is given up after 1m (upload.stallTimeout)', draft)
  const listener = site.listeners.find(({chat}) => chat)
  if (!listener) return
  const {headerTimeout} = listener
  const ms = headerTimeout.value
  if (headerTimeout.span && ms !== undefined && ms < DEFAULTS.headerTimeout)
    draft.set('access.headerTimeout', durationText(ms), headerTimeout.span)
  else if (ms !== DEFAULTS.headerTimeout) replaced(headerTimeout, 'a header has to be there after 10s (access.headerTimeout)', draft)
}

function forwarding({servers, ours, layout}: Source, draft: Draft): void {
  const [server] = servers
  if (!server) return
  for (const line of server.holder('set_real_ip_from')?.all('set_real_ip_from') ?? []) {
    const network = line.args[0]?.value ?? ''
    if (network === 'unix:') draft.leave(line.span, 'set_real_ip_from unix: trusted proxies are networks')
    else draft.add('forwarding.trustedProxies', network, line.span)
  }
  if (ours ? table(layout, 'map', '$gms_forwarded_element') : headerOf(servers, 'forwarded')) draft.set('forwarding.rfc7239', true)
}

/** A request header that is set to something. */
function headerOf(servers: readonly Scope[], name: string): boolean {
  return servers.some(server =>
    inside(server).some(scope =>
      scope
        .holder('proxy_set_header')
        ?.all('proxy_set_header')
        .some(({args}) => args[0]?.value.toLowerCase() === name && (args[1]?.value ?? '') !== ''),
    ),
  )
}

function limits(source: Source, draft: Draft): void {
  const {poll, ours, layout, servers} = source
  if (ours) {
    const [server] = servers
    const most = server && lineOf(server, 'limit_conn')
    if (most) draft.set('limits.connectionsPerClient', Number(most.words[1]), most.line.span)
    const zone = layout.http.first('limit_req_zone')
    const [, rate] = /rate=(\d+)r\/s/.exec(zone?.args.map(({value}) => value).join(' ') ?? '') ?? []
    if (rate !== undefined) draft.set('limits.requestsPerSecond', Number(rate), zone?.span)
  } else {
    const {connectionsPerClient, requestsPerSecond} = poll
    draft.set('limits.connectionsPerClient', connectionsPerClient.value, connectionsPerClient.span)
    const rate = requestsPerSecond.value?.rate
    if (rate !== undefined) draft.set('limits.requestsPerSecond', Math.floor(rate), requestsPerSecond.span)
  }
  const line = layout.events?.first('worker_connections')
  const inComment = source.comments.map(text => /worker_connections (\d+);/.exec(text)?.[1]).find(text => text !== undefined)
  const written = Number(line?.args[0]?.value ?? (ours && layout.fragment ? inComment : undefined))
  if (!Number.isInteger(written)) return
  const chats = chatsOf(written)
  if (ours || chats > DEFAULTS.chats) draft.set('limits.chats', chats, line?.span)
  else if (line && chats < DEFAULTS.chats)
    draft.leave(line.span, `worker_connections ${written} is enough for ${chats} chats: raised for 1000 (limits.chats)`)
  const files = filesFor(Math.max(chats, 1))
  const fileLine = layout.main.first('worker_rlimit_nofile')
  if (files > DEFAULTS.openFiles) draft.set('limits.openFiles', files, fileLine?.span ?? line?.span)
}

/** The largest number of chats that so many connections are enough for. */
function chatsOf(connections: number): number {
  let low = 0
  let high = Math.ceil(connections / 2)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (workerConnections(middle) <= connections) low = middle
    else high = middle - 1
  }
  return low
}

function logging({ours, layout, servers, others}: Source, draft: Draft): void {
  const [server] = servers
  const name = (server && lineOf(server, 'access_log')?.words[1]) ?? 'combined'
  const format = layout.http.all('log_format').find(({args}) => args[0]?.value === (ours ? 'gms_chat' : name))
  if (format?.args[1]?.value === 'escape=json') draft.set('logging.format', 'json', format.span)
  else if (format && !ours)
    draft.leave(format.span, `the format ${name} of the access log: logging.format has text and json, which name the node`)
  const off = server && lineOf(server, 'access_log')
  if (off?.word === 'off') draft.leave(off.line.span, 'access_log off: the chat is logged')
  if (ours && !headerOf(servers, 'x-request-id')) draft.set('logging.requestId', false)
  for (const other of others) {
    const line = counters(other)
    const port = other
      .all('listen')
      .flatMap(({args}) => /^(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)$/.exec(args[0]?.value ?? '')?.[1] ?? [])[0]
    if (line && port !== undefined) draft.set('logging.metricsPort', Number(port), line.span)
  }
}

/** `access` of the parameters. */
export function importAccess(source: Source, draft: Draft): void {
  if (source.ours) ownAccess(source, draft)
  else foreignAccess(source, draft)
}

const PATTERN = /^\^(.*)\(\/\[\^;\]\*\)\?\$$/

function ownAccess({servers: [server], config, layout}: Source, draft: Draft): void {
  if (!server) return
  const patterns = locationsIn(server).flatMap(({kind, name, scope}) => {
    const [, path] = kind === 'regex' ? (PATTERN.exec(name) ?? []) : []
    return path === undefined ? [] : [{path: path.replace(/\\(.)/g, '$1'), span: scope.home}]
  })
  const covers = (outer: string, inner: string) => inner === outer || inner.startsWith(`${outer}/`)
  const served = patterns.filter(({path}) => !ADMIN_PATHS.some(admin => covers(admin, path)))
  const admin = patterns.filter(({path}) => ADMIN_PATHS.some(own => covers(own, path)))
  // The administration is closed where other paths cover it; what they do not cover was named.
  const named = admin.filter(({path}) => !served.some(own => covers(own.path, path)) || !ADMIN_PATHS.some(own => own === path))
  for (const {path, span} of [...served, ...named]) draft.add('access.paths', path === '' ? '/' : path, span)
  for (const [variable, key] of [
    ['$gms_outside', 'allow'],
    ['$gms_not_admin', 'adminAllow'],
  ] as const)
    for (const {key: network, value, span} of rowsOf(config, table(layout, 'geo', variable)))
      if (network !== 'default' && value === '0') draft.add(`access.${key}`, network, span)
  for (const {key, span} of rowsOf(config, table(layout, 'map', '$gms_foreign_origin'))) {
    const [, origin] = /^~\*\^(.*)\$$/.exec(key) ?? []
    if (origin !== undefined) draft.add('access.origins', origin.replaceAll('\\.', '.'), span)
  }
  const cors = table(layout, 'map', '$gms_cors_origin')
  if (cors) draft.set('access.cors', 'proxy', cors.span)
}

function foreignAccess(source: Source, draft: Draft): void {
  const {servers, poll, upload} = source
  const paths: {path: string; span: Span}[] = []
  for (const location of servers.flatMap(server => locationsIn(server))) {
    const passes = inside(location.scope).some(({lines}) => lines.some(({name}) => name === 'proxy_pass'))
    if (!passes || location.kind === 'named') continue
    const path = pathOf(location.kind, location.name)
    const chat = [COMETD_PATH, FILES_PATH].some(
      own => path !== undefined && (own === path || own.startsWith(`${path}/`) || path.startsWith(`${own}/`)),
    )
    if (path === '') draft.leave(location.scope.home, `${location.name} sends every path to the nodes: access.paths are those of the chat`)
    else if (path !== undefined && (chat || /^\/genesys(?:\/|$)/.test(path))) paths.push({path, span: location.scope.home})
  }
  const covered = (own: string) => paths.some(({path}) => own === path || own.startsWith(`${path}/`))
  const used = [COMETD_PATH, ...(upload.end.kind === 'upstream' ? [FILES_PATH] : [])]
  if (paths.length > 0) {
    // What lies below another path is reached through it.
    const outer = paths.filter(
      ({path}, index) => !paths.some((other, at) => (other.path === path ? at < index : path.startsWith(`${other.path}/`))),
    )
    for (const {path, span} of outer) draft.add('access.paths', path, span)
    for (const path of used) if (!covered(path)) draft.add('access.paths', path)
  }
  for (const way of [poll, upload])
    if (way.end.kind === 'upstream' && way.end.path !== undefined && way.end.path !== way.request.path)
      draft.leave(way.end.span, `${way.request.path} reaches the node as ${way.end.path}: parameters leave paths as they are`)
  if (upload.end.kind !== 'upstream' && poll.end.kind === 'upstream' && paths.length > 0 && covered(FILES_PATH))
    draft.leave(upload.end.span, `uploads (${FILES_PATH}) did not reach the nodes: rendered, they do`)
  networks(source, draft)
  importCors(source.poll, draft)
  if (poll.credentials.value) replaced(poll.credentials, 'no parameter asks clients for a password', draft)
}

/** The path that a location means; `''` for all, `undefined` for an expression that means more than one. */
function pathOf(kind: string, name: string): string | undefined {
  if (kind !== 'regex') return name.replace(/\/+$/, '')
  const [, path] = /^\^?((?:\/[\w.~\\-]+)+)\/?(?:\(?[/.$|*?]*\)?[?*]?)?\$?$/.exec(name) ?? []
  return path?.replace(/\\(.)/g, '$1')
}

function networks({servers}: Source, draft: Draft): void {
  const scopes = servers.flatMap(server => inside(server))
  const holder = scopes.find(({lines}) => lines.some(({name}) => name === 'proxy_pass'))?.holder('allow', 'deny')
  const lines = holder?.lines.filter(({name}) => name === 'allow' || name === 'deny') ?? []
  const last = lines.at(-1)
  if (!last) return
  if (last.name === 'deny' && last.args[0]?.value === 'all' && lines.slice(0, -1).every(({name}) => name === 'allow'))
    for (const {args, span} of lines.slice(0, -1)) draft.add('access.allow', args[0]?.value, span)
  else
    for (const line of lines)
      if (line.args[0]?.value !== 'all')
        draft.leave(line.span, `${line.name} ${line.args[0]?.value ?? ''}: access.allow names who may connect, and nobody who may not`)
}
