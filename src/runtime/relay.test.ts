import {once} from 'node:events'
import type {AddressInfo, Socket} from 'node:net'
import {connect, createServer} from 'node:net'
import {platform} from 'node:process'
import {afterEach, describe, expect, it} from 'vitest'
import {Cleanup} from './cleanup.ts'
import {askUntil} from './patience.ts'
import {proxyHeader, relayAddress, startRelay} from './relay.ts'

let cleanup = new Cleanup()
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]()
  cleanup = new Cleanup()
})

/** Answers one connection as `serve` says, through a relay; gives the port that users connect to. */
async function relayTo(serve: (socket: Socket) => void): Promise<{port: number; close(): Promise<void>}> {
  const server = createServer({allowHalfOpen: true}, socket => {
    socket.on('error', () => undefined)
    cleanup.defer(() => void socket.destroy())
    serve(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanup.defer(() => void server.close())
  const relay = await startRelay({port: (server.address() as AddressInfo).port, from: '127.0.0.1'})
  cleanup.defer(() => relay.close())
  return relay
}

async function user(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({host: '127.0.0.1', port, localAddress, allowHalfOpen: true})
  cleanup.defer(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** All that comes until the end; the socket stays open for an answer. */
async function text(socket: Socket): Promise<string> {
  const pieces: string[] = []
  socket.on('data', chunk => pieces.push(String(chunk)))
  await once(socket, 'end')
  return pieces.join('')
}

/** A connection that is gone in both directions; one that was only ended takes all that is written to it. */
async function gone(socket: Socket): Promise<true> {
  const writing = setInterval(() => socket.write('?'), 10)
  const [error] = (await once(socket.resume(), 'close').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException]
  clearInterval(writing)
  expect(error.code).toMatch(/^(?:ECONNRESET|EPIPE)$/)
  return true
}

describe('the header', () => {
  it('is that of version 1, which takes 107 bytes at most', () => {
    const header = proxyHeader({remoteAddress: '192.168.0.1', remotePort: 56324, localAddress: '192.168.0.11', localPort: 443})
    expect(header).toBe('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n')
  })

  it('names the user, with the address that he chose, before his first byte', async () => {
    const {port} = await relayTo(socket => void text(socket).then(all => socket.end(all)))
    const address = platform === 'linux' ? '127.0.0.5' : '127.0.0.1'
    const socket = await user(port, address)
    const ours = socket.localPort
    socket.end('GET / HTTP/1.1\r\n\r\n')
    expect(await text(socket)).toBe(`PROXY TCP4 ${address} 127.0.0.1 ${ours} ${port}\r\nGET / HTTP/1.1\r\n\r\n`)
  })

  it.runIf(platform === 'linux')('comes from an address that no user has', async () => {
    expect(await relayAddress()).toBe('127.127.0.1')
  })
})

describe('what one side does the other sees', () => {
  it('an end is an end of that direction only', async () => {
    const {port} = await relayTo(socket => {
      socket.write('first')
      void text(socket).then(all => setImmediate(() => socket.end(`, then ${all.length > 0 ? 'more' : ''}`)))
    })
    const socket = await user(port)
    socket.end()
    expect(await text(socket)).toBe('first, then more')
  })

  it('a listener that closes without a word', async () => {
    const {port} = await relayTo(socket => void socket.end())
    expect(await text(await user(port))).toBe('')
  })

  it('a listener that resets, after what it had said', async () => {
    const answer = 'HTTP/1.1 413 Content Too Large\r\n\r\n'
    const {port} = await relayTo(socket => {
      socket.once('data', () => {
        socket.write(answer)
        socket.resetAndDestroy()
      })
    })
    const socket = await user(port)
    const heard: string[] = []
    socket.on('data', chunk => heard.push(String(chunk)))
    expect(await gone(socket)).toBe(true)
    expect(heard.join('')).toBe(answer)
  })

  it('a user who resets', async () => {
    const taken: Socket[] = []
    const {port} = await relayTo(socket => void taken.push(socket))
    const socket = await user(port)
    socket.write('half of a request')
    const [listener] = (await askUntil(() => (taken.length > 0 ? taken : undefined), {budgetMs: 5000})) ?? []
    socket.resetAndDestroy()
    expect(listener && (await gone(listener))).toBe(true)
  })

  it('nobody who listens', async () => {
    const free = createServer()
    await new Promise<void>(resolve => free.listen(0, '127.0.0.1', resolve))
    const {port: nobody} = free.address() as AddressInfo
    await new Promise(resolve => free.close(resolve))
    const relay = await startRelay({port: nobody, from: '127.0.0.1'})
    cleanup.defer(() => relay.close())
    expect(await gone(await user(relay.port))).toBe(true)
  })

  it('a listener that does not read holds the user back', async () => {
    let listener: Socket | undefined
    const {port} = await relayTo(socket => {
      listener = socket
      socket.pause()
    })
    const socket = await user(port)
    const piece = Buffer.alloc(1024 * 1024)
    const all = 64
    for (let sent = 0; sent < all; sent++) socket.write(piece)
    // What the system keeps for four ends of two connections is far less than that.
    let before = -1
    await askUntil(
      () => {
        const still = socket.bytesWritten - socket.writableLength
        const settled = still === before
        before = still
        return settled ? true : undefined
      },
      {budgetMs: 10_000, everyMs: 300},
    )
    expect(socket.writableLength).toBeGreaterThan(16 * piece.length)
    socket.end()
    let received = 0
    listener?.on('data', chunk => (received += chunk.length)).resume()
    if (listener) await once(listener, 'end')
    expect(received).toBeGreaterThan(all * piece.length)
  })
})

describe('its end', () => {
  it('cuts what is open, and nobody can connect any more', async () => {
    const {port, close} = await relayTo(socket => void socket.write('hello'))
    const socket = await user(port)
    await once(socket, 'data')
    const end = gone(socket)
    await close()
    expect(await end).toBe(true)
    await expect(user(port)).rejects.toThrow('ECONNREFUSED')
  })
})
