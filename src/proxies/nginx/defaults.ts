import {atLeast} from '../version.ts'
import type {Level} from './site-scope.ts'

/** What a directive is set to when nobody writes it, and how its value is written. */
export interface Default {
  directive: string
  /** As it would be written; `''`: nothing is in force without the directive. */
  argument: string
  kind: 'duration' | 'size' | 'count' | 'switch' | 'words'
  contexts: readonly Level[]
  /** Durations: the finest step that is obeyed, ms. */
  step?: 1 | 1000
  /**
   * Durations: where among the arguments it stands. A number counts arguments from 0 (-1: the last); a text is the name of a parameter
   * (`fail_timeout` for `fail_timeout=10s`); `all`: each argument is one. Absent: 0.
   */
  at?: readonly (number | string)[] | 'all'
  /** First version with this default, and the first without it. */
  since?: string
  until?: string
  url: string
}

const HTTP: readonly Level[] = ['http', 'server', 'location']
const SERVER: readonly Level[] = ['http', 'server']
const UPSTREAM: readonly Level[] = ['upstream']
const STREAM: readonly Level[] = ['stream', 'stream-server']
const DOCS = 'https://nginx.org/en/docs/http/ngx_http_'
const CORE = `${DOCS}core_module.html#`
const PROXY = `${DOCS}proxy_module.html#`
const GROUP = `${DOCS}upstream_module.html#`

/**
 * Defaults of the vendor's pages (the first value of a directive under "Default"). Durations come complete: every one that delays or ends
 * something that a chat can notice, with the step that nginx's parser keeps (ngx_conf_set_msec_slot: 1 ms, ngx_conf_set_sec_slot: whole seconds).
 */
export const DEFAULTS: readonly Default[] = [
  // Durations of clients
  {directive: 'client_header_timeout', argument: '60s', kind: 'duration', step: 1, contexts: SERVER, url: `${CORE}client_header_timeout`},
  {directive: 'client_body_timeout', argument: '60s', kind: 'duration', step: 1, contexts: HTTP, url: `${CORE}client_body_timeout`},
  {directive: 'send_timeout', argument: '60s', kind: 'duration', step: 1, contexts: HTTP, url: `${CORE}send_timeout`},
  {directive: 'keepalive_timeout', argument: '75s', kind: 'duration', step: 1, at: 'all', contexts: HTTP, url: `${CORE}keepalive_timeout`},
  {directive: 'keepalive_time', argument: '1h', kind: 'duration', step: 1, contexts: HTTP, since: '1.19.10', url: `${CORE}keepalive_time`},
  {
    directive: 'keepalive_min_timeout',
    argument: '0',
    kind: 'duration',
    step: 1,
    contexts: HTTP,
    since: '1.27.4',
    url: `${CORE}keepalive_min_timeout`,
  },
  {directive: 'lingering_time', argument: '30s', kind: 'duration', step: 1, contexts: HTTP, url: `${CORE}lingering_time`},
  {directive: 'lingering_timeout', argument: '5s', kind: 'duration', step: 1, contexts: HTTP, url: `${CORE}lingering_timeout`},
  {directive: 'auth_delay', argument: '0s', kind: 'duration', step: 1, contexts: HTTP, url: `${CORE}auth_delay`},
  {
    directive: 'ssl_session_timeout',
    argument: '5m',
    kind: 'duration',
    step: 1000,
    contexts: SERVER,
    url: `${DOCS}ssl_module.html#ssl_session_timeout`,
  },
  {
    directive: 'http2_recv_timeout',
    argument: '30s',
    kind: 'duration',
    step: 1,
    contexts: SERVER,
    until: '1.19.7',
    url: `${DOCS}v2_module.html#http2_recv_timeout`,
  },
  {
    directive: 'http2_idle_timeout',
    argument: '3m',
    kind: 'duration',
    step: 1,
    contexts: SERVER,
    until: '1.19.7',
    url: `${DOCS}v2_module.html#http2_idle_timeout`,
  },
  {
    directive: 'expires',
    argument: '',
    kind: 'duration',
    step: 1000,
    at: [-1],
    contexts: [...HTTP, 'if'],
    url: `${DOCS}headers_module.html#expires`,
  },
  // Durations of nodes
  {directive: 'proxy_connect_timeout', argument: '60s', kind: 'duration', step: 1, contexts: HTTP, url: `${PROXY}proxy_connect_timeout`},
  {directive: 'proxy_read_timeout', argument: '60s', kind: 'duration', step: 1, contexts: HTTP, url: `${PROXY}proxy_read_timeout`},
  {directive: 'proxy_send_timeout', argument: '60s', kind: 'duration', step: 1, contexts: HTTP, url: `${PROXY}proxy_send_timeout`},
  {
    directive: 'proxy_next_upstream_timeout',
    argument: '0',
    kind: 'duration',
    step: 1,
    contexts: HTTP,
    url: `${PROXY}proxy_next_upstream_timeout`,
  },
  {directive: 'proxy_cache_valid', argument: '', kind: 'duration', step: 1000, at: [-1], contexts: HTTP, url: `${PROXY}proxy_cache_valid`},
  {
    directive: 'proxy_cache_lock_timeout',
    argument: '5s',
    kind: 'duration',
    step: 1,
    contexts: HTTP,
    url: `${PROXY}proxy_cache_lock_timeout`,
  },
  {directive: 'proxy_cache_lock_age', argument: '5s', kind: 'duration', step: 1, contexts: HTTP, url: `${PROXY}proxy_cache_lock_age`},
  {
    directive: 'proxy_cache_path',
    argument: '',
    kind: 'duration',
    step: 1000,
    at: ['inactive'],
    contexts: ['http'],
    url: `${PROXY}proxy_cache_path`,
  },
  {
    directive: 'server',
    argument: '',
    kind: 'duration',
    step: 1000,
    at: ['fail_timeout', 'slow_start'],
    contexts: UPSTREAM,
    url: `${GROUP}server`,
  },
  {directive: 'keepalive_timeout', argument: '60s', kind: 'duration', step: 1, contexts: UPSTREAM, url: `${GROUP}keepalive_timeout`},
  {
    directive: 'keepalive_time',
    argument: '1h',
    kind: 'duration',
    step: 1,
    contexts: UPSTREAM,
    since: '1.19.10',
    url: `${GROUP}keepalive_time`,
  },
  {directive: 'sticky', argument: '', kind: 'duration', step: 1000, at: ['expires', 'timeout'], contexts: UPSTREAM, url: `${GROUP}sticky`},
  {
    directive: 'resolver',
    argument: '',
    kind: 'duration',
    step: 1000,
    at: ['valid'],
    contexts: [...HTTP, ...UPSTREAM, ...STREAM],
    url: `${CORE}resolver`,
  },
  {
    directive: 'resolver_timeout',
    argument: '30s',
    kind: 'duration',
    step: 1,
    contexts: [...HTTP, ...UPSTREAM],
    url: `${CORE}resolver_timeout`,
  },
  // Durations of the process, and of bytes that are not read
  {
    directive: 'worker_shutdown_timeout',
    argument: '',
    kind: 'duration',
    step: 1,
    contexts: ['main'],
    url: 'https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout',
  },
  {
    directive: 'proxy_timeout',
    argument: '10m',
    kind: 'duration',
    step: 1,
    contexts: STREAM,
    url: 'https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout',
  },
  {
    directive: 'proxy_connect_timeout',
    argument: '60s',
    kind: 'duration',
    step: 1,
    contexts: STREAM,
    url: 'https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_connect_timeout',
  },
  {
    directive: 'preread_timeout',
    argument: '30s',
    kind: 'duration',
    step: 1,
    contexts: STREAM,
    url: 'https://nginx.org/en/docs/stream/ngx_stream_core_module.html#preread_timeout',
  },
  {
    directive: 'proxy_protocol_timeout',
    argument: '30s',
    kind: 'duration',
    step: 1,
    contexts: STREAM,
    url: 'https://nginx.org/en/docs/stream/ngx_stream_core_module.html#proxy_protocol_timeout',
  },
  // Limits
  {directive: 'client_max_body_size', argument: '1m', kind: 'size', contexts: HTTP, url: `${CORE}client_max_body_size`},
  {directive: 'large_client_header_buffers', argument: '4 8k', kind: 'size', contexts: SERVER, url: `${CORE}large_client_header_buffers`},
  {directive: 'client_header_buffer_size', argument: '1k', kind: 'size', contexts: SERVER, url: `${CORE}client_header_buffer_size`},
  {directive: 'limit_rate', argument: '0', kind: 'size', contexts: [...HTTP, 'if'], url: `${CORE}limit_rate`},
  {directive: 'proxy_limit_rate', argument: '0', kind: 'size', contexts: HTTP, url: `${PROXY}proxy_limit_rate`},
  {directive: 'proxy_next_upstream_tries', argument: '0', kind: 'count', contexts: HTTP, url: `${PROXY}proxy_next_upstream_tries`},
  {
    directive: 'worker_connections',
    argument: '512',
    kind: 'count',
    contexts: ['events'],
    url: 'https://nginx.org/en/docs/ngx_core_module.html#worker_connections',
  },
  {
    directive: 'worker_processes',
    argument: '1',
    kind: 'count',
    contexts: ['main'],
    url: 'https://nginx.org/en/docs/ngx_core_module.html#worker_processes',
  },
  {
    directive: 'worker_rlimit_nofile',
    argument: '',
    kind: 'count',
    contexts: ['main'],
    url: 'https://nginx.org/en/docs/ngx_core_module.html#worker_rlimit_nofile',
  },
  {directive: 'keepalive', argument: '', kind: 'count', contexts: UPSTREAM, until: '1.29.7', url: `${GROUP}keepalive`},
  {directive: 'keepalive', argument: '32 local', kind: 'count', contexts: UPSTREAM, since: '1.29.7', url: `${GROUP}keepalive`},
  // Switches and words
  {directive: 'proxy_http_version', argument: '1.0', kind: 'words', contexts: HTTP, until: '1.29.7', url: `${PROXY}proxy_http_version`},
  {directive: 'proxy_http_version', argument: '1.1', kind: 'words', contexts: HTTP, since: '1.29.7', url: `${PROXY}proxy_http_version`},
  {directive: 'proxy_next_upstream', argument: 'error timeout', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_next_upstream`},
  {directive: 'proxy_redirect', argument: 'default', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_redirect`},
  {directive: 'proxy_cache', argument: 'off', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_cache`},
  {directive: 'proxy_store', argument: 'off', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_store`},
  {directive: 'proxy_cache_methods', argument: 'GET HEAD', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_cache_methods`},
  {directive: 'gzip_types', argument: 'text/html', kind: 'words', contexts: HTTP, url: `${DOCS}gzip_module.html#gzip_types`},
  {
    directive: 'auth_basic',
    argument: 'off',
    kind: 'words',
    contexts: [...HTTP, 'limit_except'],
    url: `${DOCS}auth_basic_module.html#auth_basic`,
  },
  {
    directive: 'ssl_protocols',
    argument: 'TLSv1 TLSv1.1 TLSv1.2',
    kind: 'words',
    contexts: SERVER,
    until: '1.23.4',
    url: `${DOCS}ssl_module.html#ssl_protocols`,
  },
  {
    directive: 'ssl_protocols',
    argument: 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3',
    kind: 'words',
    contexts: SERVER,
    since: '1.23.4',
    until: '1.27.3',
    url: `${DOCS}ssl_module.html#ssl_protocols`,
  },
  {
    directive: 'ssl_protocols',
    argument: 'TLSv1.2 TLSv1.3',
    kind: 'words',
    contexts: SERVER,
    since: '1.27.3',
    url: `${DOCS}ssl_module.html#ssl_protocols`,
  },
  {directive: 'ssl_ciphers', argument: 'HIGH:!aNULL:!MD5', kind: 'words', contexts: SERVER, url: `${DOCS}ssl_module.html#ssl_ciphers`},
  {directive: 'gzip', argument: 'off', kind: 'switch', contexts: [...HTTP, 'if'], url: `${DOCS}gzip_module.html#gzip`},
  {directive: 'proxy_buffering', argument: 'on', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_buffering`},
  {directive: 'proxy_request_buffering', argument: 'on', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_request_buffering`},
  {directive: 'proxy_intercept_errors', argument: 'off', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_intercept_errors`},
  {directive: 'proxy_ssl_verify', argument: 'off', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_ssl_verify`},
  {directive: 'proxy_ssl_server_name', argument: 'off', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_ssl_server_name`},
  {directive: 'proxy_ssl_name', argument: '$proxy_host', kind: 'words', contexts: HTTP, url: `${PROXY}proxy_ssl_name`},
  {directive: 'proxy_pass_request_headers', argument: 'on', kind: 'switch', contexts: HTTP, url: `${PROXY}proxy_pass_request_headers`},
  {directive: 'http2', argument: 'off', kind: 'switch', contexts: SERVER, since: '1.25.1', url: `${DOCS}v2_module.html#http2`},
  {directive: 'ignore_invalid_headers', argument: 'on', kind: 'switch', contexts: SERVER, url: `${CORE}ignore_invalid_headers`},
  {directive: 'merge_slashes', argument: 'on', kind: 'switch', contexts: SERVER, url: `${CORE}merge_slashes`},
  {directive: 'recursive_error_pages', argument: 'off', kind: 'switch', contexts: HTTP, url: `${CORE}recursive_error_pages`},
  {
    directive: 'limit_conn_dry_run',
    argument: 'off',
    kind: 'switch',
    contexts: HTTP,
    url: `${DOCS}limit_conn_module.html#limit_conn_dry_run`,
  },
  {directive: 'limit_req_dry_run', argument: 'off', kind: 'switch', contexts: HTTP, url: `${DOCS}limit_req_module.html#limit_req_dry_run`},
  {
    directive: 'access_log',
    argument: 'logs/access.log combined',
    kind: 'words',
    contexts: [...HTTP, 'if', 'limit_except'],
    url: `${DOCS}log_module.html#access_log`,
  },
]

const byName = new Map<string, Default[]>()
for (const row of DEFAULTS) byName.set(row.directive, [...(byName.get(row.directive) ?? []), row])

/** The default of a directive in a version; of the one in `level` where blocks have directives of the same name. */
export function defaultOf(directive: string, version: string, level?: Level): Default | undefined {
  return byName
    .get(directive)
    ?.find(
      row =>
        (row.since === undefined || atLeast(version, row.since)) &&
        (row.until === undefined || !atLeast(version, row.until)) &&
        (level === undefined || row.contexts.includes(level)),
    )
}
