// The near end of publishes.bench.mjs, in a process of its own: users who publish one small message after the other, each on a connection
// that is kept for as long as the other side keeps it. A request is sent once: where a connection closes before the answer, it is an error.
import {connect} from 'node:net'
import {performance} from 'node:perf_hooks'

const END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

class User {
  #port
  #host
  #socket
  #pending = Buffer.alloc(0)
  #cookies = new Map()
  #clientId = ''
  #id = 0
  #settle
  connects = 0

  constructor({port, host}) {
    this.#port = port
    this.#host = host
  }

  async begin() {
    const {body} = await this.#post('[{"channel":"/meta/handshake","id":"0","version":"1.0","supportedConnectionTypes":["long-polling"]}]')
    this.#clientId = /"clientId":"([^"]+)"/.exec(body)?.[1]
    if (this.#clientId === undefined) throw new Error(`no session: ${body.slice(0, 200)}`)
  }

  /** True when the publish was answered well. */
  async publish() {
    this.#id += 1
    const {status, body} = await this.#post(
      `[{"channel":"/service/chatV2/customer-support","id":"${this.#id}","clientId":"${this.#clientId}","data":{"operation":"sendMessage","secureKey":"0123456789abcdef","message":"message of a person who waits"}}]`,
    )
    return status === 200 && body.includes('"successful":true')
  }

  end() {
    this.#settle = undefined
    this.#socket?.destroy()
  }

  #post(body) {
    return new Promise(resolve => {
      this.#settle = resolve
      if (this.#socket === undefined) this.#open()
      const cookie = this.#cookies.size === 0 ? '' : `Cookie: ${[...this.#cookies].map(pair => pair.join('=')).join('; ')}\r\n`
      this.#socket.write(
        `POST /genesys/cometd HTTP/1.1\r\nHost: ${this.#host}\r\nContent-Type: application/json;charset=UTF-8\r\nAccept: */*\r\n${cookie}Content-Length: ${body.length}\r\n\r\n${body}`,
      )
    })
  }

  #open() {
    this.connects += 1
    const socket = connect({port: this.#port, host: '127.0.0.1', noDelay: true})
    this.#socket = socket
    this.#pending = Buffer.alloc(0)
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#answered({status: 0, body: 'the connection was closed'})
    })
  }

  #receive(chunk) {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const end = this.#pending.indexOf(END)
    if (end < 0) return
    const head = this.#pending.latin1Slice(0, end)
    const from = end + END.length
    const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1]
    const last = length === undefined ? this.#pending.indexOf(LAST_CHUNK, from) : from + Number(length)
    if (last < 0 || this.#pending.length < last) return
    const body = this.#pending.latin1Slice(from, last)
    this.#pending = Buffer.alloc(0)
    for (const [, name, value] of head.matchAll(/\nset-cookie: *([^=;\r]+)=([^;\r]*)/gi)) this.#cookies.set(name, value)
    if (/\nconnection: *close/i.test(head)) {
      const socket = this.#socket
      this.#socket = undefined
      socket.destroy()
    }
    this.#answered({status: Number(head.slice(9, 12)), body})
  }

  #answered(answer) {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(answer)
  }
}

async function round({port, host, users: count, milliseconds}) {
  const users = Array.from({length: count}, () => new User({port, host}))
  await Promise.all(users.map(user => user.begin()))
  const took = []
  let failed = 0
  const began = performance.now()
  const cpu = process.cpuUsage()
  await Promise.all(
    users.map(async user => {
      for (let now = performance.now(); now - began < milliseconds;) {
        if (!(await user.publish())) failed += 1
        const after = performance.now()
        took.push(after - now)
        now = after
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const {user, system} = process.cpuUsage(cpu)
  for (const each of users) each.end()
  took.sort((a, b) => a - b)
  return {
    requests: took.length,
    failed,
    perSecond: took.length / seconds,
    p50: took[Math.floor(took.length * 0.5)],
    p99: took[Math.floor(took.length * 0.99)],
    connects: users.reduce((sum, {connects}) => sum + connects, 0),
    cpuMicros: user + system,
  }
}

process.on('message', async order => {
  try {
    process.send(await round(order))
  } catch (error) {
    process.send({error: error.message})
  }
})
process.on('disconnect', () => process.exit())
process.send('ready')
