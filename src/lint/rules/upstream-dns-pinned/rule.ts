import type {Inspection, Rule} from '../../rule.ts'
import {chatUpstreams, isHostName} from '../../routes.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-dns-pinned',
    title: 'The names of nodes are looked up once, at the start, and never again',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'Where nodes may move (name servers are configured, or upstream.resolvers promises it), a name that points somewhere else is followed without a reload.',
    remediation: {
      nginx:
        'server NAME:PORT resolve; in an upstream {} with zone (1.27.3 or newer), or set $gms NAME:PORT; proxy_pass http://$gms; a resolver alone is never asked',
      apache: 'addressttl=10 (2.4.59 or newer), or disablereuse=On, on ProxyPass or BalancerMember',
      haproxy: 'resolvers NAME on the server lines, or on default-server: a resolvers section alone is never asked',
    },
    references: [
      'nginx: resolver, server … resolve, proxy_pass with variables',
      'HAProxy: section resolvers, server resolvers; Apache: mod_proxy addressttl, disablereuse',
    ],
    breaks: ['upstream-follows-dns'],
    mayBreak: [],
    provenBy: {
      by: 'none',
      because: 'Apache asks the system for names, and what the system answers cannot be changed in a sandbox',
      on: ['fires.apache.conf'],
    },
  },
  inspect: inspection =>
    isMeantToFollow(inspection)
      ? chatUpstreams(inspection.site).flatMap(({upstream: {nodes, resolution}}) => {
          const pinned = resolution.value === 'start' ? nodes.filter(({host}) => isHostName(host)) : []
          const [node] = pinned
          return node
            ? [
                {
                  span: node.span,
                  message: `Expected ${pinned.map(({host}) => host).join(', ')} to be looked up again`,
                  expected: 'a node that moves is found without a reload',
                  actual: `"${resolution.text}": looked up once, at the start`,
                },
              ]
            : []
        })
      : [],
}

/** Addresses of containers and machines change with deployments; who names no name server and promises nothing reloads then. */
function isMeantToFollow({site, promises}: Inspection): boolean {
  return promises.dnsTtlMs !== undefined || site.nameServers.length > 0
}
