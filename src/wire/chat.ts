/** Path of GMS's file operations (vendor page, "File management"). */
export const FILES_PATH = '/genesys/2/chat-ntf'
export const CHANNEL_PREFIX = '/service/chatV2/'
export const DEFAULT_CHAT_SERVICE = 'customer-support'

/** `/service/chatV2/<chat service>` (vendor page, "Subscribe for a channel"). */
export function chatChannel(service: string = DEFAULT_CHAT_SERVICE): string {
  return CHANNEL_PREFIX + service
}

/** `data` of a request published to the chat channel. Only what this version drives is typed. */
export type ChatRequest =
  | {
      operation: 'requestChat'
      nickname?: string
      firstName?: string
      lastName?: string
      subject?: string
      userData?: Record<string, string>
    }
  | {operation: 'requestNotifications'; secureKey: string; transcriptPosition?: number}
  | {operation: 'sendMessage'; secureKey: string; message: string; messageType?: string}
  | {operation: 'disconnect'; secureKey: string}

export interface ChatEvent {
  from: {nickname: string; participantId: number; type: 'Client' | 'Agent' | 'Supervisor' | 'External'}
  /** Ordered, gaps are possible; a client ignores an index it has already processed. */
  index: number
  type: string
  text?: string
  messageType?: string
  /** ms since the epoch */
  utcTime: number
  userData?: Record<string, string>
}

/** `data` of a notification on the chat channel, and the JSON body of a file operation's answer. */
export interface ChatNotification {
  messages?: readonly ChatEvent[]
  chatEnded: boolean
  /** 0 ok, 1 error and the client may retry, 2 error and retry is useless. */
  statusCode: 0 | 1 | 2
  /** To be used in the next request; rotates; absent after `disconnect`. */
  secureKey?: string
  alias?: string
  userId?: string
  chatId?: string
  nextPosition?: number
  monitored?: boolean
  channel?: string
  userData?: Record<string, string>
  errors?: readonly {code: number; advice: string}[]
}

/** File operations, the form field `operation` of `POST /genesys/2/chat-ntf`. */
export const FILE_OPERATIONS = ['fileGetLimits', 'fileUpload', 'fileDownload', 'fileDelete'] as const
export type FileOperation = (typeof FILE_OPERATIONS)[number]
