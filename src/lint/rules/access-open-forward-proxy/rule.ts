import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {directiveAt, siblingsAt, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'access-open-forward-proxy',
    title: 'Anyone can reach any host through the proxy',
    concern: 'access',
    severity: 'error',
    requirement: 'A request for a foreign origin, in absolute form, by its Host or by CONNECT, does not reach that origin.',
    remediation: {
      nginx: 'Never build proxy_pass from the request ($host, $http_host, $request_uri of a stranger): name an upstream',
      apache: 'ProxyRequests Off',
      haproxy: 'Remove http-request do-resolve and set-dst from the frontend of the chat, and option http_proxy',
    },
    references: [
      'RFC 9112, 3.2.2 absolute-form',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxyrequests (security warning)',
      'Measured: the published sample of Apache answers "GET http://other-server/" with what that server says',
    ],
    breaks: ['access-not-a-forward-proxy'],
    mayBreak: [...ALL_CHAT, 'access-paths-only', 'access-admin-closed'],
  },
  inspect({site}) {
    return site.listeners
      .filter(({forwardProxy}) => forwardProxy.value)
      .map(({address, forwardProxy}) => ({
        span: placeOf(forwardProxy),
        message: `Expected ${address} to reach GMS alone: whoever names another server is led there`,
        expected: {nginx: 'proxy_pass to an upstream of this file', apache: 'ProxyRequests Off', haproxy: 'servers of this file'}[
          site.proxy
        ],
        actual: inForce(forwardProxy),
        edits: site.proxy === 'apache' ? forwardProxy.put('Off') : closed(site, placeOf(forwardProxy)),
      }))
  },
}

/** nginx: what leads to strangers ends here; HAProxy: what had its server chosen by the client is refused, under the same condition. */
function closed({proxy, config}: Site, span: Span): readonly Edit[] {
  const line = directiveAt(config, span)
  if (!line) return []
  if (proxy === 'nginx') {
    const resolver = siblingsAt(config, span).find(({name}) => name === 'resolver')
    const why = 'whoever names another server is not led there'
    return line.name === 'proxy_pass'
      ? [{span: line.span, text: 'return 404;', why}, ...(resolver ? withoutLine(config, resolver, why) : [])]
      : []
  }
  const why = 'nobody but this file names a server'
  const [first, second] = line.args
  if (line.name !== 'http-request' || !first || !second) return []
  const condition = line.args.find(({value}) => value === 'if' || value === 'unless')
  const others = siblingsAt(config, span).filter(({args, span: own}) => args[0]?.value === 'set-dst-port' && own.start !== span.start)
  const end = condition ? condition.span.start - 1 : line.span.end
  return [{span: {...first.span, end}, text: 'deny', why}, ...others.flatMap(other => withoutLine(config, other, why))]
}
