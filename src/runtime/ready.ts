import type {Socket} from 'node:net'
import {connect, isIP} from 'node:net'
import {connect as connectTls} from 'node:tls'
import {askUntil, PATIENCE} from './patience.ts'
import {proxyHeader} from './relay.ts'

/** What one look at a listener showed: an answer, an accepted connection without one, or nobody there. */
type Look = 'answered' | 'accepted' | 'refused'

/**
 * Asks a listener on loopback for a page until it says anything at all. Where an accepted connection proves that the proxy itself
 * listens (no container's port forwarding between), a listener that stays silent or hangs up is ready too: that is for checks to judge.
 * @returns false when `hasEnded` became true, or when time ran out.
 * @throws the signal's reason when it aborts.
 */
export async function waitUntilAccepting(
  port: number,
  {
    host,
    tls = false,
    announcedFrom,
    acceptMeansListening,
    listensOn,
    hasEnded,
    signal,
  }: {
    host: string
    tls?: boolean
    /** The listener expects a PROXY protocol header, from this address. */
    announcedFrom?: string | undefined
    acceptMeansListening: boolean
    listensOn(port: number): boolean
    hasEnded(): boolean
    signal: AbortSignal
  },
): Promise<boolean> {
  const silentSince = Date.now() + PATIENCE.ready / 4
  const found = await askUntil(
    async () => {
      if (hasEnded()) return false
      const look = await (tls ? greet(port, host, announcedFrom) : lookAt(port, host, announcedFrom))
      // A stranger on the port is waited out: the proxy will say that it cannot bind, and end.
      if (look === 'refused' || !listensOn(port)) return undefined
      if (look === 'answered') return true
      return acceptMeansListening || Date.now() > silentSince ? true : undefined
    },
    {budgetMs: PATIENCE.ready, signal},
  )
  return found === true
}

/** A request that no GMS path matches; any byte back, an error page or a TLS alert included, is an answer. */
function lookAt(port: number, host: string, announcedFrom: string | undefined): Promise<Look> {
  return new Promise(resolve => {
    let look: Look = 'refused'
    const socket = reach(port, announcedFrom)
    const done = () => {
      socket.destroy()
      resolve(look)
    }
    socket.setTimeout(PATIENCE.readyAnswer, done)
    socket.once('connect', () => {
      look = 'accepted'
      socket.write(
        `${prefaceOf(socket, announcedFrom)}GET /.well-known/gms-proxy-ready HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`,
      )
    })
    socket.once('data', () => {
      look = 'answered'
      done()
    })
    socket.once('error', done)
    socket.once('close', done)
  })
}

/** The beginning of TLS; a certificate that nobody trusts, and an alert, are answers too. */
function greet(port: number, host: string, announcedFrom: string | undefined): Promise<Look> {
  return new Promise(resolve => {
    let look: Look = 'refused'
    let secured: Socket | undefined
    const socket = reach(port, announcedFrom)
    const done = () => {
      secured?.destroy()
      socket.destroy()
      resolve(look)
    }
    const failed = (error: NodeJS.ErrnoException) => {
      if (/^ERR_SSL_|^EPROTO$/.test(error.code ?? '')) look = 'answered'
      done()
    }
    socket.setTimeout(PATIENCE.readyAnswer, done)
    socket.once('connect', () => {
      look = 'accepted'
      // The header comes before TLS.
      socket.write(prefaceOf(socket, announcedFrom), () => {
        if (socket.destroyed) return
        secured = connectTls({socket, ...(isIP(host) === 0 ? {servername: host} : {}), rejectUnauthorized: false})
        secured.once('secureConnect', () => {
          look = 'answered'
          done()
        })
        secured.once('error', failed)
        secured.once('close', done)
      })
    })
    socket.once('error', failed)
    socket.once('close', done)
  })
}

function reach(port: number, announcedFrom: string | undefined): Socket {
  return connect({host: '127.0.0.1', port, ...(announcedFrom === undefined ? {} : {localAddress: announcedFrom})})
}

/** What a listener that expects a PROXY protocol header is told first: that we ourselves are the client. */
function prefaceOf({remoteAddress, remotePort, localAddress, localPort}: Socket, announcedFrom: string | undefined): string {
  if (announcedFrom === undefined) return ''
  return proxyHeader({
    remoteAddress: localAddress ?? '127.0.0.1',
    remotePort: localPort ?? 0,
    localAddress: remoteAddress ?? '127.0.0.1',
    localPort: remotePort ?? 0,
  })
}
