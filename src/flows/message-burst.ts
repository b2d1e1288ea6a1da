import type {BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession, signed} from './probe.ts'
import {oneLine, play} from './script.ts'

export interface MessageBurstInput {
  transport: BayeuxTransport
  /** What the customer says; each message is sent as soon as the one before was answered. */
  texts: readonly string[]
}

export interface MessageBurstResult extends Transcript {
  clientId?: string
  /** Texts in the order in which they were sent, and what became of each request: nothing when GMS took it. */
  sent: readonly {text: string; trouble?: string}[]
  /** Texts that came back, in order of arrival, repetitions included: of the customer himself, and of the agent. */
  ownTexts: readonly string[]
  agentTexts: readonly string[]
  /** Why a poll ended that should have gone on. */
  pollTrouble?: string
}

/** What an agent who answers puts in front of what he was told. */
const REPEATS = 'You said: '

/** A customer who types fast: short messages one behind the other, while a poll is on its way as in a browser. */
export const messageBurst: Flow<MessageBurstInput, MessageBurstResult> = {
  id: 'message-burst',
  title: 'Messages one behind the other',
  needs: ({transport}) => (transport === 'long-polling' ? ['agent'] : ['agent', transport]),
  run: (target, {transport, texts}, context) => {
    const sent: {text: string; trouble?: string}[] = []
    const ownTexts: string[] = []
    const agentTexts: string[] = []
    const result: Omit<MessageBurstResult, keyof Transcript> = {sent, ownTexts, agentTexts}
    return play('message-burst', target, context, result, async cast => {
      const {answer, hold, networkDelay} = cast.budgets
      const {bayeux} = await openSession(cast, cast.user(), transport)
      if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
      const log = listen(bayeux)
      const polls = bayeux.keepConnected(hold + networkDelay + answer)
      void polls.done.then(reply => {
        if (reply !== undefined)
          result.pollTrouble = oneLine(reply.answered ? (reply.message.error ?? 'unsuccessful') : reply.failure.reason)
      })
      const key = await openChat(cast, target, bayeux, log)
      for (const [index, text] of texts.entries()) {
        if (cast.signal.aborted) return
        const note: (typeof sent)[number] = {text}
        sent.push(note)
        const request = signed(target, {operation: 'sendMessage', secureKey: log.secureKey ?? key, message: text})
        const reply = await bayeux.publish(chatChannel(target.chatService), request, answer)
        if (!reply.answered) note.trouble = oneLine(reply.failure.reason)
        else if (reply.message.successful !== true) note.trouble = oneLine(reply.message.error ?? 'unsuccessful')
        // A peer that is not there for one message is not there for the next.
        if (!reply.answered && reply.status === undefined) cast.stop(`message ${index + 1} of ${texts.length}`, reply.failure)
      }
      const told = () => log.notifications.flatMap(({messages: events = []}) => events.filter(({type}) => type === 'Message'))
      const taken = sent.filter(({trouble}) => trouble === undefined).length
      const all = () => (told().length >= 2 * taken || result.pollTrouble !== undefined ? true : undefined)
      await Promise.race([log.waitFor(all, answer, cast.signal), polls.done])
      for (const {from, text = ''} of told()) (from.type === 'Agent' ? agentTexts : ownTexts).push(text.replace(REPEATS, ''))
      polls.stop()
      await leave(cast, target, bayeux, log.secureKey)
    })
  },
}
