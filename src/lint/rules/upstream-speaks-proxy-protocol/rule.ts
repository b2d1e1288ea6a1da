import {ALL_CHAT} from '../../cascades.ts'
import {chatNodes} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-speaks-proxy-protocol',
    title: 'GMS gets a PROXY protocol header that it does not understand',
    concern: 'upstream',
    severity: 'error',
    requirement: 'GMS expects HTTP from the first byte of a connection on.',
    remediation: {
      haproxy:
        'Remove send-proxy, send-proxy-v2 and their kin from the server lines and from default-server; option forwardfor names the client',
    },
    references: ['PROXY protocol, 2', 'HAProxy: server send-proxy'],
    breaks: ['listener-reaches-gms'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site}) =>
    chatNodes(site)
      .filter(({sendsProxyProtocol}) => sendsProxyProtocol.value)
      .map(({address, sendsProxyProtocol: setting}) => ({
        span: placeOf(setting),
        message: `Expected plain HTTP to ${address}: "${setting.text}"`,
        expected: 'HTTP from the first byte on',
        actual: 'a PROXY protocol header before the request, which GMS answers 400',
        edits: setting.put('off'),
      })),
}
