import type {Parameters} from '../../parameters/schema.ts'

/** Connections for handshakes, polls, uploads and downloads beside the chats, as a share of them; and at least so many. */
const SPARE_SHARE = 0.03
const LEAST_SPARE = 100
/**
 * Descriptors beside connections: three for each thread (at most 64), listeners, a check for each node, logs, sockets. Measured on 2.6.12:
 * `maxsock` is 2 × maxconn + 17 with two threads, one listener and two nodes.
 */
const OWN_DESCRIPTORS = 230

export interface Capacity {
  /** Connections of clients; each has one to a node beside it, so it takes two descriptors. */
  maxconn: number
  spare: number
  own: number
  descriptors: number
  /** Most chats that `limits.openFiles` allows; 0 when not even the spare connections do. */
  fits: number
}

/** `limits` turned into connections and descriptors. */
export function capacity({limits, upstream, listener, tls = []}: Parameters): Capacity {
  const own = ownDescriptors(upstream.nodes.length + listener.length + tls.length)
  const maxconn = connectionsFor(limits.chats)
  return {maxconn, spare: maxconn - limits.chats, own, descriptors: maxconn * 2 + own, fits: fitting(limits.openFiles - own)}
}

/** Connections of clients while so many chats are open. */
export function connectionsFor(chats: number): number {
  return chats + Math.max(LEAST_SPARE, Math.ceil(chats * SPARE_SHARE))
}

/** Descriptors of HAProxy itself with so many listeners and nodes. */
export function ownDescriptors(listenersAndNodes: number): number {
  return OWN_DESCRIPTORS + listenersAndNodes
}

/** Chats for which so many descriptors are enough. */
export function fitting(descriptors: number): number {
  const connections = Math.floor(descriptors / 2)
  return Math.max(0, Math.min(Math.floor(connections / (1 + SPARE_SHARE)), connections - LEAST_SPARE))
}
