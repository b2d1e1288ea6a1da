import {X509Certificate} from 'node:crypto'
import type {SecureContext} from 'node:tls'
import {createSecureContext, rootCertificates} from 'node:tls'
import type {ConfigBundle} from '../model/bundle.ts'
import type {Promises} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import type {Authority, KeyType} from '../runtime/certificates.ts'
import {throwAwayAuthority} from '../runtime/certificates.ts'

/** What a configuration that mentions TLS is run and driven with. */
export interface Encryption {
  /** Signs the certificates of listeners, nodes and users of this run. */
  authority: Authority
  /** Host names that the configuration and the parameters give its listeners. */
  names: readonly string[]
  /** What users trust, and who they are where a listener demands to know. */
  trust: SecureContext
}

/** All three dialects name what they need for TLS so; a word too many costs a certificate that nobody reads. */
const MENTION = /ssl|\bcrt\b|https:|\bwss:/i
/** Suites that only an RSA certificate can serve, and those that only one with an elliptic curve can (OpenSSL's names). */
const NEEDS_RSA = /ECDHE-RSA-|DHE-RSA-|\b[ak]RSA\b|(?<![-\w])AES(?:128|256)-(?:GCM-)?SHA/
const NEEDS_EC = /ECDSA/
const PEM_CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

/** `undefined` for a configuration that has nothing to do with TLS. */
export async function encryptionOf(
  proxy: Proxy,
  {bundle, config, promises}: {bundle: ConfigBundle; config: ParsedConfig; promises: Promises},
): Promise<Encryption | undefined> {
  const text = bundle.files.map(file => file.text).join('\n')
  if (!MENTION.test(text)) return undefined
  const listeners = proxy.listeners(config)
  const names = [promises.serverName, ...listeners.map(({serverName}) => serverName)].filter(name => name !== undefined)
  const authority = await throwAwayAuthority(keyTypeFor(text))
  const user = listeners.some(({demandsCertificate}) => demandsCertificate) ? await authority.issue(['user.gms-proxy.invalid']) : undefined
  return {authority, names, trust: trustIn(authority, certificatesOf(bundle), user)}
}

function keyTypeFor(text: string): KeyType {
  return NEEDS_RSA.test(text) && !NEEDS_EC.test(text) ? 'rsa' : 'ec'
}

/** The certificates that lie in the folder of the configuration: what they prove is not ours to judge, so they are believed. */
export function certificatesOf({files}: ConfigBundle): readonly X509Certificate[] {
  return files.flatMap(({text}) =>
    [...text.matchAll(PEM_CERTIFICATE)].flatMap(([pem]) => {
      try {
        return [new X509Certificate(pem)]
      } catch {
        return []
      }
    }),
  )
}

function trustIn(
  authority: Authority,
  pinned: readonly X509Certificate[],
  user: {certificate: string; key: string} | undefined,
): SecureContext {
  return createSecureContext({
    ca: [...rootCertificates, authority.certificate, ...pinned.map(String)],
    // A leaf may lie there without the authority that has signed it.
    allowPartialTrustChain: pinned.length > 0,
    ...(user ? {cert: user.certificate, key: user.key} : {}),
  })
}
