import type {LogMeaning} from './log-line.ts'

/** The error log of nginx. Texts are those of the source (src/http/ngx_http_upstream.c and others), the same from 1.18 to 1.29; most were measured. */
export const NGINX_LOG: readonly LogMeaning[] = [
  {
    pattern: /upstream timed out \(110: .*\) while reading response header from upstream/,
    meaning: 'the node held the request longer than proxy_read_timeout',
    causes: ['polling-timeout-below-hold', 'polling-hold-margin-thin', 'upload-timeout-too-short'],
  },
  {
    pattern: /upstream timed out \(110: .*\) while proxying upgraded connection/,
    meaning: 'a WebSocket was silent for longer than proxy_read_timeout or proxy_send_timeout',
    causes: ['upgrade-cut-below-heartbeat', 'upgrade-idle-cut'],
  },
  {
    pattern: /upstream timed out \(110: .*\) while (?:sending request to|reading) upstream/,
    meaning: 'the node took or sent nothing for longer than proxy_send_timeout or proxy_read_timeout',
    causes: ['upload-timeout-too-short', 'polling-timeout-below-hold'],
  },
  {
    pattern: /upstream timed out \(110: .*\) while connecting to upstream/,
    meaning: 'no connection to the node within proxy_connect_timeout',
    causes: ['upstream-name-unresolved'],
  },
  {
    pattern: /client intended to send too large (?:chunked )?body/,
    meaning: 'the body is larger than client_max_body_size',
    causes: ['upload-body-limit-too-small'],
  },
  {
    pattern: /client intended to send too large header|client sent too long (?:URI|header line)/,
    meaning: 'request line or header are larger than large_client_header_buffers',
    causes: ['polling-url-too-long'],
  },
  {
    pattern: /no live upstreams while connecting to upstream/,
    meaning: 'all nodes are taken for dead: max_fails and fail_timeout',
    causes: ['health-all-nodes-out'],
  },
  {
    pattern: /upstream prematurely closed connection/,
    meaning: 'the node closed the connection before it had answered',
    causes: ['upstream-keepalive-race', 'tls-upstream-scheme-mismatch'],
  },
  {
    pattern: /upstream sent invalid header|upstream sent no valid HTTP\/1\.0 header|upstream sent too small http2 frame/,
    meaning: 'the node answers in another language than it was asked in',
    causes: ['tls-upstream-scheme-mismatch', 'upstream-http2-to-node'],
  },
  {
    pattern: /SSL_do_handshake\(\) failed .* while SSL handshaking to upstream|peer closed connection in SSL handshake .* to upstream/,
    meaning: 'TLS with the node failed',
    causes: ['tls-upstream-scheme-mismatch', 'tls-upstream-name-mismatch'],
  },
  {
    pattern: /upstream SSL certificate (?:verify error|does not match)/,
    meaning: 'the certificate of the node was not accepted',
    causes: ['tls-upstream-name-mismatch'],
  },
  {
    pattern: /upstream sent too big header/,
    meaning: 'the header of the answer is larger than proxy_buffer_size',
    causes: [],
  },
  {
    pattern: /no resolver defined to resolve/,
    meaning: 'the node is named by a variable, and nobody is asked where it is',
    causes: ['upstream-resolver-missing'],
  },
  {
    pattern: /could not be resolved/,
    meaning: 'the name server did not know the node, or did not answer',
    causes: ['upstream-resolver-unreachable', 'upstream-name-unresolved'],
  },
  {
    pattern: /\(13: Permission denied\)|\(28: No space left on device\)|\(30: Read-only file system\)/,
    meaning: 'a folder for temporary files cannot be written',
    causes: ['upload-temp-unwritable'],
  },
  {
    pattern: /limiting requests|delaying request/,
    meaning: 'a request was refused or delayed by limit_req',
    causes: ['limits-rate-too-low'],
  },
  {
    pattern: /limiting connections/,
    meaning: 'a connection was refused by limit_conn',
    causes: ['limits-per-client-too-low'],
  },
  {
    pattern: /worker_connections are not enough/,
    meaning: 'all connections of a worker are in use',
    causes: ['limits-below-chats'],
  },
  {
    pattern: /access forbidden by rule/,
    meaning: 'allow and deny refused the client',
    causes: ['upstream-method-blocked', 'listener-swallows-route'],
  },
  {
    pattern: /no user\/password was provided for basic authentication/,
    meaning: 'auth_basic asked for a user name that chat clients do not send',
    causes: ['upstream-credentials-required'],
  },
  {
    pattern: /broken header: .* while reading PROXY protocol/,
    meaning: 'the listener waits for a PROXY protocol header, and got a request',
    causes: ['listener-expects-proxy-protocol'],
  },
  {
    pattern: /client sent plain HTTP request to HTTPS port/,
    meaning: 'the port speaks TLS, and the client plain text',
    causes: ['listener-protocol-mismatch'],
  },
  {
    pattern: /open\(\) ".*" failed \(2: No such file or directory\)|directory index of ".*" is forbidden/,
    meaning: 'the request was looked for among files: no route to GMS took it',
    causes: ['upstream-route-missing', 'upstream-location-too-narrow', 'listener-host-not-matched', 'listener-swallows-route'],
  },
  {
    pattern: /connect\(\) failed \(111: Connection refused\)/,
    meaning: 'nothing listens at the address of the node',
    causes: [],
  },
]
