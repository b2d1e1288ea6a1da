import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {OwnText} from './import-text.ts'
import {CERTIFICATE_STORE} from './keys.ts'
import {has} from './versions.ts'

/** A certificate as parameters name it. */
export interface Certificate {
  certificate?: string
  key?: string
  /** Number of its line in the `crt-store`: lines are in the order of the parameters. */
  rank?: number
}

export interface Certificates {
  /** What `crt` of a listener names; to be asked in the order of the file. */
  listener(crt: string): Certificate
  upstream(crt: string | undefined): Certificate
}

/** Finds certificates and keys by what `crt` names (see `certificateKeys`, whose inverse this is). */
export function certificatesOf(text: OwnText, version: string): Certificates {
  const store = text.all(`crt-store ${CERTIFICATE_STORE}`, 'load').map(({words}, rank) => ({
    certificate: words[words.indexOf('crt') + 1] ?? '',
    key: words[words.indexOf('key') + 1] ?? '',
    alias: words[words.indexOf('alias') + 1] ?? '',
    rank,
  }))
  const given = new Set<number>()
  const withoutExtension =
    !has(version, 'certificateStore') &&
    (text.first('global', 'ssl-load-extra-del-ext') !== undefined || text.comments.some(own => own.startsWith('ssl-load-extra-del-ext:')))
  const plain = (certificate: string): Certificate => ({
    certificate,
    ...(withoutExtension && certificate.endsWith('.crt') ? {key: certificate.replace(/crt$/, 'key')} : {}),
  })
  const stored = (crt: string) => store.find(({alias}) => crt === `@${CERTIFICATE_STORE}/${alias}`)
  return {
    listener(crt) {
      const found = stored(crt)
      if (!found) return crt === DEFAULT_CERTIFICATE ? {} : plain(crt)
      // One pair that several listeners have is loaded for each, and known by the first name.
      const own =
        store.find(({certificate, key, rank}) => certificate === found.certificate && key === found.key && !given.has(rank)) ?? found
      given.add(own.rank)
      return {certificate: own.certificate, key: own.key, rank: own.rank}
    },
    upstream(crt) {
      if (crt === undefined) return {}
      const found = stored(crt)
      return found ? {certificate: found.certificate, key: found.key} : plain(crt)
    },
  }
}
