import {isIP} from 'node:net'
import type {generate as Generate} from 'selfsigned'

/** A throw-away certificate is valid this long, days: no longer than somebody works on a client. */
const DAYS = 30
/** Clocks of virtual machines that have just woken up run behind, days. */
const BEFORE = 1
const DAY_MS = 86_400_000
/** A name that a certificate can hold (RFC 5280, 4.2.1.6), a wildcard included. */
const HOST_NAME = /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/

/** A certificate (its chain behind it) and its key, PEM. */
export interface Identity {
  certificate: string
  key: string
}

/** `rsa` where a configuration allows nothing else: then a certificate with an elliptic curve could not be used. */
export type KeyType = 'ec' | 'rsa'

/** Signs what one run needs: certificates of listeners, of simulated nodes, of users. Its key never leaves memory. */
export interface Authority {
  keyType: KeyType
  /** Its own certificate, PEM. */
  certificate: string
  /** A leaf for these host names and addresses, for servers and clients alike. Names that no certificate can hold are left out. */
  issue(names: readonly string[]): Promise<Identity>
}

const known = new Map<KeyType, Promise<Authority>>()

/** The authority that the runs of this process trust, and nobody else: made on first use. */
export function throwAwayAuthority(keyType: KeyType = 'ec'): Promise<Authority> {
  const authority = known.get(keyType) ?? makeAuthority('gms-proxy throw-away authority', keyType)
  known.set(keyType, authority)
  return authority
}

/** A new authority: a second one stands for somebody whom nobody trusts. */
export async function makeAuthority(name: string, keyType: KeyType = 'ec'): Promise<Authority> {
  const ca = await sign(name, keyType, [
    {name: 'basicConstraints', cA: true, critical: true},
    {name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true},
  ])
  return {
    keyType,
    certificate: ca.certificate,
    issue: names =>
      sign(
        'gms-proxy throw-away',
        keyType,
        [
          {name: 'basicConstraints', cA: false, critical: true},
          {name: 'keyUsage', digitalSignature: true, keyEncipherment: keyType === 'rsa', critical: true},
          {name: 'extKeyUsage', serverAuth: true, clientAuth: true},
          {name: 'subjectAltName', altNames: alternatives(names)},
        ],
        ca,
      ),
  }
}

/** A certificate that is its own authority, for a person who has to tell a client to trust it. */
export function selfSigned(commonName: string, names: readonly string[]): Promise<Identity> {
  return sign(commonName, 'ec', [
    {name: 'basicConstraints', cA: true, critical: true},
    {name: 'subjectAltName', altNames: alternatives(names)},
  ])
}

type Options = NonNullable<Parameters<typeof Generate>[1]>

async function sign(
  commonName: string,
  keyType: KeyType,
  extensions: NonNullable<Options['extensions']>,
  ca?: Identity,
): Promise<Identity> {
  const {generate} = await import('selfsigned')
  const made = await generate([{name: 'commonName', value: commonName}], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - BEFORE * DAY_MS),
    notAfterDate: new Date(Date.now() + DAYS * DAY_MS),
    extensions,
    ...(ca ? {ca: {key: ca.key, cert: ca.certificate}} : {}),
  })
  return {certificate: made.cert, key: made.private}
}

function alternatives(names: readonly string[]): {type: 2 | 7; value?: string; ip?: string}[] {
  const usable = [...new Set(names.map(name => name.toLowerCase()))].filter(name => name !== '0.0.0.0' && name !== '::')
  return usable.flatMap((name): {type: 2 | 7; value?: string; ip?: string}[] =>
    // nginx and Apache compare the address of a node with names only
    isIP(name) !== 0
      ? [{type: 7, ip: name}, ...(isIP(name) === 4 ? [{type: 2 as const, value: name}] : [])]
      : HOST_NAME.test(name)
        ? [{type: 2, value: name}]
        : [],
  )
}
