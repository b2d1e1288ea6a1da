import type {RawRequest} from './raw.ts'
import {open} from './raw.ts'

const GRACE_MS = 300

export interface SlowHead extends Pick<RawRequest, 'trust' | 'serverName' | 'localAddress' | 'signal'> {
  /** Sent at once. */
  beginning: string
  /** Sent after it, one byte at a time. */
  rest: string
  everyMs: number
  /** Given up after so long, ms since the connection was there. */
  watchMs: number
}

/** How a slow request ended. Times in ms since the connection was there. */
export interface SlowEnd {
  /** The connection came about. */
  connected: boolean
  /** The peer has answered or closed the connection; absent: neither within the time. */
  endedAfterMs?: number
  /** Of the answer, when there was one. */
  status?: number
  /** Bytes of `rest` that were sent. */
  sent: number
}

/** Sends a request slowly and watches what becomes of it. Never throws; the connection is closed before this returns. */
export function sendSlowly(url: URL, {beginning, rest, everyMs, watchMs, signal, ...how}: SlowHead): Promise<SlowEnd> {
  return new Promise(resolve => {
    const socket = open(url, how)
    let connectedAt: number | undefined
    let sent = 0
    let text = ''
    let done = false
    let drip: NodeJS.Timeout | undefined
    const finish = (ended: boolean) => {
      if (done) return
      done = true
      clearTimeout(timer)
      clearInterval(drip)
      signal.removeEventListener('abort', giveUp)
      socket.destroy()
      const status = /^HTTP\/\d\.\d (\d{3})/.exec(text)?.[1]
      resolve({
        connected: connectedAt !== undefined,
        sent,
        ...(ended && connectedAt !== undefined ? {endedAfterMs: performance.now() - connectedAt} : {}),
        ...(status === undefined ? {} : {status: Number(status)}),
      })
    }
    const giveUp = () => finish(false)
    // Connecting takes no time worth naming here. After a standstill of this process timers come first: what has arrived is read before.
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, GRACE_MS)
    }, watchMs)
    signal.addEventListener('abort', giveUp, {once: true})
    if (signal.aborted) return giveUp()
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      connectedAt = performance.now()
      socket.write(beginning)
      drip = setInterval(() => {
        if (sent < rest.length) socket.write(rest.charAt(sent++))
        else clearInterval(drip)
      }, everyMs)
    })
    socket.on('data', chunk => {
      text += chunk.toString('latin1').slice(0, 100)
      finish(true)
    })
    socket.on('error', () => finish(true))
    socket.once('end', () => finish(true))
    socket.once('close', () => finish(true))
  })
}
