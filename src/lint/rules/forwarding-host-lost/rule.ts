import type {HeaderSource} from '../../../proxies/site.ts'
import {WEBSOCKETS} from '../../cascades.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

/** What GMS sees in the place of the public Host. */
const LOST: Readonly<Partial<Record<HeaderSource, string>>> = {
  node: 'the name or address of the node',
  'host-without-port': 'the host without its port',
  text: 'a fixed text',
  nothing: 'no Host',
}
const RIGHT = {nginx: '$http_host', apache: 'On', haproxy: '%[req.hdr(Host)]'}

export const rule: Rule = {
  meta: {
    id: 'forwarding-host-lost',
    title: 'GMS does not see the public Host; Origin checks and absolute URLs break',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'Host reaches GMS as the client sent it, port included (RFC 9110, 7.2).',
    remediation: {
      nginx: 'proxy_set_header Host $http_host; ($host drops the port)',
      apache: 'ProxyPreserveHost On, and no RequestHeader set Host',
      haproxy: 'Remove http-request set-header Host from the paths of the chat',
    },
    references: [
      'RFC 9110, 7.2 Host',
      'RFC 6454, 7 Origin',
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypreservehost',
    ],
    breaks: ['forwarding-host'],
    mayBreak: [...WEBSOCKETS, 'access-origins', 'upload-errors-unchanged', 'polling-errors-unchanged', 'tls-redirect-spares-chat'],
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL, WEBSOCKET, UPLOAD).filter(({listener}) => !listener.layer4.value)
    return settingsOf(ways, way => {
      const host = way.sent('host')
      return LOST[host.value] === undefined ? undefined : host
    }).map(({setting, ways: own}) => ({
      span: placeOf(setting),
      message: `Expected the public Host at GMS, ${titlesOf(own)} comes with ${setting.sends ?? LOST[setting.value] ?? ''}`,
      expected: site.proxy === 'apache' ? 'ProxyPreserveHost On' : `Host ${RIGHT[site.proxy]}`,
      actual: inForce(setting),
      // A Host that is set by hand is taken out by hand: what stands in its line may be meant for other paths.
      edits: site.proxy === 'apache' && /^RequestHeader$/i.test(setting.directive) ? [] : setting.put(RIGHT[site.proxy]),
    }))
  },
}
