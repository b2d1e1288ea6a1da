import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import {FRONT_PAGE} from '../import-foreign.ts'
import type {Listener} from '../site.ts'
import type {Source} from './import-source.ts'
import {find} from './site-servers.ts'

/** `listener` and `tls` of a configuration that others wrote; gives those that only redirect, which are halves of the same site. */
export function foreignListeners(source: Source, draft: Draft): readonly Listener[] {
  const {chat, others, site} = source
  const encrypted = chat.filter(({tls}) => tls)
  const names = new Set(chat.flatMap(({serverNames}) => serverNames.map(name => name.toLowerCase())))
  const half = (listener: Listener) => {
    const {end} = site.trace(listener, FRONT_PAGE)
    const related = listener.serverNames.length === 0 || listener.serverNames.some(name => names.has(name.toLowerCase()))
    return encrypted.length > 0 && !listener.tls && related && end.kind === 'redirect' && /^https:/i.test(end.to)
  }
  const redirectors = others.filter(half)
  const plain = [...chat.filter(({tls}) => !tls), ...redirectors]
  const redirects = plain.some(half)
  for (const listener of redirectors)
    draft.leave(
      listener.span,
      'the paths of the chat were redirected too; rendered, this port serves them in plain text, since chat clients follow no redirect',
    )
  draft.set('listener', [])
  plain.forEach((listener, index) => place(`listener.${index}`, listener, 80, draft))
  encrypted.forEach((listener, index) => {
    const path = `tls.${index}`
    place(path, listener, 443, draft)
    certified(path, listener, source, draft)
    if (redirects) draft.set(`${path}.redirect`, true, listener.span)
    if (listener.http2.span && !listener.http2.value) draft.set(`${path}.http2`, false, listener.http2.span)
  })
  return redirectors
}

function place(path: string, {address, port, serverNames, proxyProtocol, span}: Listener, standard: number, draft: Draft): void {
  draft.set(path, {}, span)
  const [, host = '*'] = /^(?:(.+):)?(?:\d+|\*)$/.exec(address) ?? [undefined, address]
  if (!['*', '0.0.0.0', '_default_'].includes(host.toLowerCase())) draft.set(`${path}.address`, host, span)
  if (port !== undefined && port !== standard) draft.set(`${path}.port`, port, span)
  const named = serverNames.filter(name => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
  const unique = named.filter((name, index) => named.findIndex(own => own.toLowerCase() === name.toLowerCase()) === index)
  for (const name of serverNames)
    if (!named.includes(name)) draft.leave(span, `the name ${name} is a pattern: name the hosts in serverNames`)
  if (unique.length > 0) draft.set(`${path}.serverNames`, unique, span)
  if (proxyProtocol.value) draft.set(`${path}.proxyProtocol`, true, proxyProtocol.span)
}

function certified(path: string, listener: Listener, source: Source, draft: Draft): void {
  const {tls} = listener
  const server = source.serverOf(listener)
  if (!tls || !server) return
  const root = source.lines.find(({name}) => name === 'serverroot')?.values[0]
  const absolute = (file: string) => (file.startsWith('/') || root === undefined ? file : `${root}/${file}`)
  const certificate = tls.certificate
  if (certificate) draft.set(`${path}.certificate`, absolute(certificate.value), certificate.span)
  if (tls.key && tls.key.value !== certificate?.value) draft.set(`${path}.key`, absolute(tls.key.value), tls.key.span)
  const {versions} = tls
  const old = versions.value.filter(version => version === 'TLSv1' || version === 'TLSv1.1')
  if (versions.span && versions.value.join() === 'TLSv1.3') draft.set(`${path}.profile`, 'modern', versions.span)
  else if (versions.span && old.length > 0)
    draft.leave(versions.span, `${old.join(', ')} are replaced by the profile intermediate (TLS 1.2 and 1.3); profile old offers them`)
  const stapling = find(server, 'SSLUseStapling')
  if (/^on$/i.test(stapling?.values[0] ?? '')) draft.set(`${path}.ocspStapling`, true, stapling?.directive.span)
  const verify = find(server, 'SSLVerifyClient')
  const authority = find(server, 'SSLCACertificateFile')
  const level = verify?.values[0]?.toLowerCase() ?? 'none'
  if (verify && level !== 'none' && authority) {
    draft.set(`${path}.clientCertificates`, {authority: absolute(authority.values[0] ?? '')}, authority.directive.span)
    if (level !== 'require') draft.set(`${path}.clientCertificates.required`, false, verify.directive.span)
    if (level === 'optional_no_ca')
      draft.leave(verify.directive.span, 'optional_no_ca: the certificates of clients are checked, if they send one')
  } else if (verify && level !== 'none')
    draft.leave(verify.directive.span, 'certificates of clients need tls.clientCertificates.authority, a file with the authorities')
  const strict = source.site.trace(listener, FRONT_PAGE).addedAnswers.find(({name}) => name === 'strict-transport-security')
  const [, age] = /max-age="?(\d+)/i.exec(strict?.value ?? '') ?? []
  if (!strict || age === undefined) return
  draft.set(`${path}.hsts`, durationText(Number(age) * 1000), strict.span)
  if (strict.value.includes(';') && strict.span)
    draft.leave(strict.span, `of Strict-Transport-Security only max-age is kept: ${strict.value}`)
}
