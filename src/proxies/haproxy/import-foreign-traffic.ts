import type {Span} from '../../model/bundle.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {Draft} from '../import-draft.ts'
import {durationText, sizeText} from '../import-draft.ts'
import {DEFAULTS, FRONT_PAGE, importCors, replaced} from '../import-foreign.ts'
import {FORM_BYTES, pollPatience} from '../margins.ts'
import type {Setting} from '../site.ts'
import {chatsOf, filesFor} from './import-capacity.ts'
import {chatSections, networksOf, same, shown} from './import-source.ts'
import type {Source} from './import-source.ts'
import {all, inForce, linesOf} from './sections.ts'
import type {Line, Section} from './sections.ts'

/** `upgrade`, `polling`, `upload`, `forwarding`, `access`, `limits` and `logging` of the parameters. */
export function importTraffic(source: Source, draft: Draft): void {
  times(source, draft)
  paths(source, draft)
  rules(source, draft)
  importCors(source.poll, draft)
  limits(source, draft)
  logging(source, draft)
}

function times({poll, upload, webSocket, chat}: Source, draft: Draft): void {
  const patience = pollPatience(DEFAULTS.hold)
  const known = (ms: number | undefined): ms is number => ms !== undefined && !Number.isNaN(ms)
  if (poll.end.kind === 'upstream' && poll.answerTimeout.value !== patience)
    replaced(
      poll.answerTimeout,
      `a poll is answered within ${patience / 1000}s while GMS holds it for 30s; where it holds longer, say so in polling.hold`,
      draft,
    )
  const idle = webSocket.idleTimeout
  if (known(idle.value) && idle.value > DEFAULTS.idleTimeout) draft.set('upgrade.idleTimeout', durationText(idle.value), idle.span)
  else if (idle.value !== DEFAULTS.idleTimeout) replaced(idle, 'a silent WebSocket stays open for an hour (upgrade.idleTimeout)', draft)
  const late = upload.answerTimeout
  if (known(late.value) && late.value > DEFAULTS.answerWithin && late.value !== poll.answerTimeout.value)
    draft.set('upload.answerWithin', durationText(late.value), late.span)
  const {bodyLimit} = upload
  if (known(bodyLimit.value)) {
    if (bodyLimit.value > DEFAULTS.maxFileSize + FORM_BYTES)
      draft.set('upload.maxFileSize', sizeText(bodyLimit.value - FORM_BYTES), bodyLimit.span)
    else if (bodyLimit.value !== DEFAULTS.maxFileSize + FORM_BYTES)
      replaced(bodyLimit, 'files of up to 10 MiB fit (upload.maxFileSize)', draft)
  }
  const stall = upload.bodyTimeout
  if (chat.layer4.value) return
  if (known(stall.value) && stall.value > DEFAULTS.stallTimeout) draft.set('upload.stallTimeout', durationText(stall.value), stall.span)
  else if (stall.value !== DEFAULTS.stallTimeout)
    replaced(stall, 'a client that sends nothing of its file is given up after 1m (upload.stallTimeout)', draft)
  replaceIf(upload.wholeBodyTimeout, 'a file may take as long as it arrives at all', draft)
  const {headerTimeout} = chat
  if (headerTimeout.span && known(headerTimeout.value) && headerTimeout.value < DEFAULTS.headerTimeout)
    draft.set('access.headerTimeout', durationText(headerTimeout.value), headerTimeout.span)
  else if (headerTimeout.value !== DEFAULTS.headerTimeout)
    replaced(headerTimeout, 'a header has to be there after 10s (access.headerTimeout)', draft)
  const {connectTimeout} = poll
  if (connectTimeout.value !== 5000) replaced(connectTimeout, 'a connection to a node opens within 5s', draft)
  if (poll.compressed.value) replaced(poll.compressed, 'answers pass as GMS sends them', draft)
  if (poll.retriesPost.value) replaced(poll.retriesPost, 'a POST is sent once: only connections that never opened are tried again', draft)
}

function replaceIf(setting: Setting<number | undefined>, because: string, draft: Draft): void {
  if (setting.value !== undefined) replaced(setting, because, draft)
}

/** Paths that conditions compare with and that lead to the nodes of the chat. */
function paths(source: Source, draft: Draft): void {
  const {site, chat, poll, upload, upstream} = source
  const reaches = (path: string) => {
    const {end} = site.trace(chat, {...FRONT_PAGE, method: 'POST', path})
    return end.kind === 'upstream' && end.upstream === upstream
  }
  for (const way of [poll, upload])
    if (way.end.kind === 'upstream' && way.end.path !== undefined && way.end.path !== way.request.path)
      draft.leave(way.end.span, `${way.request.path} reaches the node as ${way.end.path}: parameters leave paths as they are`)
  if (poll.end.kind !== 'upstream') return
  if (reaches('/')) return draft.leave(poll.end.span, 'every path reaches the nodes: access.paths are those of the chat')
  const found = chatSections(source)
    .flatMap(section => linesOf(section).flatMap(pathsIn))
    .filter(({path}) => /^\/genesys(?:\/|$)/.test(path) || [COMETD_PATH, FILES_PATH].some(own => covers(path, own)))
    .filter(({path}) => reaches(path) || reaches(`${path}/`))
  const outer = found.filter(({path}, index) => !found.some((other, at) => (other.path === path ? at < index : covers(other.path, path))))
  const used = [COMETD_PATH, ...(upload.end.kind === 'upstream' ? [FILES_PATH] : [])]
  if (outer.length > 0) {
    for (const {path, span} of outer) draft.add('access.paths', path, span)
    for (const path of used) if (!outer.some(own => covers(own.path, path))) draft.add('access.paths', path)
  }
  if (upload.end.kind !== 'upstream' && (outer.length === 0 || outer.some(({path}) => covers(path, FILES_PATH))))
    draft.leave(upload.end.span, `uploads (${FILES_PATH}) did not reach the nodes: rendered, they do`)
}

function covers(path: string, below: string): boolean {
  return path === '/' || below === path || below.startsWith(`${path}/`)
}

/** Literal paths of an ACL or a condition: `path_beg -i /genesys/`, `path -m beg /genesys`. */
function pathsIn({words, args}: Line): readonly {path: string; span: Span}[] {
  return words.flatMap((word, at) => {
    if (!/^(?:path|url|base)(?:_beg|_dir|_sub)?(?:,|$)/.test(word)) return []
    const found: {path: string; span: Span}[] = []
    for (let index = at + 1; index < words.length && words[index] !== '}'; index++) {
      const value = words[index] ?? ''
      const argument = args[index - 1]
      if (argument && value.startsWith('/') && value !== '/') found.push({path: value.replace(/\/+$/, ''), span: argument.span})
    }
    return found
  })
}

/** Rules that let in or refuse: by the network, by a limit that is carried over, or by something that no parameter says. */
function rules(source: Source, draft: Draft): void {
  const {poll, upload} = source
  const carried = [poll.connectionsPerClient, poll.requestsPerSecond, upload.bodyLimit].flatMap(({span}) => span ?? [])
  for (const section of chatSections(source))
    for (const line of linesOf(section)) {
      const text = line.words.slice(0, 3).join(' ')
      const {span} = line.directive
      if (trusting(line)) {
        trusted(line, section, draft)
        continue
      }
      if (!/^(?:http-request (?:deny|reject)|tcp-request (?:connection|content) reject|http-request auth)/.test(text)) continue
      if (carried.some(own => same(own, span))) continue
      const networks = onlyAllowed(line, section)
      if (networks) for (const {network, span: own} of networks) draft.add('access.allow', network, own)
      else if (text.startsWith('http-request auth')) draft.leave(span, 'no parameter asks clients for a password')
      else if (!aboutPaths(line, section))
        draft.leave(span, `${shown(line)}: a rule of this site; if it is still needed, snippets.haproxy.frontend holds it`)
    }
}

/** The ACL of `deny … if !ACL` or `deny … unless ACL`, when that is all of the condition. */
function onlyAllowed({words}: Line, section: Section): ReturnType<typeof networksOf> {
  const at = words.findIndex(word => word === 'if' || word === 'unless')
  const condition = words.slice(at + 1).join(' ')
  const [, name] = (words[at] === 'if' ? /^! ?([\w.:-]+)$/ : /^([\w.:-]+)$/).exec(condition) ?? []
  return at === -1 || name === undefined ? undefined : networksOf(name, section)
}

/** Rules about paths are what access.paths and the closed administration say. */
function aboutPaths({words}: Line, section: Section): boolean {
  const tests = words.slice(words.findIndex(word => word === 'if' || word === 'unless') + 1).join(' ')
  const names = [...tests.matchAll(/[\w.:-]+/g)].flatMap(([name]) => all(section, 'acl', name))
  return /\b(?:path|url)(?:_\w+)?\b/.test(tests) || names.some(({words: own}) => /^(?:path|url|base)/.test(own[2] ?? ''))
}

function trusting({words}: Line): boolean {
  return (
    (words[0] === 'http-request' && words[1] === 'set-src') ||
    (words[0] === 'tcp-request' && words[2] === 'expect-proxy') ||
    (words[0] === 'option' && words[1] === 'forwardfor' && words.includes('except'))
  )
}

function trusted({words, directive, args}: Line, section: Section, draft: Draft): void {
  const except = words.indexOf('except')
  if (except !== -1) {
    const network = words[except + 1]
    // the machine itself is no load balancer
    if (!/^127\./.test(network ?? '')) draft.add('forwarding.trustedProxies', network, args[except]?.span)
    return
  }
  const at = words.findIndex(word => word === 'if')
  const names = at === -1 ? [] : words.slice(at + 1)
  const inline =
    names[0] === '{' && names[1] === 'src'
      ? names.slice(2, names.indexOf('}')).map(network => ({network, span: directive.span}))
      : undefined
  const networks = inline ?? (names.length === 1 ? networksOf(names[0] ?? '', section) : undefined)
  if (networks) for (const {network, span} of networks) draft.add('forwarding.trustedProxies', network, span)
  else draft.leave(directive.span, 'the client is believed whoever connects: name the load balancers in front in forwarding.trustedProxies')
}

function limits({site, poll, upstream}: Source, draft: Draft): void {
  const {connectionsPerClient, requestsPerSecond} = poll
  draft.set('limits.connectionsPerClient', connectionsPerClient.value, connectionsPerClient.span)
  const rate = requestsPerSecond.value?.rate
  if (rate !== undefined) draft.set('limits.requestsPerSecond', Math.floor(rate), requestsPerSecond.span)
  const {chats: connections, setting} = site.capacity
  if (connections === undefined || setting.directive !== 'maxconn' || setting.span === undefined) return
  const chats = chatsOf(connections)
  if (chats > DEFAULTS.chats) {
    draft.set('limits.chats', chats, setting.span)
    draft.set('limits.openFiles', filesFor(chats, upstream?.nodes.length ?? 1), setting.span)
  } else if (chats < DEFAULTS.chats)
    draft.leave(setting.span, `${connections} connections hold ${chats} chats: raised for 1000 (limits.chats)`)
}

function logging(source: Source, draft: Draft): void {
  const {poll, fronts, sections} = source
  const [front] = fronts
  const format = front && inForce(front, 'log-format')
  if (format) {
    if (/^\s*[{"]/.test(format.words[1] ?? '')) draft.set('logging.format', 'json', format.directive.span)
    else draft.leave(format.directive.span, 'the format of the access log: logging.format has text and json, which name the node')
  }
  if (poll.logs.some(({holdsSecrets, holdsQuery}) => holdsSecrets || holdsQuery)) {
    const [log] = poll.logs
    if (log && !format) draft.leave(log.span, 'the log held query strings or cookies: rendered, it names path and node of each request')
  }
  for (const section of sections.proxies) {
    if (!section.own.some(({words}) => words[2] === 'prometheus-exporter')) continue
    const bind = section.own.find(({words}) => words[0] === 'bind')
    const port = /^(?:ipv4@)?(?:127\.0\.0\.1|localhost):(\d+)$/.exec(bind?.words[1] ?? '')?.[1]
    if (bind && port !== undefined) draft.set('logging.metricsPort', Number(port), bind.directive.span)
  }
}
