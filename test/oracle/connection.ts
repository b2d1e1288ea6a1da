import {once} from 'node:events'
import {connect, type Socket} from 'node:net'
import {randomBytes} from 'node:crypto'
import {inflateRawSync} from 'node:zlib'

/** An answer exactly as it came, header by header. */
export interface Answer {
  statusLine: string
  headers: readonly [name: string, value: string][]
  body: string
  /** How the end of the body was told. */
  framing: 'length' | 'chunked' | 'close' | 'none'
}

/** A WebSocket frame as it came. */
export interface Frame {
  opcode: number
  final: boolean
  compressed: boolean
  payload: Buffer
}

interface FrameOptions {
  opcode?: number
  final?: boolean
  masked?: boolean
  /** The three reserved bits, 0 to 7. */
  reserved?: number
}

/** A frame as a client sends it; everything may be wrong on purpose. */
export function clientFrame(payload: string | Buffer, {opcode = 1, final = true, masked = true, reserved = 0}: FrameOptions = {}): Buffer {
  const data = Buffer.from(payload)
  const extended = data.length < 126 ? Buffer.alloc(0) : Buffer.alloc(data.length < 65_536 ? 2 : 8)
  if (extended.length === 2) extended.writeUInt16BE(data.length)
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(data.length))
  const length = extended.length === 0 ? data.length : extended.length === 2 ? 126 : 127
  const head = Buffer.from([(final ? 0x80 : 0) | (reserved << 4) | opcode, (masked ? 0x80 : 0) | length])
  if (!masked) return Buffer.concat([head, extended, data])
  const mask = randomBytes(4)
  return Buffer.concat([head, extended, mask, data.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

/** One TCP connection whose every byte is chosen and seen. */
export class Connection {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #ended = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])))
    socket.on('close', () => (this.#ended = true))
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({port, host: '127.0.0.1', noDelay: true})
    const connection = new Connection(socket)
    await once(socket, 'connect')
    return connection
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes)
    return this
  }

  close(): void {
    this.socket.destroy()
  }

  /** Resolves when the peer has closed, or with `false` after `ms`. */
  async closes(ms = 3000): Promise<boolean> {
    return (await this.#until(() => (this.#ended ? true : undefined), ms)) ?? false
  }

  /** The next answer; `closed` when the peer closed without one, `silence` when nothing complete came within `ms`. */
  async answer({ms = 5000, head = false} = {}): Promise<Answer | 'closed' | 'silence'> {
    const read = await this.#until(() => this.#readAnswer(head) ?? (this.#ended ? 'closed' : undefined), ms)
    return read ?? 'silence'
  }

  /** The next frame; `closed` when the peer closed without one, `silence` when none came within `ms`. */
  async frame(ms = 3000): Promise<Frame | 'closed' | 'silence'> {
    return (await this.#until(() => this.#readFrame() ?? (this.#ended ? 'closed' : undefined), ms)) ?? 'silence'
  }

  async #until<T>(read: () => T | undefined, ms: number): Promise<T | undefined> {
    const deadline = Date.now() + ms
    for (;;) {
      const value = read()
      if (value !== undefined) return value
      const left = deadline - Date.now()
      if (left <= 0) return undefined
      let timer: NodeJS.Timeout | undefined
      const late = new Promise(resolve => (timer = setTimeout(resolve, left)))
      const stop = new AbortController()
      await Promise.race([...['data', 'close'].map(event => once(this.socket, event, {signal: stop.signal}).catch(() => {})), late])
      stop.abort()
      clearTimeout(timer)
    }
  }

  #readAnswer(head: boolean): Answer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers = lines.map(line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as [string, string]
    })
    const value = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1]
    const status = Number(statusLine.split(' ')[1])
    const rest = this.#received.subarray(end + 4)
    const take = (bytes: number, body: string, framing: Answer['framing']): Answer => {
      this.#received = this.#received.subarray(end + 4 + bytes)
      return {statusLine, headers, body, framing}
    }
    if (status < 200 || status === 204 || status === 304 || head) return take(0, '', 'none')
    if (value('transfer-encoding')?.includes('chunked')) {
      let body = ''
      for (let at = 0; ;) {
        const line = rest.indexOf('\r\n', at)
        if (line < 0) return undefined
        const size = Number.parseInt(rest.toString('latin1', at, line), 16)
        if (rest.length < line + 4 + size) return undefined
        body += rest.toString('utf8', line + 2, line + 2 + size)
        at = line + 4 + size
        if (size === 0) return take(at, body, 'chunked')
      }
    }
    const length = value('content-length')
    if (length !== undefined)
      return rest.length < Number(length) ? undefined : take(Number(length), rest.toString('utf8', 0, Number(length)), 'length')
    return this.#ended ? take(rest.length, rest.toString('utf8'), 'close') : undefined
  }

  #readFrame(): Frame | undefined {
    const bytes = this.#received
    if (bytes.length < 2) return undefined
    const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)]
    const short = second & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < start) return undefined
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (bytes.length < start + length) return undefined
    this.#received = bytes.subarray(start + length)
    const raw = bytes.subarray(start, start + length)
    const compressed = (first & 0x40) !== 0
    const payload = compressed ? inflateRawSync(Buffer.concat([raw, Buffer.from([0, 0, 0xff, 0xff])]), {finishFlush: 2}) : raw
    return {opcode: first & 0xf, final: (first & 0x80) !== 0, compressed, payload: Buffer.from(payload)}
  }
}
