import type {Socket as UdpSocket} from 'node:dgram'
import {createSocket} from 'node:dgram'
import type {AddressInfo, Server, Socket} from 'node:net'
import {createServer} from 'node:net'
import type {Packet} from 'dns-packet'
import {AUTHORITATIVE_ANSWER, decode, encode} from 'dns-packet'

/** A name server on loopback. `await using` it. */
export interface NameServer extends AsyncDisposable {
  /** `host:port`, the same for UDP and TCP. */
  readonly address: string
  /** Questions that were asked about names that it knows. */
  readonly questions: number
  /** From now on `name` is found at `address` (IPv4). */
  place(name: string, address: string): void
}

/** Answers are good for this long, seconds. */
const TTL_S = 1
const NXDOMAIN = 3
/** A pair of ports, one number for UDP and TCP, is sought this often. */
const ATTEMPTS = 10

/**
 * Answers questions for IPv4 addresses of names that it was told; a known name has no other records, and other names do not exist.
 * @throws Error of the system when no port is free for both UDP and TCP.
 */
export async function startNameServer(host: string): Promise<NameServer> {
  const places = new Map<string, string>()
  let questions = 0
  const answer = (query: Buffer): Buffer | undefined => {
    const asked = read(query)
    const [question] = asked?.questions ?? []
    if (!asked || !question) return undefined
    const address = places.get(nameOf(question.name))
    if (address !== undefined) questions += 1
    const found = address !== undefined && question.type === 'A'
    return encode({
      type: 'response',
      id: asked.id ?? 0,
      flags: AUTHORITATIVE_ANSWER | (address === undefined ? NXDOMAIN : 0),
      questions: [question],
      answers: found ? [{type: 'A', name: question.name, ttl: TTL_S, data: address}] : [],
    })
  }
  const {udp, tcp, port} = await listenOnBoth(host)
  const sockets = new Set<Socket>()
  udp.on('message', (query, {address, port: from}) => {
    const said = answer(query)
    if (said) udp.send(said, from, address)
  })
  tcp.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => {})
    serveStream(socket, answer)
  })
  return {
    address: `${host}:${port}`,
    get questions() {
      return questions
    },
    place(name, address) {
      places.set(nameOf(name), address)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([
        new Promise<void>(resolve => udp.close(() => resolve())),
        new Promise<void>(resolve => tcp.close(() => resolve())),
      ])
    },
  }
}

function nameOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** Anybody on this machine may send anything. */
function read(query: Buffer): Packet | undefined {
  try {
    return decode(query)
  } catch {
    return undefined
  }
}

/** Over TCP each message begins with its length (RFC 1035, 4.2.2). */
function serveStream(socket: Socket, answer: (query: Buffer) => Buffer | undefined): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      const said = answer(rest.subarray(2, end))
      rest = rest.subarray(end)
      if (!said) continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(said.length)
      socket.write(Buffer.concat([length, said]))
    }
  })
}

async function listenOnBoth(host: string): Promise<{udp: UdpSocket; tcp: Server; port: number}> {
  for (let left = ATTEMPTS; ; left -= 1) {
    const tcp = createServer()
    await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(0, host, resolve))
    const {port} = tcp.address() as AddressInfo
    const udp = createSocket('udp4')
    try {
      await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(port, host, resolve))
      return {udp, tcp, port}
    } catch (error) {
      udp.close()
      await new Promise<void>(resolve => tcp.close(() => resolve()))
      if (left <= 1) throw error
    }
  }
}
