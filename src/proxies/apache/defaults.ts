/** Where a directive may stand: the whole server, a virtual host, a section that chooses requests, a `ProxyPass` or `BalancerMember`. */
export type Context = 'server' | 'virtual host' | 'section' | 'worker' | 'balancer'

/** How a duration is written, and what httpd makes of it. */
export type Writing =
  /** Whole seconds only; a unit is refused or cut off. */
  | 'seconds'
  /** `60`, `60s`, `500ms`, `2mi`, `1h`; without a unit seconds. */
  | 'unit'
  /** The same, without a unit milliseconds. */
  | 'unit-ms'
  /** `header=20-40,MinRate=500`. */
  | 'stages'

/** A duration or a limit that httpd has although nobody wrote it. */
export interface Default {
  /** As in the file; `timeout=` for a parameter of `ProxyPass` and `BalancerMember`. */
  directive: string
  /** ms for durations, else a number; `undefined`: none. `inherits` names what stands in when it is not written. */
  value: number | undefined
  /** As it would be written. */
  text: string
  kind: 'duration' | 'bytes' | 'count'
  writing?: Writing
  inherits?: readonly string[]
  context: readonly Context[]
  /** Module that has to be there, without `mod_`. */
  module: string
  /** First version that has it, or this default; `until` is the first that has not. */
  since?: string
  until?: string
  source: string
}

const DOCS = 'https://httpd.apache.org/docs/2.4/mod/'
const SERVER = ['server', 'virtual host'] as const
const WORKER = ['worker'] as const

/**
 * Durations and limits that a chat meets, with the defaults of httpd 2.4. Where a directive stands twice, the versions tell which holds.
 * Durations are whole seconds in effect wherever the sockets of httpd count them: `timeout=500ms` is accepted and waits like a second.
 */
export const DEFAULTS: readonly Default[] = [
  {
    directive: 'Timeout',
    value: 60_000,
    text: 'Timeout 60',
    kind: 'duration',
    writing: 'seconds',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#timeout`,
  },
  {
    directive: 'KeepAliveTimeout',
    value: 5000,
    text: 'KeepAliveTimeout 5',
    kind: 'duration',
    writing: 'unit',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#keepalivetimeout`,
  },
  {
    directive: 'MaxKeepAliveRequests',
    value: 100,
    text: 'MaxKeepAliveRequests 100',
    kind: 'count',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#maxkeepaliverequests`,
  },
  {
    directive: 'ProxyTimeout',
    value: undefined,
    text: 'ProxyTimeout 60',
    kind: 'duration',
    writing: 'unit',
    inherits: ['Timeout'],
    context: SERVER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxytimeout`,
  },
  {
    directive: 'timeout=',
    value: undefined,
    text: 'no timeout=',
    kind: 'duration',
    writing: 'unit',
    inherits: ['ProxyTimeout', 'Timeout'],
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'connectiontimeout=',
    value: undefined,
    text: 'no connectiontimeout=',
    kind: 'duration',
    writing: 'unit',
    inherits: ['timeout=', 'ProxyTimeout', 'Timeout'],
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'retry=',
    value: 60_000,
    text: 'retry=60',
    kind: 'duration',
    writing: 'unit',
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'ttl=',
    value: undefined,
    text: 'no ttl=',
    kind: 'duration',
    writing: 'unit',
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'ping=',
    value: undefined,
    text: 'no ping=',
    kind: 'duration',
    writing: 'unit',
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'acquire=',
    value: undefined,
    text: 'no acquire=',
    kind: 'duration',
    writing: 'unit-ms',
    context: WORKER,
    module: 'proxy',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'addressttl=',
    value: undefined,
    text: 'no addressttl=',
    kind: 'duration',
    writing: 'unit',
    context: WORKER,
    module: 'proxy',
    since: '2.4.59',
    source: `${DOCS}mod_proxy.html#proxypass`,
  },
  {
    directive: 'hcinterval=',
    value: 30_000,
    text: 'hcinterval=30',
    kind: 'duration',
    writing: 'unit',
    context: WORKER,
    module: 'proxy_hcheck',
    since: '2.4.21',
    source: `${DOCS}mod_proxy_hcheck.html`,
  },
  {
    directive: 'hcfails=',
    value: 1,
    text: 'hcfails=1',
    kind: 'count',
    context: WORKER,
    module: 'proxy_hcheck',
    since: '2.4.21',
    source: `${DOCS}mod_proxy_hcheck.html`,
  },
  {
    directive: 'hcpasses=',
    value: 1,
    text: 'hcpasses=1',
    kind: 'count',
    context: WORKER,
    module: 'proxy_hcheck',
    since: '2.4.21',
    source: `${DOCS}mod_proxy_hcheck.html`,
  },
  {
    directive: 'RequestReadTimeout',
    value: 40_000,
    text: 'RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500',
    kind: 'duration',
    writing: 'stages',
    context: SERVER,
    module: 'reqtimeout',
    until: '2.4.39',
    source: `${DOCS}mod_reqtimeout.html#requestreadtimeout`,
  },
  {
    directive: 'RequestReadTimeout',
    value: 40_000,
    text: 'RequestReadTimeout handshake=0 header=20-40,MinRate=500 body=20,MinRate=500',
    kind: 'duration',
    writing: 'stages',
    context: SERVER,
    module: 'reqtimeout',
    since: '2.4.39',
    source: `${DOCS}mod_reqtimeout.html#requestreadtimeout`,
  },
  {
    directive: 'H2StreamTimeout',
    value: undefined,
    text: 'H2StreamTimeout 60',
    kind: 'duration',
    writing: 'unit',
    inherits: ['Timeout'],
    context: SERVER,
    module: 'http2',
    since: '2.4.55',
    source: `${DOCS}mod_http2.html#h2streamtimeout`,
  },
  {
    directive: 'SSLSessionCacheTimeout',
    value: 300_000,
    text: 'SSLSessionCacheTimeout 300',
    kind: 'duration',
    writing: 'seconds',
    context: SERVER,
    module: 'ssl',
    source: `${DOCS}mod_ssl.html#sslsessioncachetimeout`,
  },
  {
    directive: 'GracefulShutdownTimeout',
    value: undefined,
    text: 'GracefulShutdownTimeout 0',
    kind: 'duration',
    writing: 'seconds',
    context: ['server'],
    module: 'mpm_event',
    source: `${DOCS}mpm_common.html#gracefulshutdowntimeout`,
  },
  {
    directive: 'LimitRequestLine',
    value: 8190,
    text: 'LimitRequestLine 8190',
    kind: 'bytes',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#limitrequestline`,
  },
  {
    directive: 'LimitRequestFieldSize',
    value: 8190,
    text: 'LimitRequestFieldSize 8190',
    kind: 'bytes',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#limitrequestfieldsize`,
  },
  {
    directive: 'LimitRequestFields',
    value: 100,
    text: 'LimitRequestFields 100',
    kind: 'count',
    context: SERVER,
    module: 'core',
    source: `${DOCS}core.html#limitrequestfields`,
  },
  {
    directive: 'SSLRenegBufferSize',
    value: 131_072,
    text: 'SSLRenegBufferSize 131072',
    kind: 'bytes',
    context: ['section'],
    module: 'ssl',
    source: `${DOCS}mod_ssl.html#sslrenegbuffersize`,
  },
  {
    directive: 'SecRequestBodyLimit',
    value: 134_217_728,
    text: 'SecRequestBodyLimit 134217728',
    kind: 'bytes',
    context: SERVER,
    module: 'security2',
    source: 'https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-(v2.x)#SecRequestBodyLimit',
  },
  {
    directive: 'ServerLimit',
    value: 16,
    text: 'ServerLimit 16',
    kind: 'count',
    context: ['server'],
    module: 'mpm_event',
    source: `${DOCS}mpm_common.html#serverlimit`,
  },
  {
    directive: 'ServerLimit',
    value: 256,
    text: 'ServerLimit 256',
    kind: 'count',
    context: ['server'],
    module: 'mpm_prefork',
    source: `${DOCS}mpm_common.html#serverlimit`,
  },
  {
    directive: 'ThreadLimit',
    value: 64,
    text: 'ThreadLimit 64',
    kind: 'count',
    context: ['server'],
    module: 'mpm_event',
    source: `${DOCS}mpm_common.html#threadlimit`,
  },
  {
    directive: 'ThreadsPerChild',
    value: 25,
    text: 'ThreadsPerChild 25',
    kind: 'count',
    context: ['server'],
    module: 'mpm_event',
    source: `${DOCS}mpm_common.html#threadsperchild`,
  },
  {
    directive: 'MaxRequestWorkers',
    value: 400,
    text: 'MaxRequestWorkers 400',
    kind: 'count',
    context: ['server'],
    module: 'mpm_event',
    source: `${DOCS}mpm_common.html#maxrequestworkers`,
  },
  {
    directive: 'MaxRequestWorkers',
    value: 256,
    text: 'MaxRequestWorkers 256',
    kind: 'count',
    context: ['server'],
    module: 'mpm_prefork',
    source: `${DOCS}mpm_common.html#maxrequestworkers`,
  },
]
