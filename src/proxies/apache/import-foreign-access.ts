import {importCors, replaced} from '../import-foreign.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import type {Source} from './import-source.ts'
import type {Line} from './site-lines.ts'
import {all} from './site-servers.ts'

/** `access`, `forwarding` and `logging` of a configuration that others wrote. */
export function foreignAccess(source: Source, draft: Draft): void {
  paths(source, draft)
  networks(source, draft)
  importCors(source.poll, draft)
  forwarding(source, draft)
  logging(source, draft)
}

/** Lines that hold for the first chat listener, those of sections too. */
function inForce({chat, serverOf}: Source): readonly Line[] {
  const server = chat[0] && serverOf(chat[0])
  return server ? [...(server.outer?.lines ?? []), ...server.lines] : []
}

function paths(source: Source, draft: Draft): void {
  const {poll, upload} = source
  const found: {path: string; span: Span}[] = []
  for (const {name, values, within, directive} of inForce(source)) {
    if (name !== 'proxypass') continue
    const place = within.findLast(section => section.name === 'location')?.values[0]
    const path = (place ?? values[0] ?? '').replace(/\/+$/, '')
    if (values[place === undefined ? 1 : 0] === '!') continue
    const chat = [COMETD_PATH, FILES_PATH].some(own => own === path || own.startsWith(`${path}/`) || path.startsWith(`${own}/`))
    if (path === '') draft.leave(directive.span, 'every path is sent to the nodes: access.paths are those of the chat')
    else if (path.startsWith('/') && (chat || /^\/genesys(?:\/|$)/.test(path))) found.push({path, span: directive.span})
  }
  if (found.length > 0) {
    // what lies below another path is reached through it
    const outer = found.filter(
      ({path}, index) => !found.some((other, at) => (other.path === path ? at < index : path.startsWith(`${other.path}/`))),
    )
    for (const {path, span} of outer) draft.add('access.paths', path, span)
    for (const [way, path] of [
      [poll, COMETD_PATH],
      [upload, FILES_PATH],
    ] as const)
      if (way.end.kind === 'upstream' && !outer.some(own => path === own.path || path.startsWith(`${own.path}/`)))
        draft.add('access.paths', path, way.end.span)
  }
  for (const {end, request} of [poll, upload])
    if (end.kind === 'upstream' && end.path !== undefined && end.path !== request.path)
      draft.leave(end.span, `${request.path} reaches the node as ${end.path}: parameters leave paths as they are`)
  if (upload.end.kind !== 'upstream' && poll.end.kind === 'upstream')
    draft.leave(upload.end.span, `uploads (${FILES_PATH}) did not reach the nodes: rendered, they do where access.paths hold them`)
  if (poll.credentials.value) replaced(poll.credentials, 'no parameter asks clients for a password', draft)
}

/** `Require ip` and `Allow from` that hold for the chat. */
function networks(source: Source, draft: Draft): void {
  const covers = ({within}: Line) => {
    const place = within.findLast(({name}) => name === 'location' || name === 'proxy')
    if (!place) return !within.some(({name}) => /^(?:directory|files|limit|require(?:all|none))/.test(name))
    const path = (place.values[0] ?? '').replace(/\/+$/, '')
    return place.name === 'location' ? COMETD_PATH === path || COMETD_PATH.startsWith(`${path}/`) : path === '*'
  }
  for (const line of inForce(source)) {
    const {name, values, directive} = line
    if (name !== 'require' || !covers(line) || line.within.length === 0) continue
    const kind = values[0]?.toLowerCase()
    if (kind === 'ip') for (const network of values.slice(1)) draft.add('access.allow', network, directive.span)
    else if (kind !== 'all')
      draft.leave(directive.span, `Require ${values.join(' ')}: access.allow names networks, and nothing else of a client`)
  }
}

function forwarding(source: Source, draft: Draft): void {
  const server = source.chat[0] && source.serverOf(source.chat[0])
  if (!server) return
  for (const {values, directive} of all(server, 'RemoteIPInternalProxy', 'RemoteIPTrustedProxy'))
    for (const network of values) draft.add('forwarding.trustedProxies', network, directive.span)
  const adds = ({name, values}: Line) =>
    name === 'requestheader' && /^(?:set|append|add|merge|setifempty)$/i.test(values[0] ?? '') && /^forwarded$/i.test(values[1] ?? '')
  const element = inForce(source).find(adds)
  if (element) draft.set('forwarding.rfc7239', true, element.directive.span)
}

function logging({poll}: Source, draft: Draft): void {
  const [log] = poll.logs
  if (!log) return
  if (log.setting.value.trim().startsWith('{')) draft.set('logging.format', 'json', log.span)
  else draft.leave(log.span, 'the format of the access log: logging.format has text and json, which name the node')
}
