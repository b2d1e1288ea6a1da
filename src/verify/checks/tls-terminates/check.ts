import type {TlsHandshakeResult} from '../../../flows/tls-handshake.ts'
import {tlsHandshake} from '../../../flows/tls-handshake.ts'
import type {Check} from '../../check.ts'
import {notPromised} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {NO_TLS, overTls} from '../../over-tls.ts'

// "Clients MUST include the server_name extension" (RFC 8446, 9.2), and "MUST check their understanding of the server hostname against the
// server's identity" (RFC 9110, 4.3.4). RFC 8996: "TLS 1.0 and TLS 1.1 MUST NOT be used."
export const check: Check = {
  meta: {
    id: 'tls-terminates',
    title: 'The listener speaks TLS, with a certificate that clients trust',
    concern: 'tls',
    severity: 'error',
    requirement:
      'A TLS handshake of version 1.2 or newer that asks for the public host name completes, and the certificate is for that name and leads to a trusted authority.',
    remediation: {
      nginx:
        'listen 443 ssl; with ssl_certificate (leaf first, then the intermediate ones), ssl_certificate_key, and ssl_protocols TLSv1.2 TLSv1.3;',
      apache:
        'SSLEngine on in the <VirtualHost *:443>, SSLCertificateFile with leaf and intermediate certificates, SSLProtocol -all +TLSv1.2 +TLSv1.3',
      haproxy: 'bind :443 ssl crt FILE (the word ssl is what switches it on), FILE holding leaf, intermediate certificates and key',
    },
    directives: {
      nginx: ['ssl_protocols', 'ssl_certificate', 'listen'],
      apache: ['SSLProtocol', 'SSLCertificateFile', 'Listen'],
      haproxy: ['bind', 'ssl-default-bind-options'],
    },
    references: ['RFC 8446, 9.2', 'RFC 9110, 4.3.4', 'RFC 8996'],
  },
  transport: 'http',
  needs: [],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const target = overTls(stage)
    if (!target) return notPromised(NO_TLS)
    const result = await stage.flow(tlsHandshake, {}, target)
    const {greeting} = result
    const flaw = flawOf(greeting ?? {tookMs: 0, failure: {ended: 'closed', reason: result.stoppedAt ?? 'no TLS handshake'}}, {
      name: target.serverName ?? target.url.hostname,
    })
    if (flaw) return {status: 'failed', findings: [{...flaw, evidence: evidence(result, stage.upstream?.recorder)}]}
    return {status: 'passed', detail: [greeting?.version, greeting?.names].filter(fact => fact !== undefined).join(', ')}
  },
}

function flawOf(
  {failure, distrust, otherName, names}: NonNullable<TlsHandshakeResult['greeting']>,
  {name}: {name: string},
): {message: string; expected: string; actual: string} | undefined {
  if (failure)
    return {
      message: 'Expected the listener to speak TLS',
      expected: `a TLS handshake for ${name}, version 1.2 or newer`,
      actual: /wrong version number|WRONG_VERSION_NUMBER|packet length too long|http request/i.test(
        `${failure.reason} ${failure.code ?? ''}`,
      )
        ? 'the port answers plain text'
        : failure.reason,
    }
  if (otherName !== undefined)
    return {
      message: 'Expected a certificate for the public host name',
      expected: `a certificate for ${name}`,
      actual: names === undefined ? 'a certificate without a host name' : `a certificate for ${names}`,
    }
  if (distrust !== undefined)
    return {
      message: 'Expected a certificate that clients trust',
      expected: 'a chain from the certificate to a trusted authority, and a date between its two dates',
      actual: distrust,
    }
  return undefined
}
