import {setTimeout as wait} from 'node:timers/promises'
import {multipart, sha256} from '../client/multipart.ts'
import type {User} from '../client/user.ts'
import {nextProbe} from '../client/user.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'
import {lasting} from '../model/pace.ts'
import type {ChatLog} from './chat-log.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession} from './probe.ts'
import type {Cast} from './script.ts'
import {play} from './script.ts'
import {seededBytes} from './upload.ts'

/** A slow and unsteady line. */
export interface Pace {
  bytesPerSecond: number
  /** Silences in the middle of the body: after how many bytes, how long (ms). */
  pauses: readonly {afterBytes: number; ms: number}[]
}

export interface SendFilesInput {
  /** Users, each in a chat of its own, who upload at the same time. Default 1. */
  users?: number
  /** Addresses of this machine that the users connect from, one each; the system's choice where there is none. */
  from?: readonly string[]
  /** Size of each file; each has a content of its own. */
  bytes: number
  /** How the form travels; as fast as the line takes it when absent. */
  pace?: Pace
  /** All uploads are half sent before any of them goes on, and stay so for this long, ms: they are on their way together. */
  togetherMs?: number
  /** Called with the probe header of each upload before it is sent, so that GMS can be told what to do with it. */
  announce?(probe: string): unknown
  /** How long GMS was told to take for the answer, ms. Default 0. */
  lateMs?: number
}

/** One upload as its user saw it. Times in ms. */
export interface SentFile {
  clientId?: string
  probe: string
  /** The whole form as it left. */
  form: {bytes: number; sha256: string}
  /** Absent when no answer came. */
  status?: number
  /** The answer, byte for byte. */
  answer?: {contentType?: string; bytes: number; sha256: string}
  /** Of GMS's JSON answer. */
  statusCode?: number
  fileId?: string
  /** File ids that the user's own chat told of, in order. */
  toldOf: readonly string[]
  /** From the request to its answer, or to its end without one. */
  tookMs: number
  /** From the first byte of the form to its last, as far as it was sent. */
  sendingMs: number
  /** Longest silence between two pieces of the form: on a busy machine longer than was meant. */
  longestPauseMs: number
  /** Bytes of the form that were handed to the connection. */
  handedOver: number
  /** Why there is no answer. */
  trouble?: string
}

export interface SendFilesResult extends Transcript {
  files: readonly SentFile[]
  /** All uploads were half sent at the same moment. */
  together: boolean
}

/** A piece of a paced form leaves every so many ms, or sooner when the form is small. */
const BEAT_MS = 200
/** So that even a small form can be interrupted in the middle. */
const FEWEST_PIECES = 8
const PIECE = 65_536
/** A busy machine moves this much at least. */
const SLOWEST_BYTES_PER_MS = 1000

/** Lets everybody pass when the last one has come, or when `ms` are over. */
function gate(count: number, ms: number, signal: AbortSignal, whenAll: () => void): () => Promise<void> {
  let open: () => void = () => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  let missing = count
  let passed = false
  return async () => {
    missing -= 1
    if (missing === 0) {
      if (!passed) whenAll()
      open()
    }
    await Promise.race([opened, wait(ms, undefined, {signal, ref: false}).catch(() => undefined)])
    passed = true
  }
}

async function* pieces(
  body: Buffer,
  {pace, halfway}: {pace?: Pace; halfway?: () => Promise<void>},
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const size = pace
    ? Math.max(1, Math.min(Math.round((pace.bytesPerSecond * lasting(BEAT_MS)) / 1000), Math.ceil(body.length / FEWEST_PIECES)))
    : Math.min(PIECE, Math.ceil(body.length / 2))
  const half = body.length / 2
  const began = performance.now()
  let paused = 0
  for (let at = 0; at < body.length; at += size) {
    if (pace) {
      const before = paused
      paused = pace.pauses.reduce((sum, {afterBytes, ms}) => sum + (afterBytes <= at ? ms : 0), 0)
      const due = began + (at / pace.bytesPerSecond) * 1000 + paused
      // A pause is kept in full even when the beats before it came late.
      const rest = Math.max(due - performance.now(), paused - before)
      if (rest > 0) await wait(rest, undefined, {signal})
    } else if (halfway && at < half && at + size >= half) {
      yield body.subarray(at, at + size)
      await halfway()
      continue
    }
    yield body.subarray(at, at + size)
  }
}

function notificationIn(body: Buffer): Partial<ChatNotification> {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** One or several users, each in a chat, send a file each: slowly, together, or with a GMS that was told what to do with it. */
export const sendFiles: Flow<SendFilesInput, SendFilesResult> = {
  id: 'send-files',
  title: 'Files sent under difficulties',
  needs: () => ['files'],
  run: (target, input, context) => {
    const files: SentFile[] = []
    const result: Omit<SendFilesResult, keyof Transcript> = {files, together: false}
    return play('send-files', target, context, result, async cast => {
      const {budgets} = cast
      const {users: count = 1, togetherMs} = input
      const patience = budgets.hold + budgets.networkDelay + budgets.answer
      const users = await Promise.all(
        Array.from({length: count}, async (_, number) => {
          const address = input.from?.[number]
          const user = cast.user({}, address === undefined ? {} : {from: address})
          const {bayeux} = await openSession(cast, user, 'long-polling')
          const log = listen(bayeux)
          const polls = bayeux.keepConnected(patience)
          await openChat(cast, target, bayeux, log)
          return {user, bayeux, log, polls}
        }),
      )
      const meet = togetherMs === undefined ? undefined : gate(count, budgets.answer / 2, cast.signal, () => (result.together = true))
      const halfway =
        meet &&
        (async () => {
          await meet()
          await wait(togetherMs, undefined, {signal: cast.signal})
        })
      await Promise.all(
        users.map(async ({user, bayeux, log}, number) => {
          const sent = await sendOne(cast, {user, log, number}, {...input, ...(halfway ? {halfway} : {})})
          const {fileId} = sent
          if (fileId !== undefined) await log.waitFor(() => toldOf(log).find(id => id === fileId), budgets.answer, cast.signal)
          files[number] = {...sent, toldOf: toldOf(log), ...(bayeux.clientId === undefined ? {} : {clientId: bayeux.clientId})}
        }),
      )
      for (const {polls} of users) polls.stop()
      await Promise.all(users.map(({bayeux, log}) => leave(cast, target, bayeux, log.secureKey)))
    })
  },
}

function toldOf({events}: ChatLog): readonly string[] {
  return events.flatMap(({type, userData}) => (type === 'FileUploaded' && userData?.['file-id'] !== undefined ? [userData['file-id']] : []))
}

async function sendOne(
  cast: Cast,
  {user, log, number}: {user: User; log: ChatLog; number: number},
  {bytes, pace, halfway, announce, lateMs = 0}: SendFilesInput & {halfway?: () => Promise<void>},
): Promise<Omit<SentFile, 'toldOf'>> {
  const form = multipart(
    {operation: 'fileUpload', secureKey: log.secureKey ?? ''},
    {field: 'file', name: `probe-${number + 1}.zip`, mimeType: 'application/zip', content: seededBytes(bytes, `send-files-${number}`)},
  )
  const probe = nextProbe()
  await announce?.(probe)
  const began = performance.now()
  const clock = {last: began, longest: 0, handedOver: 0}
  const body = async function* () {
    for await (const piece of pieces(form.body, {...(pace ? {pace} : {}), ...(halfway ? {halfway} : {})}, cast.signal)) {
      const now = performance.now()
      clock.longest = Math.max(clock.longest, now - clock.last)
      clock.last = now
      clock.handedOver += piece.length
      yield piece
    }
  }
  const sendingMs = pace ? (form.body.length / pace.bytesPerSecond) * 1000 + pace.pauses.reduce((sum, {ms}) => sum + ms, 0) : 0
  const raw = await user.request({
    method: 'POST',
    path: FILES_PATH,
    transport: 'http',
    headers: {'Content-Type': form.contentType, 'Content-Length': String(form.body.length)},
    body: pace || halfway ? body : form.body,
    probe,
    deadlineMs: cast.budgets.answer + sendingMs + lateMs + Math.ceil(form.body.length / SLOWEST_BYTES_PER_MS),
  })
  const paced = pace !== undefined || halfway !== undefined
  const sent = {
    probe,
    form: {bytes: form.body.length, sha256: form.sha256},
    tookMs: Math.round(performance.now() - began),
    sendingMs: Math.round(clock.last - began),
    longestPauseMs: Math.round(clock.longest),
    handedOver: paced ? clock.handedOver : form.body.length,
  }
  if (!raw.answered) return {...sent, trouble: raw.failure.reason}
  const {statusCode, userData, secureKey} = notificationIn(raw.body)
  if (secureKey !== undefined) log.secureKey = secureKey
  const fileId = userData?.['file-id']
  const [contentType] = raw.headers['content-type'] ?? []
  return {
    ...sent,
    status: raw.status,
    answer: {bytes: raw.body.length, sha256: sha256(raw.body), ...(contentType === undefined ? {} : {contentType})},
    ...(statusCode === undefined ? {} : {statusCode}),
    ...(fileId === undefined ? {} : {fileId}),
  }
}
