import {multipart, sha256} from '../client/multipart.ts'
import type {HttpAnswer, User} from '../client/user.ts'
import type {FileOperation} from '../wire/chat.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {FileReply} from '../wire/chat-messages.ts'
import {fileReplySchema} from '../wire/chat-messages.ts'
import type {ChatLog} from './chat-log.ts'
import type {Cast} from './script.ts'
import {need, oneLine} from './script.ts'

/** The two forms that the vendor page allows; a file travels in the first only. */
export const FORM_TYPES = ['multipart/form-data', 'application/x-www-form-urlencoded'] as const
export type FormType = (typeof FORM_TYPES)[number]

/** What is asked of the file service. The key of the chat is added. */
export interface FileAsk {
  operation: FileOperation
  fields?: Readonly<Record<string, string>>
  file?: {name: string; content: Buffer; mimeType?: string}
  /** Default multipart. */
  type?: FormType
  /** `query`: fields travel in the URL, where the page's tables have `fileId`. Default `form`, where its examples have it. */
  fieldsIn?: 'form' | 'query'
  /** Bytes that may come back beyond an ordinary answer. */
  bytes?: number
}

/** One file operation as the client saw it. */
export interface FileExchange {
  operation: FileOperation
  status?: number
  /** `statusCode` of GMS's JSON answer. */
  statusCode?: number
  probe?: string
  /** What is wrong with the JSON answer as a notification. */
  flaw?: string
}

export interface FileAnswer {
  answer: Extract<HttpAnswer, {answered: true}>
  /** Empty when the answer is not a notification. */
  notification: Partial<FileReply>
  /** The form as it left. */
  form: {bytes: number; sha256: string}
}

/** A busy machine moves this much at least. */
const SLOWEST_BYTES_PER_MS = 1000
/** Longest answer that can be a notification. */
const NOTIFICATION_BYTES = 65_536

/** One file operation in the name of the chat; takes over the new key. The script ends when no HTTP answer comes. */
export async function operateFile(
  cast: Cast,
  user: User,
  log: ChatLog,
  {operation, fields = {}, file, type = 'multipart/form-data', fieldsIn = 'form', bytes = 0}: FileAsk,
  note: (exchange: FileExchange) => void,
): Promise<FileAnswer> {
  const asked = {operation, secureKey: log.secureKey ?? ''}
  const inForm = fieldsIn === 'form' ? {...asked, ...fields} : asked
  const form =
    type === 'multipart/form-data' ? multipart(inForm, file && {field: 'file', mimeType: 'application/zip', ...file}) : encoded(inForm)
  const query = fieldsIn === 'query' ? `?${new URLSearchParams(fields).toString()}` : ''
  const raw = await user.request({
    method: 'POST',
    path: FILES_PATH + query,
    transport: 'http',
    headers: {'Content-Type': form.contentType},
    body: form.body,
    deadlineMs: cast.budgets.answer + Math.ceil((form.body.length + bytes) / SLOWEST_BYTES_PER_MS),
    maxBytes: bytes + 1_048_576,
  })
  const probe = raw.exchange.probe === undefined ? {} : {probe: raw.exchange.probe}
  if (!raw.answered) note({operation, ...probe})
  const answer = need(cast, operation, raw)
  const {notification, flaw} = notificationIn(answer)
  if (notification.secureKey !== undefined) log.secureKey = notification.secureKey
  note({
    operation,
    status: answer.status,
    ...probe,
    ...(notification.statusCode === undefined ? {} : {statusCode: notification.statusCode}),
    ...(flaw === undefined ? {} : {flaw}),
  })
  return {answer, notification, form: {bytes: form.body.length, sha256: form.sha256}}
}

/** Why GMS did not do it, in its own words; `undefined` when it did. */
export function refusalIn({answer, notification}: FileAnswer): string | undefined {
  if (answer.status !== 200) return oneLine(`HTTP ${answer.status}`)
  if (notification.statusCode === undefined || notification.statusCode === 0) return undefined
  return oneLine(notification.errors?.map(({code, advice}) => `${code} ${advice}`).join(', ') ?? `statusCode ${notification.statusCode}`)
}

function encoded(fields: Readonly<Record<string, string>>): {contentType: string; body: Buffer; sha256: string} {
  const body = Buffer.from(new URLSearchParams(fields).toString())
  return {contentType: 'application/x-www-form-urlencoded', body, sha256: sha256(body)}
}

/** What is not a notification in every field is read as far as it goes. */
function notificationIn(answer: Extract<HttpAnswer, {answered: true}>): {notification: Partial<FileReply>; flaw?: string} {
  if (answer.body.length > NOTIFICATION_BYTES || !/json/.test(answer.headers['content-type']?.[0] ?? 'json')) return {notification: {}}
  let value: unknown
  try {
    value = JSON.parse(answer.body.toString())
  } catch {
    return {notification: {}}
  }
  const parsed = fileReplySchema.safeParse(value)
  if (parsed.success) return {notification: parsed.data}
  const [issue] = parsed.error.issues
  return {
    notification: typeof value === 'object' && value !== null ? value : {},
    flaw: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  }
}
