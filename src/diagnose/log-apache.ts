import type {LogMeaning} from './log-line.ts'

/** The error log of Apache httpd 2.4, by its numbers (docs/log-message-tags of the source; most were measured on 2.4.71). */
export const APACHE_LOG: readonly LogMeaning[] = [
  {
    pattern: /\(70007\)The timeout specified has expired: .*AH01102|AH01102: error reading status line from remote server/,
    meaning: 'the node held the request longer than timeout= of the member, ProxyTimeout or Timeout',
    causes: ['polling-timeout-below-hold', 'polling-hold-margin-thin', 'upload-timeout-too-short', 'upstream-keepalive-race'],
  },
  {
    pattern: /AH00898: Error reading from remote server/,
    meaning: 'the node did not answer, or closed the connection',
    causes: ['polling-timeout-below-hold', 'upload-timeout-too-short', 'upstream-keepalive-race'],
  },
  {
    pattern: /AH01110: error reading response|AH01097: pass request body failed|AH01084: pass request body failed/,
    meaning: 'a body stopped half-way between proxy and node',
    causes: ['upload-timeout-too-short', 'upload-buffered-whole'],
  },
  {
    pattern: /AH01114: HTTP: failed to make connection to backend|AH00957: .*attempt to connect/,
    meaning: 'no connection to the node',
    causes: ['health-all-nodes-out', 'tls-upstream-scheme-mismatch'],
  },
  {
    pattern: /AH00959: .*disabling worker for/,
    meaning: 'a node was taken out for retry= seconds after one failure',
    causes: ['health-all-nodes-out'],
  },
  {
    pattern: /AH01167: .*All workers are in error state/,
    meaning: 'all nodes are taken for dead: retry= of the members',
    causes: ['health-all-nodes-out', 'health-check-wrong-path'],
  },
  {
    pattern: /AH03300|AH03302|AH03303/,
    meaning: 'a health check changed the state of a node, or could not be made',
    causes: ['health-check-wrong-path'],
  },
  {
    pattern: /AH10292: .*HTTP Upgrade|AH10292/,
    meaning: 'the node answered 101, and no upgrade was asked of it by this proxy',
    causes: ['upgrade-headers-missing', 'upgrade-match-too-strict'],
  },
  {
    pattern: /AH01144: No protocol handler was valid for the URL/,
    meaning: 'no loaded module speaks the scheme of the node',
    causes: ['upstream-handler-missing'],
  },
  {
    pattern: /AH00961: .*failed to enable ssl support|AH01961/,
    meaning: 'TLS to the node needs SSLProxyEngine on',
    causes: ['tls-upstream-not-enabled'],
  },
  {
    pattern: /AH02411: .*does not match|AH02005|AH02411/,
    meaning: 'the name in the certificate of the node is another one',
    causes: [],
  },
  {
    pattern: /AH02003: SSL Proxy connect failed|AH02039|AH02008: SSL library error .* in handshake/,
    meaning: 'TLS with the node, or with the client, failed',
    causes: ['tls-upstream-scheme-mismatch', 'listener-protocol-mismatch'],
  },
  {
    pattern: /AH01996: SSL handshake failed: HTTP spoken on HTTPS port/,
    meaning: 'the port speaks TLS, and the client plain text',
    causes: ['listener-protocol-mismatch'],
  },
  {
    pattern: /AH00898: DNS lookup failure|AH00900|AH01157/,
    meaning: 'the name of the node cannot be resolved',
    causes: ['upstream-name-unresolved'],
  },
  {
    pattern: /AH00484|AH03490|server reached MaxRequestWorkers|AH10159/,
    meaning: 'all workers are in use',
    causes: ['limits-below-chats'],
  },
  {
    pattern: /AH01587|AH01588|AH01589|AH00588|AH00564|AH00565|AH00561/,
    meaning: 'request line, header or body are larger than a limit of this proxy',
    causes: ['polling-url-too-long', 'upload-body-limit-too-small'],
  },
  {
    pattern: /AH01382: Request header read timeout|AH01383: Request body read timeout/,
    meaning: 'RequestReadTimeout ended a slow client',
    causes: ['upload-timeout-too-short'],
  },
  {
    pattern: /AH01630: client denied by server configuration/,
    meaning: 'Require refused the client',
    causes: ['listener-swallows-route', 'upstream-method-blocked'],
  },
  {
    pattern: /AH01614|AH01617|AH01618|AH01797/,
    meaning: 'user name and password were asked for',
    causes: ['upstream-credentials-required'],
  },
  {
    pattern: /AH03507|AH03505|AH03495|RemoteIPProxyProtocol: (?:header|data)/,
    meaning: 'the listener waits for a PROXY protocol header, and got a request',
    causes: ['listener-expects-proxy-protocol'],
  },
  {
    pattern: /AH00128: File does not exist/,
    meaning: 'the request was looked for among files: no route to GMS took it',
    causes: ['upstream-route-missing', 'upstream-location-too-narrow', 'listener-host-not-matched', 'listener-swallows-route'],
  },
]
