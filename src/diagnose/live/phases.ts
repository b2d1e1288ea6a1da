import {lookup} from 'node:dns/promises'
import {connect, isIP} from 'node:net'
import type {DetailedPeerCertificate} from 'node:tls'
import type {Failure} from '../../client/failure.ts'
import {failureOf} from '../../client/failure.ts'
import type {Greeting} from '../../client/tls-greeting.ts'
import {greet} from '../../client/tls-greeting.ts'
import type {Target} from '../../flows/flow.ts'

/** One certificate that was shown, from the leaf up. */
export interface ShownCertificate {
  subject: string
  issuer: string
  /** ISO 8601. */
  validFrom: string
  validTo: string
  /** Host names and addresses, of the leaf. */
  names?: readonly string[]
}

export interface Resolved {
  addresses: readonly string[]
  tookMs: number
  failure?: Failure
}

export interface Connected {
  address?: string
  tookMs: number
  failure?: Failure
}

export interface Greeted {
  greeting: Greeting
  /** As the peer sent it; what it did not send is not here. */
  chain: readonly ShownCertificate[]
}

const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '')
const portOf = (url: URL) => Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)

/** Asks the system for the addresses of the host; an address is its own. */
export async function resolveName(url: URL, deadlineMs: number): Promise<Resolved> {
  const started = performance.now()
  const host = hostOf(url)
  if (isIP(host) !== 0) return {addresses: [host], tookMs: 0}
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => (timer = setTimeout(resolve, deadlineMs, 'late')))
  try {
    const found = await Promise.race([lookup(host, {all: true}), late])
    const tookMs = performance.now() - started
    return found === 'late'
      ? {addresses: [], tookMs, failure: {ended: 'timed-out', reason: `no answer of the name servers within ${deadlineMs} ms`}}
      : {addresses: found.map(({address}) => address), tookMs}
  } catch (error) {
    return {addresses: [], tookMs: performance.now() - started, failure: failureOf(error)}
  } finally {
    clearTimeout(timer)
  }
}

/** Opens a TCP connection and closes it again. */
export function connectOnce(url: URL, {deadlineMs, signal}: {deadlineMs: number; signal: AbortSignal}): Promise<Connected> {
  const started = performance.now()
  return new Promise(resolve => {
    const socket = connect({host: hostOf(url), port: portOf(url), autoSelectFamily: true})
    const finish = (result: Omit<Connected, 'tookMs'>) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.destroy()
      resolve({...result, tookMs: performance.now() - started})
    }
    const abort = () => finish({failure: {ended: 'closed', reason: 'aborted'}})
    const timer = setTimeout(() => finish({failure: {ended: 'timed-out', reason: `no TCP connection within ${deadlineMs} ms`}}), deadlineMs)
    signal.addEventListener('abort', abort, {once: true})
    if (signal.aborted) return abort()
    socket.once('connect', () => finish(socket.remoteAddress === undefined ? {} : {address: socket.remoteAddress}))
    socket.once('error', error => finish({failure: failureOf(error)}))
  })
}

/** Speaks TLS to the listener and looks at everything that it shows. */
export async function greetOnce(target: Target, {deadlineMs, signal}: {deadlineMs: number; signal: AbortSignal}): Promise<Greeted> {
  const {greeting, socket} = await greet(target, {deadlineMs, signal})
  const chain = greeting.failure ? [] : chainOf(socket.getPeerCertificate(true))
  socket.destroy()
  return {greeting, chain}
}

/** Longest chain that is looked at: a certificate that issues itself ends it before. */
const LONGEST = 10

function chainOf(leaf: Partial<DetailedPeerCertificate>): readonly ShownCertificate[] {
  const chain: ShownCertificate[] = []
  const seen = new Set<string>()
  for (let at: Partial<DetailedPeerCertificate> | undefined = leaf; at?.fingerprint256 !== undefined && chain.length < LONGEST;) {
    if (seen.has(at.fingerprint256)) break
    seen.add(at.fingerprint256)
    chain.push({
      subject: nameOf(at.subject),
      issuer: nameOf(at.issuer),
      validFrom: dateOf(at.valid_from),
      validTo: dateOf(at.valid_to),
      ...(at.subjectaltname === undefined ? {} : {names: namesOf(at.subjectaltname)}),
    })
    at = at.issuerCertificate
  }
  return chain
}

function nameOf(who: unknown): string {
  if (typeof who !== 'object' || who === null) return ''
  return Object.entries(who)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ')
}

function dateOf(text: string | undefined): string {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? (text ?? '') : new Date(time).toISOString().replace('.000Z', 'Z')
}

/** `DNS:a.example, IP Address:10.0.0.1` to names alone. */
function namesOf(text: string): readonly string[] {
  return text
    .split(',')
    .map(entry => entry.trim().replace(/^(?:DNS|IP Address):/, ''))
    .filter(name => name !== '')
}
