import {handshake} from '../../../flows/handshake.ts'
import type {Check} from '../../check.ts'
import {evidence} from '../../evidence.ts'

const ANNOUNCED = '; each connection begins with a PROXY protocol header, as that of a load balancer'

export const check: Check = {
  meta: {
    id: 'listener-reaches-gms',
    title: 'Requests for GMS reach GMS',
    concern: 'listener',
    severity: 'error',
    requirement: 'POST /genesys/cometd/handshake through the listener is answered by GMS with a Bayeux handshake reply.',
    remediation: {
      nginx: 'Route /genesys/cometd to the GMS nodes: location /genesys/cometd { proxy_pass http://gms; }',
      apache: 'Route /genesys/cometd to the GMS nodes: ProxyPass /genesys/cometd balancer://gms/genesys/cometd',
      haproxy: 'Route /genesys/cometd to the GMS nodes: use_backend gms if { path_beg /genesys/cometd }',
    },
    directives: {
      nginx: ['proxy_pass', 'location', 'server'],
      apache: ['ProxyPass', 'RewriteRule', 'VirtualHost'],
      haproxy: ['default_backend', 'use_backend', 'frontend'],
    },
    references: ['GMS Chat API V2 over CometD, "Handshake with GMS"', 'Bayeux 1.0, 4.1 Handshake'],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: ['tls-terminates', 'upstream-path-intact'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, target, upstream}) {
    const result = await flow(handshake, {transport: 'long-polling'})
    // Only the handshake is judged here: what goes wrong on the connect after it (affinity, cookies) has checks of its own.
    const arrivals = result.exchanges.flatMap(({probe}) => (probe === undefined ? [] : (upstream?.recorder.byProbe(probe) ?? [])))
    if (result.clientId !== undefined && (!upstream || arrivals.length > 0)) {
      // A rule that misses sends chats to a server that only looks like GMS here: the name tells.
      const written = upstream?.written[upstream.nodes.findIndex(({name}) => name === arrivals[0]?.node)]
      return {status: 'passed', ...(written === undefined ? {} : {detail: `answered by what stands for ${written}`})}
    }
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected GMS to answer the Bayeux handshake',
          expected: '200 and a Bayeux handshake reply with a clientId',
          actual:
            result.clientId === undefined
              ? `${result.stoppedAt ?? 'an answer without a clientId'}${target.announcedBy === undefined ? '' : ANNOUNCED}`
              : 'an answer that looks right, but GMS received no request: it came from the proxy itself',
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
