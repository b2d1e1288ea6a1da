import type {IncomingMessage} from 'node:http'
import type {Duplex} from 'node:stream'
import type {UpgradeVerdict} from './jetty.ts'

/** A request that Node took for an upgrade and Jetty would not: read again as a plain request. */
export interface Replay {
  rawHeaders: readonly string[]
  verdict: Exclude<UpgradeVerdict, 'accept'>
}

/** Node leaves HTTP on a connection at every upgrade, Jetty only at one that it takes: the others are put back and read again. */
export class UpgradeReplays {
  readonly #replays = new WeakMap<Duplex, Replay>()

  /** Puts the request back on its socket, without its upgrade; `head` is what came behind it. The socket is then to be handed to the server anew. */
  putBack(request: IncomingMessage, socket: Duplex, head: Buffer, verdict: Replay['verdict']): void {
    this.#replays.set(socket, {rawHeaders: request.rawHeaders, verdict})
    socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]))
  }

  /** What was put back on this socket and is read again now. */
  take(socket: Duplex): Replay | undefined {
    const replay = this.#replays.get(socket)
    this.#replays.delete(socket)
    return replay
  }
}

function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    let value = request.rawHeaders[i + 1] ?? ''
    if (name.toLowerCase() === 'upgrade') continue
    if (name.toLowerCase() === 'connection') {
      const kept = value.split(',').filter(token => token.trim().toLowerCase() !== 'upgrade')
      if (kept.length === 0) continue
      value = kept.join(',')
    }
    lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
