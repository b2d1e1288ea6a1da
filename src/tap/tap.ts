import type {AddressInfo, Server, Socket} from 'node:net'
import {connect, createServer, isIP} from 'node:net'
import type {Duplex} from 'node:stream'
import {Transform} from 'node:stream'
import type {ConnectionOptions, SecureContext} from 'node:tls'
import {connect as connectTls, createServer as createTlsServer} from 'node:tls'
import {EnvironmentError} from '../errors.ts'
import type {Logger} from '../log.ts'
import type {RequestLog} from '../simulator/request-log.ts'
import {Conversation} from './conversation.ts'

export interface TapOptions {
  /** The real nodes, in the order of the configuration. `http:` or `https:`; the path is of no account. */
  nodes: readonly {name: string; url: URL}[]
  /** Address to listen on. */
  host: string
  /** What arrives is written here. */
  log: RequestLog
  /** Where the proxy speaks TLS, one key and certificate (PEM) a node: the tap reads what is inside. Default plain. */
  tls?: readonly ({key: string; cert: string} | undefined)[]
  /** Whom to trust when a node speaks TLS; the roots of Node when absent. */
  trust?: SecureContext
  logger: Logger
}

/** Where the proxy under test finds a real node. */
export interface TapNode {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** Taps that listen. `await using` it. */
export interface Tap extends AsyncDisposable {
  readonly nodes: readonly TapNode[]
}

/** Pending connections; a load of thousands of chats arrives at once. */
const BACKLOG = 2048

/**
 * One forwarding listener before each real node. Bytes pass as they are, in both directions and with backpressure; ends, half-closed
 * connections and resets pass as well. Only copies are read, so that GMS gets what it would have got without the tap.
 * A connection is taken before the node was reached: where a node is down, connections are reset at once instead of refused.
 * @throws EnvironmentError when no listener can be opened.
 */
export async function startTap({nodes, host, log, tls = [], trust, logger}: TapOptions): Promise<Tap> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  const servers: Server[] = []
  const stop = async () => {
    await Promise.all(
      servers.map(server => {
        const closed = new Promise<void>(resolve => server.close(() => resolve()))
        for (const socket of sockets) socket.destroy()
        return closed
      }),
    )
  }
  try {
    const listening: TapNode[] = []
    for (const [index, {name, url}] of nodes.entries()) {
      const serve = (inbound: Socket) => {
        keep(inbound)
        const outbound = dial(url, trust)
        keep(outbound)
        const conversation = new Conversation({node: name, remoteAddress: inbound.remoteAddress ?? '', log})
        join(inbound, outbound, conversation, reason => logger.debug(`${name} (${url.host}): ${reason}`))
      }
      const identity = tls[index]
      const server = identity
        ? createTlsServer({...identity, allowHalfOpen: true, noDelay: true}, serve)
        : createServer({allowHalfOpen: true, noDelay: true}, serve)
      if (identity) server.on('connection', keep)
      servers.push(server)
      const port = await listen(server, host)
      logger.debug(`${name} is ${url.origin}, tapped on ${host}:${port}`)
      listening.push({name, host, port})
    }
    return {nodes: listening, [Symbol.asyncDispose]: stop}
  } catch (error) {
    await stop()
    throw error
  }
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', error =>
      reject(
        new EnvironmentError(`cannot listen on ${host} for GMS: ${error.message}`, {
          suggestions: ['ulimit -n shows how many files may be open'],
          cause: error,
        }),
      ),
    )
    server.listen({host, port: 0, backlog: BACKLOG}, () => resolve((server.address() as AddressInfo).port))
  })
}

function dial(url: URL, trust: SecureContext | undefined): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol === 'http:') return connect({host, port: Number(url.port || 80), allowHalfOpen: true, noDelay: true})
  // The type definitions leave out what node:tls takes over from node:net.
  const options: ConnectionOptions & {allowHalfOpen: boolean} = {
    host,
    port: Number(url.port || 443),
    allowHalfOpen: true,
    ...(isIP(host) === 0 ? {servername: host} : {}),
    ...(trust ? {secureContext: trust} : {}),
  }
  return connectTls(options).setNoDelay(true)
}

/** Passes everything between the two, noting it on the way. */
function join(inbound: Socket, outbound: Socket, conversation: Conversation, say: (reason: string) => void): void {
  inbound
    .pipe(
      noting(
        chunk => conversation.fromProxy(chunk),
        () => conversation.proxyEnded(),
      ),
    )
    .pipe(outbound)
  outbound
    .pipe(
      noting(
        chunk => conversation.fromGms(chunk),
        () => conversation.gmsEnded(),
      ),
    )
    .pipe(inbound)
  inbound.once('error', error => {
    say(`the proxy cut the connection: ${error.message}`)
    conversation.proxyEnded()
  })
  outbound.once('error', error => {
    say(error.message)
    conversation.gmsEnded()
  })
  inbound.once('close', () => cutAfter(inbound, outbound))
  outbound.once('close', () => cutAfter(outbound, inbound))
}

/** Notes a chunk completely before it goes on. */
function noting(note: (chunk: Buffer) => Promise<void> | undefined, ended: () => void): Duplex {
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      const noted = note(chunk)
      if (noted) void noted.then(() => pass(null, chunk))
      else pass(null, chunk)
    },
    flush(done) {
      ended()
      done()
    },
  })
}

/** One side is gone. Unless both had said their last, the other is cut as it was; what is still on its way to it gets through first. */
function cutAfter(gone: Socket, other: Socket): void {
  if ((gone.readableEnded && gone.writableFinished && !gone.errored) || other.destroyed) return
  const reset = () => {
    if (other.destroyed) return
    try {
      other.resetAndDestroy()
    } catch {
      // TLS has no handle of its own to reset.
      other.destroy()
    }
  }
  if (other.connecting) other.destroy()
  else if (other.writableLength === 0) reset()
  else if (other.writableEnded) other.once('finish', reset)
  // Not `drain`: that only comes after a write that was told to wait.
  else other.write('', reset)
}
