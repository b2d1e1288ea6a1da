/** Descriptors of a worker beyond its connections: listeners, logs, channels to the other workers, uploads that are buffered. */
export const OTHER_FILES = 300
/** Memory that an idle WebSocket chat takes in plain text, KiB: both of its connections (measured with nginx 1.22 and 9,500 chats). */
const PLAIN_KIB = 22
/** What TLS adds to one connection, KiB (measured: 83 MB for 1000 chats with TLS on both sides, 22 MB without). */
const TLS_KIB = 32

/** Memory of an idle chat, KiB. `encrypted` is how many of its two connections speak TLS. */
export function kibPerChat(encrypted: 0 | 1 | 2): number {
  return PLAIN_KIB + TLS_KIB * encrypted
}

/** A WebSocket, or a held poll: one connection of the client, one to its node. */
export const CONNECTIONS_PER_CHAT = 2

/** Connections beyond those of the chats: requests beside held polls, uploads, connections that are kept alive. */
export function otherConnections(chats: number): number {
  return Math.ceil((chats * 0.02 + 200) / 100) * 100
}

/** Connections that one worker must be able to hold: at worst the kernel gives all chats to one of them. */
export function workerConnections(chats: number): number {
  return chats * CONNECTIONS_PER_CHAT + otherConnections(chats)
}

/** Descriptors that one worker needs for `chats`. */
export function filesFor(chats: number): number {
  return workerConnections(chats) + OTHER_FILES
}

/** The largest number of chats that fits into `openFiles` descriptors. */
export function chatsThatFit(openFiles: number): number {
  let chats = Math.max(0, Math.floor((openFiles - OTHER_FILES) / CONNECTIONS_PER_CHAT))
  while (chats > 0 && filesFor(chats) > openFiles) chats -= Math.max(1, Math.floor((filesFor(chats) - openFiles) / 3))
  while (filesFor(chats + 1) <= openFiles) chats++
  return chats
}
