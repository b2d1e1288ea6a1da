import {timingSafeEqual} from 'node:crypto'
import type {ChatAuth} from '../wire/chat-messages.ts'

/** A user name and its password, as Basic authentication knows them. */
export interface Credentials {
  username: string
  password: string
}

/** `base64("username:password")`, as in an Authorization header, against the credentials. */
export function encodedMatches(encoded: string, credentials: Credentials): boolean {
  return textMatches(Buffer.from(encoded, 'base64').toString(), credentials)
}

/** Both forms that a chat request may carry (vendor page, "Authentication"). */
export function authMatches(auth: ChatAuth, credentials: Credentials): boolean {
  return 'encoded' in auth ? encodedMatches(auth.encoded, credentials) : textMatches(`${auth.username}:${auth.password}`, credentials)
}

function textMatches(text: string, {username, password}: Credentials): boolean {
  const [given, wanted] = [Buffer.from(text), Buffer.from(`${username}:${password}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
