import {randomBytes} from 'node:crypto'
import {sendRaw} from '../client/raw.ts'
import {nextProbe} from '../client/user.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Flow, Transcript} from './flow.ts'
import {ownAddresses} from './own-addresses.ts'
import {play} from './script.ts'

export interface MarkedRequestsInput {
  requests: number
}

export interface MarkedRequest {
  /** The last segment of its path, which no other request has. */
  marker: string
  probe: string
  status?: number
}

export interface MarkedRequestsResult extends Transcript {
  requests: readonly MarkedRequest[]
}

/** Beyond the addresses of other flows. */
const AFTER = 30_000
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])

/** Handshakes of new customers, each from an address of its own where that can be had, each with a path by which a log can be searched for it. */
export const markedRequests: Flow<MarkedRequestsInput, MarkedRequestsResult> = {
  id: 'marked-requests',
  title: 'Requests that a log can be searched for',
  run: (target, {requests: count}, context) => {
    const requests: MarkedRequest[] = []
    return play('marked-requests', target, context, {requests}, async cast => {
      const addresses = await ownAddresses(target.url, count, AFTER)
      for (let number = 0; number < count && !cast.signal.aborted; number += 1) {
        const probe = nextProbe()
        const marker = `gms-proxy-${randomBytes(6).toString('hex')}`
        const path = `${COMETD_PATH}/${marker}`
        const exchange = cast.journal.open({transport: 'http', what: `POST ${path}`, probe})
        const from = addresses[number] ?? target.from
        const {status, failure} = await sendRaw(target.url, {
          head: [
            `POST ${path} HTTP/1.1`,
            `Host: ${target.hostHeader}`,
            `Origin: ${target.origin ?? `${target.url.protocol}//${target.hostHeader}`}`,
            `${PROBE_HEADER}: ${probe}`,
            ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
            'Content-Type: application/json',
            `Content-Length: ${Buffer.byteLength(HANDSHAKE)}`,
            'Connection: close',
          ],
          body: HANDSHAKE,
          ...(from === undefined ? {} : {localAddress: from}),
          ...(target.trust ? {trust: target.trust} : {}),
          ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
          deadlineMs: cast.budgets.answer,
          signal: cast.signal,
        })
        cast.journal.close(exchange, failure?.reason ?? '', status === undefined ? {} : {status})
        requests.push({marker, probe, ...(status === undefined ? {} : {status})})
        // A peer that is not there for one request is not there for the next.
        if (status === undefined && failure) cast.stop(`POST ${COMETD_PATH}`, failure)
      }
    })
  },
}
