import {setTimeout as pause} from 'node:timers/promises'
import {sendSlowly} from '../client/slow-head.ts'
import {nextProbe} from '../client/user.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import {lasting} from '../model/pace.ts'
import type {Flow, Transcript} from './flow.ts'
import {ownAddresses} from './own-addresses.ts'
import {oneLine, play} from './script.ts'

export interface SlowHeadersInput {
  /** Clients that never come to the end of their header. */
  clients: number
  /** How long they are watched, ms. */
  watchMs: number
  /** How long another client takes for a whole header, ms. */
  completeWithinMs: number
}

/** A client with patience for its header. */
export interface SlowClient {
  /** The connection ended after so many ms: cut, or answered with `status`. Absent: it was still open. */
  endedAfterMs?: number
  status?: number
}

export interface SlowHeadersResult extends Transcript {
  /** Those whose connection came about. */
  clients: readonly SlowClient[]
  /** The slow client that did complete its header. */
  complete: {probe: string; status?: number}
  /** Ordinary requests beside the slow clients, all of them while these were waiting. */
  others: readonly {probe: string; status?: number; tookMs: number; trouble?: string}[]
}

/** One byte after the other, as often as the attacks of this kind do at least. */
const EVERY_MS = 500
const OTHERS = 3
/** Beyond the addresses of other flows. */
const AFTER = 20_000
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])

/** Some clients send their header byte by byte and never end it, one takes its time and ends it, and others come and go as usual. */
export const slowHeaders: Flow<SlowHeadersInput, SlowHeadersResult> = {
  id: 'slow-headers',
  title: 'Headers that come slowly',
  run: (target, {clients: count, watchMs, completeWithinMs}, context) => {
    const clients: SlowClient[] = []
    const others: {probe: string; status?: number; tookMs: number; trouble?: string}[] = []
    const result: Omit<SlowHeadersResult, keyof Transcript> = {clients, complete: {probe: nextProbe()}, others}
    return play('slow-headers', target, context, result, async cast => {
      const addresses = await ownAddresses(target.url, count, AFTER)
      const origin = target.origin ?? `${target.url.protocol}//${target.hostHeader}`
      const head = (method: string, path: string, probe: string) =>
        [
          `${method} ${path} HTTP/1.1`,
          `Host: ${target.hostHeader}`,
          `Origin: ${origin}`,
          ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
          `${PROBE_HEADER}: ${probe}\r\n`,
        ].join('\r\n')
      const how = (from: string | undefined) => ({
        ...(from === undefined ? {} : {localAddress: from}),
        ...(target.trust ? {trust: target.trust} : {}),
        ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
        signal: cast.signal,
      })
      const never = async (number: number) => {
        const probe = nextProbe()
        const exchange = cast.journal.open({transport: 'http', what: 'a header that never ends', probe})
        const end = await sendSlowly(target.url, {
          beginning: head('GET', COMETD_PATH, probe),
          rest: `X-Slow: ${'a'.repeat(Math.ceil(watchMs / lasting(EVERY_MS)))}`,
          everyMs: lasting(EVERY_MS),
          watchMs,
          ...how(addresses[number] ?? target.from),
        })
        const {endedAfterMs, status, connected} = end
        cast.journal.close(
          exchange,
          endedAfterMs === undefined ? `still open after ${end.sent} bytes of a field` : 'the connection ended',
          {
            ...(status === undefined ? {} : {status}),
          },
        )
        if (connected) clients.push({...(endedAfterMs === undefined ? {} : {endedAfterMs}), ...(status === undefined ? {} : {status})})
      }
      const complete = async () => {
        const {probe} = result.complete
        const exchange = cast.journal.open({transport: 'http', what: 'a header that takes its time', probe})
        const rest = 'X-Slow: abc\r\n\r\n'
        const {status} = await sendSlowly(target.url, {
          beginning: head('GET', COMETD_PATH, probe),
          rest,
          everyMs: completeWithinMs / rest.length,
          watchMs: completeWithinMs + cast.budgets.answer,
          ...how(target.from),
        })
        cast.journal.close(exchange, status === undefined ? 'no answer' : '', status === undefined ? {} : {status})
        result.complete = {probe, ...(status === undefined ? {} : {status})}
      }
      const usual = async () => {
        // All slow clients have to be there before the first ordinary one.
        for (let number = 0; number < OTHERS; number += 1) {
          await pause(Math.min(1000, watchMs / 4), undefined, {signal: cast.signal}).catch(() => undefined)
          const user = cast.user()
          const probe = nextProbe()
          const began = performance.now()
          const answer = await user.request({
            method: 'POST',
            path: `${COMETD_PATH}/handshake`,
            transport: 'http',
            headers: {'Content-Type': 'application/json'},
            body: HANDSHAKE,
            probe,
            deadlineMs: cast.budgets.answer,
          })
          others.push({
            probe,
            tookMs: performance.now() - began,
            ...(answer.answered ? {status: answer.status} : {trouble: oneLine(answer.failure.reason)}),
          })
          user.destroy()
        }
      }
      await Promise.all([...Array.from({length: count}, (_, number) => never(number)), complete(), usual()])
    })
  },
}
