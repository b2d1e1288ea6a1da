import type {Edit, Span} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {chatNodes} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {allOf, insertedBefore} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'tls-upstream-not-verified',
    title: 'Nobody checks whether the node is the node',
    concern: 'tls',
    severity: 'warning',
    requirement:
      'A proxy that speaks TLS to its nodes checks their certificates: otherwise whoever can answer in the place of a node reads and writes chats.',
    remediation: {
      nginx: 'proxy_ssl_verify on; proxy_ssl_trusted_certificate FILE; proxy_ssl_name NAME; (the host name in the certificate)',
      apache: 'SSLProxyVerify require with SSLProxyCACertificateFile, and leave SSLProxyCheckPeerName on',
      haproxy: 'verify required ca-file FILE and verifyhost NAME on the server lines instead of verify none',
    },
    references: [
      'RFC 9110, 4.3.4 https Certificate Verification',
      'nginx: proxy_ssl_verify (default off); Apache: SSLProxyVerify (default none); HAProxy: verify, ssl-server-verify',
    ],
    breaks: ['tls-upstream-verified'],
    mayBreak: ['listener-config-accepted'],
    provenBy: {
      by: 'binary',
      because: 'without ca-file and without verify none HAProxy does not start: "verify is enabled by default but no CA file specified"',
      on: ['fires.no-authority.haproxy.cfg'],
    },
  },
  inspect: ({site, promises}) =>
    promises.upstreamUnverified
      ? []
      : chatNodes(site).flatMap(({address, host, span, tls}) => {
          if (!tls?.enabled.value) return []
          // HAProxy alone looks at no name unless it is told one.
          const nameless = tls.verified.value && !tls.serverName && site.proxy === 'haproxy'
          if (tls.verified.value && !nameless) return []
          return [
            {
              span: placeOf(tls.verified),
              message: `Expected the certificate of ${address} to be checked`,
              expected: 'its chain up to a named authority, and its host name',
              actual: nameless ? 'no name is looked for: neither verifyhost nor sni' : inForce(tls.verified),
              edits: nameless ? named(span, host) : verifying(site, tls.verified),
            },
          ]
        }),
}

function named(span: Span, host: string): readonly Edit[] {
  return [{span: {...span, start: span.end}, text: ` verifyhost ${host}`, why: `the certificate is that of ${host}`}]
}

/** Where an authority is named already; which one is to be trusted only the operator knows. */
function verifying({proxy, config}: Site, verified: Setting<boolean>): readonly Edit[] {
  const [authority] = allOf(config, proxy === 'nginx' ? /^proxy_ssl_trusted_certificate$/ : /^SSLProxyCACertificate(?:File|Path)$/i)
  if (proxy === 'haproxy' || !authority) return []
  const right = proxy === 'nginx' ? 'on' : /^SSLProxyCheckPeer/i.test(verified.directive) ? 'on' : 'require'
  if (verified.span) return verified.put(right)
  const line = `${verified.directive} ${right}`
  return insertedBefore(config, authority.span, [proxy === 'nginx' ? `${line};` : line], line)
}
