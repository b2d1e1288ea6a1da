import {ALL_CHAT} from '../../cascades.ts'
import {chatNodes} from '../../routes.ts'
import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-name-unresolved',
    title: 'The name of a node cannot be resolved',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'Each node is named by an address, or by a host name that a name server knows: nginx and HAProxy do not start without, Apache answers 502 or 503.',
    remediation: {
      nginx:
        'Write the address or the real host name of the node; where it is known only later: resolver ADDRESS; and server NAME:PORT resolve; (1.27.3)',
      apache: 'Write the address or the real host name of the node into ProxyPass or BalancerMember; fill variables with Define',
      haproxy: 'Write the address or the real host name of the node; where it is known only later: resolvers NAME init-addr last,libc,none',
    },
    references: [
      'RFC 6761, 6.4: names below .invalid do not exist',
      'Measured: nginx [emerg] host not found in upstream; HAProxy could not resolve address; httpd AH00898 DNS lookup failure',
    ],
    breaks: [],
    mayBreak: ALL_CHAT,
    provenBy: {by: 'binary', because: 'the sandbox puts the addresses of simulated nodes in the place of names'},
  },
  inspect: ({site}) =>
    chatNodes(site).flatMap(({address, host, span}) => {
      const because = whyNot(host)
      return because === undefined
        ? []
        : [
            {
              span,
              message: `Expected a host name that can be resolved: "${address}"`,
              expected: 'an address, or a name that a name server knows',
              actual: because,
            },
          ]
    }),
}

/** Why nobody can resolve it, in words. `<your_domain_name>` is a blank that is still to be filled, not a name. */
function whyNot(host: string): string | undefined {
  if (/(?:^|\.)invalid\.?$/i.test(host)) return 'names below .invalid never exist (RFC 6761)'
  if (/[${}%]|^@.*@$/.test(host)) return `"${host}" is a variable that nothing has filled`
  if (host.split('.').some(label => label.length > 63)) return 'a label of a name has at most 63 characters'
  return undefined
}
