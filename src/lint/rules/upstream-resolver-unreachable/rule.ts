import type {Edit, Span} from '../../../model/bundle.ts'
import {distinctEdits} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {chatUpstreams, isHostName} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {allOf, siblingsAt, withoutLine} from '../../source.ts'
import {named} from '../../variable-targets.ts'

/** Docker answers here, and nobody else; it knows the names of containers. */
const DOCKER = /^127\.0\.0\.11(?::\d+)?$/
/** Networks that are nobody's (RFC 5737), and addresses that are none (RFC 1122). */
const NOBODY = /^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+(?::\d+)?$|^0\.0\.0\.0(?::\d+)?$|^255\.255\.255\.255(?::\d+)?$/

export const rule: Rule = {
  meta: {
    id: 'upstream-resolver-unreachable',
    title: 'The name server that is asked for the nodes does not answer',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'Name servers that a proxy asks while it runs answer where it runs: when they do not, nodes drop out after the time their last answer may be used.',
    remediation: {
      nginx: 'resolver with a name server of this machine (see /etc/resolv.conf), or no resolver and plain names in the upstream {}',
      haproxy: 'parse-resolv-conf in the resolvers section instead of nameserver, or no resolvers on the server lines',
    },
    references: [
      'Docker: embedded name server at 127.0.0.11, inside containers of user-defined networks only',
      'Measured: HAProxy works for 31 s, then "Server is going DOWN for maintenance (DNS timeout status)" and 503',
    ],
    breaks: [],
    mayBreak: ALL_CHAT,
    provenBy: {by: 'evidence', because: 'who answers at an address depends on where the proxy runs; in the sandbox nodes have addresses'},
  },
  inspect: ({site, promises}) => {
    // Whoever promises that names are followed has named these servers.
    if (promises.dnsTtlMs !== undefined) return []
    const hosts = chatUpstreams(site)
      .filter(({upstream: {resolution}}) => resolution.value !== 'start')
      .flatMap(({upstream}) => upstream.nodes.map(({host}) => host))
      .filter(isHostName)
    // The names of containers have no dot; such a configuration lives where Docker answers.
    const outside = hosts.find(host => host.includes('.') || host.startsWith('<'))
    return site.nameServers.flatMap(({address, span}) => {
      const because = hosts.length === 0 ? undefined : whyNot(address, outside)
      return because === undefined
        ? []
        : [
            {
              span,
              message: `Expected a name server that answers: "${address}"`,
              expected: 'a name server of the network that the proxy runs in',
              actual: because,
              edits: reachable(site, span),
            },
          ]
    })
  },
}

function whyNot(address: string, outside: string | undefined): string | undefined {
  if (DOCKER.test(address) && outside !== undefined)
    return `127.0.0.11 answers inside containers only, and ${outside} is no container: when nobody answers, the nodes drop out`
  return NOBODY.test(address) ? 'an address that belongs to nobody' : undefined
}

/** HAProxy: those of the machine; nginx, which cannot ask for them: names that are looked up at the start, by the machine too. */
function reachable(site: Site, span: Span): readonly Edit[] {
  const {proxy, config} = site
  const line = allOf(config, /^(?:nameserver|resolver)$/).find(({span: own}) => own.start <= span.start && span.end <= own.end)
  if (!line) return []
  const why = 'the name servers of this machine are asked'
  if (proxy === 'haproxy') {
    const others = siblingsAt(config, line.span).some(
      ({name, span: own}) => (name === 'nameserver' || name === 'parse-resolv-conf') && own.start !== line.span.start,
    )
    return others ? withoutLine(config, line, why) : [{span: line.span, text: 'parse-resolv-conf', why}]
  }
  const routes = chatUpstreams(site).flatMap(({upstream: {resolution}, way}) => named(config, resolution.span ?? way.end.span))
  return routes.length === 0 ? [] : [...distinctEdits(routes), ...withoutLine(config, line, why)]
}
