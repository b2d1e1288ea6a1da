/** Where a directive stands: at the top of the file, directly in `http {}`, or anywhere. */
type Context = 'main' | 'http' | 'anywhere'

/**
 * What is done to one directive so that a configuration runs without privileges and writes nothing outside the sandbox.
 * - `set`: its arguments become `value`, and it is added when the file does not have it.
 * - `path`: its first argument becomes `value`, other arguments stay (but those that begin with one of `drop`); `fallback` is added when the file does not have it.
 * - `remove`: the directive goes.
 * - `refuse`: the file runs only with `--allow-exec`.
 *
 * `{folder}` is the sandbox, `{n}` a number that makes the path unique, `{authority}`, `{certificate}` and `{key}` are the throw-away ones of the
 * run. `unless` names a build option of nginx without which the directive exists.
 */
export type SandboxRow =
  | {directive: string; context: Context; op: 'set'; value: string; unless?: string; why: string}
  | {
      directive: string
      context: Context
      op: 'path'
      value: string
      drop?: readonly string[]
      fallback?: {context: 'main' | 'http'; value: string}
      unless?: string
      why: string
    }
  | {directive: string | RegExp; context: Context; op: 'remove'; why: string}
  | {directive: string | RegExp; context: Context; op: 'refuse'; why: string}

const LOGS = 'logs are kept in the sandbox'
const TEMPORARY = 'temporary files are kept in the sandbox'
const THROW_AWAY = 'a throw-away certificate of this run: keys of the deployment are not read'
const NO_PRIVILEGE = 'needs a privilege that the sandbox does not have'
const temporary = (kind: string, unless: string): SandboxRow => ({
  directive: `${kind}_temp_path`,
  context: 'anywhere',
  op: 'path',
  value: `{folder}/${kind}_temp`,
  drop: ['0', '1', '2', '3'],
  fallback: {context: 'http', value: `{folder}/${kind}_temp`},
  unless,
  why: TEMPORARY,
})

/** The sandbox of nginx (directive index at nginx.org/en/docs/dirindex.html: every directive that names a file to write, code to load or a privilege). */
export const SANDBOX: readonly SandboxRow[] = [
  {directive: 'daemon', context: 'main', op: 'set', value: 'off', why: 'nginx is watched in the foreground'},
  {directive: 'master_process', context: 'main', op: 'remove', why: 'a single process cannot be reloaded'},
  {directive: 'pid', context: 'main', op: 'set', value: '{folder}/nginx.pid', why: 'the process id is kept in the sandbox'},
  {directive: 'lock_file', context: 'main', op: 'set', value: '{folder}/nginx.lock', why: 'locks are kept in the sandbox'},
  {
    directive: 'error_log',
    context: 'anywhere',
    op: 'path',
    value: '{folder}/error.log',
    fallback: {context: 'main', value: '{folder}/error.log warn'},
    why: LOGS,
  },
  {
    directive: 'access_log',
    context: 'anywhere',
    op: 'path',
    value: '{folder}/access.log',
    drop: ['buffer=', 'flush=', 'gzip'],
    fallback: {context: 'http', value: '{folder}/access.log'},
    why: `${LOGS}, written at once`,
  },
  temporary('client_body', '--without-http'),
  temporary('proxy', '--without-http_proxy_module'),
  temporary('fastcgi', '--without-http_fastcgi_module'),
  temporary('uwsgi', '--without-http_uwsgi_module'),
  temporary('scgi', '--without-http_scgi_module'),
  ...(['proxy', 'fastcgi', 'uwsgi', 'scgi'] as const).flatMap((kind): SandboxRow[] => [
    {
      directive: `${kind}_cache_path`,
      context: 'anywhere',
      op: 'path',
      value: `{folder}/${kind}_cache_{n}`,
      why: 'caches are kept in the sandbox',
    },
    {directive: `${kind}_store`, context: 'anywhere', op: 'remove', why: 'would write answers into the document root'},
  ]),
  {directive: /^dav_(?:ext_)?methods$/, context: 'anywhere', op: 'remove', why: 'would let clients write files'},
  {
    directive: /^(?:proxy_|grpc_|uwsgi_)?ssl_key_?log(?:_file)?$/,
    context: 'anywhere',
    op: 'remove',
    why: 'would write key material to a file',
  },
  {
    directive: /^(?:upload|slowfs)_(?:store|cache_path|state_store)$/,
    context: 'anywhere',
    op: 'remove',
    why: 'would write files outside the sandbox',
  },
  {
    directive: /^(?:google_perftools_profiles|debug_points|worker_rlimit_core)$/,
    context: 'anywhere',
    op: 'remove',
    why: 'would write profiles or memory dumps',
  },
  {directive: 'working_directory', context: 'main', op: 'path', value: '{folder}', why: 'memory dumps would be written there'},
  {directive: /^(?:worker_priority|worker_cpu_affinity|quic_bpf)$/, context: 'anywhere', op: 'remove', why: NO_PRIVILEGE},
  ...['root', 'alias'].map((directive): SandboxRow => ({
    directive,
    context: 'anywhere',
    op: 'path',
    value: '{folder}/html',
    why: 'chat needs no files: none of this machine are served',
  })),
  {directive: /^(?:ssl_stapling|ssl_ocsp)(?:_|$)/, context: 'anywhere', op: 'remove', why: 'would ask an authority on the network'},
  {
    directive: 'proxy_ssl_trusted_certificate',
    context: 'anywhere',
    op: 'path',
    value: '{authority}',
    why: 'the throw-away authority has signed the certificates of the simulated nodes',
  },
  {directive: 'proxy_ssl_certificate', context: 'anywhere', op: 'path', value: '{certificate}', why: THROW_AWAY},
  {directive: 'proxy_ssl_certificate_key', context: 'anywhere', op: 'path', value: '{key}', why: THROW_AWAY},
  {directive: 'proxy_ssl_password_file', context: 'anywhere', op: 'remove', why: 'the throw-away key has no password'},
  {directive: 'proxy_ssl_crl', context: 'anywhere', op: 'remove', why: 'the throw-away authority has revoked nothing'},
  {directive: 'auth_http', context: 'anywhere', op: 'path', value: '127.0.0.1:9', why: 'not a GMS node: unreachable in the sandbox'},
  {directive: 'env', context: 'main', op: 'remove', why: 'the environment of the caller stays outside'},
  {directive: /(?:^|_)lua(?:_|$)/, context: 'anywhere', op: 'refuse', why: 'runs Lua code'},
  {directive: /^perl(?:_|$)/, context: 'anywhere', op: 'refuse', why: 'runs Perl code'},
  {directive: /^js_/, context: 'anywhere', op: 'refuse', why: 'runs JavaScript code'},
  {
    directive: /^(?:passenger|mruby|php|wasm|unit)(?:_|$)/,
    context: 'anywhere',
    op: 'refuse',
    why: 'starts an application server or runs its code',
  },
  {directive: /^exec(?:_|$)/, context: 'anywhere', op: 'refuse', why: 'starts programs'},
  {directive: /^(?:modsecurity|coraza)/, context: 'anywhere', op: 'refuse', why: 'its rules can start programs'},
  {
    directive: /^(?:opentracing|opentelemetry|otel|datadog|zipkin|acme|nchan|oidc|auth_pam|auth_spnego|vod|rtmp)(?:_|$)/,
    context: 'anywhere',
    op: 'refuse',
    why: 'loads code, or reaches out of the sandbox',
  },
  {directive: 'ssl_engine', context: 'main', op: 'refuse', why: 'loads an OpenSSL engine'},
]

/** Arguments that load code wherever they stand: a key from an OpenSSL engine or store. */
export const CODE_ARGUMENTS: readonly {directive: RegExp; argument: RegExp; why: string}[] = [
  {directive: /ssl_certificate(?:_key)?$/, argument: /^(?:engine|store):/, why: 'loads an OpenSSL engine or provider'},
  {
    directive: /^ssl_conf_command$|_ssl_conf_command$/,
    argument: /engine|provider|module/i,
    why: 'could load an OpenSSL engine or provider',
  },
]

/** Files of a stock installation that only declare: they may be included from there. */
export const STOCK_FILES = /^(?:mime\.types|fastcgi\.conf|(?:fastcgi|proxy|scgi|uwsgi)_params|koi-utf|koi-win|win-utf)$/

/** Folders that distributions keep nginx's modules in: `load_module` of one of them is mapped to the folder of this installation. */
export const MODULE_FOLDERS: readonly string[] = [
  'modules',
  '/usr/lib/nginx/modules',
  '/usr/lib64/nginx/modules',
  '/usr/share/nginx/modules',
  '/etc/nginx/modules',
  '/usr/local/nginx/modules',
  '/opt/homebrew/lib/nginx/modules',
]

/** What the `include` of a distribution's list of modules gives: loaded only when the file uses it. */
export const MODULE_LISTS = /(?:^|\/)(?:modules-enabled|nginx\/modules|modules\.d|conf\.modules\.d)\/\*\.conf$/

/** Modules whose directives this table knows, or that can do nothing on their own. */
export const KNOWN_MODULES =
  /^(?:ngx_(?:stream|mail)(?:_\w+)?_module|ndk_http_module|ngx_http_(?:geoip2?|image_filter|xslt_filter|headers_more_filter|echo|brotli_(?:filter|static)|zstd_(?:filter|static)|perl|js|lua|upstream_fair|subs_filter|fancyindex|cache_purge|dav_ext|set_misc|vhost_traffic_status)(?:_module)?)\.so$/

/** Loadable modules by the directives that need them. Perl, njs and Lua are left out on purpose. */
export const MODULE_OF: readonly {directive: RegExp; modules: readonly string[]}[] = [
  {directive: /^stream$/, modules: ['ngx_stream_module.so']},
  {directive: /^mail$/, modules: ['ngx_mail_module.so']},
  {directive: /^geoip_/, modules: ['ngx_http_geoip_module.so']},
  {directive: /^geoip2/, modules: ['ngx_http_geoip2_module.so']},
  {directive: /^image_filter/, modules: ['ngx_http_image_filter_module.so']},
  {directive: /^xslt_|^xml_entities$/, modules: ['ngx_http_xslt_filter_module.so']},
  {directive: /^more_(?:set|clear)_/, modules: ['ngx_http_headers_more_filter_module.so']},
  {directive: /^echo/, modules: ['ngx_http_echo_module.so']},
  {directive: /^brotli/, modules: ['ngx_http_brotli_filter_module.so', 'ngx_http_brotli_static_module.so']},
]
