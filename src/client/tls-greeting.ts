import {isIP} from 'node:net'
import type {PeerCertificate, TLSSocket} from 'node:tls'
import {checkServerIdentity, connect} from 'node:tls'
import type {Failure} from './failure.ts'
import {failureOf} from './failure.ts'
import type {Address} from './user.ts'

/** What a peer showed when TLS was spoken to it. */
export interface Greeting {
  /** `TLSv1.3`; absent when TLS did not come about. */
  version?: string
  cipher?: string
  /** Protocol that was agreed on (ALPN): `h2`, `http/1.1`; absent when none was. */
  protocol?: string
  /** Names in the certificate, as it writes them: `DNS:chat.example.com, IP Address:…`. */
  names?: string
  /** Why the chain does not lead to an authority that is trusted; absent when it does. */
  distrust?: string
  /** Why the certificate is not for the name that was asked for; absent when it is. */
  otherName?: string
  tookMs: number
  /** Why TLS did not come about. */
  failure?: Failure
}

export interface GreetingOptions {
  /** Offered, best first. Default `http/1.1` alone. */
  protocols?: readonly string[]
  /** From connecting to the end of the handshake, ms. */
  deadlineMs: number
  signal: AbortSignal
}

/** Options of a TLS connection to an address, as every client of ours opens it. */
export function tlsOptions({url, trust, serverName, from}: Address): {
  host: string
  port: number
  servername?: string
  localAddress?: string
} {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined)
  return {
    host,
    port: Number(url.port === '' ? 443 : url.port),
    ...(servername === undefined ? {} : {servername}),
    ...(from === undefined ? {} : {localAddress: from}),
    ...(trust ? {secureContext: trust} : {}),
  }
}

/**
 * Speaks TLS 1.2 or newer to an address and shows what came, trusted or not: a certificate that is not, is a fact to be told. Never throws.
 * The socket is open when there is no failure; whoever calls ends it.
 */
export function greet(
  address: Address,
  {protocols = ['http/1.1'], deadlineMs, signal}: GreetingOptions,
): Promise<{greeting: Greeting; socket: TLSSocket}> {
  const started = performance.now()
  const options = tlsOptions(address)
  return new Promise(resolve => {
    const socket = connect({...options, rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: [...protocols]})
    const finish = (greeting: Omit<Greeting, 'tookMs'>) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.off('close', closed)
      if (greeting.failure) socket.destroy()
      resolve({greeting: {...greeting, tookMs: performance.now() - started}, socket})
    }
    const closed = () => finish({failure: {ended: 'closed', reason: 'the connection was closed in the middle of the TLS handshake'}})
    const abort = () => finish({failure: {ended: 'closed', reason: 'aborted'}})
    const timer = setTimeout(() => finish({failure: {ended: 'timed-out', reason: `no TLS handshake within ${deadlineMs} ms`}}), deadlineMs)
    signal.addEventListener('abort', abort, {once: true})
    if (signal.aborted) return abort()
    // Errors after the handshake must not become uncaught exceptions.
    socket.on('error', error => finish({failure: failureOf(error)}))
    socket.once('close', closed)
    socket.once('secureConnect', () => finish(seen(socket, options.servername ?? options.host)))
  })
}

function seen(socket: TLSSocket, name: string): Omit<Greeting, 'tookMs'> {
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate()
  const cause = socket.authorized ? undefined : String(socket.authorizationError)
  const wrongName = checkServerIdentity(name, certificate as PeerCertificate)
  const version = socket.getProtocol()
  return {
    ...(version === null ? {} : {version}),
    cipher: socket.getCipher().standardName,
    ...(typeof socket.alpnProtocol === 'string' ? {protocol: socket.alpnProtocol} : {}),
    ...(certificate.subjectaltname === undefined ? {} : {names: certificate.subjectaltname}),
    // Node reports a name that does not fit as a lack of trust too.
    ...(cause === undefined || /ALTNAME/.test(cause) ? {} : {distrust: cause}),
    ...(wrongName ? {otherName: wrongName.message} : {}),
  }
}
