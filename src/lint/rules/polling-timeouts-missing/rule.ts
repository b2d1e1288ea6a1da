import type {Setting, Way} from '../../../proxies/site.ts'
import {POLL, UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, secondsIn, settingsOf, waysToGms} from '../../settings.ts'

/** Ends that are never given up, and what a chat needs: ms. */
const WAITS: readonly {pick: (way: Way) => Setting<number | undefined>; who: string; enough: (holdMs: number) => number}[] = [
  {pick: ({answerTimeout}) => answerTimeout, who: 'a node that is dead', enough: holdMs => holdMs + 90_000},
  {pick: ({bodyTimeout}) => bodyTimeout, who: 'a client that is gone', enough: holdMs => holdMs + 30_000},
  {pick: ({connectTimeout}) => connectTimeout, who: 'a node that cannot be reached', enough: () => 5000},
]

export const rule: Rule = {
  meta: {
    id: 'polling-timeouts-missing',
    title: 'Dead peers are never given up: client, server or connect timeout is missing',
    concern: 'polling',
    severity: 'warning',
    requirement:
      'Every wait for a client or a node ends some time: without a timeout a peer that vanished keeps its connection, until there are none left.',
    remediation: {
      haproxy: 'timeout connect 5s, timeout client 1m and timeout server 2m in defaults, with timeout tunnel {idleSeconds}s for WebSocket',
    },
    references: [
      'HAProxy configuration manual, timeout client: "an infinite timeout … is not recommended"',
      'HAProxy itself: [WARNING] missing timeouts for frontend/backend',
    ],
    breaks: [],
    mayBreak: ['health-dead-node-leaves', 'health-recovers-from-outage', 'access-slow-headers-cut'],
    provenBy: {by: 'binary', because: 'haproxy -c warns of missing timeouts; a peer that vanishes without a packet is not made here'},
  },
  inspect: ({site, promises}) =>
    WAITS.flatMap(({pick, who, enough}) =>
      settingsOf(waysToGms(site, POLL, UPLOAD), way => (pick(way).value === undefined ? pick(way) : undefined)).map(({setting}) => ({
        span: placeOf(setting),
        message: `Missing ${setting.directive}: ${who} is never given up`,
        expected: `${setting.directive} ${secondsIn(site.proxy, enough(promises.holdMs))}`,
        actual: setting.text,
        edits: setting.put(secondsIn(site.proxy, enough(promises.holdMs))),
      })),
    ),
}
