import {multipart} from '../client/multipart.ts'
import type {User} from '../client/user.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {ChatLog} from './chat-log.ts'
import type {AgentHabit, Flow, Target, Transcript} from './flow.ts'
import {ask, listen, mustSucceed, openChat, openTransport} from './probe.ts'
import type {Cast} from './script.ts'
import {need, oneLine, play} from './script.ts'

export interface SurveyInput {
  /** How long an agent may take to join, and again to answer, ms. */
  agentMs: number
  /** False: only whether a chat opens and closes. */
  everything: boolean
}

export interface SurveyResult extends Transcript {
  /** Status of an HTTP answer that was no Bayeux: what stands there is not GMS, or wants something first. */
  status?: number
  /** GMS granted the chat. */
  opened: boolean
  /** What GMS said instead of granting it. */
  refusal?: string
  agent: AgentHabit
  /** Why these do not work, in words. Empty unless everything was asked for. */
  lacks: Readonly<Partial<Record<'websocket' | 'callback-polling' | 'files', string>>>
  /** Largest file, as GMS tells. */
  maxFileSize?: number
}

/** Goodbyes are said even when nobody answers them. */
const FAREWELL_MS = 5000

/** What a deployment offers: one chat from its beginning to its end, and a look at everything that other flows would use. */
export const survey: Flow<SurveyInput, SurveyResult> = {
  id: 'survey',
  title: 'What a GMS offers',
  run: (target, {agentMs, everything}, context) => {
    const lacks: Partial<Record<'websocket' | 'callback-polling' | 'files', string>> = {}
    const result: Omit<SurveyResult, keyof Transcript> = {opened: false, agent: 'absent', lacks}
    return play('survey', target, context, result, async cast => {
      const {answer, hold, networkDelay} = cast.budgets
      const user = cast.user()
      const {bayeux} = await openTransport(cast, user, 'long-polling')
      const first = await bayeux.handshake(answer)
      if (first.status !== undefined) result.status = first.status
      mustSucceed(cast, 'handshake', need(cast, 'handshake', first).message)
      const connected = need(cast, 'first connect', await bayeux.connect(answer, {immediate: true}))
      mustSucceed(cast, 'first connect', connected.message)
      const log = listen(bayeux)
      const polls = bayeux.keepConnected(hold + networkDelay + answer)
      const refused = log
        .waitFor(() => refusalIn(log), answer, cast.signal)
        .then(refusal => {
          if (refusal !== undefined) result.refusal = refusal
          return refusal
        })
      await Promise.race([openChat(cast, target, bayeux, log), refused.then(refusal => refusal ?? new Promise(() => undefined))])
      if (result.refusal !== undefined) cast.stop('requestChat', {ended: 'refused', reason: result.refusal})
      result.opened = true

      if (everything) {
        if ((await log.waitFor(() => log.agentEvent(), agentMs, cast.signal)) !== undefined) {
          result.agent = 'join'
          const before = log.events.at(-1)?.index ?? 0
          await ask(cast, target, bayeux, {operation: 'sendMessage', secureKey: log.secureKey ?? '', message: 'Is anybody there?'})
          if ((await log.waitFor(() => log.agentEvent(before, 'Message'), agentMs, cast.signal)) !== undefined) result.agent = 'answer'
        }
        const files = await lookAtFiles(cast, user, log)
        if (files.lack !== undefined) lacks.files = files.lack
        if (files.maxFileSize !== undefined) result.maxFileSize = files.maxFileSize
        for (const transport of ['websocket', 'callback-polling'] as const) {
          const lack = await lookAt(cast, target, transport)
          if (lack !== undefined) lacks[transport] = lack
        }
      }
      polls.stop()
      await ask(cast, target, bayeux, {operation: 'disconnect', secureKey: log.secureKey ?? ''})
      await log.waitFor(() => log.ended || undefined, FAREWELL_MS, cast.signal)
      await bayeux.disconnect(FAREWELL_MS)
    })
  },
}

/** The error of the first notification that is one. */
function refusalIn(log: ChatLog): string | undefined {
  const bad = log.notifications.find(({statusCode}) => statusCode !== 0)
  if (!bad) return undefined
  const errors = bad.errors?.map(({code, advice}) => `${code} ${advice}`).join(', ')
  return oneLine(errors ?? `statusCode ${bad.statusCode}`)
}

/** Asks for the limits, then sends the smallest of files and deletes it again: what a chat may upload is a setting of the chat service. */
async function lookAtFiles(cast: Cast, user: User, log: ChatLog): Promise<{lack?: string; maxFileSize?: number}> {
  const operate = async (fields: Readonly<Record<string, string>>, content?: Buffer) => {
    const form = multipart(
      {...fields, secureKey: log.secureKey ?? ''},
      content && {field: 'file', name: 'probe.zip', mimeType: 'application/zip', content},
    )
    const answer = await user.request({
      method: 'POST',
      path: FILES_PATH,
      transport: 'http',
      headers: {'Content-Type': form.contentType},
      body: form.body,
      deadlineMs: cast.budgets.answer,
    })
    if (!answer.answered) return {why: answer.failure.reason}
    const said = objectIn(answer.body.toString())
    if (typeof said['secureKey'] === 'string') log.secureKey = said['secureKey']
    const well = answer.status === 200 && said['statusCode'] === 0
    return well ? {said} : {why: oneLine(`${answer.status} ${answer.body.toString().slice(0, 200)}`)}
  }
  const asked = await operate({operation: 'fileGetLimits'})
  if (!asked.said) return {lack: `fileGetLimits was answered ${asked.why ?? 'nothing'}`}
  const limits = objectIn(JSON.stringify(asked.said))['messages']
  const size = Number(/"upload-max-file-size"\s*:\s*"?(\d+)/.exec(JSON.stringify(limits ?? ''))?.[1] ?? Number.NaN)
  const known = Number.isNaN(size) ? {} : {maxFileSize: size}
  const sent = await operate({operation: 'fileUpload'}, Buffer.from('PK\u0005\u0006'.padEnd(22, '\0')))
  if (!sent.said) return {...known, lack: `fileUpload was answered ${sent.why ?? 'nothing'}`}
  const fileId = objectIn(JSON.stringify(sent.said['userData'] ?? {}))['file-id']
  if (typeof fileId === 'string') await operate({operation: 'fileDelete', fileId})
  return known
}

/** Why a session cannot be opened over this transport; nothing when it can. */
async function lookAt(cast: Cast, target: Target, transport: BayeuxTransport): Promise<string | undefined> {
  const seen = await play('survey-transport', target, {budgets: cast.budgets, signal: cast.signal}, {}, async own => {
    const {bayeux} = await openTransport(own, own.user(), transport)
    mustSucceed(own, 'handshake', need(own, 'handshake', await bayeux.handshake(own.budgets.answer)).message)
    await bayeux.disconnect(FAREWELL_MS)
  })
  return seen.ended === 'completed' ? undefined : seen.stoppedAt
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
