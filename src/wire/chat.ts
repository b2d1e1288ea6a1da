/** Path of GMS's file operations (vendor page, "File management"). */
export const FILES_PATH = '/genesys/2/chat-ntf'
export const CHANNEL_PREFIX = '/service/chatV2/'
export const DEFAULT_CHAT_SERVICE = 'customer-support'

/** `/service/chatV2/<chat service>` (vendor page, "Subscribe for a channel"). */
export function chatChannel(service: string = DEFAULT_CHAT_SERVICE): string {
  return CHANNEL_PREFIX + service
}

/** File operations, the form field `operation` of `POST /genesys/2/chat-ntf`. */
export const FILE_OPERATIONS = ['fileGetLimits', 'fileUpload', 'fileDownload', 'fileDelete'] as const
export type FileOperation = (typeof FILE_OPERATIONS)[number]

/** Says ONLINE or OFFLINE of one node to a load balancer (GMS, "Load balancing", with Basic authentication). */
export const STATUS_PATH = '/genesys/1/admin/node/status'
/** Services by name: one of type `get` tells by its HTTP status whether the node is ONLINE (GMS, "Get and Basic Get"). */
export const SERVICES_PATH = '/genesys/1/service/'
/** Where GMS keeps its administration; nothing of a chat lies below. */
export const ADMIN_PATHS = ['/genesys/admin', '/genesys/1/admin'] as const
