import type {Logger} from '../log.ts'
import type {Chat} from './chat-store.ts'

interface AgentOptions {
  agent: 'answers' | 'silent' | 'absent'
  agentTypes: boolean
  indexGaps: boolean
  logger: Logger
}

/** The one agent of the chat service: in every chat at once, and never tired. */
export class Agent {
  readonly #options: AgentOptions

  constructor(options: AgentOptions) {
    this.#options = options
  }

  /** A chat was opened. */
  opened(chat: Chat): void {
    if (this.#options.agent !== 'absent') this.join(chat)
  }

  /** The client has said something. */
  hears(chat: Chat, message: string): void {
    if (this.#options.agent !== 'answers') return
    if (this.#options.agentTypes) this.types(chat)
    this.says(chat, `You said: ${message}`)
  }

  join(chat: Chat): void {
    if (chat.agentPresent) return
    chat.agentPresent = true
    // The strategy's notice that an agent was found is for agents only.
    if (this.#options.indexGaps) chat.skipIndex()
    this.#say(chat, 'the agent joins')
    chat.tell({from: chat.agent, type: 'ParticipantJoined'})
  }

  types(chat: Chat): void {
    this.join(chat)
    if (chat.agentTyping) return
    chat.agentTyping = true
    chat.tell({from: chat.agent, type: 'TypingStarted'})
  }

  says(chat: Chat, message: string): void {
    this.join(chat)
    this.#stopsTyping(chat)
    this.#say(chat, `agent: ${JSON.stringify(message.slice(0, 200))}`)
    chat.tell({from: chat.agent, type: 'Message', text: message, messageType: 'text'})
  }

  /** Puts a file into the chat. Returns its id. */
  sendsFile(chat: Chat, id: string, file: {name: string; mimeType: string; content: Buffer}): void {
    this.join(chat)
    chat.files.set(id, {id, ...file, by: 'Agent', downloads: 0})
    this.#say(chat, `file of the agent, ${file.content.length} bytes`)
    const userData = {'file-id': id, 'file-name': file.name, 'file-size': String(file.content.length)}
    chat.tell({from: chat.agent, type: 'FileUploaded', userData})
  }

  #stopsTyping(chat: Chat): void {
    if (!chat.agentTyping) return
    chat.agentTyping = false
    chat.tell({from: chat.agent, type: 'TypingStopped'})
  }

  #say(chat: Chat, what: string): void {
    this.#options.logger.info(`chat ${chat.number}: ${what}`)
  }
}
