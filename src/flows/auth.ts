import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {ChatAuth} from '../wire/chat-messages.ts'
import type {ConversationRecord} from './conversation.ts'
import {Conversation, newRecording} from './conversation.ts'
import type {SessionInput} from './chat-session.ts'
import type {Flow, Target, Transcript} from './flow.ts'
import {REQUEST_CHAT} from './probe.ts'
import {play} from './script.ts'

export interface AuthInput extends Pick<SessionInput, 'client' | 'style'> {
  transport: BayeuxTransport
  /** Credentials that the chat service takes. */
  username: string
  password: string
}

/** In which form credentials were given, and whether they were the right ones. */
export const CREDENTIALS = ['none', 'open', 'encoded', 'open, wrong', 'encoded, wrong'] as const
export type Credentials = (typeof CREDENTIALS)[number]

export interface AuthAttempt extends ConversationRecord {
  credentials: Credentials
  /** GMS opened a chat. */
  opened: boolean
  /** GMS's words when it did not. */
  errors: readonly string[]
}

export interface AuthResult extends Transcript {
  /** In the order of `CREDENTIALS`, each in a session of its own. */
  attempts: readonly AuthAttempt[]
}

/** A chat is asked for with credentials in each form, right and wrong, and without. */
export const auth: Flow<AuthInput, AuthResult> = {
  id: 'auth',
  title: 'Credentials of a chat service',
  run: (target, {username, password, ...input}, context) => {
    const attempts: AuthAttempt[] = []
    return play('auth', target, context, {attempts}, async cast => {
      for (const credentials of CREDENTIALS) {
        const recording = newRecording()
        const attempt: AuthAttempt = Object.assign(recording.result, {credentials, opened: false, errors: []})
        const given = authOf(credentials, username, password)
        const chat = await Conversation.open(cast, as(target, given), input, recording)
        attempts.push(attempt)
        const answer = await chat.perform(REQUEST_CHAT)
        attempt.opened = answer.statusCode === 0
        attempt.errors = answer.errors
        if (attempt.opened) await chat.end()
        else await chat.session.disconnect()
        chat.session.user.destroy()
      }
    })
  },
}

/** The same place with these credentials and no others. */
function as({auth: _, ...target}: Target, given: ChatAuth | undefined): Target {
  return given === undefined ? target : {...target, auth: given}
}

/** `undefined` for none. The encoded form is `base64("username:password")` (vendor page, "Authentication"). */
function authOf(credentials: Credentials, username: string, password: string): ChatAuth | undefined {
  const encoded = (secret: string) => ({encoded: Buffer.from(`${username}:${secret}`).toString('base64')})
  switch (credentials) {
    case 'none':
      return undefined
    case 'open':
      return {username, password}
    case 'encoded':
      return encoded(password)
    case 'open, wrong':
      return {username, password: `not ${password}`}
    case 'encoded, wrong':
      return encoded(`not ${password}`)
  }
}
