import type {Answer, Frame} from './connection.ts'

/** Chat notifications differ in what GMS leaves open (keys, times, order of fields): of them the status is compared. */
function plain(messages: string): string {
  const [, before = '', json = '', after = ''] = /^([\w.-]*\(?)(\[[^]*\])(\)?)$/.exec(messages) ?? []
  if (json === '') return messages
  try {
    const parsed = JSON.parse(json) as {data?: {statusCode?: number}}[]
    if (!parsed.some(message => message.data?.statusCode !== undefined)) return messages
    const kept = parsed.map(message =>
      message.data?.statusCode === undefined ? message : {...message, data: {statusCode: message.data.statusCode}},
    )
    return before + JSON.stringify(kept) + after
  } catch {
    return messages
  }
}

/** Replaces what differs from run to run, each value by the order in which it was first seen. One per probe and server. */
export class Normaliser {
  readonly #seen = new Map<string, string>()

  text(text: string): string {
    return plain(text)
      .replace(/(?<="clientId":")[0-9a-z]{20,32}(?=")/g, id => this.#name('client', id))
      .replace(/(?<=clientId%22%3A%22)[0-9a-z]{20,32}(?=%22)/g, id => this.#name('client', id))
      .replace(/(?<=BAYEUX_BROWSER=)[0-9a-z]{12,24}/g, id => this.#name('browser', id))
      .replace(/(?<=Servlet-)[0-9a-f]+/g, 'HASH')
      .replace(/<tr><th>CAUSED BY:.*<\/tr>\n/g, '')
      .replace(/<h3>Caused by:<\/h3><pre>[^]*?<\/pre>\n/g, '')
      .replace(/127\.0\.0\.1:\d+/g, 'HOST')
      .replace(/[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT/g, 'DATE')
  }

  /** Order, spelling and values of all headers; a right length is only called right, because ids vary in length. */
  answer(answer: Answer | 'closed' | 'silence') {
    if (typeof answer === 'string') return answer
    const {statusLine, headers, body, framing} = answer
    return {
      statusLine,
      headers: headers.map(([name, value]) => `${name}: ${this.#value(name, value, body)}`),
      body: this.text(body),
      framing,
    }
  }

  #value(name: string, value: string, body: string): string {
    if (name.toLowerCase() === 'content-length' && Number(value) === Buffer.byteLength(body)) return 'LENGTH'
    return this.text(value)
  }

  frame(frame: Frame | 'closed' | 'silence') {
    if (typeof frame === 'string') return frame
    const {opcode, final, compressed, payload} = frame
    if (opcode === 8) {
      if (payload.length < 2) return 'close'
      const [code, reason] = [payload.readUInt16BE(0), this.text(payload.toString('utf8', 2))]
      // How much of a message had come when it was found too long is a matter of buffers.
      return `close ${code} ${code === 1009 ? reason.replace(/\d[\d,]*/, 'MEASURED') : reason}`
    }
    const kind = ({1: 'text', 2: 'binary', 9: 'ping', 10: 'pong'} as Record<number, string>)[opcode] ?? `opcode ${opcode}`
    return `${kind}${final ? '' : ' (to be continued)'}${compressed ? ' (compressed)' : ''} ${this.text(payload.toString('utf8'))}`
  }

  #name(kind: string, value: string): string {
    const known = this.#seen.get(value) ?? `${kind}-${[...this.#seen.values()].filter(name => name.startsWith(kind)).length + 1}`
    this.#seen.set(value, known)
    return known
  }
}
