import {UPGRADES} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import type {WayToGms} from '../../settings.ts'
import {upgradeEdits} from '../../upgrade-edits.ts'
import {lostParts, routeInShade, upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-headers-missing',
    title: 'Upgrade or Connection does not reach GMS: WebSocket is refused',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'Upgrade and Connection are hop-by-hop (RFC 9110, 7.6.1): a proxy drops them unless it is told to pass the upgrade on.',
    remediation: {
      nginx:
        'proxy_http_version 1.1; proxy_set_header Upgrade $gms_upgrade; proxy_set_header Connection $gms_connection;\nboth from a map of $http_upgrade at http level: ~*^websocket$ gives websocket and upgrade, default gives ""',
      apache:
        'upgrade=websocket on every BalancerMember, or on a ProxyPass without balancer (2.4.47 and newer); before, a ws:// RewriteRule [P,L] with [NC] conditions',
      haproxy:
        'Remove http-request del-header Upgrade and del-header Connection, or delete only what is no WebSocket:\nhttp-request del-header Upgrade unless { req.hdr(Upgrade) -m str -i websocket }',
    },
    references: [
      'RFC 6455, 4.2.1; RFC 9110, 7.6.1 and 7.8',
      'https://nginx.org/en/docs/http/websocket.html',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#protoupgrade',
      'Measured: 400 "Unknown Bayeux Transport"; the stock client falls back within 4 ms and says nothing',
    ],
    breaks: ['upgrade-handshake', 'upgrade-chat', 'upgrade-negotiated'],
    mayBreak: UPGRADES,
  },
  inspect: ({site}) =>
    upgradesOf(site).flatMap(({spelt}) => {
      const ways = spelt.flatMap(({works, way}) => (works === false && way.end.kind === 'upstream' ? [way as WayToGms] : []))
      const [first] = ways
      if (!first || ways.length < spelt.length || routeInShade(site, first)) return []
      const lost = lostParts(first)
      const [worst] = lost
      if (!worst || lost.some(part => 'overshadowed' in part && part.overshadowed)) return []
      return [
        {
          span: placeOf(worst),
          message: `Expected the upgrade to reach GMS, it gets ${lost.map(inForce).join(' and ')}`,
          expected: 'Upgrade: websocket and Connection: upgrade at GMS',
          actual: lost.map(inForce).join(', '),
          edits: upgradeEdits(site, first),
        },
      ]
    }),
}
