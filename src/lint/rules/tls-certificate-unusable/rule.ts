import type {ListenerTls, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule, RuleDraft} from '../../rule.ts'

/** Containers that none of the three proxies reads; all of them want PEM. */
const NO_PEM = /\.(?:p12|pfx|jks|csr|p7b)$/i
/** Something else hands out certificates: mod_md; nginx refuses strangers without one; HAProxy makes them or has a list of them. */
const OTHER_SOURCES = /^(?:MDomain|<MDomainSet|MDomainSet|ssl_reject_handshake|crt-list|crt-store|generate-certificates)$/i

export const rule: Rule = {
  meta: {
    id: 'tls-certificate-unusable',
    title: 'The certificate or its key cannot be loaded',
    concern: 'tls',
    severity: 'error',
    requirement:
      'A listener with TLS has a certificate and its key, in PEM files that exist and belong together; without them the proxy does not start.',
    remediation: {
      nginx:
        'ssl_certificate FILE; with leaf and intermediate certificates and ssl_certificate_key FILE; in the server {} with listen … ssl, both PEM',
      apache:
        'SSLCertificateFile with leaf and intermediate certificates, SSLCertificateKeyFile with the key, both PEM, in the <VirtualHost> with SSLEngine on',
      haproxy: 'bind … ssl crt FILE, a PEM file that exists and holds leaf, intermediate certificates and key',
    },
    references: [
      'nginx: ssl_certificate, ssl_certificate_key; Apache: SSLCertificateFile; HAProxy: bind crt',
      'Measured: HAProxy "unable to stat SSL certificate", nginx "no "ssl_certificate" is defined", httpd AH02572 "Failed to configure at least one certificate"',
    ],
    breaks: ['listener-config-accepted'],
    mayBreak: ALL_CHAT,
    provenBy: {
      by: 'binary',
      because: 'the sandbox puts throw-away certificates in the place of files that this machine does not have',
      on: ['fires.container.nginx.conf', 'fires.container.apache.conf', 'fires.container.haproxy.cfg'],
    },
  },
  inspect: ({site}) =>
    site.listeners
      .filter(({chat}) => chat)
      .flatMap(({address, span, tls}) => (tls ? [...missing(site, tls, {address, span}), ...unreadable(tls)] : [])),
}

function missing(
  site: Site,
  {certificate, key}: ListenerTls,
  {address, span}: Pick<RuleDraft, 'span'> & {address: string},
): readonly RuleDraft[] {
  const lacks = !certificate ? 'certificate' : !key && site.proxy === 'nginx' ? 'key of the certificate' : undefined
  if (lacks === undefined || site.config.files.some(({directives}) => hasOtherSource(directives))) return []
  return [
    {
      span: certificate?.span ?? span,
      message: `Missing ${lacks} for ${address}`,
      expected: 'a certificate and its key',
      actual: `TLS is switched on and no ${lacks} is named: the proxy does not start`,
    },
  ]
}

function unreadable({certificate, key}: ListenerTls): readonly RuleDraft[] {
  return [certificate, key].flatMap(setting =>
    setting?.span && NO_PEM.test(setting.value)
      ? [
          {
            span: setting.span,
            message: `Expected a PEM file: "${setting.text}"`,
            expected: 'a text file with -----BEGIN CERTIFICATE----- or its key',
            actual: `${setting.value} is a container that the proxy does not read`,
          },
        ]
      : [],
  )
}

function hasOtherSource(directives: Site['config']['files'][number]['directives']): boolean {
  return directives.some(
    ({name, args, block = []}) => [name, ...args.map(({value}) => value)].some(word => OTHER_SOURCES.test(word)) || hasOtherSource(block),
  )
}
