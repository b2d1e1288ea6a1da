import {distinctEdits} from '../../../model/bundle.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {choosable, OVER_HTTP} from '../../sessions.ts'
import {inForce, placeOf, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'polling-queued-behind-hold',
    title: 'Requests queue behind held polls',
    concern: 'polling',
    severity: 'warning',
    requirement:
      'A held poll keeps its connection to the node for 30 s: a node takes as many connections as there are chats on it, and some for what is said beside them.',
    remediation: {
      haproxy: 'Remove maxconn from the server lines, or raise it above the chats of a node ({chats} in all); held polls count',
    },
    references: [
      'HAProxy configuration manual, "maxconn" (server): more requests wait in the queue',
      'https://github.com/Oyatel/CometD.NET/issues/1: requests queued behind the long poll',
    ],
    breaks: [],
    breaksOneOf: ['polling-chat', 'polling-delivers-promptly', 'polling-burst-delivered'],
    mayBreak: ALL_CHAT,
  },
  inspect({site, promises}) {
    const upstreams = new Map(waysToGms(site, ...OVER_HTTP).map(({end}) => [end.upstream.name, end.upstream]))
    return [...upstreams.values()].flatMap(upstream => {
      const nodes = choosable(upstream)
      const limits = nodes.map(({maxConnections}) => maxConnections.value ?? Number.POSITIVE_INFINITY)
      const together = limits.reduce((sum, limit) => sum + limit, 0)
      // Chats on WebSocket keep a connection as well.
      if (together >= promises.chats) return []
      return nodes.map(({address, maxConnections}) => ({
        span: placeOf(maxConnections),
        message: `Too short for ${promises.chats} chats: ${address} takes ${inForce(maxConnections)}, each held poll is one`,
        expected: `${promises.chats} connections to all nodes together, and some more`,
        actual: `${together} to ${nodes.length} nodes`,
        edits: distinctEdits(
          nodes.flatMap(node =>
            (node.maxConnections.value ?? promises.chats) < promises.chats ? node.maxConnections.put(String(promises.chats)) : [],
          ),
        ),
      }))
    })
  },
}
