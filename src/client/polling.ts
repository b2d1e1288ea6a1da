import type {BayeuxMessage} from '../wire/bayeux.ts'
import type {Reply} from './bayeux-client.ts'
import {parseMessages} from './socket.ts'
import type {HttpAnswer} from './user.ts'

/** Finds the reply to `sent` in an HTTP answer whose Bayeux text is `text`; everything else goes to `onMessage`. */
export function replyIn(
  answer: HttpAnswer,
  text: (body: string) => string | undefined,
  sent: BayeuxMessage,
  onMessage: (message: BayeuxMessage) => void,
): Reply {
  if (!answer.answered) return answer
  const {status, headers, exchange} = answer
  if (status !== 200) return {answered: false, failure: {ended: 'refused', reason: `HTTP ${status}`}, exchange, status}
  const body = text(answer.body.toString())
  const messages = body === undefined ? undefined : parseMessages(body)
  if (messages === undefined) return {answered: false, failure: {ended: 'refused', reason: 'the answer is not Bayeux'}, exchange, status}
  let reply: BayeuxMessage | undefined
  for (const message of messages) {
    if (reply === undefined && message.channel === sent.channel && message.data === undefined && message.id === sent.id) reply = message
    else onMessage(message)
  }
  if (reply === undefined)
    return {answered: false, failure: {ended: 'refused', reason: `the answer holds no reply to ${sent.channel}`}, exchange, status}
  return {answered: true, message: reply, exchange, status, headers}
}
