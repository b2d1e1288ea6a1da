import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import type {Directive} from '../syntax.ts'
import type {Source} from './import-source.ts'
import {locationsIn} from './site-match.ts'
import type {Scope} from './site-scope.ts'

const OF_MAIN = new Set([
  'user',
  'worker_processes',
  'pid',
  'error_log',
  'worker_shutdown_timeout',
  'worker_rlimit_nofile',
  'events',
  'http',
])
const OF_HTTP = new Set(['server_tokens', 'server_names_hash_bucket_size', 'server_names_hash_max_size', 'upstream', 'server'])
const OF_NODES = new Set(['zone', 'resolver', 'resolver_timeout', 'hash', 'sticky', 'server', 'keepalive', 'keepalive_timeout'])

/** Directives of the operator in a rendered file: what stands at the places of snippets. Gives the places. */
export function ownSnippets(source: Source, draft: Draft): readonly Span[] {
  const {layout, nodesBlock, servers} = source
  const [server] = servers
  const found: Span[] = []
  const keep = (place: string, lines: readonly Directive[]) => {
    const [first] = lines
    const last = lines.at(-1)
    if (!first || !last) return
    const text = source.config.bundle.files.find(({path}) => path === first.span.file)?.text ?? ''
    const rest = text.slice(last.span.end, text.indexOf('\n', last.span.end)).replace(/\s+$/, '')
    // A comment behind the last one belongs to it.
    const end = last.span.end + (/^\s*;?\s*#/.test(rest) ? rest.length : rest.startsWith(';') ? 1 : 0)
    const span = {...first.span, end}
    // The partial that it stands in has indented its lines.
    const indent = ' '.repeat(span.column - 1)
    draft.set(`snippets.nginx.${place}`, text.slice(span.start, span.end).replaceAll(`\n${indent}`, '\n'), span)
    found.push(span)
  }
  const alien = (scope: Scope, own: ReadonlySet<string>) => scope.lines.filter(({name}) => !own.has(name))
  if (!layout.fragment) keep('main', alien(layout.main, OF_MAIN))
  keep(
    'http',
    alien(layout.http, OF_HTTP).filter(line => !isOurs(line)),
  )
  if (nodesBlock) keep('upstream', alien(nodesBlock, OF_NODES))
  // In a server they stand below its last location.
  const last = server?.lines.findLastIndex(({name, args}) => name === 'location' && args[0]?.value === '/') ?? -1
  if (server) keep('server', server.lines.slice(last + 1))
  const added = new Set(
    found
      .flatMap(
        ({start, end}) => server?.lines.filter(({span, name}) => name === 'add_header' && span.start >= start && span.end <= end) ?? [],
      )
      .map(({args}) => args.map(({raw}) => raw).join(' ')),
  )
  const inner = server ? locationsIn(server).find(({name}) => name === '@gms_query')?.scope : undefined
  if (server && inner) {
    const tail = inLocation(inner, server, added)
    keep('location', tail)
    const text = tail.map(({name, args}) => [name, ...args.map(({raw}) => raw)].join(' ')).join('\n')
    if (text !== '')
      for (const scope of servers.flatMap(own => locationsIn(own)).map(({scope: own}) => own))
        for (const line of scope.lines)
          if (
            tail.some(own => own.name === line.name && own.args.map(({raw}) => raw).join(' ') === line.args.map(({raw}) => raw).join(' '))
          )
            found.push(line.span)
  }
  // The same lines once more, in the other servers and upstreams.
  for (const own of servers.slice(1)) {
    const at = own.lines.findLastIndex(({name, args}) => name === 'location' && args[0]?.value === '/')
    found.push(...own.lines.slice(at + 1).map(({span}) => span))
  }
  if (added.size > 0)
    for (const scope of servers.flatMap(own => locationsIn(own)).map(({scope: own}) => own))
      for (const line of scope.all('add_header')) if (added.has(line.args.map(({raw}) => raw).join(' '))) found.push(line.span)
  return found
}

function isOurs({name, args}: Directive): boolean {
  const text = args.map(({value}) => value).join(' ')
  return /^(?:map|geo|log_format|limit_conn_zone|limit_req_zone)$/.test(name) && /gms_/.test(text)
}

/** What stands in a location behind its headers and before `proxy_pass`. */
function inLocation(scope: Scope, server: Scope, added: ReadonlySet<string>): readonly Directive[] {
  const raw = ({args}: Directive) => args.map(own => own.raw).join(' ')
  const lines = scope.lines.filter(({name}) => name !== 'proxy_pass')
  let at = lines[0]?.name === 'error_log' ? 1 : 0
  if (lines[at]?.name === 'proxy_read_timeout') at++
  while (
    lines[at]?.name === 'add_header' &&
    (/\$gms_|^Strict-Transport-Security |^Vary Origin /.test(raw(lines[at] as Directive)) || added.has(raw(lines[at] as Directive)))
  )
    at++
  const own = server.all('proxy_set_header').map(raw)
  if (own.every((header, index) => raw(lines[at + index] ?? (lines[0] as Directive)) === header)) at += own.length
  return lines.slice(at)
}
