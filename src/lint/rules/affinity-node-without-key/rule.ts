import type {Upstream} from '../../../proxies/site.ts'
import {namesOf} from '../../affinity-edits.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {balanced, choosable, isHashed, isLearned, OVER_HTTP} from '../../sessions.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-node-without-key',
    title: 'A node has no name by which affinity could find it again',
    concern: 'affinity',
    severity: 'error',
    requirement: 'Where a cookie names the node of a session, every node has the name that stands in it.',
    remediation: {
      apache: 'route=NAME on every BalancerMember, another for each node (with an application cookie: the worker name of its Jetty)',
      haproxy: 'cookie NAME on every server line of the backend, another for each node',
    },
    references: [
      'Apache mod_proxy, BalancerMember parameter route',
      'https://docs.genesys.com/Documentation/GMS/latest/Deployment/ConfiguringApacheLoadBalancer',
      'Measured: stickysession without route: 10 of 10 clients met 402',
    ],
    breaks: ['affinity-same-node'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, ...OVER_HTTP, UPLOAD)
      .filter(({upstream}) => findsByName(upstream))
      .flatMap(({upstream}) =>
        choosable(upstream)
          .filter(({key}) => key === undefined)
          .map(({address, span}) => ({
            span,
            message: `Missing a name for ${address}: ${upstream.affinity.setting.text} can never choose it again`,
            expected: site.proxy === 'haproxy' ? 'cookie NAME on the server line' : 'route=NAME',
            actual: `${address} without one`,
            edits: site.proxy === 'nginx' ? [] : namesOf(choosable(upstream), site.proxy),
          })),
      ),
}

/** The cookie names a node, is not put through a hash or looked up in a table, and the names are not made up (`dynamic`). */
function findsByName({affinity}: Upstream): boolean {
  const named = !/\bdynamic\b/.test(affinity.setting.text)
  const byCookie = named && ['inserted-cookie', 'prefixed-cookie', 'application-cookie'].includes(affinity.kind)
  return byCookie && !isLearned(affinity) && !isHashed(affinity) && !affinity.unstable
}
