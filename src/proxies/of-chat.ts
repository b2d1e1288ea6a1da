import type {Node, Site} from './site.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'

/** Says of a text that it means the paths of the chat. */
export const NAMES_CHAT_PATH = /cometd|chat-ntf|genesys/i

/** A listener that leads requests of a chat to nodes. */
export interface Leading<E> {
  entrance: E
  /** It passes bytes on and reads no HTTP. */
  layer4: boolean
  /** Its lines name paths of the chat. */
  names: boolean
  /** Addresses that those requests end at. */
  nodes: readonly string[]
}

/**
 * Those that are for the chat. A listener that takes everything leads requests of a chat somewhere too: where others name the paths of the
 * chat, or read HTTP, it serves another site unless it leads to the same nodes.
 */
export function forChat<E>(leading: readonly Leading<E>[]): readonly E[] {
  const reading = leading.filter(({layer4}) => !layer4)
  const naming = reading.filter(({names}) => names)
  const sure = naming.length > 0 ? naming : reading
  if (sure.length === 0) return leading.map(({entrance}) => entrance)
  const nodes = new Set(sure.flatMap(one => one.nodes))
  return leading.filter(one => sure.includes(one) || one.nodes.some(node => nodes.has(node))).map(({entrance}) => entrance)
}

/** Requests that show where the chat goes; the upgrade on a path that a narrow route takes too. */
const REQUESTS = [
  {title: 'the handshake', method: 'POST', path: `${COMETD_PATH}/handshake`, headers: {'content-type': 'application/json'}},
  {title: 'a callback poll', method: 'GET', path: `${COMETD_PATH}/connect`, query: 'jsonp=x', headers: {}},
  {title: 'the upgrade', method: 'GET', path: `${COMETD_PATH}/connect`, headers: {upgrade: 'websocket', connection: 'Upgrade'}},
  {title: 'the upload', method: 'POST', path: FILES_PATH, headers: {'content-type': 'multipart/form-data; boundary=x'}},
] as const

/** Nodes that requests of a chat reach; `undefined` when it cannot be told of all of them, or they reach none. */
export function chatNodes({listeners, trace}: Pick<Site, 'listeners' | 'trace'>): readonly Node[] | undefined {
  const ends = listeners.filter(({chat}) => chat).flatMap(listener => REQUESTS.map(request => trace(listener, request).end))
  if (ends.some(({kind}) => kind === 'unknown')) return undefined
  const nodes = ends.flatMap(end => (end.kind === 'upstream' ? end.upstream.nodes : []))
  return nodes.length > 0 ? nodes : undefined
}
