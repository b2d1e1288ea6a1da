import type {Edit} from '../../../model/bundle.ts'
import type {Node, Upstream} from '../../../proxies/site.ts'
import {atLeast} from '../../../proxies/version.ts'
import {chatUpstreams, isHostName} from '../../routes.ts'
import type {Inspection, Rule} from '../../rule.ts'
import {allOf, siblingsAt} from '../../source.ts'

/** As long as names are usually kept, ms. */
const USUAL_MS = 10_000

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
      ? chatUpstreams(inspection.site).flatMap(({upstream}) => {
          const {nodes, resolution} = upstream
          const pinned = resolution.value === 'start' ? nodes.filter(({host}) => isHostName(host)) : []
          const [node] = pinned
          return node
            ? [
                {
                  span: node.span,
                  message: `Expected ${pinned.map(({host}) => host).join(', ')} to be looked up again`,
                  expected: 'a node that moves is found without a reload',
                  actual: `"${resolution.text}": looked up once, at the start`,
                  edits: following(inspection, upstream, pinned),
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

/** nginx before 1.27.3 follows a name in a variable alone, which knows no affinity: that is no change of one line. */
function following({site, promises}: Inspection, upstream: Upstream, pinned: readonly Node[]): readonly Edit[] {
  const {proxy, version, config} = site
  const why = 'the name is looked up again'
  if (proxy === 'apache')
    return atLeast(version, '2.4.59') ? upstream.resolution.put(String(Math.ceil((promises.dnsTtlMs ?? USUAL_MS) / 1000))) : []
  if (proxy === 'nginx')
    return atLeast(version, '1.27.3') && upstream.hasNameServers && allOf(config, /^zone$/).length > 0
      ? pinned.map(({span}) => ({span: {...span, start: span.end}, text: ' resolve', why}))
      : []
  const [section] = allOf(config, /^resolvers$/)
  const [node] = pinned
  const name = section?.args[0]?.value
  if (name === undefined || !node) return []
  const common = siblingsAt(config, node.span).find(line => line.name === 'default-server' && line.span.start < node.span.start)
  return (common ? [common] : pinned).map(({span}) => ({
    span: {...span, start: span.end},
    text: ` resolvers ${name} init-addr last,libc,none`,
    why,
  }))
}
