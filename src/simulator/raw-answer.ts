import type {Duplex} from 'node:stream'
import type {Flavour} from './flavour.ts'
import {answerHead, type ErrorBody} from './jetty.ts'

/** Answers on a connection that Node does not speak HTTP on (any more), and ends it. `beforeTarget`: what was asked for is not known. */
export function answerRaw(
  flavour: Flavour,
  socket: Duplex,
  status: number,
  {headers, body, phrase}: ErrorBody & {phrase: string},
  beforeTarget = false,
): void {
  const head = answerHead(flavour, {
    headers: Object.entries(headers).flat(),
    length: Buffer.byteLength(body),
    date: flavour.datedErrors,
    // Jetty 12 says so only once it knows what was asked.
    connection: flavour.badMessage === 'page' && beforeTarget ? undefined : {value: 'close', asked: false},
  })
  const lines = head.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${head[index + 1]}\r\n`] : []))
  socket.end(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n${body}`)
}
