import type {HeaderSource} from '../../../proxies/site.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

/** Sources that do not name whoever connected. */
const LOST: readonly HeaderSource[] = ['client', 'nothing', 'text', 'host', 'host-without-port', 'node', 'scheme']
const RIGHT = {nginx: '$remote_addr', apache: 'set "expr=%{REMOTE_ADDR}"', haproxy: '%[src]'}

export const rule: Rule = {
  meta: {
    id: 'forwarding-client-lost',
    title: 'GMS does not see the client address',
    concern: 'forwarding',
    severity: 'warning',
    requirement: 'The address of the client that connected to the proxy reaches GMS in X-Forwarded-For.',
    remediation: {
      nginx: 'proxy_set_header X-Forwarded-For $remote_addr;',
      apache: 'Leave ProxyAddHeaders On, or RequestHeader set X-Forwarded-For expr=%{REMOTE_ADDR}',
      haproxy: 'http-request set-header X-Forwarded-For %[src]',
    },
    references: [
      'RFC 7239, 5.2 Forwarded For',
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxyaddheaders',
      'https://docs.haproxy.org/2.6/configuration.html#option%20forwardfor',
    ],
    breaks: ['forwarding-client-address'],
    mayBreak: [
      'forwarding-client-not-forgeable',
      'forwarding-scheme',
      'forwarding-host',
      'access-websocket-upgrades-only',
      'upgrade-handshake',
    ],
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL, WEBSOCKET, UPLOAD).filter(({listener}) => !listener.layer4.value)
    return settingsOf(ways, way => {
      const header = way.sent('x-forwarded-for')
      return LOST.includes(header.value) ? header : undefined
    }).map(({setting, ways: own}) => ({
      span: placeOf(setting),
      message: `Missing X-Forwarded-For with the address of the client: ${titlesOf(own)} comes with ${setting.value === 'client' ? 'what the client wrote itself' : (setting.sends ?? setting.value)}`,
      expected: site.proxy === 'apache' ? 'ProxyAddHeaders On' : `X-Forwarded-For ${RIGHT[site.proxy]}`,
      actual: inForce(setting),
      edits: setting.put(/^ProxyAddHeaders$/i.test(setting.directive) ? 'On' : RIGHT[site.proxy]),
    }))
  },
}
