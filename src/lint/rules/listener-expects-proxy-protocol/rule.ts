import type {Directive} from '../../../proxies/syntax.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

/** Words by which a configuration says who stands in front of it: nginx, Apache. */
const NAMES_HOPS = /^(?:set_real_ip_from|RemoteIPProxyProtocolExceptions|RemoteIP(?:Internal|Trusted)Proxy(?:List)?)$/i

export const rule: Rule = {
  meta: {
    id: 'listener-expects-proxy-protocol',
    title: 'The listener waits for a PROXY protocol header that clients do not send',
    concern: 'listener',
    severity: 'error',
    requirement:
      'A listener that browsers reach directly takes HTTP from the first byte on; only what names the load balancers in front of it may expect a PROXY protocol header.',
    remediation: {
      nginx:
        'Remove proxy_protocol from listen; behind a load balancer that sends it, say so: set_real_ip_from NETWORK; real_ip_header proxy_protocol;',
      apache:
        'Remove RemoteIPProxyProtocol; behind a load balancer that sends it, except all others: RemoteIPProxyProtocolExceptions NETWORK',
      haproxy:
        'Remove accept-proxy from bind; behind a load balancer that sends it, say listener.proxyProtocol in the parameters, or tcp-request connection expect-proxy layer4 if { src NETWORK }',
    },
    references: [
      'PROXY protocol, 2: the receiver MUST NOT guess whether the header is there',
      'Measured: nginx resets the connection ("broken header"), HAProxy too ("does not look like a PROXY protocol header")',
    ],
    breaks: ['listener-reaches-gms'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    site.config.files.some(({directives}) => mentions(directives))
      ? []
      : site.listeners
          .filter(({chat, port, proxyProtocol}) => chat && proxyProtocol.value && promises.proxyProtocol?.[String(port)] !== true)
          .map(({proxyProtocol}) => ({
            span: placeOf(proxyProtocol),
            message: `Expected a listener that takes HTTP from the first byte on: "${proxyProtocol.text}"`,
            expected: 'no PROXY protocol, or the networks of the load balancers that send it',
            actual: 'every client that does not send a PROXY protocol header is cut off',
            edits: proxyProtocol.put('off'),
          })),
}

function mentions(directives: readonly Directive[]): boolean {
  return directives.some(({name, block = []}) => NAMES_HOPS.test(name) || mentions(block))
}
