import type {Socket} from 'node:net'
import {connect, createServer} from 'node:net'
import {BALANCER_ADDRESS} from '../proxies/sandbox-clients.ts'

/** Connections that wait to be taken: users come by the thousand. The system takes less where it allows less (Linux: net.core.somaxconn). */
const BACKLOG = 4096

/** Stands before one listener as a load balancer does. */
export interface Relay {
  /** Port on 127.0.0.1 that users connect to. */
  port: number
  /** Cuts what is open, and is gone. */
  close(): Promise<void>
}

/** Source and destination of a connection. */
export interface Ends {
  remoteAddress: string
  remotePort: number
  localAddress: string
  localPort: number
}

/** The header of the PROXY protocol, version 1, for a client that came over IPv4 (HAProxy: doc/proxy-protocol.txt, 2.1). */
export function proxyHeader({remoteAddress, remotePort, localAddress, localPort}: Ends): string {
  return `PROXY TCP4 ${remoteAddress} ${localAddress} ${remotePort} ${localPort}\r\n`
}

/** The address that relays connect from: one that nobody else has, or (macOS gives loopback a single one) 127.0.0.1. */
export function relayAddress(): Promise<string> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve('127.0.0.1'))
    server.listen(0, BALANCER_ADDRESS, () => server.close(() => resolve(BALANCER_ADDRESS)))
  })
}

/**
 * Takes connections of users, tells the listener at `port` in a PROXY protocol header who they are, and passes bytes both ways: an end as an
 * end, a reset as a reset (a listener that is not there too), no more than the other side takes.
 * @throws Error of the system when no port is left.
 */
export async function startRelay({port, from}: {port: number; from: string}): Promise<Relay> {
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  }
  const server = createServer({allowHalfOpen: true, noDelay: true}, client => {
    const {remoteAddress, remotePort, localAddress, localPort} = client
    // It is gone already.
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) {
      client.destroy()
      return
    }
    const upstream = connect({host: '127.0.0.1', port, localAddress: from, allowHalfOpen: true, noDelay: true})
    keep(client)
    keep(upstream)
    client.on('error', () => reset(upstream))
    upstream.on('error', () => reset(client))
    upstream.write(proxyHeader({remoteAddress, remotePort, localAddress, localPort}))
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({host: '127.0.0.1', port: 0, backlog: BACKLOG}, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the relay listens without a port')
  return {
    port: address.port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** What was said before still arrives. Node sends an end before the reset. */
function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy()
}
