import {ALL_CHAT} from '../../cascades.ts'
import {WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, settingsOf, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-http2-to-node',
    title: 'The proxy speaks HTTP/2 to a node that cannot upgrade over it',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'The servlet container of GMS speaks HTTP/1.1; an upgrade to WebSocket over HTTP/2 (RFC 8441) needs extended CONNECT, which it does not offer.',
    remediation: {
      nginx: 'proxy_http_version 1.1; instead of 2',
      apache: 'http:// and https:// in ProxyPass and BalancerMember instead of h2c:// and h2://',
      haproxy: 'Remove proto h2 and alpn h2 from the server lines, or add ws h1 (2.4 or newer) beside alpn h2,http/1.1',
    },
    references: ['RFC 8441, 3', 'HAProxy: server ws, proto, alpn; Apache: mod_proxy_http2; nginx: proxy_http_version 2 (1.29.4)'],
    breaks: ['upgrade-handshake'],
    mayBreak: [...ALL_CHAT, 'listener-config-accepted'],
    provenBy: {by: 'binary', because: 'proxy_http_version 2 needs nginx 1.29.4; an older one does not start', on: ['fires.nginx.conf']},
  },
  inspect: ({site}) =>
    settingsOf(waysToGms(site, WEBSOCKET), ({httpVersion}) => httpVersion)
      .filter(({setting}) => setting.value === '2')
      .map(({setting}) => ({
        span: placeOf(setting),
        message: `Expected HTTP/1.1 to the nodes for an upgrade: "${setting.text}"`,
        expected: 'HTTP/1.1',
        actual: 'HTTP/2',
        edits: setting.put('1.1'),
      })),
}
