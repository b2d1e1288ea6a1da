import {COMETD_PATH} from '../wire/bayeux.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {Flow, Transcript} from './flow.ts'
import {mustSucceed, openTransport} from './probe.ts'
import {need, play} from './script.ts'

export interface HandshakeInput {
  transport: BayeuxTransport
  /** Sent with every request, e.g. forged forwarding headers. */
  headers?: Readonly<Record<string, string>>
  /** Address of this machine to connect from; the system's choice when absent. */
  from?: string
}

export interface HandshakeResult extends Transcript {
  clientId?: string
  supportedConnectionTypes: readonly string[]
  /** Names of the cookies that the answers set. */
  cookies: readonly string[]
  /** Headers of the answer that carried the handshake (or of the 101), without cookies. */
  headers: Readonly<Record<string, string>>
  /** Status of the upgrade: only on WebSocket. */
  upgradeStatus?: number
}

/** Forced transport: handshake and first connect. */
export const handshake: Flow<HandshakeInput, HandshakeResult> = {
  id: 'handshake',
  title: 'Handshake and first connect',
  run: (target, {transport, headers = {}, from}, context) => {
    const result: Omit<HandshakeResult, keyof Transcript> = {supportedConnectionTypes: [], cookies: [], headers: {}}
    return play('handshake', target, context, result, async cast => {
      const user = cast.user(headers, from === undefined ? {} : {from})
      const note = (seen: Readonly<Record<string, readonly string[]>> | undefined) => {
        const named = Object.entries(seen ?? {}).filter(([name]) => name !== 'set-cookie')
        result.headers = Object.fromEntries(named.map(([name, values]) => [name, values.join(', ')]))
        result.cookies = user.cookieNames(COMETD_PATH)
      }
      const session = await openTransport(cast, user, transport)
      if (session.upgrade?.status !== undefined) result.upgradeStatus = session.upgrade.status
      note(session.upgrade?.headers)
      const first = need(cast, 'handshake', await session.bayeux.handshake(cast.budgets.answer))
      if (first.headers !== undefined) note(first.headers)
      if (first.message.clientId !== undefined) result.clientId = first.message.clientId
      result.supportedConnectionTypes = first.message.supportedConnectionTypes ?? []
      mustSucceed(cast, 'handshake', first.message)
      const connect = need(cast, 'first connect', await session.bayeux.connect(cast.budgets.answer, {immediate: true}))
      mustSucceed(cast, 'first connect', connect.message)
      await session.bayeux.disconnect(Math.min(cast.budgets.answer, 2000))
    })
  },
}
