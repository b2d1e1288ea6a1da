import {ALL_CHAT} from '../../cascades.ts'
import {chatNodes, isHostName} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'tls-upstream-name-mismatch',
    title: 'The proxy looks for a name that the certificate of the node does not have',
    concern: 'tls',
    severity: 'error',
    requirement:
      'The name that is asked for and checked is one that the certificate of the node is for; the name of an upstream group is none.',
    remediation: {
      nginx:
        'proxy_ssl_name NAME; with the host name in the certificate of the nodes: the default is the name of the upstream {}\nand proxy_ssl_server_name on; where one address serves several certificates',
    },
    references: [
      'nginx: proxy_ssl_name (default $proxy_host: what proxy_pass names, the upstream {} when it names one)',
      'RFC 9525, 6 Verifying Service Identity',
    ],
    breaks: ['listener-reaches-gms'],
    mayBreak: [...ALL_CHAT, 'tls-upstream-verified'],
  },
  inspect: ({site}) =>
    chatNodes(site).flatMap(({upstream, host, tls}) => {
      const name = tls?.serverName
      if (!tls?.verified.value || !name || name.value !== upstream.name || name.value === host || name.value.includes('.')) return []
      return [
        {
          span: placeOf(name),
          message: `Expected a host name to look for in the certificate of ${host}: "${name.value}"`,
          expected: `a name in the certificate, such as ${host}`,
          actual: `${name.text}: the name of the upstream, which no certificate is for`,
          // The nodes may share a certificate; the name of one of them is in it only when there is one node.
          edits: upstream.nodes.length === 1 && isHostName(host) ? name.put(host) : [],
        },
      ]
    }),
}
