import type {Draft} from '../import-draft.ts'
import type {Directive} from '../syntax.ts'
import {ownSnippets} from './import-snippets.ts'
import {inside} from './import-source.ts'
import type {Source} from './import-source.ts'
import {locationsIn, namedLocation, namesOf} from './site-match.ts'
import {headOf} from './site-scope.ts'
import type {Scope} from './site-scope.ts'
import {textOf} from './site-setting.ts'
import {namesIn} from './variables.ts'

/** Names of directives, one by one or as the beginning of several. */
const words = (...all: readonly string[]) => new Set(all.flatMap(line => line.split(' ')))

/** Read by the rest of the import, which carries them over or says why not. */
const READ = words(
  'listen server_name http2 ssl ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_stapling ssl_verify_client ssl_client_certificate',
  'server hash ip_hash sticky least_conn random keepalive keepalive_timeout resolver proxy_pass proxy_read_timeout client_max_body_size',
  'client_body_timeout client_header_timeout set_real_ip_from limit_conn limit_req limit_conn_zone limit_req_zone log_format access_log',
  'worker_connections worker_rlimit_nofile worker_shutdown_timeout proxy_ssl_verify proxy_ssl_trusted_certificate proxy_ssl_name',
  'proxy_ssl_certificate proxy_ssl_certificate_key allow deny auth_basic health_check check location upstream stub_status include',
)

/** The rendered file decides it itself, at least as well; or it says nothing about chat. */
const DECIDED = words(
  'proxy_http_version proxy_buffering proxy_request_buffering proxy_cache proxy_cache_bypass proxy_no_cache proxy_connect_timeout proxy_send_timeout',
  'proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries proxy_intercept_errors proxy_redirect proxy_buffers proxy_buffer_size',
  'proxy_busy_buffers_size proxy_max_temp_file_size proxy_temp_path proxy_ssl_server_name proxy_ssl_protocols proxy_ssl_verify_depth proxy_ssl_session_reuse',
  'proxy_socket_keepalive proxy_hide_header proxy_ignore_client_abort proxy_headers_hash_max_size proxy_headers_hash_bucket_size',
  'real_ip_header real_ip_recursive gzip gzip_types gzip_vary gzip_proxied gzip_comp_level gzip_min_length gzip_disable gzip_buffers gzip_http_version',
  'large_client_header_buffers client_header_buffer_size client_body_buffer_size client_body_temp_path server_tokens server_names_hash_bucket_size',
  'server_names_hash_max_size ssl_prefer_server_ciphers ssl_ecdh_curve ssl_session_cache ssl_session_timeout ssl_session_tickets ssl_verify_depth',
  'ssl_stapling_verify ssl_trusted_certificate ssl_dhparam ssl_buffer_size ssl_conf_command ssl_early_data resolver_timeout limit_conn_status limit_req_status limit_conn_log_level',
  'limit_req_log_level zone keepalive_requests keepalive_time tcp_nodelay tcp_nopush sendfile sendfile_max_chunk aio directio types default_type types_hash_max_size',
  'types_hash_bucket_size charset error_log user pid worker_processes worker_priority worker_cpu_affinity daemon events http use multi_accept accept_mutex',
  'log_not_found log_subrequest open_file_cache open_file_cache_valid open_file_cache_min_uses open_file_cache_errors root index send_timeout lingering_close',
  'lingering_timeout lingering_time reset_timedout_connection merge_slashes port_in_redirect server_name_in_redirect absolute_redirect recursive_error_pages',
  'variables_hash_max_size variables_hash_bucket_size map_hash_max_size map_hash_bucket_size underscores_in_headers ignore_invalid_headers chunked_transfer_encoding',
  'load_module env timer_resolution pcre_jit worker_aio_requests return try_files uninitialized_variable_warn rewrite_log internal etag if_modified_since expires http2_max_concurrent_streams',
)

/** Request headers that a rendered file sets itself. */
const HEADERS = words(
  'host x-forwarded-for x-real-ip x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-server x-forwarded-scheme x-forwarded-ssl front-end-https',
  'x-proxied-https forwarded x-request-id upgrade connection http2-settings accept-encoding',
)
/** Response headers that the rest of the import reads. */
const ANSWERS = /^(?:set-cookie|strict-transport-security|access-control-.*|vary)$/

/** Says of everything that has an effect on the chat, and was not read, that it was not carried over. */
export function importLeftovers(source: Source, draft: Draft): void {
  const {servers, others, layout, nodesBlock, ours} = source
  const skipped = ours ? ownSnippets(source, draft) : []
  const isSkipped = ({span}: Directive) => skipped.some(own => own.file === span.file && own.start <= span.start && span.end <= own.end)
  const say = (scope: Scope) => {
    for (const line of scope.lines) {
      const because = isSkipped(line) || ofRoute(line, scope, source) ? undefined : reason(line, ours)
      if (because !== undefined) draft.leave(headOf(line), because)
    }
  }
  const leads = (scope: Scope) => inside(scope).some(own => own.has('proxy_pass') || own.has('return') || own.has('try_files'))
  const visit = (scope: Scope) => {
    say(scope)
    for (const {scope: inner, name} of locationsIn(scope)) {
      if (inner.block && isSkipped(inner.block)) continue
      if (leads(inner) && toChat(inner, source)) visit(inner)
      else if (!refuses(inner) && (!ours || !name.startsWith('/')))
        draft.leave(inner.home, `the location ${name} serves something else than the chat`)
    }
  }
  servers.forEach(visit)
  if (nodesBlock) say(nodesBlock)
  say(layout.http)
  say(layout.main)
  for (const other of others) {
    if (!read(other, draft)) draft.leave(other.home, `another site: ${namesOf(other).join(' ') || 'without a name'}`)
  }
  for (const name of ['stream', 'mail'])
    for (const line of layout.main.all(name)) draft.leave(headOf(line), `${name}: only HTTP is carried over`)
  tables(source, draft, isSkipped)
}

/** Answers with an error and does nothing else: so do the paths that a rendered file does not name. */
function refuses(scope: Scope): boolean {
  return scope.lines.every(({name, args}) =>
    name === 'return' ? /^4\d\d$/.test(args[0]?.value ?? '') : /^(?:deny|access_log|log_not_found)$/.test(name),
  )
}

/** Leads upgrades, or the variable of a route, to the nodes: what a rendered file does in its own way. */
function ofRoute({name, args}: Directive, scope: Scope, {layout, servers}: Source): boolean {
  const [first = '', target = ''] = args.map(({value}) => value)
  const upgrades = (text: string) =>
    namesIn(text).some(
      own =>
        own === 'http_upgrade' ||
        layout.http.all('map').some(map => map.args.at(-1)?.value === `$${own}` && map.args[0]?.value.includes('$http_upgrade') === true),
    )
  if (name === 'if') return upgrades(args.map(({value}) => value).join(' '))
  if (name === 'error_page') {
    const to = scope.up('server') && namedLocation(scope.up('server') as Scope, args.at(-1)?.value ?? '')
    return to?.scope.has('proxy_pass') === true && /^@/.test(args.at(-1)?.value ?? target)
  }
  return (
    name === 'set' && servers.flatMap(inside).some(own => own.all('proxy_pass').some(pass => pass.args[0]?.value.includes(first) === true))
  )
}

/** A location whose requests reach the nodes of the chat, or that answers those that do not. */
function toChat(scope: Scope, {ours, upstream, layout}: Source): boolean {
  if (ours) return true
  return inside(scope).some(own => {
    const target = own.first('proxy_pass')?.args[0]?.value
    if (target === undefined) return false
    const name = target.replace(/^https?:\/\//, '').replace(/[/?].*$/s, '')
    return name.includes('$') || name === upstream?.name || !layout.http.all('upstream').some(({args}) => args[0]?.value === name)
  })
}

/** Counters and redirects to https were read, or are said elsewhere. */
function read(server: Scope, draft: Draft): boolean {
  if (draft.get('logging.metricsPort') !== undefined && inside(server).some(own => own.has('stub_status'))) return true
  return server.all('listen').some(line => draft.took(line.span))
}

function reason(line: Directive, ours: boolean): string | undefined {
  const {name, args} = line
  const [first = '', second = ''] = args.map(({value}) => value)
  if (READ.has(name) || DECIDED.has(name) || name === 'stream' || name === 'mail') return undefined
  if (['map', 'geo', 'split_clients'].includes(name)) return undefined
  if (name === 'proxy_set_header')
    return HEADERS.has(first.toLowerCase()) ? undefined : `the header ${first} that is sent to the nodes has no parameter`
  if (name === 'add_header')
    return ANSWERS.test(first.toLowerCase()) ? undefined : `the header ${first} that is added to answers has no parameter`
  if (name === 'error_page') return ours && second === '=' ? undefined : `${textOf(line)}: answers of GMS stay as they are`
  if (name === 'if')
    return ours && /gms_|is_args/.test(args.map(({value}) => value).join(' '))
      ? undefined
      : `a condition (${textOf(line)}) has no parameter`
  if (name === 'set') return `the variable ${first} has no parameter`
  return `${textOf(line)}: no parameter says it`
}

/** Tables whose variable is used where the chat is served. */
function tables(source: Source, draft: Draft, isSkipped: (line: Directive) => boolean): void {
  const {servers, nodesBlock, layout, ours} = source
  const lines = [...servers.flatMap(inside), ...(nodesBlock ? [nodesBlock] : [])].flatMap(({lines: own}) =>
    own.filter(({name}) => name !== 'location'),
  )
  const used = new Set(lines.flatMap(({args}) => args.flatMap(({value}) => namesIn(value))))
  for (const kind of ['map', 'geo', 'split_clients'])
    for (const line of layout.http.all(kind)) {
      const variable = line.args.at(-1)?.value ?? ''
      if ((ours && variable.startsWith('$gms_')) || isSkipped(line) || !used.has(variable.slice(1))) continue
      // Those of affinity and of the upgrade were understood as such.
      const understood = lines
        .filter(({args}) => args.some(({value}) => namesIn(value).includes(variable.slice(1))))
        .every(own => READ.has(own.name) || reason(own, ours) === undefined || ofRoute(own, layout.http, source))
      if (!understood) draft.leave(headOf(line), `the table of ${variable} has no parameter`)
    }
}
