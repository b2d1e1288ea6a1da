import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {Draft} from './import-draft.ts'
import type {Request, Setting, Way} from './site.ts'

/** What an import asks a configuration that others wrote. */
export const POLL: Request = {title: 'the held poll', method: 'POST', path: `${COMETD_PATH}/connect`, headers: {}}
export const UPLOAD: Request = {title: 'the upload', method: 'POST', path: FILES_PATH, headers: {}}
export const WEBSOCKET: Request = {
  title: 'the upgrade',
  method: 'GET',
  path: COMETD_PATH,
  headers: {upgrade: 'websocket', connection: 'Upgrade'},
}
export const FRONT_PAGE: Request = {title: 'the front page', method: 'GET', path: '/', headers: {}}

/** Defaults of the parameters: what is safer than they are is kept, what is not gives way to them. ms, bytes, counts. */
export const DEFAULTS = {
  hold: 30_000,
  idleTimeout: 3_600_000,
  maxFileSize: 10_485_760,
  answerWithin: 120_000,
  stallTimeout: 60_000,
  headerTimeout: 10_000,
  chats: 1000,
  openFiles: 524_288,
} as const

/** A limit that is written and that the rendered file has another of. */
export function replaced<T>(setting: Setting<T>, because: string, draft: Draft): void {
  if (setting.span) draft.leave(setting.span, `${setting.text.trim().replace(/\s+/g, ' ')}: ${because}`)
}

/** The origin that a configuration answers browsers with. */
export function importCors({addedAnswers}: Way, draft: Draft): void {
  const added = addedAnswers.find(({name}) => name === 'access-control-allow-origin')
  if (!added) return
  if (/^https?:\/\/[^*$%]+$/.test(added.value)) {
    draft.add('access.origins', added.value, added.span)
    draft.set('access.cors', 'proxy', added.span)
  } else replaced(added, 'GMS answers browsers of other origins itself; access.origins with access.cors proxy lets the proxy do it', draft)
}
