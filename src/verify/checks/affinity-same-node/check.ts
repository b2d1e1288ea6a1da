import type {FreshClient, FreshClientsResult} from '../../../flows/fresh-clients.ts'
import {freshClients} from '../../../flows/fresh-clients.ts'
import type {Check, Stage} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** With two nodes and a random choice for each request, ten users with six requests each get through with a chance of 1 in 10^18. */
const CLIENTS = 10
/** HAProxy's largest weight is 256: among this many requests even a node of weight 1 has its turn. */
const MANY_POLLS = 260
const MANY_URLS = 12

export const check: Check = {
  meta: {
    id: 'affinity-same-node',
    title: 'One session stays on one node',
    concern: 'affinity',
    severity: 'error',
    requirement: 'GMS nodes share no Bayeux sessions: "long polls need to end up on the same GMS node". Ten fresh clients never meet 402.',
    remediation: {
      nginx:
        'hash on a cookie that nginx sets itself: map $cookie_GMS_NODE to $request_id when it is empty, hash $gms_node consistent; (sticky from 1.29.6)',
      apache: 'Give every BalancerMember a route, set stickysession=GMS_NODE and add the cookie when BALANCER_ROUTE_CHANGED',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly in the backend, and cookie NAME on every server',
    },
    directives: {
      nginx: ['upstream', 'proxy_pass'],
      apache: ['BalancerMember', 'ProxyPass'],
      haproxy: ['balance', 'cookie', 'server', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, prerequisites: sticky sessions', 'Measured: 0 of 20 clients without affinity'],
  },
  transport: 'long-polling',
  needs: ['affinity'],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  // Other traffic between two requests makes round-robin look like affinity.
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  async run({flow, promises, upstream}) {
    const result = await flow(freshClients, {clients: CLIENTS})
    const well = result.clients.filter(isWell)
    if (well.length === CLIENTS) {
      const homes = well.map(({clientId}) => (clientId === undefined ? undefined : upstream?.recorder.bySession(clientId)[0]?.node))
      const spread = upstream?.nodes.map(({name}) => `${name} ${homes.filter(home => home === name).length}`).join(', ')
      const rare = new Set(homes).size === 1 && promises.nodes > 1 ? await strays(flow) : undefined
      if (!rare) return {status: 'passed', detail: `${CLIENTS} of ${CLIENTS} clients${spread === undefined ? '' : ` (${spread})`}`}
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected every request of a session to reach the node that knows it',
            expected: 'no 402, however many requests a session makes',
            actual: `nearly all requests go to one node, but request ${rare.sent + 1} of a session was answered 402::session_unknown`,
            evidence: evidence(rare.result, upstream?.recorder),
          },
        ],
      }
    }
    const lost = result.clients.filter(client => !isWell(client))
    const refused = lost.reduce((sum, {sessionUnknown}) => sum + sessionUnknown, 0)
    const sent = lost.reduce((sum, {sent: own}) => sum + own, 0)
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected every request of a session to reach the node that knows it',
          expected: `${CLIENTS} of ${CLIENTS} fresh clients keep their session`,
          actual: `${well.length} of ${CLIENTS}${refused > 0 ? `: ${refused} of ${sent} requests of the others were answered 402::session_unknown` : `: ${lost[0]?.trouble ?? result.stoppedAt ?? 'no session at all'}`}`,
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}

/**
 * Where one node serves everybody, either the clients look alike to the proxy (source address) or the other node is merely rare: a small
 * weight, or a hash of the path that happens to put all paths of long-polling on one node. A long session, and one whose every URL is
 * new, tell them apart.
 */
async function strays(flow: Stage['flow']): Promise<{result: FreshClientsResult; sent: number} | undefined> {
  for (const input of [{polls: MANY_POLLS}, {transport: 'callback-polling', polls: MANY_URLS}] as const) {
    const result = await flow(freshClients, {clients: 1, rounds: 1, ...input})
    const stray = result.clients.find(({sessionUnknown}) => sessionUnknown > 0)
    if (stray) return {result, sent: stray.sent}
  }
  return undefined
}

function isWell({clientId, sent, accepted, sessionUnknown}: FreshClient): boolean {
  return clientId !== undefined && sent > 0 && accepted === sent && sessionUnknown === 0
}
