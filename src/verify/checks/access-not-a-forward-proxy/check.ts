import {plainRequest} from '../../../flows/plain-request.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence, upstreamLine} from '../../evidence.ts'

/** How long what was said through a tunnel may take to come out, ms. */
const TUNNEL_MS = 3000
/** Nobody's address. Clients name it without a port, so a log that says `:80` tells that the proxy set out for it: `proxy_pass http://$host`. */
const NOWHERE = '127.66.7.8'

export const check = withWitnesses({
  meta: {
    id: 'access-not-a-forward-proxy',
    title: 'Nobody can reach other servers through the proxy',
    concern: 'access',
    severity: 'error',
    requirement: 'A request for a foreign origin, in absolute form or by CONNECT, does not reach that origin.',
    remediation: {
      nginx: 'Never build proxy_pass from the request ($host, $http_host, $request_uri of a stranger)',
      apache: 'ProxyRequests Off',
      haproxy: 'Remove http-request do-resolve and set-dst from the chat frontend, and option http_proxy',
    },
    directives: {
      nginx: ['proxy_pass'],
      apache: ['ProxyRequests', 'ProxyPass'],
      haproxy: ['option http_proxy', 'http-request set-dst', 'http-request do-resolve'],
    },
    references: ['RFC 9112, 3.2.2 absolute-form', 'Apache httpd: ProxyRequests, security warning'],
  },
  isolation: 'shared',
  budgetMs: () => 90_000,
  async run({flow, upstream, configuration}) {
    const own = await flow(plainRequest, {target: COMETD_PATH})
    if (own.status === undefined) return {status: 'skipped', because: `the proxy answers no request at all: ${own.stoppedAt ?? 'silence'}`}
    const {address, name} = upstream.bystander
    const ways = [
      {method: 'GET', target: `http://${address}/`, headers: [['Host', address]] as const},
      {method: 'GET', target: `http://${address}${COMETD_PATH}/handshake`, headers: [['Host', address]] as const},
      {method: 'GET', target: `${COMETD_PATH}/handshake`, headers: [['Host', address]] as const},
      {method: 'GET', target: `http://${NOWHERE}/`, headers: [['Host', NOWHERE]] as const},
      {method: 'GET', target: `${COMETD_PATH}/handshake`, headers: [['Host', NOWHERE]] as const},
      {
        method: 'CONNECT',
        target: address,
        headers: [['Host', address]] as const,
        throughTunnel: `GET / HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`,
      },
    ]
    const tried = await Promise.all(ways.map(way => flow(plainRequest, way)))
    // A 2xx to CONNECT proves nothing (`return 200` answers it too): what was said through the tunnel has to come out.
    if (tried.some(({status}, index) => ways[index]?.method === 'CONNECT' && status !== undefined && status < 300))
      await upstream.recorder.waitFor(({node}) => node === name, TUNNEL_MS)
    const reached = upstream.recorder.requests.filter(({node}) => node === name)
    const attempts = ((await configuration?.log()) ?? '').split('\n').filter(line => line.includes(`${NOWHERE}:80`))
    if (reached.length === 0 && attempts.length > 0)
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected the proxy not to connect to a server that only the request names',
            expected: `no connection to ${NOWHERE}`,
            actual: `it tried ${NOWHERE}:80`,
            evidence: {client: evidence(tried).client, upstream: [`not GMS; the proxy says: ${attempts[0] ?? ''}`]},
          },
        ],
      }
    if (reached.length === 0) return {status: 'passed', detail: 'absolute form, foreign Host, CONNECT'}
    const finding: Draft = {
      message: 'Expected a server that the configuration does not name to stay out of reach',
      expected: `no request at ${address}`,
      actual: `${reached.length} ${reached.length === 1 ? 'request' : 'requests'} came through to it`,
      evidence: {client: evidence(tried).client, upstream: reached.map(request => upstreamLine(request))},
    }
    return {status: 'failed', findings: [finding]}
  },
})
