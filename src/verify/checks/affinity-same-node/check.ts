import type {FreshClient} from '../../../flows/fresh-clients.ts'
import {freshClients} from '../../../flows/fresh-clients.ts'
import type {Check} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** With two nodes and a random choice for each request, ten users with six requests each get through with a chance of 1 in 10^18. */
const CLIENTS = 10

export const check: Check = {
  meta: {
    id: 'affinity-same-node',
    title: 'One session stays on one node',
    concern: 'affinity',
    severity: 'error',
    requirement: 'GMS nodes share no Bayeux sessions: "long polls need to end up on the same GMS node". Ten fresh clients never meet 402.',
    remediation: {
      nginx: 'hash on a cookie that nginx sets itself: map $cookie_GMS_NODE to $request_id when it is empty, hash $gms_node consistent; (sticky from 1.29.6)',
      apache: 'Give every BalancerMember a route, set stickysession=GMS_NODE and add the cookie when BALANCER_ROUTE_CHANGED',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly in the backend, and cookie NAME on every server',
    },
    directives: {nginx: ['upstream', 'proxy_pass'], apache: ['BalancerMember', 'ProxyPass'], haproxy: ['balance', 'cookie', 'server', 'backend']},
    references: ['GMS Chat API V2 over CometD, prerequisites: sticky sessions', 'Measured: 0 of 20 clients without affinity'],
  },
  transport: 'long-polling',
  needs: ['affinity'],
  // Other traffic between two requests makes round-robin look like affinity.
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  async run({flow, upstream}) {
    const result = await flow(freshClients, {clients: CLIENTS})
    const lost = result.clients.filter(client => !isWell(client))
    if (lost.length === 0 && result.clients.length === CLIENTS) {
      const nodes = result.clients.map(({clientId}) => (clientId === undefined ? undefined : upstream?.recorder.bySession(clientId)[0]?.node))
      const spread = upstream?.nodes.map(({name}) => `${name} ${nodes.filter(node => node === name).length}`).join(', ')
      return {status: 'passed', detail: `${CLIENTS} of ${CLIENTS} clients${spread === undefined ? '' : ` (${spread})`}`}
    }
    const refused = lost.reduce((sum, {sessionUnknown}) => sum + sessionUnknown, 0)
    const sent = lost.reduce((sum, {sent: own}) => sum + own, 0)
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected every request of a session to reach the node that knows it',
          expected: `${CLIENTS} of ${CLIENTS} fresh clients keep their session`,
          actual: `${CLIENTS - lost.length} of ${CLIENTS}${refused > 0 ? `: ${refused} of ${sent} requests of the others were answered 402::session_unknown` : `: ${lost[0]?.trouble ?? result.stoppedAt ?? 'no session at all'}`}`,
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}

function isWell({clientId, sent, accepted, sessionUnknown}: FreshClient): boolean {
  return clientId !== undefined && sent > 0 && accepted === sent && sessionUnknown === 0
}
