import {meaningOf, openOfficialClient, reasonOf} from '../client/cometd.ts'
import type {Failure} from '../client/failure.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Flaw} from './chat-log.ts'
import {ChatLog} from './chat-log.ts'
import type {Flow, Transcript} from './flow.ts'
import {REQUEST_CHAT, signed} from './probe.ts'
import {oneLine, play} from './script.ts'
import type {ChatEvent, ChatRequest} from '../wire/chat-messages.ts'

export interface ChatInput {
  /** `negotiated`: the stock client is left free, as in a customer's page. */
  transport: BayeuxTransport | 'negotiated'
  /** What the customer says; default a short greeting. */
  text?: string
}

/** The steps of a chat in their order. */
export const CHAT_STEPS = [
  'handshake',
  'requestChat',
  'agent joins',
  'sendMessage',
  'agent answers',
  'disconnect chat',
  'disconnect session',
] as const
export type ChatStep = (typeof CHAT_STEPS)[number]

export interface ChatResult extends Transcript {
  /** Transport in use after the handshake, and at the end of the chat. */
  negotiated?: string
  transportAtEnd?: string
  /** Events of the chat in order, repetitions removed. */
  messages: readonly ChatEvent[]
  notifications: number
  /** Departures of what GMS told from the contract. */
  flaws: readonly Flaw[]
  /** Session ids in the order they were given out; more than one means that the session was lost on the way. */
  clientIds: readonly string[]
  /** Handshakes answered or failed. */
  handshakes: number
  /** The steps that were tried, with what came of them. */
  steps: readonly {step: ChatStep; ok: boolean; tookMs: number; note: string}[]
}

/** A storm of handshakes (every request on another node) ends here. */
const MAX_HANDSHAKES = 6
/** WebSocket, long-polling, and long-polling once more: then the free client has had its chances. */
const MAX_FAILED_HANDSHAKES = 3
/** What the client waits in all before its third handshake (backoffIncrement 1000 ms), with room. */
const BACKOFF_MS = 3000

/** A whole chat with the official CometD client: the customer asks, an agent (where there is one) joins and answers, the customer leaves. */
export const chat: Flow<ChatInput, ChatResult> = {
  id: 'chat',
  title: 'A chat with the official client',
  run: (target, {transport, text = 'Hello from the other side of the proxy'}, context) => {
    const steps: {step: ChatStep; ok: boolean; tookMs: number; note: string}[] = []
    const clientIds: string[] = []
    const log = new ChatLog()
    const result: Omit<ChatResult, keyof Transcript> = {
      messages: log.events,
      notifications: 0,
      flaws: log.flaws,
      clientIds,
      handshakes: 0,
      steps,
    }
    return play('chat', target, context, result, async cast => {
      const {budgets, signal} = cast
      const official = await openOfficialClient(cast.user(), {
        ...(transport === 'negotiated' ? {} : {transport}),
        connectTimeoutMs: budgets.answer,
        networkDelayMs: budgets.networkDelay,
      })
      const {client} = official
      const channel = chatChannel(target.chatService)

      let breakOff: (reason: string) => void = () => undefined
      const brokenOff = new Promise<string>(resolve => {
        breakOff = resolve
      })
      signal.addEventListener('abort', () => breakOff('aborted'))
      official.onThrow(breakOff)
      let lastError = ''
      client.addListener('/meta/handshake', message => {
        result.handshakes += 1
        if (message.successful === true && message.clientId !== undefined) clientIds.push(message.clientId)
        if (result.handshakes > MAX_HANDSHAKES)
          breakOff(`more than ${MAX_HANDSHAKES} handshakes (last: ${lastError === '' ? 'successful' : lastError})`)
      })
      client.addListener('/meta/unsuccessful', message => {
        lastError = `${message.channel}: ${reasonOf(message)}`
      })
      client.addListener(channel, message => {
        log.accept(message as BayeuxMessage)
        result.notifications = log.notifications.length
      })

      /** Runs one step; `act` reports success with `undefined`, or the reason of its failure. */
      const step = async (name: ChatStep, budget: number, act: () => Promise<string | undefined>): Promise<void> => {
        const began = performance.now()
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<'late'>(resolve => {
          timer = setTimeout(() => resolve('late'), budget)
        })
        const won = await Promise.race([act(), late, brokenOff])
        clearTimeout(timer)
        const failed = won === undefined ? undefined : won === 'late' ? waited(budget, lastError) : won
        // An upgrade that failed says more than "close 1000".
        const failure =
          failed === undefined ? undefined : ((/^close 1000\b/.test(failed) ? official.upgradeFailure() : undefined) ?? classified(failed))
        steps.push({
          step: name,
          ok: failure === undefined,
          tookMs: Math.round(performance.now() - began),
          note: oneLine(failure?.reason ?? ''),
        })
        const transportNow = official.transport()
        if (transportNow !== undefined) result.transportAtEnd = transportNow
        if (failure !== undefined) cast.stop(name, failure)
      }
      const publish = (data: ChatRequest) => {
        log.asked(data.operation)
        return new Promise<string | undefined>(resolve =>
          client.publish(channel, signed(target, data), message => resolve(message.successful === true ? undefined : reasonOf(message))),
        )
      }
      const found = async (find: () => unknown, what: string) =>
        (await log.waitFor(() => find() || undefined, budgets.answer, signal)) === undefined ? what : undefined

      // Where WebSocket is not answered the free client needs one deadline before it falls back, and it backs off between attempts.
      await step(
        'handshake',
        transport === 'negotiated' ? 2 * budgets.answer + budgets.networkDelay + BACKOFF_MS : budgets.answer + 1000,
        () => {
          return new Promise(resolve => {
            client.handshake(message => {
              if (message.successful === true) resolve(undefined)
              else if (transport !== 'negotiated' || result.handshakes + 1 >= MAX_FAILED_HANDSHAKES) resolve(reasonOf(message))
            })
          })
        },
      )
      const negotiated = official.transport()
      if (negotiated !== undefined) result.negotiated = negotiated

      await step(
        'requestChat',
        2 * budgets.answer,
        async () => (await publish(REQUEST_CHAT)) ?? found(() => log.secureKey, 'no notification with a secureKey came'),
      )
      const {agent = 'answer'} = target
      if (agent !== 'absent') await step('agent joins', budgets.answer + 1000, () => found(() => log.agentEvent(), 'no agent came'))
      const before = () => log.events.at(-1)?.index ?? 0
      const asked = before()
      await step('sendMessage', 2 * budgets.answer, async () => {
        const refused = await publish({operation: 'sendMessage', secureKey: log.secureKey ?? '', message: text})
        return (
          refused ??
          found(
            () => log.events.some(event => event.index > asked && event.text === text),
            'the message did not come back in the transcript',
          )
        )
      })
      const said = log.events.find(event => event.index > asked && event.text === text)?.index ?? asked
      if (agent === 'answer')
        await step('agent answers', budgets.answer + 1000, () =>
          found(() => log.agentEvent(said, 'Message'), 'no answer of the agent came'),
        )
      await step(
        'disconnect chat',
        2 * budgets.answer,
        async () =>
          (await publish({operation: 'disconnect', secureKey: log.secureKey ?? ''})) ??
          found(() => log.ended, 'no notification ended the chat'),
      )
      await step('disconnect session', 2 * budgets.answer, () => {
        return new Promise(resolve => client.disconnect(message => resolve(message.successful === true ? undefined : reasonOf(message))))
      })
    })
  },
}

function waited(ms: number, lastError: string): string {
  return `no answer within ${ms} ms${lastError === '' ? '' : ` (last failure: ${lastError})`}`
}

/** What kind of failure the words mean: some are this flow's, the others the client's. */
function classified(reason: string): Failure {
  if (/no answer within|no notification|did not come back|no agent came|no answer of the agent/.test(reason))
    return {ended: 'timed-out', reason}
  return meaningOf(reason)
}
