import {setTimeout as silence} from 'node:timers/promises'
import type {Flow, Transcript} from './flow.ts'
import {openSession} from './probe.ts'
import {play} from './script.ts'

export interface SilentSocketsInput {
  /** How long each socket says nothing, ms: one socket each, all at once. */
  silencesMs: readonly number[]
}

/** What became of one socket. */
export interface SilentSocket {
  silenceMs: number
  /** After the silence an answer came over it; "session unknown" (402) counts, GMS forgets idle sessions. */
  alive: boolean
  /** It was closed: after how much silence, and with which code (1006: without a word). */
  cut?: {afterMs: number; code: number}
  /** Why it was never silent: there was no session to begin with. */
  trouble?: string
}

export interface SilentSocketsResult extends Transcript {
  /** In the order of `silencesMs`. */
  sockets: readonly SilentSocket[]
}

/**
 * Sessions over WebSocket, without a chat, each silent for a time of its own and then asked for a sign of life. Whoever closes an idle
 * connection is seen closing it; whoever only forgets it (a firewall) is seen in the first one that no longer answers.
 */
export const silentSockets: Flow<SilentSocketsInput, SilentSocketsResult> = {
  id: 'silent-sockets',
  title: 'WebSockets that are silent for different times',
  needs: () => ['websocket'],
  run: async (target, {silencesMs}, context) => {
    const one = async (silenceMs: number) => {
      const seen: SilentSocket = {silenceMs, alive: false}
      const transcript = await play('silent-sockets', target, context, {}, async cast => {
        const {bayeux, socket} = await openSession(cast, cast.user(), 'websocket')
        if (socket === undefined) throw new Error('a WebSocket session without its socket')
        const quietFor = () => performance.now() - socket.socket.lastTraffic
        while (quietFor() < silenceMs && socket.end === undefined) {
          const over = new AbortController()
          const wait = silence(silenceMs - quietFor(), undefined, {signal: over.signal}).catch(() => undefined)
          await Promise.race([wait, socket.ended])
          over.abort()
          if (cast.signal.aborted) return
        }
        // Only a cut in the silence tells how long it took: the question after it may be what ends a forgotten connection.
        const {end} = socket
        if (end === undefined) seen.alive = (await bayeux.connect(cast.budgets.answer, {immediate: true})).answered
        else seen.cut = {afterMs: Math.round(end.at - socket.socket.lastTraffic), code: end.code}
        if (seen.alive) await bayeux.disconnect(Math.min(cast.budgets.answer, 2000))
      })
      if (transcript.ended !== 'completed') seen.trouble = transcript.stoppedAt ?? transcript.ended
      return {seen, transcript}
    }
    const all = await Promise.all(silencesMs.map(one))
    const [first] = all
    return {
      flow: 'silent-sockets',
      ended: all.find(({transcript}) => transcript.ended !== 'completed')?.transcript.ended ?? 'completed',
      exchanges: first?.transcript.exchanges ?? [],
      sockets: all.map(({seen}) => seen),
    }
  },
}
