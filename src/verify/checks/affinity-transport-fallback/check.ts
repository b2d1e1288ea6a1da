import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Leg, ReconnectResult} from '../../../flows/reconnect.ts'
import {reconnect} from '../../../flows/reconnect.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {onOneNode} from '../../homes.ts'

/** Where WebSocket has a balancing of its own, each browser has one chance in two to be put on its node all the same: 1 in 65,000 for all. */
const BROWSERS = 16

/** A socket is lost; the chat is taken up over HTTP in a new session; that session upgrades to WebSocket, and comes back to HTTP. */
const wayOf = (http: 'long-polling' | 'callback-polling'): readonly Leg[] => [
  {transport: 'websocket', session: 'new'},
  {transport: http, session: 'new'},
  {transport: 'websocket', session: 'same'},
  {transport: http, session: 'same'},
]
const SESSION_LEGS = [1, 2, 3] as const

export const check = withWitnesses({
  meta: {
    id: 'affinity-transport-fallback',
    title: 'A session keeps its node when its transport changes',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'A browser that falls back from WebSocket to polling, and upgrades again, reaches one node on both: "long polls need to end up on the same GMS node", and a WebSocket finds its session on that node only.',
    remediation: {
      nginx:
        'proxy_pass to the same upstream, with the same hash key, for the upgrade and for polling: no upstream or node of its own for WebSocket',
      apache:
        'Give the ws:// balancer the same routes and the same stickysession as the http:// balancer; no RewriteRule to ws:// of one node',
      haproxy: 'One backend with one cookie for the upgrade and for polling: no use_backend for WebSocket, or the same cookie line in both',
    },
    directives: {
      nginx: ['upstream', 'proxy_pass'],
      apache: ['RewriteRule', 'BalancerMember', 'ProxyPass'],
      haproxy: ['use_backend', 'cookie', 'balance', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, prerequisites: sticky sessions',
      'CometD: HTTP sessions are found by BAYEUX_BROWSER and clientId, WebSocket sessions by clientId',
      'Bayeux 1.0, 5.2: a handshake names the connection types among which the client may choose',
    ],
  },
  needs: ['affinity'],
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'upgrade-handshake',
    'upgrade-chat',
    'affinity-same-node',
    'polling-chat',
    'polling-callback-chat',
  ],
  // Other traffic between two requests makes round-robin look like affinity.
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  async run({flow, upstream, target}) {
    const {recorder} = upstream
    const addresses = await ownAddresses(target.url, BROWSERS)
    const results: ReconnectResult[] = []
    for (let browser = 0; browser < BROWSERS; browser += 1) {
      const from = addresses[browser]
      const http = browser % 2 === 0 ? 'long-polling' : 'callback-polling'
      const result = await flow(reconnect, {legs: wayOf(http), ...(from === undefined ? {} : {from})})
      results.push(result)
      // Where nobody answers, the next browser will not be answered either.
      if (result.legs.length < 2 && result.ended !== 'completed') break
    }
    const troubles = results.flatMap((result, browser) => {
      const trouble = troubleOf(result, recorder)
      return trouble === undefined ? [] : [{text: `browser ${browser + 1}: ${trouble}`, result}]
    })
    const [first] = troubles
    if (first)
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected a session to stay on its node when its transport changes',
            expected: `${BROWSERS} of ${BROWSERS} browsers are on one node over polling, WebSocket and polling again`,
            actual: `${results.length - troubles.length} of ${results.length}: ${troubles
              .slice(0, 2)
              .map(({text}) => text)
              .join('; ')}`,
            evidence: evidence(upToTrouble(first.result), recorder),
          },
        ],
      }
    const moved = results.filter(({legs}) => nodesOf(legs[0]?.probes, recorder)[0] !== nodesOf(legs[1]?.probes, recorder)[0])
    const homes = results.map(({legs}) => nodesOf(legs[1]?.probes, recorder)[0])
    return {
      status: 'passed',
      detail: `${BROWSERS} browsers${onOneNode(homes)}, 2 changes of transport each${moved.length === 0 ? '' : `; ${moved.length} began their new session after the lost socket on another node`}`,
    }
  },
})

/** What went wrong for one browser; `undefined` when both witnesses saw its session on one node, whichever transport it used. */
function troubleOf({legs, events, ended, stoppedAt}: ReconnectResult, recorder: Recorder): string | undefined {
  const visited = SESSION_LEGS.map(number => ({leg: legs[number], nodes: nodesOf(legs[number]?.probes, recorder)}))
  const home = visited[0]?.nodes[0]
  for (const {leg, nodes} of visited) {
    const stray = nodes.find(node => node !== home)
    if (!leg || home === undefined || stray === undefined) continue
    return `its session is on ${home}, its ${leg.transport === 'websocket' ? 'upgrade to WebSocket' : `${leg.transport} request`} reached ${stray}${leg.unknownAt === undefined ? '' : ', which answered 402::session_unknown'}`
  }
  const unknown = legs.find(({unknownAt}) => unknownAt !== undefined)
  if (unknown?.unknownAt !== undefined) return `${unknown.unknownAt} was answered 402::session_unknown`
  if (ended !== 'completed') return stoppedAt ?? ended
  if (visited.some(({nodes}) => nodes.length === 0)) return 'not all of its requests reached GMS'
  const sessions = new Set(SESSION_LEGS.map(number => legs[number]?.clientId))
  if (sessions.size !== 1 || sessions.has(undefined)) return 'its session was not kept'
  for (const {said, answered} of legs) {
    const times = events.filter(({text, from}) => text === said && from.type === 'Client').length
    if (!answered || times !== 1) return `"${said}" is in the transcript ${times} times`
  }
  return undefined
}

/** Without what came after the first answer that said 402: the evidence is the end of a transcript. */
function upToTrouble(result: ReconnectResult): ReconnectResult {
  const at = result.exchanges.findIndex(({answer}) => answer.includes('402::'))
  return at < 0 ? result : {...result, exchanges: result.exchanges.slice(0, at + 1)}
}

/** The nodes that these requests reached, in order and without repetitions. */
function nodesOf(probes: readonly string[] | undefined, recorder: Recorder): readonly string[] {
  return [...new Set((probes ?? []).flatMap(probe => recorder.byProbe(probe)?.node ?? []))]
}
