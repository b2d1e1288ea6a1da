/** Path prefix of GMS's CometD endpoint (vendor page, "Handshake with GMS"); HTTP transports append `/handshake`, `/connect`, … */
export const COMETD_PATH = '/genesys/cometd'

/** The three Bayeux transports in the order a CometD server names them (observed on CometD 5). */
export const BAYEUX_TRANSPORTS = ['websocket', 'long-polling', 'callback-polling'] as const
export type BayeuxTransport = (typeof BAYEUX_TRANSPORTS)[number]

export const META = {
  handshake: '/meta/handshake',
  connect: '/meta/connect',
  subscribe: '/meta/subscribe',
  unsubscribe: '/meta/unsubscribe',
  disconnect: '/meta/disconnect',
} as const

/** Cookie by which a CometD server binds HTTP sessions to a browser. */
export const BROWSER_COOKIE = 'BAYEUX_BROWSER'

/** CometD's defaults, ms (CometD reference, server configuration). */
export const DEFAULT_HOLD_MS = 30_000
export const DEFAULT_MAX_INTERVAL_MS = 10_000
/** Largest WebSocket text message that a CometD server on Jetty takes, bytes; one more and it closes with 1009 (observed on CometD 5). */
export const DEFAULT_MAX_MESSAGE_SIZE = 65_536
/** What the official client adds to the hold before it gives up, ms. */
export const MAX_NETWORK_DELAY_MS = 10_000

export interface Advice {
  reconnect?: 'retry' | 'handshake' | 'none'
  interval?: number
  timeout?: number
  'multiple-clients'?: boolean
}

/** One Bayeux message, request or reply. */
export interface BayeuxMessage {
  channel: string
  id?: string
  clientId?: string
  version?: string
  minimumVersion?: string
  supportedConnectionTypes?: readonly string[]
  connectionType?: string
  subscription?: string | readonly string[]
  successful?: boolean
  error?: string
  advice?: Advice
  ext?: Record<string, unknown>
  data?: unknown
}

/** True for a JSON object with a string `channel`: the least a Bayeux message is. */
export function isBayeuxMessage(value: unknown): value is BayeuxMessage {
  return typeof value === 'object' && value !== null && 'channel' in value && typeof value.channel === 'string'
}

/** The session is not known on the node that answered: `402::session_unknown` (CometD 4+) or `402::Unknown client` (3.x). */
export function isSessionUnknown(message: BayeuxMessage): boolean {
  return message.successful === false && (message.error ?? '').startsWith('402')
}
