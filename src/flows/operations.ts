import type {ConversationInput, ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'

/** What the customer says in an operation that becomes an event of the transcript: texts that a filter on the way may stumble over. */
export const TOLD = [
  {operation: 'sendMessage', type: 'Message', text: "Größe 42 für 10 € – “l'été”, <b>50 %</b> + 1 & more?"},
  {operation: 'pushUrl', type: 'PushUrl', text: 'http://www.example.com/help?topic=proxies&page=1'},
  {operation: 'updateNickname', type: 'NicknameUpdated', text: 'Zoë Probe'},
  {operation: 'customNotice', type: 'CustomNotice', text: 'ordered=1&paid=true'},
] as const

export type OperationsResult = Transcript & ConversationRecord

/** Every operation of the vendor page once, in one chat over one forced transport. */
export const operations: Flow<ConversationInput, OperationsResult> = {
  id: 'operations',
  title: 'Each of the eleven operations',
  run: (target, input, context) => {
    const recording = newRecording()
    const [message, url, nickname, notice] = TOLD.map(({text}) => text) as [string, string, string, string]
    return play('operations', target, context, recording.result, async cast => {
      const chat = await Conversation.open(cast, target, input, recording)
      await chat.begin()
      await chat.perform({operation: 'requestNotifications', transcriptPosition: chat.log.lastIndex})
      await chat.perform({operation: 'startTyping', message: 'Is there'})
      await chat.perform({operation: 'stopTyping', message: 'Is there anybo'})
      const {heard} = await chat.say(message)
      await chat.perform({operation: 'readReceipt', transcriptPosition: heard})
      await chat.perform({operation: 'pushUrl', pushUrl: url})
      await chat.perform({operation: 'updateNickname', nickname})
      await chat.perform({operation: 'customNotice', message: notice})
      await chat.perform({operation: 'updateData', userData: {order: '4711', 'delivery date': '2030-01-31'}})
      await chat.end()
    })
  },
}
