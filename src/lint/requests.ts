import type {Listener, Request, Site, Way} from '../proxies/site.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'

const JSON_TYPE = {'content-type': 'application/json'}
const SWITCH = {'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ=='}

/** The requests of a chat: a Bayeux message type is appended to the path by the client (CometD client, `appendMessageTypeToURL`). */
export const HANDSHAKE: Request = {title: 'the handshake', method: 'POST', path: `${COMETD_PATH}/handshake`, headers: JSON_TYPE}
/** Held by GMS until there is something to say. */
export const POLL: Request = {title: 'the held poll', method: 'POST', path: `${COMETD_PATH}/connect`, headers: JSON_TYPE}
export const PUBLISH: Request = {title: 'a message', method: 'POST', path: COMETD_PATH, headers: JSON_TYPE}
export const CALLBACK: Request = {title: 'a callback poll', method: 'GET', path: COMETD_PATH, query: 'jsonp=x&message=%5B%5D', headers: {}}
export const WEBSOCKET: Request = {
  title: 'the upgrade',
  method: 'GET',
  path: COMETD_PATH,
  headers: {...SWITCH, upgrade: 'websocket', connection: 'Upgrade'},
}
/** As Firefox writes it. */
export const WEBSOCKET_OF_FIREFOX: Request = {
  ...WEBSOCKET,
  title: "Firefox's upgrade",
  headers: {...SWITCH, upgrade: 'websocket', connection: 'keep-alive, Upgrade'},
}
/** A token is compared without regard to case (RFC 6455, 4.2.1). */
export const WEBSOCKET_CAPITALISED: Request = {
  ...WEBSOCKET,
  title: 'an upgrade to "WebSocket"',
  headers: {...SWITCH, upgrade: 'WebSocket', connection: 'upgrade'},
}
/** Not a WebSocket at all: HTTP/2 in plain text (h2c smuggling). */
export const H2C: Request = {
  title: 'an upgrade to h2c',
  method: 'GET',
  path: COMETD_PATH,
  headers: {upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA'},
}
export const UPLOAD: Request = {
  title: 'the upload',
  method: 'POST',
  path: FILES_PATH,
  headers: {'content-type': 'multipart/form-data; boundary=x'},
}

/** How requests fare at every chat listener. */
export function waysOf({listeners, trace}: Pick<Site, 'listeners' | 'trace'>, ...requests: readonly Request[]): readonly Way[] {
  return listeners.filter(({chat}) => chat).flatMap((listener: Listener) => requests.map(request => trace(listener, request)))
}
