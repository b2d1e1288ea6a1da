import {redact} from '../model/redact.ts'
import {harmless} from '../report/plain.ts'
import type {CapturedRequest, Recorder} from '../simulator/recorder.ts'

/** One thing that happened at a simulated node. */
export interface RequestLine {
  event: 'arrived' | 'ended'
  node: string
  at: number
  method: string
  target: string
  channels: readonly string[]
  status?: number
  tookMs?: number
  /** The same for a person. */
  text: string
}

/** A person reads along: this often is soon enough. */
const LOOK_EVERY_MS = 100

const CLOSED: Partial<Record<CapturedRequest['ended'], string>> = {'peer-closed': 'closed by the peer', 'gms-closed': 'closed by GMS'}

/** Says each request once when it arrives held open, and once when it has ended. */
export function watchRequests(recorder: Recorder, say: (line: RequestLine) => Promise<void>): Disposable {
  const arrived = new WeakSet<CapturedRequest>()
  const ended = new WeakSet<CapturedRequest>()
  const look = () => {
    for (const request of recorder.requests) {
      const over = request.ended !== 'open'
      if (!over && !arrived.has(request)) void say(lineOf(request, 'arrived'))
      arrived.add(request)
      if (over && !ended.has(request)) {
        ended.add(request)
        void say(lineOf(request, 'ended'))
      }
    }
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  return {[Symbol.dispose]: () => clearInterval(timer)}
}

function lineOf(request: CapturedRequest, event: RequestLine['event']): RequestLine {
  const {node, at, method, status, answeredAt} = request
  const target = redact(request.target)
  const channels = [...new Set(request.messages.map(({channel}) => channel))]
  const took = answeredAt === undefined ? undefined : answeredAt - at
  const how = event === 'arrived' ? '…' : (CLOSED[request.ended] ?? String(status ?? ''))
  const faults = request.strikes.map(({kind, scene}) => `fault ${kind} on ${scene}`)
  const clock = new Date(at).toISOString().slice(11, 23)
  return {
    event,
    node,
    at,
    method,
    target,
    channels,
    ...(status === undefined ? {} : {status}),
    ...(took === undefined ? {} : {tookMs: took}),
    text: harmless(
      [clock, node, method, target, channels.join(' '), ...faults, how, took === undefined || event === 'arrived' ? '' : `${took} ms`]
        .filter(part => part !== '')
        .join('  '),
    ),
  }
}
