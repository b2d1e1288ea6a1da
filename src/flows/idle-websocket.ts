import {setTimeout as silence} from 'node:timers/promises'
import {inProduction} from '../model/pace.ts'
import type {Flow, Transcript} from './flow.ts'
import {listen, openChat, openSession} from './probe.ts'
import {play} from './script.ts'

export interface IdleWebSocketInput {
  /** How long not a byte is sent in either direction, ms. */
  silenceMs: number
}

export interface IdleWebSocketResult extends Transcript {
  clientId?: string
  /** Probe header of the upgrade. */
  probe?: string
  /** Time between the last frame and the proof of life, or the cut, ms. */
  silentMs: number
  /** After the silence an answer came over the same socket; "session unknown" (402) counts, GMS forgets idle sessions. */
  alive: boolean
  /** What the proof of life was answered. */
  answer?: string
  /** The socket was cut: after how much silence, and with which close code (1006: without a word). */
  cut?: {afterMs: number; code: number}
}

/** Opens a chat over WebSocket, says nothing at all for a while, then asks for a sign of life over the same socket. */
export const idleWebSocket: Flow<IdleWebSocketInput, IdleWebSocketResult> = {
  id: 'idle-websocket',
  title: 'A WebSocket that is silent for a while',
  needs: () => ['websocket'],
  run: (target, {silenceMs}, context) => {
    const result: Omit<IdleWebSocketResult, keyof Transcript> = {silentMs: 0, alive: false}
    return play('idle-websocket', target, context, result, async cast => {
      const {bayeux, socket} = await openSession(cast, cast.user(), 'websocket')
      if (socket === undefined) throw new Error('a WebSocket session without its socket')
      result.probe = socket.socket.probe
      if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
      const log = listen(bayeux)
      await openChat(cast, target, bayeux, log)
      // An agent who joins late would break the silence: let it come first.
      await log.waitFor(() => log.agentEvent(), Math.min(2000, cast.budgets.answer), cast.signal)

      // An event in between starts the silence anew; it is measured from the last frame.
      const quietFor = () => performance.now() - socket.socket.lastTraffic
      while (quietFor() < silenceMs && socket.end === undefined) {
        const over = new AbortController()
        const wait = silence(silenceMs - quietFor(), undefined, {signal: over.signal}).catch(() => undefined)
        await Promise.race([wait, socket.ended])
        over.abort()
        if (cast.signal.aborted) return
      }
      result.silentMs = Math.round(quietFor())
      if (socket.end === undefined) {
        const reply = await bayeux.connect(cast.budgets.answer, {immediate: true})
        result.alive = reply.answered
        if (reply.answered) result.answer = reply.message.successful === true ? 'successful' : (reply.message.error ?? 'unsuccessful')
        else if (reply.failure.ended === 'timed-out') cast.stop('sign of life after the silence', reply.failure)
      }
      if (!result.alive && socket.end !== undefined) {
        const {at, code} = socket.end
        result.cut = {afterMs: Math.round(at - socket.socket.lastTraffic), code}
        cast.stop('silence', {ended: 'closed', reason: `cut with close ${code} after ${Math.round(inProduction(result.cut.afterMs))} ms`})
      }
    })
  },
}
