import type {PushData} from '../wire/chat-messages.ts'
import type {ConversationInput, ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {Flow, Transcript} from './flow.ts'
import {REQUEST_CHAT} from './probe.ts'
import {play} from './script.ts'

export interface PushInput extends ConversationInput {
  /** The device that is to be told while nobody listens. */
  device: PushData
  /** Called when the session has been dropped, with the key of the chat: what happens now is pushed. */
  whileAway?: (secureKey: string) => unknown
}

export interface PushResult extends Transcript, ConversationRecord {
  /** Sessions in the order in which they were opened. */
  clientIds: readonly string[]
  /** Index of the last event before the session was dropped. */
  leftAt?: number
  /** Events in the answer to `requestNotifications`, in their order. */
  caughtUp: readonly {type: string; index: number}[]
}

/** A chat with a mobile device: the session is dropped without a word, and another one goes on where it ended. */
export const push: Flow<PushInput, PushResult> = {
  id: 'push',
  title: 'A chat that goes on after its session was dropped',
  run: (target, input, context) => {
    const {device, whileAway} = input
    const userData = Object.fromEntries(Object.entries(device).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
    const recording = newRecording()
    const clientIds: string[] = []
    const result: Omit<PushResult, keyof Transcript> = Object.assign(recording.result, {clientIds, caughtUp: []})
    return play('push', target, context, result, async cast => {
      const {log} = recording
      const first = await Conversation.open(cast, target, input, recording)
      clientIds.push(first.session.clientId)
      await first.begin({...REQUEST_CHAT, userData})
      await first.say('I shall be away for a moment')
      result.leftAt = log.lastIndex
      // No /meta/disconnect: as when an application is put to sleep.
      first.session.user.destroy()
      await whileAway?.(log.secureKey ?? '')

      const second = await Conversation.open(cast, target, input, recording)
      clientIds.push(second.session.clientId)
      const answer = await second.perform({operation: 'requestNotifications', transcriptPosition: result.leftAt, userData})
      result.caughtUp = answer.events
      await second.say('Here I am again')
      await second.end()
    })
  },
}
