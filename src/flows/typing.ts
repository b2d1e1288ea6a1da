import type {ConversationInput, ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'

export interface TypingResult extends Transcript, ConversationRecord {
  /** The preview as it came back with the confirmation. */
  preview?: string
  /** The agent was seen typing before the answer. */
  agentTyped: boolean
  /** Index of the agent's message that the customer acknowledged. */
  read?: number
}

const PREVIEW = 'I need help with my acc'

/** The customer types, stops, types again and sends; reads the answer and says so. */
export const typing: Flow<ConversationInput, TypingResult> = {
  id: 'typing',
  title: 'Typing, a message and its receipt',
  run: (target, input, context) => {
    const recording = newRecording()
    const result: Omit<TypingResult, keyof Transcript> = Object.assign(recording.result, {agentTyped: false})
    return play('typing', target, context, result, async cast => {
      const chat = await Conversation.open(cast, target, input, recording)
      const {log} = chat
      await chat.begin()
      await chat.perform({operation: 'startTyping', message: PREVIEW})
      const preview = log.events.find(({from, type}) => from.type === 'Client' && type === 'TypingStarted')?.text
      if (preview !== undefined) result.preview = preview
      await chat.perform({operation: 'stopTyping'})
      await chat.perform({operation: 'startTyping'})
      const before = log.lastIndex
      const {heard} = await chat.say(`${PREVIEW}ount.`)
      result.agentTyped = log.agentEvent(before, 'TypingStarted') !== undefined
      await chat.perform({operation: 'readReceipt', transcriptPosition: heard})
      result.read = heard
      await chat.end()
    })
  },
}
