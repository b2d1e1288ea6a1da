import {createCipheriv, createHash} from 'node:crypto'
import {sha256} from '../client/multipart.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {FileExchange} from './file-operation.ts'
import {operateFile} from './file-operation.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession} from './probe.ts'
import {play} from './script.ts'

export interface UploadInput {
  /** Transport of the chat that the file belongs to. */
  transport: BayeuxTransport
  /** Size of the file. */
  bytes: number
  /** Same seed, same content. */
  seed?: string
  /** Stop after the upload: no limits asked before, nothing downloaded or deleted. */
  uploadOnly?: boolean
  /** Address of this machine that the user connects from. */
  from?: string
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

/** Incompressible bytes that depend on the seed only. */
export function seededBytes(bytes: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes))
}

/** In a chat: asks for the limits, uploads a file with the same cookies and key, fetches it back and deletes it. */
export const upload: Flow<UploadInput, UploadResult> = {
  id: 'upload',
  title: 'An upload in a chat',
  needs: () => ['files'],
  run: (target, {transport, bytes, seed = 'gms-proxy', uploadOnly = false, from}, context) => {
    const operations: FileExchange[] = []
    const note = (exchange: FileExchange) => operations.push(exchange)
    const result: Omit<UploadResult, keyof Transcript> = {sentSha256: '', form: {bytes: 0, sha256: ''}, operations, uploaded: false}
    return play('upload', target, context, result, async cast => {
      const {budgets} = cast
      const content = seededBytes(bytes, seed)
      result.sentSha256 = sha256(content)
      const user = cast.user({}, from === undefined ? {} : {from})
      const {bayeux} = await openSession(cast, user, transport)
      if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
      const log = listen(bayeux)
      const polls = bayeux.keepConnected(budgets.hold + budgets.networkDelay + budgets.answer)
      await openChat(cast, target, bayeux, log)

      if (!uploadOnly) {
        const {notification} = await operateFile(cast, user, log, {operation: 'fileGetLimits'}, note)
        const limits = notification.messages?.[0]?.userData
        if (limits !== undefined) result.limits = limits
      }
      const sent = await operateFile(cast, user, log, {operation: 'fileUpload', file: {name: 'probe.zip', content}}, note)
      result.form = sent.form
      const fileId = sent.notification.userData?.['file-id']
      if (fileId !== undefined) result.fileId = fileId
      result.uploaded = sent.answer.status === 200 && sent.notification.statusCode === 0 && fileId !== undefined
      if (fileId === undefined || !result.uploaded) {
        const why = sent.notification.errors?.map(({code, advice}) => `${code} ${advice}`).join(', ') ?? 'no file id in the answer'
        return cast.stop('fileUpload', {ended: 'refused', reason: sent.answer.status === 200 ? why : `HTTP ${sent.answer.status}`})
      }
      if (!uploadOnly) {
        const got = await operateFile(cast, user, log, {operation: 'fileDownload', fields: {fileId}, bytes}, note)
        if (got.answer.status !== 200) cast.stop('fileDownload', {ended: 'refused', reason: `HTTP ${got.answer.status}`})
        result.downloadedBytes = got.answer.body.length
        result.downloadedSha256 = sha256(got.answer.body)
        const gone = await operateFile(cast, user, log, {operation: 'fileDelete', fields: {fileId}}, note)
        if (gone.answer.status !== 200) cast.stop('fileDelete', {ended: 'refused', reason: `HTTP ${gone.answer.status}`})
      }
      polls.stop()
      await leave(cast, target, bayeux, log.secureKey)
    })
  },
}
