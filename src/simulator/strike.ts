import {STATUS_CODES} from 'node:http'
import type {Duplex} from 'node:stream'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {Fault, FaultScene} from './faults.ts'
import type {HttpExchange} from './http-exchange.ts'
import type {Capture} from './request-log.ts'

/** Asks whether a fault strikes what a node is about to answer: the first that does is noted in the record. */
export type Strike = (capture: Capture, scenes: readonly FaultScene[], transport?: BayeuxTransport) => Fault | undefined

/** RFC 9110, 15.5.14. */
const CONTENT_TOO_LARGE = 413

/** Status and reason phrase of the faults that refuse. */
export function refusalOf(fault: Extract<Fault, {kind: 'status' | 'oversize'}>): {status: number; reason: string} {
  const status = fault.kind === 'status' ? fault.status : CONTENT_TOO_LARGE
  return {status, reason: STATUS_CODES[status] ?? 'Error'}
}

/** Lets a fault strike a batch of Bayeux messages over HTTP whose body has been read. `unknown` answers for a session that nobody knows. */
export function strikeBatch(exchange: HttpExchange, fault: Fault | undefined, proceed: () => void, unknown: () => void): void {
  switch (fault?.kind) {
    case undefined:
      proceed()
      return
    case 'delay':
      exchange.later(fault.ms, proceed)
      return
    case 'hang':
      return
    case 'drop':
      exchange.cut()
      return
    case 'session-unknown':
      unknown()
      return
    case 'slow-body':
      exchange.trickle(fault.bytesPerSecond)
      proceed()
      return
    case 'status':
    case 'oversize': {
      const {status, reason} = refusalOf(fault)
      exchange.refuse(status, reason, 'cometd')
    }
  }
}

/** Lets a fault strike a request to the files or the health of GMS, whose body has not been read yet. */
export function strikePlain(exchange: HttpExchange, fault: Fault | undefined, proceed: () => void): void {
  switch (fault?.kind) {
    case undefined:
    case 'session-unknown':
      proceed()
      return
    case 'delay':
      exchange.answerLate(fault.ms)
      proceed()
      return
    case 'slow-body':
      exchange.trickle(fault.bytesPerSecond)
      proceed()
      return
    case 'hang':
      exchange.streamBody()
      return
    case 'drop':
      exchange.request.once('end', () => exchange.cut())
      exchange.streamBody()
      return
    case 'status':
    case 'oversize': {
      const {status, reason} = refusalOf(fault)
      exchange.request.once('end', () => exchange.refuse(status, reason))
      exchange.streamBody()
    }
  }
}

interface UpgradeRequest {
  socket: Duplex
  /** What came with the request, behind its head. */
  head: Buffer
  capture: Capture
  proceed(head: Buffer): void
  refuse(status: number, reason: string): void
}

/** Lets a fault strike an upgrade that GMS would accept. */
export function strikeUpgrade(fault: Fault | undefined, {socket, head, capture, proceed, refuse}: UpgradeRequest): void {
  switch (fault?.kind) {
    case 'delay':
    case 'hang': {
      const early: Buffer[] = [head]
      const keep = (chunk: Buffer): void => {
        if (fault.kind === 'delay') early.push(chunk)
      }
      const gone = (): void => {
        clearTimeout(timer)
        socket.destroy()
      }
      // Read on: a peer that goes away would not be noticed otherwise.
      socket.on('error', gone).on('data', keep).on('end', gone).on('close', gone)
      const proceedLate = (): void => {
        socket.off('error', gone).off('data', keep).off('end', gone).off('close', gone)
        proceed(Buffer.concat(early))
      }
      const timer = fault.kind === 'delay' ? setTimeout(proceedLate, fault.ms) : undefined
      return
    }
    case 'drop':
      capture.gmsClosed()
      socket.destroy()
      return
    case 'status':
      socket.on('error', () => {})
      refuse(fault.status, STATUS_CODES[fault.status] ?? 'Error')
      return
    default:
      proceed(head)
  }
}
