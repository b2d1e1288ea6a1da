import type {LogMeaning} from './log-line.ts'

/** Termination state in a line of the HTTP log (HAProxy manual, 8.5): two letters, then two of cookies. */
const state = (letters: string) => new RegExp(String.raw`\s${letters}[-A-Z]{2}\s`)

/** The log of HAProxy: how sessions ended (manual 2.6, section 8.5), and what it says of servers. */
export const HAPROXY_LOG: readonly LogMeaning[] = [
  {
    pattern: state('sH'),
    meaning: 'the node held the request longer than timeout server',
    causes: ['polling-timeout-below-hold', 'polling-hold-margin-thin', 'upload-timeout-too-short'],
  },
  {
    pattern: state('[sc]D'),
    meaning: 'nothing was sent for longer than timeout client, timeout server or timeout tunnel',
    causes: ['upgrade-cut-below-heartbeat', 'upgrade-idle-cut', 'upload-timeout-too-short', 'polling-timeout-below-hold'],
  },
  {
    pattern: state('cR'),
    meaning: 'the client did not send its request within timeout http-request',
    causes: ['upload-timeout-too-short'],
  },
  {
    pattern: state('cH'),
    meaning: 'the client took longer than timeout client while the node had the request',
    causes: ['polling-timeout-below-hold', 'upload-timeout-too-short'],
  },
  {
    pattern: state('sQ'),
    meaning: 'the request waited in the queue of a full server for longer than timeout queue',
    causes: ['limits-below-chats', 'polling-queued-behind-hold'],
  },
  {
    pattern: state('SC'),
    meaning: 'the node refused the connection, or no node is up',
    causes: ['health-check-wrong-path', 'health-all-nodes-out', 'upstream-resolver-unreachable', 'tls-upstream-scheme-mismatch'],
  },
  {
    pattern: state('sC'),
    meaning: 'no connection to the node within timeout connect',
    causes: ['polling-duration-without-unit', 'tls-upstream-scheme-mismatch'],
  },
  {
    pattern: state('SH'),
    meaning: 'the node closed the connection before it had answered',
    causes: ['tls-upstream-scheme-mismatch', 'upstream-speaks-proxy-protocol', 'upstream-keepalive-race'],
  },
  {
    pattern: state('PH'),
    meaning: 'the answer of the node was blocked or not understood',
    causes: ['upstream-http2-to-node', 'upstream-method-blocked'],
  },
  {
    pattern: state('PR'),
    meaning: 'the request was refused, redirected or answered by a rule of this proxy',
    causes: [
      'upstream-method-blocked',
      'listener-swallows-route',
      'limits-rate-too-low',
      'limits-per-client-too-low',
      'polling-url-too-long',
      'upstream-credentials-required',
      'upload-body-limit-too-small',
    ],
  },
  {
    pattern: state('PD'),
    meaning: 'the answer could not be passed on: it broke the protocol',
    causes: ['upstream-http2-to-node'],
  },
  {
    pattern: state('D[CDH]'),
    meaning: 'the node was taken out while the session was on it (on-marked-down shutdown-sessions)',
    causes: ['health-check-wrong-path', 'health-all-nodes-out'],
  },
  {
    pattern: state('LR'),
    meaning: 'this proxy answered the request itself',
    causes: ['listener-swallows-route', 'upgrade-redirected'],
  },
  {
    pattern: /Server \S+ is DOWN, reason: Layer7 (?:wrong status|invalid response)/,
    meaning: 'the health check got another answer than it expects',
    causes: ['health-check-wrong-path'],
  },
  {
    pattern: /Server \S+ is going DOWN for maintenance \((?:DNS|No IP)/,
    meaning: 'the name server does not answer for this node',
    causes: ['upstream-resolver-unreachable', 'upstream-name-unresolved'],
  },
  {
    pattern: /(?:backend|proxy) '?\S+'? has no server available|<NOSRV>.*\s503\s/,
    meaning: 'no node is up',
    causes: ['health-check-wrong-path', 'health-all-nodes-out', 'upstream-resolver-unreachable'],
  },
  {
    pattern: /Server \S+ is DOWN, reason: Layer6|SSL handshake failure/,
    meaning: 'TLS failed',
    causes: ['tls-upstream-scheme-mismatch', 'listener-protocol-mismatch'],
  },
  {
    pattern: /verify is enabled by default but no CA file specified/,
    meaning: 'nothing says whose certificates of nodes are to be trusted',
    causes: ['tls-upstream-not-verified'],
  },
]
