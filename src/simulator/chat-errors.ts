import {randomInt} from 'node:crypto'
import {CHAT_OPERATIONS, type ChatNotification} from '../wire/chat-messages.ts'

/** Codes seen in the field (249) or decided here where the sources are silent (102, 401). */
export const ERROR_CODE = {missingParameter: 102, notExecuted: 249, unauthorized: 401} as const

/** `data` of an error notification. Field sample: errors[{code, advice}], statusCode 2 = retry is useless. */
export function chatError(code: number, what: string, {chatEnded = false} = {}): ChatNotification {
  return {messages: [], chatEnded, statusCode: 2, errors: [{code, advice: `${what} referenceId[${randomInt(10_000_000, 99_999_999)}]`}]}
}

export function wrongParameter(name: string): ChatNotification {
  return chatError(ERROR_CODE.missingParameter, `Parameter ${name} is not valid.`)
}

/** The first thing wrong with a request that is none; `path` is where it was found. */
export function notARequest(data: unknown, path: readonly PropertyKey[]): ChatNotification {
  const request = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {}
  if (!CHAT_OPERATIONS.some(name => name === request['operation']))
    return chatError(ERROR_CODE.missingParameter, `Unknown operation ${JSON.stringify(request['operation'])}.`)
  const missing = path.length === 1 && request[String(path[0])] === undefined
  const name = path.map(String).join('.')
  return missing ? chatError(ERROR_CODE.missingParameter, `Parameter ${name} is missing.`) : wrongParameter(name)
}
