import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'access-open-forward-proxy',
    title: 'Anyone can reach any host through the proxy',
    concern: 'access',
    severity: 'error',
    requirement: 'A request for a foreign origin, in absolute form, by its Host or by CONNECT, does not reach that origin.',
    remediation: {
      nginx: 'Never build proxy_pass from the request ($host, $http_host, $request_uri of a stranger): name an upstream',
      apache: 'ProxyRequests Off',
      haproxy: 'Remove http-request do-resolve and set-dst from the frontend of the chat, and option http_proxy',
    },
    references: [
      'RFC 9112, 3.2.2 absolute-form',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxyrequests (security warning)',
      'Measured: the published sample of Apache answers "GET http://other-server/" with what that server says',
    ],
    breaks: ['access-not-a-forward-proxy'],
    mayBreak: [...ALL_CHAT, 'access-paths-only', 'access-admin-closed'],
  },
  inspect({site}) {
    return site.listeners
      .filter(({forwardProxy}) => forwardProxy.value)
      .map(({address, forwardProxy}) => ({
        span: placeOf(forwardProxy),
        message: `Expected ${address} to reach GMS alone: whoever names another server is led there`,
        expected: {nginx: 'proxy_pass to an upstream of this file', apache: 'ProxyRequests Off', haproxy: 'servers of this file'}[
          site.proxy
        ],
        actual: inForce(forwardProxy),
        edits: site.proxy === 'apache' ? forwardProxy.put('Off') : [],
      }))
  },
}
