import {setTimeout as pause} from 'node:timers/promises'
import {sha256} from '../client/multipart.ts'
import type {ConversationInput, ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {FileAsk, FileExchange} from './file-operation.ts'
import {operateFile} from './file-operation.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'
import {seededBytes} from './upload.ts'

export interface LongChatInput extends ConversationInput {
  /** Messages that the customer sends at least. Default 10. */
  messages?: number
  /** How long the chat lasts at least, ms. Default 0. */
  lastsMs?: number
  /** Between two messages of the customer, ms. Default 0: at once. */
  pauseMs?: number
  /** Files sent in between, as far as GMS's own limit allows. Default 2; 0 where there is no file service. */
  files?: number
  /** Called after every message of the customer: makes the agent say something on its own account. */
  agentSpeaks?: (secureKey: string, round: number) => unknown
}

/** A file that was sent and fetched back on the way. */
export interface PassedFile {
  sentSha256: string
  /** Absent when GMS did not take it or give it back. */
  gotSha256?: string
}

export interface LongChatResult extends Transcript, ConversationRecord {
  /** What the customer said, in order, with the index that GMS gave it. */
  said: readonly {text: string; index?: number}[]
  lastedMs: number
  files: readonly PassedFile[]
  fileOperations: readonly FileExchange[]
}

const FILE_BYTES = 4000

/**
 * A long conversation: each round uses every operation that a chat allows more than once, with the newest key; an answer to each message
 * is waited for, files are sent in between.
 */
export const longChat: Flow<LongChatInput, LongChatResult> = {
  id: 'long-chat',
  title: 'A long conversation with every operation',
  needs: ({files = 2}) => (files > 0 ? ['files'] : []),
  run: (target, input, context) => {
    const {messages = 10, lastsMs = 0, pauseMs = 0, files: wanted = 2, agentSpeaks} = input
    const recording = newRecording()
    const {log} = recording
    const said: {text: string; index?: number}[] = []
    const files: PassedFile[] = []
    const fileOperations: FileExchange[] = []
    const result: Omit<LongChatResult, keyof Transcript> = Object.assign(recording.result, {said, lastedMs: 0, files, fileOperations})
    return play('long-chat', target, context, result, async cast => {
      const chat = await Conversation.open(cast, target, input, recording)
      const operate = (ask: FileAsk) => operateFile(cast, chat.session.user, log, ask, exchange => fileOperations.push(exchange))
      const sendFile = async (number: number): Promise<void> => {
        const content = seededBytes(FILE_BYTES, `long-chat-${number}`)
        const file: PassedFile = {sentSha256: sha256(content)}
        files.push(file)
        const before = chat.told
        const {notification} = await operate({operation: 'fileUpload', file: {name: `photo-${number}.png`, content, mimeType: 'image/png'}})
        const fileId = notification.userData?.['file-id']
        if (fileId === undefined) return
        await chat.event('FileUploaded', ({type, userData}) => type === 'FileUploaded' && userData?.['file-id'] === fileId, before)
        const {answer} = await operate({operation: 'fileDownload', fields: {fileId}, bytes: FILE_BYTES})
        if (answer.status === 200) file.gotSha256 = sha256(answer.body)
      }

      await chat.begin()
      const began = performance.now()
      let mostFiles = wanted
      if (wanted > 0) {
        const {notification} = await operate({operation: 'fileGetLimits'})
        const limit = Number(notification.messages?.[0]?.userData?.['upload-max-files'])
        if (Number.isInteger(limit)) mostFiles = Math.min(wanted, limit)
      }
      const enough = () => said.length >= messages && performance.now() - began >= lastsMs
      while (!enough() && !cast.signal.aborted) {
        const round = said.length + 1
        const text = `Message ${round} of a long chat`
        const message: {text: string; index?: number} = {text}
        said.push(message)
        await chat.perform({operation: 'startTyping', message: text.slice(0, 9)})
        await chat.perform({operation: 'stopTyping', message: text.slice(0, 9)})
        const {own, heard} = await chat.say(text)
        message.index = own
        // The page's table says integer, its example sends a text.
        await chat.perform({operation: 'readReceipt', transcriptPosition: round % 2 === 0 ? heard : String(heard)})
        await agentSpeaks?.(log.secureKey ?? '', round)
        await chat.perform({operation: 'pushUrl', pushUrl: `https://www.example.com/help/${round}`})
        await chat.perform({operation: 'updateNickname', nickname: `Probe ${round}`})
        await chat.perform({operation: 'customNotice', message: `notice=${round}`})
        await chat.perform({operation: 'updateData', userData: {round: String(round)}})
        await chat.perform({operation: 'requestNotifications', transcriptPosition: heard})
        if (files.length < mostFiles && said.length % 2 === 1) await sendFile(files.length + 1)
        if (pauseMs > 0 && !enough()) await pause(pauseMs, undefined, {signal: cast.signal}).catch(() => undefined)
        result.lastedMs = Math.round(performance.now() - began)
      }
      await chat.end()
    })
  },
}
