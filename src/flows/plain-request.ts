import {sendRaw} from '../client/raw.ts'
import {nextProbe} from '../client/user.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Flow, Transcript} from './flow.ts'
import {oneLine, play} from './script.ts'

export interface PlainRequestInput {
  method?: string
  /** The request target, byte for byte: a path with query, `http://other.example/` (absolute form), `other.example:443` (CONNECT). */
  target: string
  /** Sent after Host and the probe header, in this order and spelling. A `Host` here replaces the target's own. */
  headers?: readonly (readonly [name: string, value: string])[]
  body?: string
  /** Sent as it is when a CONNECT was answered 2xx: what comes out at the other end tells whether there is a tunnel. */
  throughTunnel?: string
  /** Address of this machine to connect from; the system's choice when absent. */
  from?: string
  /** Default 1.1. */
  httpVersion?: '1.0' | '1.1'
}

export interface PlainRequestResult extends Transcript {
  status?: number
  httpVersion?: string
  headers: Readonly<Record<string, string>>
  /** Beginning of the body, redacted. */
  answer: string
  probe: string
  /** Whether the connection stayed open after the answer. */
  stayedOpen: boolean
}

/** One HTTP request, byte for byte as given. */
export const plainRequest: Flow<PlainRequestInput, PlainRequestResult> = {
  id: 'plain-request',
  title: 'One plain request',
  run: (
    target,
    {method = 'GET', target: requestTarget, headers = [], body, throughTunnel, from = target.from, httpVersion = '1.1'},
    context,
  ) => {
    const probe = nextProbe()
    const result: Omit<PlainRequestResult, keyof Transcript> = {headers: {}, answer: '', probe, stayedOpen: false}
    return play('plain-request', target, context, result, async cast => {
      const exchange = cast.journal.open({transport: 'http', what: `${method} ${requestTarget.split('?', 1)[0] ?? ''}`, probe})
      const ownHost = headers.some(([name]) => name.toLowerCase() === 'host')
      const answer = await sendRaw(target.url, {
        head: [
          `${method} ${requestTarget} HTTP/${httpVersion}`,
          ...(ownHost ? [] : [`Host: ${target.hostHeader}`]),
          `${PROBE_HEADER}: ${probe}`,
          ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
          ...headers.map(([name, value]) => `${name}: ${value}`),
          ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
        ],
        ...(body === undefined ? {} : {body}),
        ...(throughTunnel === undefined ? {} : {afterUpgrade: Buffer.from(throughTunnel)}),
        ...(from === undefined ? {} : {localAddress: from}),
        ...(target.trust ? {trust: target.trust} : {}),
        ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
        deadlineMs: cast.budgets.answer,
        signal: cast.signal,
      })
      const {status, failure} = answer
      const text = answer.body.toString()
      Object.assign(result, status === undefined ? {} : {status, httpVersion: answer.httpVersion}, {stayedOpen: answer.stayedOpen})
      result.headers = Object.fromEntries(
        Object.entries(answer.headers)
          .filter(([name]) => name !== 'set-cookie')
          .map(([name, values]) => [name, values.join(', ')]),
      )
      result.answer = oneLine(failure?.reason ?? text)
      cast.journal.close(exchange, failure?.reason ?? text, {...(status === undefined ? {} : {status}), headers: answer.headers})
      if (failure !== undefined) cast.stop(`${method} ${requestTarget.split('?', 1)[0] ?? ''}`, failure)
    })
  },
}
