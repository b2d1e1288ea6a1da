import {setTimeout} from 'node:timers/promises'
import {handshake} from '../../../flows/handshake.ts'
import type {HandshakeResult} from '../../../flows/handshake.ts'
import {startNameServer} from '../../../simulator/name-server.ts'
import {startSimulator} from '../../../simulator/simulator.ts'
import type {Simulator} from '../../../simulator/simulator.ts'
import type {Judgement, Stage, Upstream} from '../../check.ts'
import {notPromised, withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import type {Promises} from '../../../model/report.ts'

/** Where nodes are first (what the system says when the proxy starts), and where they go. */
const BEFORE = '127.0.0.1'
const AFTERWARDS = '127.0.0.2'
/** For a configuration that nobody made a promise for: name servers change with deployments, and chats wait no longer. ms. */
const USUAL_TTL_MS = 60_000
/** Health checks have to find the new address good (usually two of them), and the machine may be busy. ms. */
const MARGIN_MS = 30_000
/** A proxy that has to ask before its first request does so within this time, ms. */
const FIRST_WITHIN_MS = 15_000
const EVERY_MS = 500
/** All of one round have to arrive: several workers, or nodes, may follow one after the other. */
const ROUND = 6

export const check = withSimulator({
  meta: {
    id: 'upstream-follows-dns',
    title: 'A node that moves is found at its new address',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'Where the configuration names name servers for its nodes, a name that points somewhere else is followed without a reload, within the time that answers may be used. Containers and virtual machines change addresses with each deployment.',
    remediation: {
      nginx:
        'server NAME:PORT resolve; in an upstream with zone (nginx 1.27.3 or newer), or set $gms NAME; proxy_pass http://$gms; with resolver … valid=10s: a resolver alone is never asked',
      apache: 'disablereuse=On, or addressttl=10 (2.4.59 or newer), on ProxyPass or BalancerMember',
      haproxy: 'resolvers NAME on the server lines, or on default-server: a resolvers section alone is never asked',
    },
    directives: {
      nginx: ['upstream > server', 'proxy_pass', 'resolver'],
      apache: ['BalancerMember', 'ProxyPass'],
      haproxy: ['default-server', 'backend > server', 'server', 'resolvers'],
    },
    references: [
      'nginx: resolver, server … resolve (open source since 1.27.3), proxy_pass with variables',
      'HAProxy: section resolvers, server resolvers; Apache: mod_proxy addressttl, disablereuse',
    ],
  },
  presupposes: ['listener-reaches-gms'],
  isolation: 'own-proxy',
  budgetMs: promises => withinMs(promises) + 90_000,
  longestWaitMs: promises => withinMs(promises),
  async run(stage) {
    const {upstream, another, signal, promises} = stage
    const unasked = nothingToFollow(upstream, promises)
    if (unasked !== undefined) return notPromised(unasked)
    const because = another ? whyNot(upstream) : 'a proxy that already runs cannot be asked'
    if (because !== undefined || !another) return {status: 'skipped', because: because ?? ''}
    await using names = await startNameServer(BEFORE)
    for (const host of upstream.names?.hosts ?? []) names.place(host, BEFORE)
    await using other = await another({nameServer: names.address}, signal)
    const at = other.stage.upstream
    if (!at?.control || other.stage.configuration?.accepted === false)
      return {status: 'errored', because: 'the proxy did not start with names in the place of addresses'}
    const first = await firstOf(other.stage)
    if (first.clientId === undefined)
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected chats to reach nodes that are named by their host names',
            expected: `a session within ${time(FIRST_WITHIN_MS)}, the name server answers at once`,
            actual: `${first.stoppedAt ?? 'no session'}; the name server was asked ${names.questions} times`,
            evidence: evidence(first, at.recorder),
          },
        ],
      }
    const moved = await startElsewhere(at, promises)
    if (!moved) return {status: 'skipped', because: `this machine has no second loopback address ${AFTERWARDS}`}
    await using elsewhere = moved
    const {control} = at
    await Promise.all(at.nodes.map(({name}) => control.stopNode(name)))
    for (const host of upstream.names?.hosts ?? []) names.place(host, AFTERWARDS)
    return await judge(other.stage, elsewhere, () => names.questions)
  },
})

function withinMs({dnsTtlMs = USUAL_TTL_MS}: Promises): number {
  return dnsTtlMs + MARGIN_MS
}

/** Why there is nothing to judge, in words. */
function nothingToFollow({names}: Upstream, {dnsTtlMs}: Promises): string | undefined {
  if (!names || names.hosts.length === 0) return 'the nodes are written as addresses: there is no name to follow'
  if (dnsTtlMs !== undefined) return undefined
  if (names.asks === 'always-system') return 'this proxy asks the system for names, and nothing promises that it asks again'
  if (names.asks === 'nobody') return 'the configuration names no name server: a node that moves is found when the proxy is reloaded'
  return undefined
}

/** Why it cannot be judged here, in words. */
function whyNot({names, nodes}: Upstream): string | undefined {
  if (names?.asks === 'always-system') return 'this proxy asks the system for names, and the answers of the system cannot be changed here'
  return nodes.some(({host}) => host !== BEFORE) ? 'a container reaches this machine at a single address: no node can move' : undefined
}

async function firstOf(stage: Stage): Promise<HandshakeResult> {
  const until = Date.now() + FIRST_WITHIN_MS
  for (;;) {
    const result = await stage.flow(handshake, {transport: 'long-polling'})
    if (result.clientId !== undefined || Date.now() > until) return result
    await setTimeout(EVERY_MS, undefined, {signal: stage.signal})
  }
}

/** The same nodes at the other address, on the same ports; `undefined` where there is no such address. */
async function startElsewhere({nodes}: Upstream, {holdMs, maxFileSize}: Promises): Promise<Simulator | undefined> {
  try {
    return await startSimulator({nodes: nodes.length, host: AFTERWARDS, ports: nodes.map(({port}) => port), holdMs, maxFileSize})
  } catch {
    return undefined
  }
}

async function judge(stage: Stage, {recorder}: Simulator, questions: () => number): Promise<Judgement> {
  const {promises, signal} = stage
  const movedAt = Date.now()
  const limit = withinMs(promises)
  for (;;) {
    const began = Date.now()
    const round = await Promise.all(
      Array.from({length: ROUND}, (_, index) => stage.flow(handshake, {transport: index % 2 === 0 ? 'long-polling' : 'websocket'})),
    )
    const arrived = round.filter(
      ({clientId, exchanges}) =>
        clientId !== undefined && exchanges.some(({probe}) => probe !== undefined && recorder.byProbe(probe) !== undefined),
    )
    if (arrived.length === ROUND)
      return {status: 'passed', detail: `found ${time(began - movedAt)} after it had moved; the name server was asked ${questions()} times`}
    if (began - movedAt > limit) {
      const lost = round.filter(result => !arrived.includes(result))
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected newcomers to reach the nodes at their new address',
            expected: `every newcomer is served ${time(limit)} after the names point to ${AFTERWARDS}`,
            actual: `${lost.length} of ${ROUND} are not (${lost[0]?.stoppedAt ?? 'answered by nobody there'}); the name server was asked ${questions()} times`,
            evidence: evidence(lost.slice(0, 2), recorder),
          },
        ],
      }
    }
    await setTimeout(EVERY_MS, undefined, {signal})
  }
}
