import {ALL_CHAT} from '../../cascades.ts'
import {chatNodes} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'tls-upstream-not-enabled',
    title: 'TLS to the nodes is asked for, and the engine for it is off',
    concern: 'tls',
    severity: 'error',
    requirement: 'https:// and wss:// targets need SSLProxyEngine on in the virtual host (or the <Proxy>) that speaks to them.',
    remediation: {
      apache:
        'SSLProxyEngine on in the <VirtualHost> with the https:// or wss:// targets, with SSLProxyVerify require and SSLProxyCACertificateFile',
    },
    references: [
      'Apache httpd: SSLProxyEngine (default off)',
      'Measured: 500, AH01961 "failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]"',
    ],
    breaks: ['listener-reaches-gms'],
    mayBreak: [...ALL_CHAT, 'tls-upstream-verified'],
  },
  inspect: ({site}) =>
    chatNodes(site).flatMap(({address, tls}) =>
      !tls || tls.enabled.value
        ? []
        : [
            {
              span: placeOf(tls.enabled),
              message: `Missing ${tls.enabled.directive} for ${address}`,
              expected: `${tls.enabled.directive} on`,
              actual: tls.enabled.span ? `"${tls.enabled.text}"` : `"${tls.enabled.text}" by default`,
              edits: tls.enabled.put('on'),
            },
          ],
    ),
}
