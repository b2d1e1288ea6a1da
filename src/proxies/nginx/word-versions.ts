import {atLeast} from '../version.ts'

/** A directive, or a parameter of one. */
interface Row {
  /** First release with it, or without it. */
  since: string
  /** Names of directives. */
  words: string
  /** The argument that is meant; absent: the directive itself. */
  parameter?: RegExp
  /** The block it stands in; absent: any. */
  within?: string
  /** NGINX Plus and modules of others have it in older releases too. */
  plus?: boolean
  because?: string
}

/**
 * Words that are younger than the oldest release we render for: "This directive appeared in version" of https://nginx.org/en/docs/dirindex.html,
 * checked against the binaries of 1.18.0, 1.22.1, 1.25.4, 1.26.3, 1.28.3, 1.30.6 and 1.31.3. What distributions put into older releases
 * (`max_headers` into 1.22.1 and 1.26.3) is left out.
 */
const LATER: readonly Row[] = [
  {since: '1.19.0', words: 'ssl_ocsp ssl_ocsp_cache ssl_ocsp_responder'},
  {since: '1.19.3', words: 'proxy_cookie_flags userid_flags'},
  {since: '1.19.4', words: 'grpc_ssl_conf_command proxy_ssl_conf_command ssl_conf_command ssl_reject_handshake uwsgi_ssl_conf_command'},
  {since: '1.19.10', words: 'keepalive_time'},
  {since: '1.23.1', words: 'resolver', parameter: /^ipv4=/},
  {
    since: '1.25.0',
    words:
      'http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_active_connection_id_limit quic_bpf quic_gso quic_host_key quic_retry',
  },
  {since: '1.25.0', words: 'listen', parameter: /^quic$/, within: 'server'},
  {since: '1.25.1', words: 'http2'},
  {since: '1.27.2', words: 'proxy_pass_trailers'},
  {since: '1.27.3', words: 'server', parameter: /^resolve$/, within: 'upstream', plus: true},
  {
    since: '1.27.4',
    words:
      'grpc_ssl_certificate_cache keepalive_min_timeout proxy_ssl_certificate_cache ssl_certificate_cache ssl_object_cache_inheritable uwsgi_ssl_certificate_cache',
  },
  {since: '1.29.0', words: 'early_hints'},
  {since: '1.29.1', words: 'ssl_certificate_compression'},
  {since: '1.29.3', words: 'add_header_inherit add_trailer_inherit'},
  {since: '1.29.4', words: 'ssl_ech_file'},
  {since: '1.29.4', words: 'proxy_http_version', parameter: /^2$/},
  {since: '1.29.6', words: 'sticky', plus: true},
  {since: '1.29.6', words: 'server', parameter: /^(?:route=|drain$)/, within: 'upstream', plus: true},
  {since: '1.29.7', words: 'listen', parameter: /^multipath$/, within: 'server'},
  {since: '1.29.7', words: 'keepalive', parameter: /^local$/, within: 'upstream', plus: true},
  {
    since: '1.31.0',
    words:
      'fastcgi_socket_rcvbuf fastcgi_socket_sndbuf grpc_socket_rcvbuf grpc_socket_sndbuf proxy_socket_rcvbuf proxy_socket_sndbuf scgi_socket_rcvbuf scgi_socket_sndbuf uwsgi_socket_rcvbuf uwsgi_socket_sndbuf',
  },
]

/** Words that are gone: https://nginx.org/en/CHANGES, and 1.22.1, the oldest binary measured that refuses those of SPDY. */
const REMOVED: readonly Row[] = [
  {since: '1.25.1', words: 'ssl', because: 'the directive was removed: TLS is a parameter of listen'},
  {since: '1.22.1', words: 'listen', parameter: /^spdy$/, within: 'server', because: 'HTTP/2 has taken the place of SPDY'},
  {
    since: '1.22.1',
    words:
      'spdy_chunk_size spdy_headers_comp spdy_keepalive_timeout spdy_max_concurrent_streams spdy_pool_size spdy_recv_buffer_size spdy_recv_timeout spdy_streams_index_size',
    because: 'HTTP/2 has taken the place of SPDY',
  },
]

const byWord = (rows: readonly Row[]) => {
  const found = new Map<string, Row[]>()
  for (const row of rows) for (const word of row.words.split(' ')) found.set(word, [...(found.get(word) ?? []), row])
  return found
}
const LATER_BY_WORD = byWord(LATER)
const REMOVED_BY_WORD = byWord(REMOVED)

/** Directives of NGINX Plus alone: with one of them the words that Plus has had for longer are no surprise. */
export const OF_PLUS: ReadonlySet<string> = new Set(
  'api auth_jwt auth_jwt_key_file health_check keyval keyval_zone mgmt ntlm session_log status status_zone sticky_cookie_insert upstream_conf zone_sync zone_sync_server'.split(
    ' ',
  ),
)

export interface WrongVersion {
  kind: 'later' | 'removed'
  since: string
  because?: string
  /** The argument that is wrong; absent: the directive. */
  argument?: number
}

/** The directive, or a parameter of it, is not known to every release. */
export function dependsOnVersion(name: string): boolean {
  return LATER_BY_WORD.has(name) || REMOVED_BY_WORD.has(name)
}

/** What `version` does not know yet, or no longer, of a directive; `plus`: words that NGINX Plus and modules of others have had for longer are known. */
export function wrongVersion(
  {name, words, within}: {name: string; words: readonly string[]; within: string | undefined},
  version: string,
  plus: boolean,
): readonly WrongVersion[] {
  const rows = [
    ...(LATER_BY_WORD.get(name) ?? [])
      .filter(row => !atLeast(version, row.since) && !(plus && row.plus))
      .map(row => ['later', row] as const),
    ...(REMOVED_BY_WORD.get(name) ?? []).filter(row => atLeast(version, row.since)).map(row => ['removed', row] as const),
  ]
  return rows.flatMap(([kind, {since, parameter, within: block, because}]): readonly WrongVersion[] => {
    if (block !== undefined && within !== undefined && within !== block) return []
    const argument = parameter ? words.findIndex(word => parameter.test(word)) : undefined
    if (argument === -1) return []
    return [{kind, since, ...(because === undefined ? {} : {because}), ...(argument === undefined ? {} : {argument})}]
  })
}
