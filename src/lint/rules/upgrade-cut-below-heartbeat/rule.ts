import {heartbeat} from '../../margins.ts'
import {WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, secondsIn, settingsOf, waysToGms} from '../../settings.ts'
import {works} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-cut-below-heartbeat',
    title: 'Every quiet WebSocket is cut before its next heartbeat',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'Between two /meta/connect of a quiet chat lie 30 s, the hold of GMS: a tunnel must stay open for longer than that.',
    remediation: {
      nginx: 'proxy_read_timeout {idleSeconds}s; in the location of /genesys/cometd ({holdSeconds} s hold + 5 s at the very least)',
      apache:
        'ProxyTimeout {idleSeconds} (the idle limit of a WebSocket is the larger of Timeout and ProxyTimeout), or timeout={idleSeconds} on the BalancerMember',
      haproxy: 'timeout tunnel {idleSeconds}s; without it the smaller of timeout client and timeout server cuts WebSockets',
    },
    references: [
      'CometD reference: timeout 30000 ms',
      'https://docs.haproxy.org/2.6/configuration.html#timeout%20tunnel',
      'Measured: HAProxy without timeout tunnel cuts at the smaller of client and server, 3.0 s with 3s, log cD--',
    ],
    breaks: ['upgrade-idle-survives'],
    mayBreak: ['polling-hold-survives', 'upgrade-chat', 'upgrade-negotiated', 'tls-wss-chat', 'limits-hold-idle-chats'],
  },
  inspect({site, promises}) {
    const least = heartbeat(promises)
    const wanted = secondsIn(site.proxy, promises.upgradeIdleMs)
    return settingsOf(
      waysToGms(site, WEBSOCKET).filter(way => works(way) !== false),
      ({idleTimeout}) => (idleTimeout.value !== undefined && idleTimeout.value <= least ? idleTimeout : undefined),
    )
      .filter(({setting}) => setting.value !== undefined && setting.value < promises.upgradeIdleMs)
      .map(({setting}) => ({
        span: placeOf(setting),
        message: `Too short for the heartbeat of ${promises.holdMs / 1000} s: ${inForce(setting)} cuts every quiet WebSocket`,
        expected: wanted,
        actual: inForce(setting),
        edits: setting.put(wanted),
      }))
  },
}
