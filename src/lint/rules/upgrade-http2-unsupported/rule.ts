import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-http2-unsupported',
    title: 'WebSocket over HTTP/2 is not offered; browsers open a second connection',
    concern: 'upgrade',
    severity: 'note',
    requirement:
      'A server that takes WebSocket over HTTP/2 says so with SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441, 3); where none says it, browsers take HTTP/1.1 for the socket.',
    remediation: {
      nginx:
        'Nothing to do for browsers: nginx has no RFC 8441, and they open an HTTP/1.1 connection for the socket; clients that insist on HTTP/2 must be told otherwise',
      haproxy:
        'Nothing to do for browsers; where WebSocket over HTTP/2 fails and works over HTTP/1.1, update HAProxy, or h2-workaround-bogus-websocket-clients in global',
      apache: 'Nothing to do for browsers: mod_http2 has WebSocket from 2.4.58 on (H2WebSockets on)',
    },
    references: [
      'RFC 8441, 3 and 4',
      'Measured: nginx answers an extended CONNECT with 400; HAProxy 2.6.12 with 200',
      'https://github.com/haproxy/haproxy/issues/3355',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {
      by: 'evidence',
      because:
        'the SETTINGS of a live HTTP/2 connection say it, not the file: with the same line one build offers it and another does not, and browsers get by without',
    },
  },
}
