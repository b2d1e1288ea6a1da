import {once} from 'node:events'
import {connect, type Socket} from 'node:net'
import {WebSocket, type ClientOptions} from 'ws'
import type {BayeuxMessage} from '../../src/wire/bayeux.ts'
import type {ChatNotification} from '../../src/wire/chat-messages.ts'

const COMETD = '/genesys/cometd'
const CHANNEL = '/service/chatV2/customer-support'

/** An answer as it came over the socket. */
export interface RawAnswer {
  statusLine: string
  status: number
  /** Lower-case names; a repeated header keeps its last value. */
  headers: Record<string, string>
  body: string
}

/** Sends exactly `text` and reads until one answer is complete (by length), the server closes, or 101. */
export async function sendRaw(port: number, text: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  try {
    socket.write(Buffer.from(text, 'latin1'))
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    for (;;) {
      const answer = parseAnswer(received, socket.readableEnded || socket.destroyed)
      if (answer) return answer
      await Promise.race([once(socket, 'data'), once(socket, 'close')])
    }
  } finally {
    socket.destroy()
  }
}

function parseAnswer(received: string, ended: boolean): RawAnswer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) {
    if (ended) throw new Error(`no answer: ${JSON.stringify(received)}`)
    return undefined
  }
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const body = received.slice(end + 4)
  const status = Number(statusLine.split(' ')[1])
  const length = headers['content-length']
  if (status !== 101 && (length === undefined ? !ended : body.length < Number(length))) return undefined
  return {statusLine, status, headers, body}
}

/** A socket on which nothing was sent yet. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A user over long-polling, message by message. */
export class PollingUser {
  clientId = ''
  cookie: string | undefined
  #id = 0
  readonly port: number

  constructor(port: number) {
    this.port = port
  }

  async post(messages: readonly object[], {path = '/', headers = {}}: {path?: string; headers?: Record<string, string>} = {}) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${COMETD}${path}`, {
      method: 'POST',
      headers: {'content-type': 'application/json', ...(this.cookie === undefined ? {} : {cookie: this.cookie}), ...headers},
      body: JSON.stringify(messages),
    })
    const set = answer.headers.get('set-cookie')
    if (set !== null) this.cookie = set.split(';')[0]
    const text = await answer.text()
    return {status: answer.status, headers: answer.headers, messages: (text === '' ? [] : JSON.parse(text)) as BayeuxMessage[]}
  }

  message(channel: string, fields: object = {}): object {
    this.#id += 1
    return {channel, id: String(this.#id), ...(this.clientId === '' ? {} : {clientId: this.clientId}), ...fields}
  }

  async handshake(): Promise<BayeuxMessage> {
    const {messages} = await this.post([this.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['long-polling']})], {
      path: '/handshake',
    })
    const [reply] = messages
    if (!reply?.clientId) throw new Error(`handshake failed: ${JSON.stringify(messages)}`)
    this.clientId = reply.clientId
    return reply
  }

  async connect(fields: object = {}, options: {headers?: Record<string, string>} = {}) {
    return this.post([this.message('/meta/connect', {connectionType: 'long-polling', ...fields})], {path: '/connect', ...options})
  }

  /** Handshake and first connect. */
  async start(): Promise<this> {
    await this.handshake()
    await this.connect({advice: {timeout: 0}})
    return this
  }

  async ask(data: object): Promise<{messages: BayeuxMessage[]; notifications: ChatNotification[]}> {
    const {messages} = await this.post([this.message(CHANNEL, {data})])
    return {messages, notifications: notificationsOf(messages)}
  }
}

export function notificationsOf(messages: readonly BayeuxMessage[]): ChatNotification[] {
  return messages.filter(({data}) => data !== undefined).map(({data}) => data as ChatNotification)
}

/** A user over WebSocket; `frames` holds what came, in order. */
export class SocketUser {
  clientId = ''
  readonly socket: WebSocket
  readonly frames: BayeuxMessage[][] = []
  #id = 0
  #wake: (() => void) | undefined

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as BayeuxMessage[])
      this.#wake?.()
    })
  }

  static async open(port: number, options: ClientOptions = {}): Promise<SocketUser> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${COMETD}`, options)
    const user = new SocketUser(socket)
    await once(socket, 'open')
    return user
  }

  send(channel: string, fields: object = {}): string {
    this.#id += 1
    const id = String(this.#id)
    this.socket.send(JSON.stringify([{channel, id, ...(this.clientId === '' ? {} : {clientId: this.clientId}), ...fields}]))
    return id
  }

  /** The first message that matches, of all that came or will come. */
  async message(matches: (message: BayeuxMessage) => boolean): Promise<BayeuxMessage> {
    for (;;) {
      const found = this.frames.flat().find(matches)
      if (found) return found
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async start(): Promise<this> {
    const id = this.send('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['websocket']})
    this.clientId = (await this.message(reply => reply.id === id)).clientId ?? ''
    const connect = this.send('/meta/connect', {connectionType: 'websocket', advice: {timeout: 0}})
    await this.message(reply => reply.id === connect)
    return this
  }

  async ask(data: object): Promise<ChatNotification> {
    const seen = this.frames.flat().length
    const id = this.send(CHANNEL, {data})
    await this.message(reply => reply.id === id)
    return notificationsOf(this.frames.flat().slice(seen))[0] ?? Promise.reject(new Error('no notification'))
  }
}
