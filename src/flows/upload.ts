import {createCipheriv, createHash} from 'node:crypto'
import {multipart, sha256} from '../client/multipart.ts'
import type {HttpAnswer, User} from '../client/user.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {FileOperation} from '../wire/chat.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {ChatLog} from './chat-log.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession} from './probe.ts'
import type {Cast} from './script.ts'
import {need, play} from './script.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

export interface UploadInput {
  /** Transport of the chat that the file belongs to. */
  transport: BayeuxTransport
  /** Size of the file. */
  bytes: number
  /** Same seed, same content. */
  seed?: string
  /** Stop after the upload: no limits asked before, nothing downloaded or deleted. */
  uploadOnly?: boolean
}

export interface FileExchange {
  operation: FileOperation
  status?: number
  /** `statusCode` of GMS's JSON answer. */
  statusCode?: number
  probe?: string
}

export interface UploadResult extends Transcript {
  clientId?: string
  /** Content of the file, as it left and as it came back; hex. */
  sentSha256: string
  downloadedSha256?: string
  downloadedBytes?: number
  /** The whole form as it left: what GMS must have received byte for byte. */
  form: {bytes: number; sha256: string}
  fileId?: string
  /** What `fileGetLimits` told. */
  limits?: Readonly<Record<string, string>>
  /** The file operations in order. */
  operations: readonly FileExchange[]
  /** GMS took the file: HTTP 200, statusCode 0, a file id. */
  uploaded: boolean
}

/** A busy machine moves this much at least. */
const SLOWEST_BYTES_PER_MS = 1000

/** Incompressible bytes that depend on the seed only. */
export function seededBytes(bytes: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes))
}

function notificationIn(answer: Extract<HttpAnswer, {answered: true}>): Partial<ChatNotification> {
  if (answer.body.length > 65_536) return {}
  try {
    const value: unknown = JSON.parse(answer.body.toString())
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** One file operation in the name of the chat; takes over the new key. */
async function operate(
  cast: Cast,
  user: User,
  log: ChatLog,
  {operation, fields = {}, file, bytes = 0}: {operation: FileOperation; fields?: Record<string, string>; file?: Buffer; bytes?: number},
  note: (exchange: FileExchange) => void,
): Promise<{
  answer: Extract<HttpAnswer, {answered: true}>
  notification: Partial<ChatNotification>
  form: {bytes: number; sha256: string}
}> {
  const form = multipart(
    {operation, secureKey: log.secureKey ?? '', ...fields},
    file === undefined ? undefined : {field: 'file', name: 'probe.zip', mimeType: 'application/zip', content: file},
  )
  const raw = await user.request({
    method: 'POST',
    path: FILES_PATH,
    transport: 'http',
    headers: {'Content-Type': form.contentType},
    body: form.body,
    deadlineMs: cast.budgets.answer + Math.ceil((form.body.length + bytes) / SLOWEST_BYTES_PER_MS),
    maxBytes: bytes + 1_048_576,
  })
  const probe = raw.exchange.probe === undefined ? {} : {probe: raw.exchange.probe}
  if (!raw.answered) note({operation, ...probe})
  const answer = need(cast, operation, raw)
  const notification = notificationIn(answer)
  if (notification.secureKey !== undefined) log.secureKey = notification.secureKey
  note({
    operation,
    status: answer.status,
    ...probe,
    ...(notification.statusCode === undefined ? {} : {statusCode: notification.statusCode}),
  })
  return {answer, notification, form: {bytes: form.body.length, sha256: form.sha256}}
}

/** In a chat: asks for the limits, uploads a file with the same cookies and key, fetches it back and deletes it. */
export const upload: Flow<UploadInput, UploadResult> = {
  id: 'upload',
  title: 'An upload in a chat',
  run: (target, {transport, bytes, seed = 'gms-proxy', uploadOnly = false}, context) => {
    const operations: FileExchange[] = []
    const note = (exchange: FileExchange) => operations.push(exchange)
    const result: Omit<UploadResult, keyof Transcript> = {sentSha256: '', form: {bytes: 0, sha256: ''}, operations, uploaded: false}
    return play('upload', target, context, result, async cast => {
      const {budgets} = cast
      const content = seededBytes(bytes, seed)
      result.sentSha256 = sha256(content)
      const user = cast.user()
      const {bayeux} = await openSession(cast, user, transport)
      if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
      const log = listen(bayeux)
      const polls = bayeux.keepConnected(budgets.hold + budgets.networkDelay + budgets.answer)
      await openChat(cast, target, bayeux, log)

      if (!uploadOnly) {
        const {notification} = await operate(cast, user, log, {operation: 'fileGetLimits'}, note)
        const limits = notification.messages?.[0]?.userData
        if (limits !== undefined) result.limits = limits
      }
      const sent = await operate(cast, user, log, {operation: 'fileUpload', file: content}, note)
      result.form = sent.form
      const fileId = sent.notification.userData?.['file-id']
      if (fileId !== undefined) result.fileId = fileId
      result.uploaded = sent.answer.status === 200 && sent.notification.statusCode === 0 && fileId !== undefined
      if (fileId === undefined || !result.uploaded) {
        const why = sent.notification.errors?.map(({code, advice}) => `${code} ${advice}`).join(', ') ?? 'no file id in the answer'
        return cast.stop('fileUpload', {ended: 'refused', reason: sent.answer.status === 200 ? why : `HTTP ${sent.answer.status}`})
      }
      if (!uploadOnly) {
        const got = await operate(cast, user, log, {operation: 'fileDownload', fields: {fileId}, bytes}, note)
        if (got.answer.status !== 200) cast.stop('fileDownload', {ended: 'refused', reason: `HTTP ${got.answer.status}`})
        result.downloadedBytes = got.answer.body.length
        result.downloadedSha256 = sha256(got.answer.body)
        const gone = await operate(cast, user, log, {operation: 'fileDelete', fields: {fileId}}, note)
        if (gone.answer.status !== 200) cast.stop('fileDelete', {ended: 'refused', reason: `HTTP ${gone.answer.status}`})
      }
      polls.stop()
      await leave(cast, target, bayeux, log.secureKey)
    })
  },
}
