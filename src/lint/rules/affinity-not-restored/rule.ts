import type {Rule} from '../../rule.ts'
import {balanced, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-not-restored',
    title: 'Sessions move to another node after one failed connection',
    concern: 'affinity',
    severity: 'warning',
    requirement:
      'A session is moved when its node is known to be dead, and its client then begins anew (402, handshake, requestNotifications); a living node keeps its sessions through a failed connection.',
    remediation: {
      haproxy:
        'Add check to every server (default-server check inter 3s fall 3 rise 2), so that a node is dead before option redispatch moves its sessions;\nclients must answer 402 with a handshake and requestNotifications',
    },
    references: [
      'HAProxy configuration manual, "option redispatch"',
      'Measured: after the node died the next connect was 200 with 402::Unknown client and a new cookie',
      'https://github.com/cometd/cometd/issues/1033',
    ],
    breaks: [],
    mayBreak: ['health-dead-node-leaves', 'health-node-returns', 'health-recovers-from-outage'],
    provenBy: {
      by: 'evidence',
      because: 'the move is what a dead node needs; that a living one loses sessions takes a connection that fails once',
    },
  },
  inspect: ({site, promises}) =>
    // Whoever asks for no checks in the parameters knows his nodes.
    (promises.nodesUnchecked ? [] : balanced({site, promises}, ...OVER_HTTP))
      .filter(({upstream: {movesSessions, health, affinity}}) => movesSessions.value && health.kind === 'none' && affinity.kind !== 'none')
      .map(({upstream: {name, movesSessions, affinity, health}}) => ({
        span: placeOf(movesSessions),
        message: `Expected sessions to stay until their node is known to be dead: ${movesSessions.text} moves them, and nothing checks the nodes of ${name}`,
        expected: 'check on every server line',
        actual: `${movesSessions.text}, ${affinity.setting.text}, no health checks`,
        edits: health.setting.put('inter 3s rise 2 fall 3'),
      })),
}
