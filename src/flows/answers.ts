import {multipart, sha256} from '../client/multipart.ts'
import {nextProbe} from '../client/user.ts'
import {chatChannel} from '../wire/chat.ts'
import type {ChatOperation} from '../wire/chat-messages.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession} from './probe.ts'
import {play} from './script.ts'

/** One request and what is said about it. */
export interface Ask {
  /** In words, for the report. */
  name: string
  method: string
  /** Path and query. */
  path: string
  /** A JSON or other text. */
  body?: {contentType: string; text: string}
  /** Fields of a form; the key of the chat is added. Needs `chat`. */
  form?: Readonly<Record<string, string>>
  /** A chat request, published with the session and the key of the chat. Needs `chat`. */
  publish?: Readonly<Record<string, string>> & {operation: ChatOperation}
  /** Called with the probe header before it is sent, so that GMS can be told what to do with it. */
  announce?(probe: string): unknown
}

export interface AnswersInput {
  asks: readonly Ask[]
  /** The requests are made in the name of a chat. */
  chat?: boolean
}

/** What the client got, byte for byte. */
export interface SeenAnswer {
  name: string
  probe: string
  /** Absent when no answer came. */
  status?: number
  contentType?: string
  bytes?: number
  sha256?: string
  /** Why there is no answer. */
  trouble?: string
}

export interface AnswersResult extends Transcript {
  answers: readonly SeenAnswer[]
}

/** A user asks for this and that, each request on a connection of its own, and keeps every answer as it came. */
export const answers: Flow<AnswersInput, AnswersResult> = {
  id: 'answers',
  title: 'Requests and their answers as they came',
  needs: ({asks}) => (asks.some(({form}) => form) ? ['files'] : []),
  run: (target, {asks, chat = false}, context) => {
    const seen: SeenAnswer[] = []
    return play('answers', target, context, {answers: seen}, async cast => {
      const {budgets} = cast
      const user = cast.user()
      const session = chat ? (await openSession(cast, user, 'long-polling')).bayeux : undefined
      const log = session && listen(session)
      const polls = session?.keepConnected(budgets.hold + budgets.networkDelay + budgets.answer)
      if (session && log) await openChat(cast, target, session, log)
      for (const {name, method, path, body, form, publish, announce} of asks) {
        const secureKey = log?.secureKey ?? ''
        const multi = form && multipart({...form, secureKey})
        const message = {id: 'published', channel: chatChannel(target.chatService), clientId: session?.clientId}
        const published = publish && JSON.stringify([{...message, data: {...publish, secureKey}}])
        const contentType = multi?.contentType ?? (published === undefined ? body?.contentType : 'application/json')
        const content = multi?.body ?? published ?? body?.text
        const probe = nextProbe()
        await announce?.(probe)
        const raw = await user.request({
          method,
          path,
          transport: 'http',
          headers: contentType === undefined ? {} : {'Content-Type': contentType},
          ...(content === undefined ? {} : {body: content}),
          probe,
          deadlineMs: budgets.answer,
        })
        if (!raw.answered) {
          seen.push({name, probe, trouble: raw.failure.reason})
          continue
        }
        const [type] = raw.headers['content-type'] ?? []
        seen.push({
          name,
          probe,
          status: raw.status,
          bytes: raw.body.length,
          sha256: sha256(raw.body),
          ...(type === undefined ? {} : {contentType: type}),
        })
      }
      polls?.stop()
      if (session) await leave(cast, target, session, log?.secureKey)
    })
  },
}
