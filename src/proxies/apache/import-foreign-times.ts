import type {Draft} from '../import-draft.ts'
import {durationText, sizeText} from '../import-draft.ts'
import {DEFAULTS, replaced} from '../import-foreign.ts'
import {FORM_BYTES, pollPatience} from '../margins.ts'
import type {Source} from './import-source.ts'

/** `upgrade`, `polling`, `upload` and `limits` of a configuration that others wrote: what is safer than the default is kept. */
export function foreignTimes({poll, upload, webSocket, site, chat}: Source, draft: Draft): void {
  const patience = pollPatience(DEFAULTS.hold)
  const {answerTimeout} = poll
  if (poll.end.kind === 'upstream' && answerTimeout.value !== patience)
    replaced(
      answerTimeout,
      `GMS holds a poll for 30s, and its answer is waited for ${patience / 1000}s; where it holds longer, say so in polling.hold`,
      draft,
    )
  const idle = webSocket.idleTimeout
  if (webSocket.end.kind === 'upstream') {
    if (idle.value !== undefined && idle.value > DEFAULTS.idleTimeout) draft.set('upgrade.idleTimeout', durationText(idle.value), idle.span)
    else if (idle.value !== DEFAULTS.idleTimeout && idle.span !== answerTimeout.span)
      replaced(idle, 'a silent WebSocket stays open for an hour (upgrade.idleTimeout)', draft)
  }
  const late = upload.answerTimeout
  if (late.span && late.value !== undefined && late.value > DEFAULTS.answerWithin && late.value !== answerTimeout.value)
    draft.set('upload.answerWithin', durationText(late.value), late.span)
  const {bodyLimit} = upload
  if (bodyLimit.value !== undefined && bodyLimit.value > DEFAULTS.maxFileSize + FORM_BYTES)
    draft.set('upload.maxFileSize', sizeText(bodyLimit.value - FORM_BYTES), bodyLimit.span)
  else if (bodyLimit.value !== DEFAULTS.maxFileSize + FORM_BYTES)
    replaced(bodyLimit, 'files of up to 10 MiB fit (upload.maxFileSize)', draft)
  const stall = upload.bodyTimeout
  if (stall.span && stall.value !== undefined && stall.value > DEFAULTS.stallTimeout)
    draft.set('upload.stallTimeout', durationText(stall.value), stall.span)
  else if (stall.value !== DEFAULTS.stallTimeout)
    replaced(stall, 'a client that sends nothing is given up after 1m (upload.stallTimeout)', draft)
  if (upload.wholeBodyTimeout.value !== undefined) replaced(upload.wholeBodyTimeout, 'a body may be slow as long as it comes', draft)
  const header = chat[0]?.headerTimeout
  const ms = header?.value
  if (header?.span && ms !== undefined && ms < DEFAULTS.headerTimeout) draft.set('access.headerTimeout', durationText(ms), header.span)
  else if (header && ms !== DEFAULTS.headerTimeout) replaced(header, 'a header has to be there after 10s (access.headerTimeout)', draft)
  const {chats, setting} = site.capacity
  if (chats === undefined || !setting.span) return
  if (chats > DEFAULTS.chats) draft.set('limits.chats', chats, setting.span)
  else if (chats < DEFAULTS.chats)
    draft.leave(setting.span, `${setting.text.replace(/\s+/g, ' ')} holds ${chats} chats: raised for ${DEFAULTS.chats} (limits.chats)`)
}
