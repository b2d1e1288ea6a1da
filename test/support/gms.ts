import {expect} from 'vitest'
import {startSimulator, type Simulator, type SimulatorOptions} from '../../src/simulator/simulator.ts'
import type {ChatNotification} from '../../src/wire/chat-messages.ts'
import {PollingUser} from './simulator-client.ts'

/** A simulator with one user in a session, and what its log says. `await using` it. */
export interface GmsUnderTest extends AsyncDisposable {
  sim: Simulator
  /** Ports of the nodes. */
  ports: readonly number[]
  /** In a session on the first node. */
  user: PollingUser
  said: readonly string[]
  /** Opens the user's chat, the agent's arrival included. Returns the newest key. */
  openChat(fields?: object): Promise<string>
  /** Publishes a request of the user; the first notification is its answer. */
  ask(data: object): Promise<ChatNotification>
}

export async function startGms(options: SimulatorOptions = {}): Promise<GmsUnderTest> {
  const said: string[] = []
  const note = (message: string): number => said.push(message)
  const sim = await startSimulator({nodes: 1, logger: {debug: note, info: note, warn: note}, ...options})
  const ports = sim.nodes.map(({port}) => port)
  const user = await new PollingUser(ports[0] ?? 0).start()
  const ask = async (data: object): Promise<ChatNotification> => {
    const {notifications} = await user.ask(data)
    return notifications[0] ?? Promise.reject(new Error('no notification'))
  }
  return {
    sim,
    ports,
    user,
    said,
    ask,
    async openChat(fields = {firstName: 'Ann', lastName: 'Example'}) {
      const {notifications} = await user.ask({operation: 'requestChat', ...fields})
      return notifications.at(-1)?.secureKey ?? ''
    },
    [Symbol.asyncDispose]: () => sim[Symbol.asyncDispose](),
  }
}

/** `messages` of a notification as `<index> <type>[ <text>]`. */
export function told({messages = []}: ChatNotification): string[] {
  return messages.map(({index, type, text}) => [index, type, ...(text === undefined ? [] : [text])].join(' '))
}

/** What every error notification looks like: nothing but the error. */
export function refused(code: number, advice: RegExp, {chatEnded = false} = {}): object {
  return {messages: [], chatEnded, statusCode: 2, errors: [{code, advice: expect.stringMatching(advice) as string}]}
}
