/** The head of a message as it stood on the wire. */
export interface Head {
  startLine: string
  /** Name, value, name, value, … in their order and spelling. */
  rawHeaders: readonly string[]
}

/**
 * How what follows a head is delimited (RFC 9112, 6.3). `undecided`: only the other side's answer tells whether it is HTTP at all
 * (an upgrade, CONNECT): bytes are kept until `decide` is called.
 */
export type Framing =
  {kind: 'none'} | {kind: 'length'; bytes: number} | {kind: 'chunked'} | {kind: 'until-close'} | {kind: 'foreign'} | {kind: 'undecided'}

/** What a reader says while it reads. */
export interface HttpListener {
  head(head: Head): Framing
  body(chunk: Buffer): void
  /** The message is whole. */
  end(): void
  /** Bytes that are no longer HTTP. */
  foreign(chunk: Buffer): void
}

/** A head, or what waits for a decision, beyond this is not read: the bytes pass, unread. */
const MOST_KEPT = 1_048_576

type State =
  | {at: 'head'}
  | {at: 'length'; left: number}
  | {at: 'chunk-size'}
  | {at: 'chunk'; left: number}
  | {at: 'trailer'}
  | {at: 'until-close'}
  | {at: 'undecided'}
  | {at: 'foreign'}
  | {at: 'lost'}

/**
 * Reads one direction of an HTTP/1 connection from a copy of its bytes. It never refuses: what it cannot read it lets pass unread
 * (`lost`), because whether a message is good is for those to judge whom it is meant for.
 */
export class HttpReader {
  readonly #listener: HttpListener
  #state: State = {at: 'head'}
  #kept: Buffer = Buffer.alloc(0)

  constructor(listener: HttpListener) {
    this.#listener = listener
  }

  /** True while only the other side's answer can tell how to go on. */
  get undecided(): boolean {
    return this.#state.at === 'undecided'
  }

  push(chunk: Buffer): void {
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    while (this.#kept.length > 0 && this.#step());
    if (this.#kept.length > MOST_KEPT) this.#lose()
  }

  /** The direction has ended. */
  finish(): void {
    if (this.#state.at === 'until-close') this.#whole()
  }

  /** Ends the state `undecided`. */
  decide(what: 'http' | 'foreign'): void {
    if (this.#state.at !== 'undecided') return
    this.#state = what === 'http' ? {at: 'head'} : {at: 'foreign'}
    while (this.#kept.length > 0 && this.#step());
  }

  /** Reads one piece; false when more bytes are needed. */
  #step(): boolean {
    const state = this.#state
    switch (state.at) {
      case 'head':
        return this.#readHead()
      case 'length':
      case 'chunk': {
        const piece = this.#take(Math.min(state.left, this.#kept.length))
        this.#listener.body(piece)
        state.left -= piece.length
        if (state.left > 0) return false
        if (state.at === 'length') this.#whole()
        else this.#state = {at: 'chunk-size'}
        return true
      }
      case 'chunk-size': {
        const line = this.#takeLine()
        // The line end after a chunk's data is an empty line here.
        if (line === undefined || line === '') return line !== undefined
        const size = /^[0-9a-f]+/i.exec(line)?.[0]
        if (size === undefined) return this.#lose()
        const left = Number.parseInt(size, 16)
        this.#state = left === 0 ? {at: 'trailer'} : {at: 'chunk', left}
        return true
      }
      case 'trailer': {
        const line = this.#takeLine()
        if (line === undefined) return false
        if (line === '') this.#whole()
        return true
      }
      case 'until-close':
        this.#listener.body(this.#take(this.#kept.length))
        return false
      case 'foreign':
        this.#listener.foreign(this.#take(this.#kept.length))
        return false
      case 'lost':
        this.#kept = Buffer.alloc(0)
        return false
      case 'undecided':
        return false
    }
  }

  #readHead(): boolean {
    // Empty lines before a start line are skipped (RFC 9112, 2.2).
    let from = 0
    while (this.#kept[from] === 0x0d || this.#kept[from] === 0x0a) from += 1
    if (from > 0) this.#take(from)
    const end = endOfHead(this.#kept)
    if (end === undefined) return false
    const [startLine = '', ...lines] = this.#take(end)
      .toString('latin1')
      .split(/\r?\n/)
      .filter(line => line !== '')
    const rawHeaders: string[] = []
    for (const line of lines) {
      const colon = line.indexOf(':')
      // A folded line continues the value before it (RFC 9112, 5.2).
      if (/^[ \t]/.test(line) && rawHeaders.length > 0) rawHeaders.push(`${rawHeaders.pop() ?? ''} ${line.trim()}`)
      else if (colon > 0) rawHeaders.push(line.slice(0, colon), line.slice(colon + 1).trim())
    }
    const framing = this.#listener.head({startLine, rawHeaders})
    switch (framing.kind) {
      case 'none':
        this.#whole()
        break
      case 'length':
        if (framing.bytes === 0) this.#whole()
        else this.#state = {at: 'length', left: framing.bytes}
        break
      case 'chunked':
        this.#state = {at: 'chunk-size'}
        break
      default:
        this.#state = {at: framing.kind}
    }
    return true
  }

  #whole(): void {
    this.#state = {at: 'head'}
    this.#listener.end()
  }

  #lose(): false {
    this.#state = {at: 'lost'}
    this.#kept = Buffer.alloc(0)
    return false
  }

  #take(bytes: number): Buffer {
    const piece = this.#kept.subarray(0, bytes)
    this.#kept = this.#kept.subarray(bytes)
    return piece
  }

  #takeLine(): string | undefined {
    const end = this.#kept.indexOf(0x0a)
    if (end < 0) return undefined
    return this.#take(end + 1)
      .toString('latin1')
      .replace(/\r?\n$/, '')
  }
}

/** Offset after the empty line that ends a head, however its lines end. */
function endOfHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3
  }
  return undefined
}

/** Values of a header, in order. */
export function valuesOf({rawHeaders}: Head, name: string): readonly string[] {
  return rawHeaders.flatMap((header, index) => (index % 2 === 0 && header.toLowerCase() === name ? [rawHeaders[index + 1] ?? ''] : []))
}

/** The framing that the headers of a message state; `otherwise` when they state none. */
export function statedFraming(head: Head, otherwise: Framing): Framing {
  const coding = valuesOf(head, 'transfer-encoding').join(',').toLowerCase()
  if (/(^|[\s,])chunked\s*$/.test(coding)) return {kind: 'chunked'}
  if (coding !== '') return otherwise
  const length = valuesOf(head, 'content-length')[0]
  return length !== undefined && /^\d+$/.test(length) ? {kind: 'length', bytes: Number(length)} : otherwise
}
