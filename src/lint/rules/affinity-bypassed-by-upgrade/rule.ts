import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site, Upstream} from '../../../proxies/site.ts'
import {PUBLISH, WEBSOCKET} from '../../requests.ts'
import {conditionsOf} from '../../rewrite-rules.ts'
import type {Rule} from '../../rule.ts'
import {balanced, choosable, named} from '../../sessions.ts'
import type {WayToGms} from '../../settings.ts'
import {waysToGms} from '../../settings.ts'
import {directiveAt, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-bypassed-by-upgrade',
    title: 'WebSocket goes around the affinity of the sessions',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'A browser that falls back from WebSocket to polling, and upgrades again, reaches one node on both: a socket finds its session on that node only.',
    remediation: {
      nginx:
        'proxy_pass to the same upstream, with the same hash key, for the upgrade and for polling: no upstream or node of its own for WebSocket',
      apache:
        'Give the ws:// balancer the same routes and the same stickysession as the http:// balancer, or upgrade=websocket on its members;\nno RewriteRule to ws:// of one node',
      haproxy:
        'One backend with one cookie for the upgrade and for polling: no use_backend for WebSocket, or the same cookie line and values in both',
    },
    references: [
      'GMS Chat API V2 over CometD, prerequisites: sticky sessions',
      'CometD: a WebSocket finds its session by clientId, on the node that has it',
    ],
    breaks: ['affinity-transport-fallback'],
    mayBreak: [
      'affinity-upload-websocket',
      'health-dead-node-leaves',
      'health-node-returns',
      'health-recovers-from-outage',
      'limits-hold-idle-chats',
      'polling-session-unknown-unchanged',
      'upstream-reload-keeps-chat',
    ],
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, PUBLISH).flatMap(({upstream: home, ways}) =>
      ways.flatMap(({listener}) =>
        waysToGms({listeners: [listener], trace: site.trace}, WEBSOCKET).flatMap(({end}) => {
          const strays = differs(home, end.upstream)
          if (strays === undefined) return []
          return [
            {
              span: end.span,
              message: `Expected the upgrade at the node of the session, ${end.target.text} ${strays}`,
              expected: `the choice of node that polling has (${home.name})`,
              actual: `polling: ${named(choosable(home))}; WebSocket: ${named(choosable(end.upstream))}`,
              edits: joined(site, end.span, ways),
            },
          ]
        }),
      ),
    ),
}

/** How the node of a socket may be another than that of its session. */
function differs(home: Upstream, other: Upstream): string | undefined {
  if (other.name === home.name || other.nodes.length === 0) return undefined
  const [own, others] = [home, other].map(upstream =>
    choosable(upstream)
      .map(({address}) => address.toLowerCase())
      .sort(),
  )
  if (own?.join() !== others?.join()) return 'knows other nodes'
  if (home.affinity.kind === 'none' || ['other', 'address'].includes(other.affinity.kind)) return undefined
  if (other.affinity.kind === 'none') return 'chooses its node without regard to the session'
  if (home.affinity.cookie !== other.affinity.cookie) return 'looks for another cookie'
  const renamed = choosable(home).some(
    ({address, key}) => choosable(other).find(node => node.address === address)?.key?.value !== key?.value,
  )
  return renamed ? 'has other names for the nodes' : undefined
}

/** The line that leads the upgrade astray names the upstream of the session; a rewriting rule of Apache goes, and its conditions with it. */
function joined({proxy, config}: Site, stray: Span, [home]: readonly WayToGms[]): readonly Edit[] {
  const line = directiveAt(config, stray)
  const [first] = line?.args ?? []
  if (!line || !first || !home) return []
  const why = `the nodes of ${home.end.upstream.name}, as for polling`
  if (proxy === 'haproxy') return line.name === 'use_backend' ? [{span: first.span, text: home.end.upstream.name, why}] : []
  if (proxy === 'nginx') {
    const own = directiveAt(config, home.end.span)?.args[0]
    return line.name === 'proxy_pass' && own ? [{span: first.span, text: own.raw, why}] : []
  }
  if (line.name.toLowerCase() !== 'rewriterule') return []
  return [...[...conditionsOf(config, line), line].flatMap(each => withoutLine(config, each, why)), ...home.tunnels.put('websocket')]
}
