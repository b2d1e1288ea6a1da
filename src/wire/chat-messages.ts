import {z} from 'zod'

/*
 * What travels in `data` on the chat channel, and in the answers of file operations. One set of schemas for both ends of the wire:
 * the simulator judges requests by them, the flows judge notifications.
 * Sources: GMS Chat API V2 over CometD (vendor page), GMS Chat API response format, field traces.
 */

const text = z.string().min(1)
const userData = z.record(z.string(), z.string())
/** The page shows texts only; a number or a boolean is taken as its text. */
const attached = z.record(z.string(), z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]))
/** What a client attaches: an object in the page's examples, a "JSON-formatted string" in its tables. */
const attachedData = z.preprocess(
  (value: string | z.input<typeof attached>) => (typeof value === 'string' ? parsed(value) : value),
  attached,
)

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return json
  }
}
/** An index of the transcript; the page's own example sends it as a string. */
const position = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])

/** Required before 8.5.112, ignored since: whatever they hold is accepted. */
const deprecated = {alias: z.unknown().optional(), userId: z.unknown().optional(), chatId: z.unknown().optional()}

/** Credentials of a chat service with Basic authentication: open, or `base64("username:password")`. */
export const authSchema = z.union([z.object({username: z.string(), password: z.string()}), z.object({encoded: text})])
export type ChatAuth = z.output<typeof authSchema>

/** Keys of the user data that name a mobile device; the same in `requestChat` and every later `requestNotifications`. */
export const pushDataSchema = z.object({
  push_notification_deviceid: text,
  push_notification_type: z.enum(['fcm', 'ios', 'customhttp']),
  push_notification_debug: z.enum(['true', 'false']).optional(),
  /** ISO code; reserved, `en_US` when left out. */
  push_notification_language: z
    .string()
    .regex(/^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/)
    .optional(),
  push_notification_provider: text.optional(),
})
export type PushData = z.output<typeof pushDataSchema>

const inChat = {secureKey: text, auth: authSchema.optional(), ...deprecated}

/** A request published to the chat channel: the eleven operations of the vendor page, in its order. */
export const chatRequestSchema = z.discriminatedUnion('operation', [
  z
    .object({
      operation: z.literal('requestChat'),
      nickname: text.optional(),
      firstName: text.optional(),
      lastName: text.optional(),
      subject: z.string().optional(),
      emailAddress: z.string().optional(),
      userData: attachedData.optional(),
      auth: authSchema.optional(),
      ...deprecated,
    })
    // The table of the page demands a nickname, its text and its example are content with both names.
    .refine(({nickname, firstName, lastName}) => nickname !== undefined || (firstName !== undefined && lastName !== undefined), {
      path: ['nickname'],
      error: 'needed, or both firstName and lastName',
    }),
  z.object({
    operation: z.literal('requestNotifications'),
    transcriptPosition: position.optional(),
    userData: attachedData.optional(),
    ...inChat,
  }),
  z.object({operation: z.literal('sendMessage'), message: text, messageType: z.string().optional(), ...inChat}),
  z.object({operation: z.literal('readReceipt'), transcriptPosition: position, ...inChat}),
  z.object({operation: z.literal('startTyping'), message: z.string().optional(), ...inChat}),
  z.object({operation: z.literal('stopTyping'), message: z.string().optional(), ...inChat}),
  z.object({operation: z.literal('disconnect'), ...inChat}),
  z.object({operation: z.literal('pushUrl'), pushUrl: text, ...inChat}),
  z.object({operation: z.literal('updateNickname'), nickname: text, ...inChat}),
  z.object({operation: z.literal('customNotice'), message: z.string().optional(), ...inChat}),
  z.object({operation: z.literal('updateData'), userData: attachedData.optional(), ...inChat}),
])
/** A request as a client writes it. */
export type ChatRequest = z.input<typeof chatRequestSchema>
/** A request as the simulator has understood it. */
export type UnderstoodRequest = z.output<typeof chatRequestSchema>
export type ChatOperation = ChatRequest['operation']

/** Names of what was required before 8.5.112 and is ignored since. */
export const DEPRECATED_PARAMETERS = Object.keys(deprecated)

/** The eleven operations, in the order of the vendor page. */
export const CHAT_OPERATIONS = chatRequestSchema.options.map(option => option.shape.operation.value) as readonly ChatOperation[]

/** Events of a transcript that are evidenced (vendor page, field code). A client must live with others. */
export const CHAT_EVENTS = [
  'ParticipantJoined',
  'ParticipantLeft',
  'Message',
  'TypingStarted',
  'TypingStopped',
  'NicknameUpdated',
  'PushUrl',
  'FileUploaded',
  'FileDeleted',
  'CustomNotice',
  'Notice',
  'IdleAlert',
  'IdleClose',
] as const
export type ChatEventType = (typeof CHAT_EVENTS)[number]

export const chatEventSchema = z.object({
  from: z.object({
    nickname: z.string(),
    participantId: z.int(),
    type: z.enum(['Client', 'Agent', 'Supervisor', 'External']),
  }),
  /** Ordered, gaps are possible; a client ignores an index it has already processed. */
  index: z.int().min(0),
  type: z.string(),
  text: z.string().optional(),
  messageType: z.string().optional(),
  /** ms since the epoch */
  utcTime: z.int(),
  userData: userData.optional(),
})
export type ChatEvent = z.output<typeof chatEventSchema>

/** `data` of a notification on the chat channel. */
export const chatNotificationSchema = z.object({
  messages: z.array(chatEventSchema).readonly().optional(),
  chatEnded: z.boolean(),
  /** 0 ok, 1 error and the client may retry, 2 error and retry is useless. */
  statusCode: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  /** To be used in the next request; rotates; absent after `disconnect`. */
  secureKey: text.optional(),
  alias: z.string().optional(),
  userId: z.string().optional(),
  chatId: z.string().optional(),
  nextPosition: z.int().optional(),
  monitored: z.boolean().optional(),
  channel: z.string().optional(),
  userData: userData.optional(),
  errors: z
    .array(z.object({code: z.int(), advice: z.string()}))
    .readonly()
    .optional(),
})
export type ChatNotification = z.output<typeof chatNotificationSchema>

/** The JSON body of a file operation's answer: a notification whose events are of no transcript, so that they have no index (field sample of fileGetLimits). */
export const fileReplySchema = chatNotificationSchema.extend({
  messages: z
    .array(chatEventSchema.partial({index: true}))
    .readonly()
    .optional(),
})
export type FileReply = z.output<typeof fileReplySchema>
