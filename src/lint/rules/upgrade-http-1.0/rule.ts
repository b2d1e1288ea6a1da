import {UPGRADES} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-http-1.0',
    title: 'The upgrade reaches GMS over HTTP/1.0, which knows none',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'An upgrade is a request of HTTP/1.1 or newer (RFC 6455, 4.1): over HTTP/1.0 the server ignores it (RFC 9110, 7.8).',
    remediation: {
      nginx: 'proxy_http_version 1.1; in the server, or in the location of /genesys/cometd (the default is 1.0 before 1.29.7)',
      apache: 'Remove SetEnv force-proxy-request-1.0 from the chat paths',
    },
    references: [
      'RFC 6455, 4.1; RFC 9110, 7.8: a server MUST ignore an Upgrade header field in an HTTP/1.0 request',
      'https://nginx.org/en/docs/http/websocket.html',
      'Measured: 400 of a strict GMS; a lenient server answers 101, and the fault hides',
    ],
    breaks: ['upgrade-handshake', 'upgrade-chat', 'upgrade-negotiated'],
    mayBreak: UPGRADES,
  },
  inspect: ({site}) =>
    upgradesOf(site).flatMap(({spelt}) =>
      spelt
        .filter(({way, works}) => way.end.kind === 'upstream' && works !== false && way.httpVersion.value === '1.0')
        .map(({way: {httpVersion}}) => ({
          span: placeOf(httpVersion),
          message: `Expected the upgrade over HTTP/1.1, ${inForce(httpVersion)} is in force`,
          expected: '1.1',
          actual: inForce(httpVersion),
          edits: httpVersion.put('1.1'),
        })),
    ),
}
