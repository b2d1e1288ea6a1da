import type {Edit} from '../../../model/bundle.ts'
import type {SentHeader, Site} from '../../../proxies/site.ts'
import {H2C} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {inForce, placeOf, settingsOf, waysToGms} from '../../settings.ts'
import {replacedIn} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'access-upgrade-smuggling',
    title: 'Upgrades other than WebSocket are tunnelled to GMS',
    concern: 'access',
    severity: 'error',
    requirement: 'An Upgrade to anything but websocket (h2c, for one) does not reach GMS: a tunnel would go round every rule of the proxy.',
    remediation: {
      nginx: 'map $http_upgrade $connection_upgrade { ~*^websocket$ upgrade; default ""; } and the same for the Upgrade header',
      apache: 'upgrade=websocket on every BalancerMember or ProxyPass (not upgrade=ANY), RewriteCond %{HTTP:Upgrade} ^websocket$ [NC]',
      haproxy: 'http-request del-header Upgrade unless { req.hdr(Upgrade) -m str -i websocket }',
    },
    references: [
      'RFC 9110, 7.8 Upgrade',
      'RFC 7540, 3.2: h2c',
      'https://github.com/haproxy/haproxy/issues/2183',
      'Measured: the published sample of nginx and HAProxy 2.6.12 forward Upgrade: h2c',
    ],
    breaks: ['access-websocket-upgrades-only'],
    mayBreak: ['upgrade-handshake', 'polling-chat'],
  },
  inspect({site}) {
    const ways = waysToGms(site, H2C).filter(({listener}) => !listener.layer4.value)
    return settingsOf(ways, way => {
      const upgrade = way.sent('upgrade')
      return carries(upgrade) ? upgrade : undefined
    }).map(({setting, ways: [way]}) => ({
      span: placeOf(setting),
      message: 'Expected an Upgrade to h2c to end at the proxy, it reaches GMS',
      expected: 'Upgrade for websocket alone',
      actual: inForce(setting),
      edits: way ? editsFor(site, setting, way) : [],
    }))
  },
}

const WHY = 'only WebSocket may be upgraded to'

function editsFor({proxy, config}: Site, setting: SentHeader, {end}: WayToGms): readonly Edit[] {
  switch (proxy) {
    // A variable of this name is made from $http_upgrade where there is none.
    case 'nginx':
      return setting.put('$gms_upgrade')
    case 'apache':
      return [end.target, ...end.upstream.nodes].flatMap(({span}) =>
        span ? replacedIn(config, span, /\bupgrade=any\b/gi, 'upgrade=websocket', WHY) : [],
      )
    case 'haproxy':
      return setting.put('').map(edit => ({
        ...edit,
        text: edit.text.replace(/del-header upgrade/i, '$& unless { req.hdr(Upgrade) -m str -i websocket }'),
        why: WHY,
      }))
  }
}

/** Whether an offer of another protocol leaves for GMS. */
function carries({value, sends}: SentHeader): boolean {
  return value === 'client' || (value === 'text' && sends !== undefined && /\bh2c\b/i.test(sends))
}
