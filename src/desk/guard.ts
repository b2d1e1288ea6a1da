import type {IncomingMessage} from 'node:http'
import {isIP} from 'node:net'
import {CONTROL_HEADER} from './protocol.ts'

/**
 * Why a call may not control the simulator, or nothing. Only this machine may, and in its browsers only the pages of our own nodes: any
 * other page cannot send our header without a preflight, which is never granted to it (Fetch, 4.8), its Origin is not ours, and a name
 * that it makes lead here (DNS rebinding) is none of this machine's.
 * @param origins of the pages that may
 */
export function strangerBecause(request: IncomingMessage, origins: ReadonlySet<string>): string | undefined {
  if (!isLoopback(request.socket.remoteAddress ?? '')) return 'the simulator is controlled from its own machine only'
  if (!isOwnName((request.headers.host ?? '').replace(/:\d+$/, ''))) return 'the simulator is controlled as 127.0.0.1, [::1] or localhost'
  const {origin} = request.headers
  if (origin !== undefined && !origins.has(origin)) return `no page of ${origin} controls the simulator`
  if (request.method !== 'OPTIONS' && request.headers[CONTROL_HEADER] === undefined) return `the header ${CONTROL_HEADER} is missing`
  return undefined
}

/** How a browser of this machine may have come to a port of it. */
export function ownOrigins(scheme: 'http' | 'https', host: string, port: number): string[] {
  const names = isOwnName(host) || host === '0.0.0.0' || host === '::' ? ['127.0.0.1', 'localhost', '[::1]'] : []
  const named = isIP(host) === 6 ? `[${host}]` : host
  return [...new Set([named, ...names])].map(name => new URL(`${scheme}://${name}:${port}`).origin)
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '')
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}

function isOwnName(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return name === 'localhost' || isLoopback(name)
}
