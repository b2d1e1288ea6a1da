import {ALL_CHAT} from '../../cascades.ts'
import {chatUpstreams, isHostName} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {named} from '../../variable-targets.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-resolver-missing',
    title: 'The node is named by a variable, and no name server is configured',
    concern: 'upstream',
    severity: 'error',
    requirement: 'A proxy_pass with a variable asks a name server for each request: without resolver it cannot, and answers 502.',
    remediation: {
      nginx: 'resolver ADDRESS valid=10s; in http {} or in the server {}, or name the nodes in an upstream {} instead of a variable',
    },
    references: ['nginx: proxy_pass, resolver', 'Measured: 502, "no resolver defined to resolve gms1.network.local"'],
    breaks: [],
    mayBreak: ALL_CHAT,
    provenBy: {
      by: 'binary',
      because: 'the sandbox puts the addresses of simulated nodes in the place of names, and for an address nobody is asked',
    },
  },
  inspect: ({site}) =>
    chatUpstreams(site).flatMap(({upstream: {name, resolution, hasNameServers, nodes}, way}) =>
      resolution.value !== 'request' || hasNameServers || !nodes.some(({host}) => isHostName(host))
        ? []
        : [
            {
              span: resolution.span ?? way.end.span,
              message: `Missing resolver for ${name}`,
              expected: 'resolver with the address of a name server',
              actual: 'a variable whose host name nobody can be asked for',
              edits: named(site.config, resolution.span ?? way.end.span),
            },
          ],
    ),
}
