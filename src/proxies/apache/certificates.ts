import type {Span} from '../../model/bundle.ts'
import type {Directive} from '../syntax.ts'
import {isNamed} from './parse.ts'
import type {Placed} from './parse.ts'

const THROW_AWAY = 'a throw-away certificate of this run: that of the deployment is not beside the configuration'
const AUTHORITY = 'users of this run have certificates of a throw-away authority'

/** Directives of TLS listeners that name a file which may lie beside the configuration (mod_ssl). */
const FILES = [
  'SSLCertificateFile',
  'SSLCertificateKeyFile',
  'SSLCertificateChainFile',
  'SSLSessionTicketKeyFile',
  'SSLCADNRequestFile',
] as const

/** Names the file of a TLS listener that a directive reads; `undefined` for any other directive. */
export function certificateFile(directive: Directive): {path: string; span: Span} | undefined {
  const [argument] = directive.args
  return argument && isNamed(directive, ...FILES) ? {path: argument.value, span: argument.span} : undefined
}

/** What stands where the sandbox puts other files in place: `remove` comments out, `path` is the new argument, `line` the whole directive. */
export type CertificateChange = {remove: string} | {path: string; why: string} | {line: string; why: string}

/** Where the throw-away files are, and what the bundle has of its own. */
interface Surroundings {
  placed: readonly Placed[]
  certificates?: {authority: string; certificate: string; key: string; bundle: string} | undefined
  /** Path in the sandbox of a file beside the configuration. */
  own(path: string): string | undefined
}

/**
 * What becomes of the files that a TLS listener reads: what lies beside the configuration is used, a certificate whose key does not lie there
 * is replaced together with it, and other extras go. `undefined` for every other directive.
 */
export function certificateChange(place: Placed, {placed, certificates, own}: Surroundings): CertificateChange | undefined {
  const {directive} = place
  if (isNamed(directive, 'SSLCACertificateFile')) return certificates && {path: certificates.authority, why: AUTHORITY}
  if (isNamed(directive, 'SSLCACertificatePath'))
    return certificates && {line: `SSLCACertificateFile "${certificates.authority}"`, why: AUTHORITY}
  const file = certificateFile(directive)
  if (!file) return undefined
  const inside = own(file.path)
  if (isNamed(directive, 'SSLCertificateFile', 'SSLCertificateKeyFile', 'SSLCertificateChainFile')) {
    const pair = placed
      .filter(other => other.within.at(-1) === place.within.at(-1))
      .map(other => other.directive)
      .filter(other => isNamed(other, 'SSLCertificateFile', 'SSLCertificateKeyFile'))
    const complete = pair.every(other => own(certificateFile(other)?.path ?? '') !== undefined)
    if (!complete || inside === undefined) {
      if (!certificates) return undefined
      if (isNamed(directive, 'SSLCertificateChainFile')) return {remove: 'the throw-away authority has signed the certificate itself'}
      // Two of one kind, for old and for new clients, would become the same one twice.
      if (pair.find(other => isNamed(other, directive.name)) !== directive) return {remove: 'one throw-away certificate is enough'}
      const keyed = pair.some(other => isNamed(other, 'SSLCertificateKeyFile'))
      if (isNamed(directive, 'SSLCertificateKeyFile')) return {path: certificates.key, why: THROW_AWAY}
      return {path: keyed ? certificates.certificate : certificates.bundle, why: THROW_AWAY}
    }
  }
  if (inside === undefined) return {remove: 'the file is not beside the configuration'}
  return {path: inside, why: 'the file is read from its copy in the sandbox'}
}
