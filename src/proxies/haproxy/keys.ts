import type {Parameters} from '../../parameters/schema.ts'
import type {Caveat} from '../proxy.ts'
import {has, SINCE} from './versions.ts'

/** Section of certificates whose keys HAProxy would not find by itself. */
export const CERTIFICATE_STORE = 'gms_certificates'

interface Pair {
  /** Path of the parameter that names the key. */
  path: string
  certificate: string
  key: string
}

/**
 * Where a key lies: in the file of the certificate, in `<file>.key`, in `name.key` beside `name.crt` (with `ssl-load-extra-del-ext`), or in
 * a file that only a `crt-store` can name.
 */
function placeOf({certificate, key}: Pair): 'inside' | 'beside' | 'extension' | 'elsewhere' {
  if (key === certificate) return 'inside'
  if (key === `${certificate}.key`) return 'beside'
  return certificate.endsWith('.crt') && key === certificate.replace(/crt$/, 'key') ? 'extension' : 'elsewhere'
}

function pairsOf({tls = [], upstream}: Parameters): readonly Pair[] {
  return [
    ...tls.map((own, index) => ({...own, path: `tls.${index}.key`})),
    ...(upstream.tls ? [{...upstream.tls, path: 'upstream.tls.key'}] : []),
  ].flatMap(({path, certificate, key}) => (certificate === undefined || key === undefined ? [] : [{path, certificate, key}]))
}

/** How `parameters` have to be written so that every certificate finds its key. */
export function certificateKeys(parameters: Parameters, version: string) {
  const apart = pairsOf(parameters).filter(pair => ['extension', 'elsewhere'].includes(placeOf(pair)))
  const stored = has(version, 'certificateStore')
    ? apart.map(({certificate, key}, index) => ({crt: certificate, key, alias: `chat${index + 1}`}))
    : []
  return {
    /** Lines of the `crt-store` section. */
    certificateStore: stored,
    /** `ssl-load-extra-del-ext` is needed. */
    withoutExtension: stored.length === 0 && apart.some(pair => placeOf(pair) === 'extension'),
    /** What `crt` is followed by. */
    reference(certificate: string, key: string | undefined): string {
      const own = stored.find(entry => entry.crt === certificate && entry.key === key)
      return own ? `@${CERTIFICATE_STORE}/${own.alias}` : certificate
    },
  }
}

/** Keys that this version does not find. */
export function lostKeys(parameters: Parameters, version: string): readonly Caveat[] {
  if (has(version, 'certificateStore')) return []
  const {since} = SINCE.certificateStore
  const pairs = pairsOf(parameters)
  const {withoutExtension} = certificateKeys(parameters, version)
  return pairs.flatMap(pair => {
    const place = placeOf(pair)
    const isLost = place === 'elsewhere' || (place === 'beside' && withoutExtension && pair.certificate.endsWith('.crt'))
    if (!isLost) return []
    return [
      {
        path: pair.path,
        because: `before ${since} HAProxy finds a key in the file of its certificate${withoutExtension ? '' : ` or in ${pair.certificate}.key`} only: put it there`,
      },
    ]
  })
}
