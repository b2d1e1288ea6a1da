import type {Setting, Site} from '../../../proxies/site.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {replacedIn} from '../../source.ts'

const OLD_VERSION = /^(?:SSLv2|SSLv3|TLSv1|TLSv1\.0|TLSv1\.1)$/i
/** Suites and groups of suites that are broken, or prove nothing. */
const OLD_CIPHER =
  /(?:^|-)(?:RC4|RC2|3DES|DES|NULL|MD5|EXP\w*|IDEA|SEED)(?:-|$)|^(?:aNULL|eNULL|NULL|ADH|AECDH|LOW|EXPORT\w*|SSLv2|DES-CBC3-SHA|COMPLEMENTOFALL)$/i

export const rule: Rule = {
  meta: {
    id: 'tls-obsolete',
    title: 'Obsolete TLS is offered',
    concern: 'tls',
    severity: 'warning',
    requirement:
      'A listener offers TLS 1.2 and 1.3 only, and no suite without encryption, authentication or forward safety (RC4, 3DES, NULL, EXPORT).',
    remediation: {
      nginx: 'ssl_protocols TLSv1.2 TLSv1.3; and take RC4, 3DES, NULL and EXPORT out of ssl_ciphers',
      apache: 'SSLProtocol -all +TLSv1.2 +TLSv1.3, and take RC4, 3DES, NULL and EXPORT out of SSLCipherSuite',
      haproxy: 'ssl-min-ver TLSv1.2 on bind or in ssl-default-bind-options, and take RC4, 3DES, NULL and EXPORT out of ciphers',
    },
    references: ['RFC 8996: TLS 1.0 and TLS 1.1 MUST NOT be used', 'RFC 7465 (RC4)', 'RFC 9325, 3.1.1 and 4.1'],
    breaks: [],
    mayBreak: ['tls-terminates'],
    provenBy: {
      by: 'binary',
      because: 'which versions are offered depends on the OpenSSL that the proxy is built with; new ones have unlearned the old versions',
    },
  },
  inspect: ({site, promises}) =>
    promises.oldTls
      ? []
      : site.listeners.flatMap(({tls}) => (tls ? [...versions(site, tls.versions), ...(tls.ciphers ? ciphers(tls.ciphers) : [])] : [])),
}

/** Only what somebody wrote: a default follows the library. */
function versions({proxy, config}: Site, setting: Setting<readonly string[]>): readonly RuleDraft[] {
  const old = setting.value.filter(version => OLD_VERSION.test(version))
  if (!setting.span || old.length === 0) return []
  return [
    {
      span: setting.span,
      message: `Expected TLS 1.2 and newer: "${setting.text}"`,
      expected: 'TLSv1.2 and TLSv1.3',
      actual: `${old.join(', ')} as well`,
      edits:
        proxy === 'haproxy'
          ? replacedIn(config, setting.span, /(?<=\bssl-min-ver\s+)\S+/g, 'TLSv1.2', 'TLS 1.2 and newer')
          : setting.put(proxy === 'apache' ? '-all +TLSv1.2 +TLSv1.3' : 'TLSv1.2 TLSv1.3'),
    },
  ]
}

function ciphers(setting: Setting<string>): readonly RuleDraft[] {
  const words = setting.value.split(/[:, ]+/)
  const removed = new Set(words.filter(word => word.startsWith('!')).map(word => word.slice(1).toUpperCase()))
  const old = words.filter(
    word =>
      /^[A-Z]/i.test(word) &&
      word.split('+').some(part => OLD_CIPHER.test(part)) &&
      !word.split(/[+-]/).some(part => removed.has(part.toUpperCase())),
  )
  if (!setting.span || old.length === 0) return []
  return [
    {
      span: setting.span,
      message: `Expected no broken cipher suites: "${old.join(':')}"`,
      expected: 'ECDHE with AES-GCM or ChaCha20',
      actual: old.join(', '),
      edits: setting.put('HIGH:!aNULL:!MD5:!RC4:!3DES'),
    },
  ]
}
