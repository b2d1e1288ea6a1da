import {MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {Credentials} from './credentials.ts'

/** Decisions about chats, files and the health of a node. Times in ms, sizes in bytes. SIMULATOR.md says what the sources say of each. */
export interface ChatOptions {
  /** Name of the chat service, last part of the channel. Default customer-support. */
  chatService?: string
  /** `answers` a message at once (default), is `silent`, or `absent`: nobody is logged in, chats open and nobody joins. */
  agent?: 'answers' | 'silent' | 'absent'
  /** Before answering the agent is seen typing: TypingStarted, TypingStopped. Default false. */
  agentTypes?: boolean
  /** Credentials that the chat service demands on requestChat, and checks wherever they come. Default none. */
  auth?: Credentials
  /** GMS's `enable_notification_mode`. False: every publish is acknowledged and no notification ever comes. Default true. */
  enableNotificationMode?: boolean
  /** Some events are for agents only, and the client's own typing is not told again: the indexes that a client sees have gaps. Default true. */
  indexGaps?: boolean
  /** When a chat gets a new key: with every answer (default: the hardest on a client), with file operations only, or never. */
  secureKeyRotation?: 'answers' | 'files' | 'never'
  /**
   * How long a replaced key is still taken, counted from the first use of its successor. Default 10000 (a client's maxNetworkDelay).
   * Until the client has used a newer key, its last one stays valid: the answer that brought the new one may have been lost.
   */
  secureKeyGraceMs?: number
  /** A chat without messages for this long is told that it will close. Default never. */
  idleAlertMs?: number
  /** A chat without messages for this long is closed. Default never. */
  idleCloseMs?: number
  /** GMS's `push_notification_to_active_client`: true pushes only while no CometD session of the chat lives. Default false: always. */
  pushToActiveClient?: boolean
  /** Whether what the client itself did is pushed to its device. Default false. */
  pushOwnEvents?: boolean
  /** What a requestNotifications brings whose push data differ from those of requestChat: pushes stop (default), go on as before, or the request is refused. */
  pushMismatch?: 'stops' | 'goes-on' | 'refused'
  /** Largest file of a client. Default 10 MiB (field sample). */
  maxFileSize?: number
  /** Largest sum of all files that a client uploads in one chat. Default 95 MiB (field sample), or room for `maxFiles` of `maxFileSize`. */
  maxTotalSize?: number
  /** Most files that a client uploads in one chat. Default 5 (field sample). */
  maxFiles?: number
  /** How often one file may be downloaded. Default 2 (field sample). */
  maxDownloads?: number
  /** Extensions that may be uploaded, lower case; the name decides. Default jpeg, jpg, pdf, png, zip (field sample). */
  fileTypes?: readonly string[]
  /** An upload needs an agent in the chat. Default false (field sample). */
  uploadNeedsAgent?: boolean
  /** Whether a client may delete its files, and whether `used-upload-max-files` and `used-upload-max-total-size` then shrink. Default `frees-nothing`. */
  fileDeletion?: 'frees-nothing' | 'frees-limits' | 'refused'
  /** Whether a file operation may reach a node that holds no CometD session of its chat. Default `any-node`: nodes share chats and files. */
  uploadsTo?: 'any-node' | 'session-node'
  /**
   * Credentials of the node API (`/genesys/1/admin/node/…`); `any`: some must be shown, which ones only their owner knows; false: open, as
   * before 8.5.1. Default default:password (vendor page).
   */
  adminAuth?: Credentials | 'any' | false
  /** Names of services of type `get`, whose HTTP status tells whether a node is ONLINE; `any`: whatever is asked for. Default `status`. */
  statusServices?: readonly string[] | 'any'
}

/** The same with every default filled in; what has none stays optional. */
export type ChatDecisions = Required<Omit<ChatOptions, 'auth' | 'idleAlertMs' | 'idleCloseMs'>> &
  Pick<ChatOptions, 'auth' | 'idleAlertMs' | 'idleCloseMs'>

const DEFAULTS: ChatDecisions = {
  chatService: DEFAULT_CHAT_SERVICE,
  agent: 'answers',
  agentTypes: false,
  enableNotificationMode: true,
  indexGaps: true,
  secureKeyRotation: 'answers',
  secureKeyGraceMs: MAX_NETWORK_DELAY_MS,
  pushToActiveClient: false,
  pushOwnEvents: false,
  pushMismatch: 'stops',
  maxFileSize: 10 * 1024 * 1024,
  maxTotalSize: 95 * 1024 * 1024,
  maxFiles: 5,
  maxDownloads: 2,
  fileTypes: ['jpeg', 'jpg', 'pdf', 'png', 'zip'],
  uploadNeedsAgent: false,
  fileDeletion: 'frees-nothing',
  uploadsTo: 'any-node',
  adminAuth: {username: 'default', password: 'password'},
  statusServices: ['status'],
}

/** Fills in the defaults; an option that is there but undefined counts as left out. */
export function decide(options: ChatOptions): ChatDecisions {
  const stated = Object.entries(options).filter(([, value]) => value !== undefined)
  const decided: ChatDecisions = {...DEFAULTS, ...(Object.fromEntries(stated) as Partial<ChatDecisions>)}
  // A file that may be sent must not be refused for the sum alone.
  return {...decided, maxTotalSize: options.maxTotalSize ?? Math.max(DEFAULTS.maxTotalSize, decided.maxFiles * decided.maxFileSize)}
}
