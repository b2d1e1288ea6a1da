import type {Parameters} from '../parameters/schema.ts'

export type TlsProfileName = NonNullable<Parameters['tls']>[number]['profile']

/** One profile of the guidelines. Names are those of OpenSSL. */
export interface TlsProfile {
  /** Oldest first: `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`. */
  protocols: readonly string[]
  /** Up to TLS 1.2, best first; empty where only TLS 1.3 is spoken. */
  ciphers: readonly string[]
  /** Of TLS 1.3: the defaults of OpenSSL 1.1.1 and newer, in the order of the guidelines. */
  cipherSuites: readonly string[]
  /** Groups (curves) of the key exchange, best first. */
  groups: readonly string[]
  /** Bits of the Diffie-Hellman parameters that its DHE ciphers need; absent where TLS 1.3 chooses its own. */
  dhBits?: number
  /** The order of the server wins over that of the client. */
  serverPreferredOrder: boolean
  /** Oldest clients that the guidelines name for it. */
  oldestClients: readonly string[]
}

/** `cipherSuites` and `groups` are the same in every profile of 5.7. */
const CIPHER_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const
const GROUPS = ['X25519', 'prime256v1', 'secp384r1'] as const
const INTERMEDIATE = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
] as const

/**
 * Mozilla's Server Side TLS guidelines, version 5.7 of 2023-05-15, as data: https://ssl-config.mozilla.org/guidelines/5.7.json
 * (the page for people is https://wiki.mozilla.org/Security/Server_Side_TLS). A new version of the guidelines is a new table here.
 */
export const MOZILLA_GUIDELINES: {
  version: string
  url: string
  /** `max-age` that they ask of Strict-Transport-Security, ms (63072000 s, two years). */
  hstsMaxAge: number
  /** How long a session may be resumed, ms; from a cache of the server, without session tickets, whose keys would have to be rotated. */
  sessionTimeout: number
  sessionTickets: boolean
  profiles: Readonly<Record<TlsProfileName, TlsProfile>>
} = {
  version: '5.7',
  url: 'https://ssl-config.mozilla.org/guidelines/5.7.json',
  hstsMaxAge: 63_072_000_000,
  sessionTimeout: 86_400_000,
  sessionTickets: false,
  profiles: {
    modern: {
      protocols: ['TLSv1.3'],
      ciphers: [],
      cipherSuites: CIPHER_SUITES,
      groups: GROUPS,
      serverPreferredOrder: false,
      oldestClients: ['Firefox 63', 'Android 10.0', 'Chrome 70', 'Edge 75', 'Java 11', 'OpenSSL 1.1.1', 'Opera 57', 'Safari 12.1'],
    },
    intermediate: {
      protocols: ['TLSv1.2', 'TLSv1.3'],
      ciphers: INTERMEDIATE,
      cipherSuites: CIPHER_SUITES,
      groups: GROUPS,
      dhBits: 2048,
      serverPreferredOrder: false,
      oldestClients: [
        'Firefox 27',
        'Android 4.4.2',
        'Chrome 31',
        'Edge',
        'IE 11 on Windows 7',
        'Java 8u31',
        'OpenSSL 1.0.1',
        'Opera 20',
        'Safari 9',
      ],
    },
    old: {
      protocols: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
      ciphers: [
        ...INTERMEDIATE,
        'ECDHE-ECDSA-AES128-SHA256',
        'ECDHE-RSA-AES128-SHA256',
        'ECDHE-ECDSA-AES128-SHA',
        'ECDHE-RSA-AES128-SHA',
        'ECDHE-ECDSA-AES256-SHA384',
        'ECDHE-RSA-AES256-SHA384',
        'ECDHE-ECDSA-AES256-SHA',
        'ECDHE-RSA-AES256-SHA',
        'DHE-RSA-AES128-SHA256',
        'DHE-RSA-AES256-SHA256',
        'AES128-GCM-SHA256',
        'AES256-GCM-SHA384',
        'AES128-SHA256',
        'AES256-SHA256',
        'AES128-SHA',
        'AES256-SHA',
        'DES-CBC3-SHA',
      ],
      cipherSuites: CIPHER_SUITES,
      groups: GROUPS,
      dhBits: 1024,
      serverPreferredOrder: true,
      oldestClients: [
        'Firefox 1',
        'Android 2.3',
        'Chrome 1',
        'Edge 12',
        'IE8 on Windows XP',
        'Java 6',
        'OpenSSL 0.9.8',
        'Opera 5',
        'Safari 1',
      ],
    },
  },
}
