import type {BayeuxMessage} from '../wire/bayeux.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import type {ProbeTransport, Reply} from './bayeux-client.ts'
import {replyIn} from './polling.ts'
import type {User} from './user.ts'

/**
 * The JSON inside `callback([...])`; a leading comment and a trailing semicolon are allowed. `undefined` when the text is not such a
 * call. The text is read, never run: it comes from a stranger.
 */
export function unwrapCallback(body: string, callback: string): string | undefined {
  const text = body
    .trim()
    .replace(/^\/\*\*\//, '')
    .replace(/;$/, '')
  return text.startsWith(`${callback}(`) && text.endsWith(')') ? text.slice(callback.length + 1, -1) : undefined
}

/** Bayeux over `GET <path>/<suffix>?jsonp=<callback>&message=<JSON array>` (CometD reference, callback-polling transport). */
export class CallbackPollingTransport implements ProbeTransport {
  readonly type = 'callback-polling'
  onMessage: (message: BayeuxMessage) => void = () => undefined
  readonly #user: User
  #calls = 0

  constructor(user: User) {
    this.#user = user
  }

  async send(message: BayeuxMessage & {id: string}, suffix: string, deadlineMs: number): Promise<Reply> {
    const callback = `_cometd_jsonp_${this.#calls++}`
    const answer = await this.#user.request({
      method: 'GET',
      path: `${COMETD_PATH}/${suffix}?jsonp=${callback}&message=${encodeURIComponent(JSON.stringify([message]))}`,
      transport: 'callback-polling',
      deadlineMs,
    })
    return replyIn(answer, body => unwrapCallback(body, callback), message, this.onMessage)
  }
}
