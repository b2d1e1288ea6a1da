import {CometD, type Message} from 'cometd'
import type {ChatEvent, ChatNotification, ChatRequest} from '../../wire/chat-messages.ts'

const FILES = '/genesys/2/chat-ntf'
/** The customer is taken to have stopped typing after this long, ms. */
const TYPING_MS = 3000

export interface ChatStart {
  transport: string
  /** As the client listens: both are valid. */
  style: 'subscribe' | 'addListener'
  request: Extract<ChatRequest, {operation: 'requestChat'}>
}

interface Listener {
  /** A message as the client sent or received it. */
  onMessage(way: 'sent' | 'received', message: Message): void
  onEvent(event: ChatEvent): void
  /** Something to tell the person. */
  onNote(text: string, bad: boolean): void
  /** The state has changed. */
  onChange(): void
}

/** One customer, in the hands of the official CometD library. */
export class Customer {
  readonly #listener: Listener
  readonly #channel: () => string
  #cometd: CometD | undefined
  #start: ChatStart | undefined
  #secureKey: string | undefined
  #typing: ReturnType<typeof setTimeout> | undefined
  /** Index of the last event that was processed. */
  position = 0
  nickname = ''

  constructor(channel: () => string, listener: Listener) {
    this.#channel = channel
    this.#listener = listener
  }

  /** In a chat, or on the way into one. */
  get busy(): boolean {
    return this.#start !== undefined
  }

  get chatting(): boolean {
    return this.#secureKey !== undefined
  }

  get transport(): string {
    return this.#cometd?.getTransport()?.type ?? ''
  }

  get status(): string {
    return this.#cometd?.getStatus() ?? 'disconnected'
  }

  start(start: ChatStart): void {
    const cometd = new CometD()
    for (const type of cometd.getTransportTypes()) if (type !== start.transport) cometd.unregisterTransport(type)
    cometd.configure({url: `${location.origin}/genesys/cometd`, logLevel: 'warn'})
    const taken = (way: 'sent' | 'received') => (message: Message) => {
      this.#listener.onMessage(way, message)
      return message
    }
    cometd.registerExtension('wire', {incoming: taken('received'), outgoing: taken('sent')})
    if (start.style === 'addListener') cometd.addListener(this.#channel(), message => this.#heard(message.data as ChatNotification))
    cometd.addListener('/meta/handshake', message => {
      if (message.successful === true) this.#enter(cometd)
    })
    cometd.addListener('/meta/unsuccessful', message => {
      // The client retries a connect by itself, and a publish tells its own.
      if (message.channel.startsWith('/meta/') && message.channel !== '/meta/connect')
        this.#listener.onNote(`${message.channel} failed: ${message.error ?? 'no answer'}`, true)
      this.#listener.onChange()
    })
    cometd.addListener('/meta/connect', () => this.#listener.onChange())
    this.#cometd = cometd
    this.#start = start
    this.nickname = start.request.nickname ?? ''
    this.position = 0
    cometd.handshake()
    this.#listener.onChange()
  }

  /** Publishes an operation with the key of the chat; a press on the wrong button is GMS's to refuse. */
  publish(request: Readonly<Record<string, unknown>>): void {
    const data = request['operation'] === 'requestChat' ? request : {...request, secureKey: this.#secureKey}
    this.#cometd?.publish(this.#channel(), data, ack => {
      if (ack.successful !== true)
        this.#listener.onNote(`${String(request['operation'])} was not acknowledged: ${ack.error ?? 'no answer'}`, true)
    })
  }

  say(message: string): void {
    this.stopTyping()
    this.publish({operation: 'sendMessage', message})
  }

  /** A key was pressed. */
  types(message: string): void {
    if (this.#typing === undefined) this.publish({operation: 'startTyping', message})
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => this.stopTyping(), TYPING_MS)
  }

  stopTyping(): void {
    if (this.#typing === undefined) return
    clearTimeout(this.#typing)
    this.#typing = undefined
    this.publish({operation: 'stopTyping'})
  }

  /** Ends the chat, then the session. */
  leave(): void {
    const cometd = this.#cometd
    this.stopTyping()
    if (this.chatting) this.publish({operation: 'disconnect'})
    this.#forget()
    cometd?.disconnect(() => this.#listener.onChange())
  }

  /** One file operation. The new key that comes with it is taken. */
  async files(fields: Readonly<Record<string, string | File>>): Promise<Response> {
    const form = new FormData()
    form.set('secureKey', this.#secureKey ?? '')
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    const response = await fetch(FILES, {method: 'POST', body: form})
    if (response.headers.get('content-type')?.startsWith('application/json') === true && fields['operation'] !== 'fileDownload') {
      const {secureKey} = (await response.clone().json()) as ChatNotification
      if (secureKey !== undefined) this.#secureKey = secureKey
    }
    return response
  }

  /** The handshake was successful: the first one asks for a chat, later ones for what was missed. */
  #enter(cometd: CometD): void {
    const start = this.#start
    if (!start) return
    cometd.batch(() => {
      if (start.style === 'subscribe') cometd.subscribe(this.#channel(), message => this.#heard(message.data as ChatNotification))
      if (this.#secureKey === undefined) this.publish(start.request)
      else this.publish({operation: 'requestNotifications', transcriptPosition: this.position, userData: start.request.userData})
    })
  }

  #heard(notification: ChatNotification): void {
    const {messages = [], secureKey, chatEnded, errors = []} = notification
    if (secureKey !== undefined && this.busy) this.#secureKey = secureKey
    for (const event of messages) {
      if (event.index <= this.position && event.index > 0) continue
      this.position = event.index
      this.#listener.onEvent(event)
    }
    for (const {code, advice} of errors) this.#listener.onNote(`${code}: ${advice}`, true)
    if (chatEnded && this.busy) {
      this.#listener.onNote('the chat has ended', false)
      const cometd = this.#cometd
      this.#forget()
      cometd?.disconnect(() => this.#listener.onChange())
    }
    this.#listener.onChange()
  }

  #forget(): void {
    clearTimeout(this.#typing)
    this.#typing = undefined
    this.#secureKey = undefined
    this.#start = undefined
    this.#listener.onChange()
  }
}
