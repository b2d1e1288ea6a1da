import {sha256} from '../client/multipart.ts'
import type {ChatEvent} from '../wire/chat-messages.ts'
import type {ConversationInput, ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {FileAnswer, FileAsk, FileExchange, FormType} from './file-operation.ts'
import {FORM_TYPES, operateFile, refusalIn} from './file-operation.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'
import {seededBytes} from './upload.ts'

/** Limits of GMS that a customer can run into, by their names in the answer to `fileGetLimits`. */
export const FILE_LIMITS = [
  'download-attempts',
  'upload-file-types',
  'upload-max-file-size',
  'upload-max-total-size',
  'upload-max-files',
] as const
export type FileLimit = (typeof FILE_LIMITS)[number]

export interface FilesInput extends ConversationInput {
  /** Size of the file. Default 2000. */
  bytes?: number
  /** Limits to run into, one after the other; one may leave no room for the next. Default none: sizes may be large. */
  limits?: readonly FileLimit[]
}

/** A download and what came of it. */
export interface Download {
  type: FormType
  /** Where `fileId` travelled. */
  fieldsIn: 'form' | 'query'
  status: number
  contentType: string
  bytes: number
  sha256: string
}

export interface FilesResult extends Transcript, ConversationRecord {
  /** The file operations in order. */
  fileOperations: readonly FileExchange[]
  /** What `fileGetLimits` told, asked in either form. */
  told: readonly {type: FormType; limits: Readonly<Record<string, string>>}[]
  /** Of the file; hex. */
  sentSha256: string
  fileId?: string
  /** What the customer said of the file. */
  described: Readonly<Record<string, string>>
  /** The events on the channel that told of the file. */
  uploadedEvent?: ChatEvent
  deletedEvent?: ChatEvent
  downloads: readonly Download[]
  /** GMS deleted the file: 200, statusCode 0. */
  deleted: boolean
  /** The download of the deleted file. */
  afterDelete?: {status: number; contentType: string; hasReferenceId: boolean}
  /** Limits that were run into, with GMS's words; without words GMS did not refuse. */
  refusals: readonly {limit: FileLimit; refusal?: string}[]
}

const DESCRIPTION = {'file-description': 'March invoice', userKey1: 'User value 1'}
/** Both forms, and both places where the page has `fileId`; no more, for GMS counts downloads. */
const DOWNLOADS: readonly Pick<Download, 'type' | 'fieldsIn'>[] = [
  {type: 'multipart/form-data', fieldsIn: 'form'},
  {type: 'application/x-www-form-urlencoded', fieldsIn: 'query'},
]
/** A limit that is not kept after so many attempts is not kept. */
const MAX_ATTEMPTS = 50

/** The life of a file in a chat: limits, upload with a description, downloads, deletion, and a download too late. */
export const files: Flow<FilesInput, FilesResult> = {
  id: 'files',
  title: 'The four file operations',
  needs: () => ['files'],
  run: (target, input, context) => {
    const {bytes = 2000, limits = []} = input
    const recording = newRecording()
    const {log} = recording
    const content = seededBytes(bytes, 'files')
    const fileOperations: FileExchange[] = []
    const told: {type: FormType; limits: Readonly<Record<string, string>>}[] = []
    const downloads: Download[] = []
    const refusals: {limit: FileLimit; refusal?: string}[] = []
    const result: Omit<FilesResult, keyof Transcript> = Object.assign(recording.result, {
      fileOperations,
      told,
      sentSha256: sha256(content),
      described: DESCRIPTION,
      downloads,
      deleted: false,
      refusals,
    })
    return play('files', target, context, result, async cast => {
      const chat = await Conversation.open(cast, target, input, recording)
      const operate = (ask: FileAsk) => operateFile(cast, chat.session.user, log, ask, exchange => fileOperations.push(exchange))
      await chat.begin()
      for (const type of FORM_TYPES) {
        const {notification} = await operate({operation: 'fileGetLimits', type})
        told.push({type, limits: notification.messages?.[0]?.userData ?? {}})
      }

      const fields = Object.fromEntries(Object.entries(DESCRIPTION).map(([key, value]) => [`userData[${key}]`, value]))
      const before = chat.told
      const sent = await operate({operation: 'fileUpload', fields, file: {name: 'invoice.pdf', content, mimeType: 'application/pdf'}})
      const fileId = sent.notification.userData?.['file-id']
      if (fileId === undefined) return cast.stop('fileUpload', {ended: 'refused', reason: refusalIn(sent) ?? 'no file id in the answer'})
      result.fileId = fileId
      const tells = (type: string) => (event: ChatEvent) => event.type === type && event.userData?.['file-id'] === fileId
      result.uploadedEvent = await chat.event('FileUploaded', tells('FileUploaded'), before)

      const download = async (how: Pick<Download, 'type' | 'fieldsIn'>): Promise<FileAnswer> => {
        const got = await operate({operation: 'fileDownload', fields: {fileId}, bytes, ...how})
        downloads.push({...how, ...bodyOf(got)})
        return got
      }
      for (const how of DOWNLOADS) await download(how)
      if (limits.includes('download-attempts'))
        await exhaust('download-attempts', () => download({type: 'multipart/form-data', fieldsIn: 'form'}))

      const gone = await operate({operation: 'fileDelete', fields: {fileId}, type: 'application/x-www-form-urlencoded'})
      result.deleted = gone.answer.status === 200 && gone.notification.statusCode === 0
      if (result.deleted) result.deletedEvent = await chat.event('FileDeleted', tells('FileDeleted'), before)
      const late = await operate({operation: 'fileDownload', fields: {fileId}, bytes})
      const {status, contentType} = bodyOf(late)
      result.afterDelete = {status, contentType, hasReferenceId: late.answer.body.toString().includes('referenceId')}

      for (const limit of limits.filter(name => name !== 'download-attempts')) {
        const {notification} = await operate({operation: 'fileGetLimits'})
        const now = notification.messages?.[0]?.userData ?? {}
        await exhaust(limit, attempt => operate({operation: 'fileUpload', file: offending(limit, now, attempt)}))
      }
      await chat.end()
    })

    async function exhaust(limit: FileLimit, act: (attempt: number) => Promise<FileAnswer>): Promise<void> {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const refusal = refusalIn(await act(attempt))
        if (refusal === undefined) continue
        refusals.push({limit, refusal})
        return
      }
      refusals.push({limit})
    }
  },
}

function bodyOf({answer}: FileAnswer): Pick<Download, 'status' | 'contentType' | 'bytes' | 'sha256'> {
  const {status, headers, body} = answer
  return {status, contentType: headers['content-type']?.[0] ?? '', bytes: body.length, sha256: sha256(body)}
}

/** The file that is to break a limit; where one is not enough, that of attempt `attempt`. */
function offending(limit: FileLimit, told: Readonly<Record<string, string>>, attempt: number): {name: string; content: Buffer} {
  const name = `probe-${attempt + 1}.zip`
  const largest = Number(told['upload-max-file-size'] ?? 0)
  if (limit === 'upload-file-types') return {name: 'probe.not-a-type', content: seededBytes(100, name)}
  if (limit === 'upload-max-file-size') return {name, content: seededBytes(largest + 1, name)}
  if (limit === 'upload-max-files') return {name, content: seededBytes(1, name)}
  const left = Number(told['upload-max-total-size'] ?? 0) - Number(told['used-upload-max-total-size'] ?? 0) - attempt * largest
  return {name, content: seededBytes(Math.max(1, Math.min(largest, left + 1)), name)}
}
