import type {BayeuxMessage} from '../wire/bayeux.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import type {ProbeTransport, Reply} from './bayeux-client.ts'
import {replyIn} from './polling.ts'
import type {User} from './user.ts'

/** Bayeux over `POST <path>/<suffix>` with a JSON array as body (CometD reference, long-polling transport). */
export class LongPollingTransport implements ProbeTransport {
  readonly type = 'long-polling'
  onMessage: (message: BayeuxMessage) => void = () => undefined
  readonly #user: User

  constructor(user: User) {
    this.#user = user
  }

  async send(message: BayeuxMessage & {id: string}, suffix: string, deadlineMs: number): Promise<Reply> {
    const answer = await this.#user.request({
      method: 'POST',
      path: `${COMETD_PATH}/${suffix}`,
      transport: 'long-polling',
      headers: {'Content-Type': 'application/json'},
      body: JSON.stringify([message]),
      deadlineMs,
    })
    return replyIn(answer, body => body, message, this.onMessage)
  }
}
