import {createHash, randomBytes} from 'node:crypto'
import {clientTextFrame, serverTextFrame} from '../client/frames.ts'
import {sendRaw} from '../client/raw.ts'
import {nextProbe} from '../client/user.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Flow, Transcript} from './flow.ts'
import {oneLine, play} from './script.ts'

export interface UpgradeInput {
  /** Value of `Connection`, exactly: `Upgrade`, `keep-alive, Upgrade`. */
  connection: string
  /** Value of `Upgrade`, exactly: `websocket`, `WebSocket`, `h2c`. */
  upgrade: string
  /** Default 1.1. */
  httpVersion?: '1.0' | '1.1'
  /** Default `/genesys/cometd`. */
  path?: string
  /** Further headers, after the others. An `Origin` here replaces that of the target. */
  headers?: Readonly<Record<string, string>>
  /** After a 101, send a Bayeux handshake over the socket and wait for its answer. */
  thenHandshake?: boolean
  /** The Bayeux handshake is not sent after the 101 but in one piece with the request. */
  together?: boolean
}

export interface UpgradeResult extends Transcript {
  status?: number
  /** `1.1` */
  httpVersion?: string
  statusLine?: string
  headers: Readonly<Record<string, string>>
  /** Sec-WebSocket-Accept answers our key (RFC 6455, 4.2.2). */
  acceptIsValid: boolean
  probe: string
  /** Beginning of the answer's body, or the Bayeux answer; redacted. */
  answer: string
  /** The Bayeux handshake over the socket succeeded; only with `thenHandshake` and a 101. */
  handshake?: boolean
  stayedOpen: boolean
}

/** RFC 6455, 1.3 */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const HANDSHAKE = JSON.stringify([
  {
    id: '1',
    channel: META.handshake,
    version: '1.0',
    minimumVersion: '1.0',
    supportedConnectionTypes: ['websocket'],
    advice: {timeout: 60_000, interval: 0},
  },
])

/** One upgrade request with headers spelt exactly so. */
export const upgrade: Flow<UpgradeInput, UpgradeResult> = {
  id: 'upgrade',
  title: 'An upgrade, spelt exactly',
  needs: ({thenHandshake = false}) => (thenHandshake ? ['websocket'] : []),
  run: (
    target,
    {connection, upgrade: protocol, httpVersion = '1.1', path = COMETD_PATH, headers = {}, thenHandshake = false, together = false},
    context,
  ) => {
    const probe = nextProbe()
    const result: Omit<UpgradeResult, keyof Transcript> = {headers: {}, acceptIsValid: false, probe, answer: '', stayedOpen: false}
    return play('upgrade', target, context, result, async cast => {
      const key = randomBytes(16).toString('base64')
      const exchange = cast.journal.open({transport: 'websocket', what: `upgrade ${path}`, probe})
      const answer = await sendRaw(target.url, {
        head: [
          `GET ${path} HTTP/${httpVersion}`,
          `Host: ${target.hostHeader}`,
          `Connection: ${connection}`,
          `Upgrade: ${protocol}`,
          ...('Origin' in headers ? [] : [`Origin: ${target.origin ?? `${target.url.protocol}//${target.hostHeader}`}`]),
          'Sec-WebSocket-Version: 13',
          `Sec-WebSocket-Key: ${key}`,
          `${PROBE_HEADER}: ${probe}`,
          ...Object.entries({...target.headers, ...headers}).map(([name, value]) => `${name}: ${value}`),
        ],
        ...(thenHandshake && together ? {body: clientTextFrame(HANDSHAKE), afterUpgrade: Buffer.alloc(0)} : {}),
        ...(thenHandshake && !together ? {afterUpgrade: clientTextFrame(HANDSHAKE)} : {}),
        ...(target.from === undefined ? {} : {localAddress: target.from}),
        ...(target.trust ? {trust: target.trust} : {}),
        ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
        deadlineMs: cast.budgets.answer,
        signal: cast.signal,
      })
      const {status, statusLine, failure} = answer
      const frame = status === 101 ? serverTextFrame(answer.body) : undefined
      const text = frame ?? (status === 101 ? '' : answer.body.toString())
      Object.assign(result, {status, statusLine, httpVersion: answer.httpVersion}, {stayedOpen: answer.stayedOpen})
      result.headers = Object.fromEntries(
        Object.entries(answer.headers)
          .filter(([name]) => name !== 'set-cookie')
          .map(([name, values]) => [name, values.join(', ')]),
      )
      result.acceptIsValid =
        answer.headers['sec-websocket-accept']?.[0] ===
        createHash('sha1')
          .update(key + WEBSOCKET_GUID)
          .digest('base64')
      result.answer = oneLine(failure?.reason ?? text)
      if (thenHandshake && status === 101) result.handshake = /"successful"\s*:\s*true/.test(frame ?? '')
      cast.journal.close(exchange, failure?.reason ?? `${statusLine ?? ''} ${text}`, {
        ...(status === undefined ? {} : {status}),
        headers: answer.headers,
      })
      if (failure !== undefined) cast.stop(status === 101 ? 'handshake over the WebSocket' : 'upgrade', failure)
    })
  },
}
