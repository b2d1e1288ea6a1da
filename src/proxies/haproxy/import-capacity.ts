import {connectionsFor, fitting, ownDescriptors} from './view-limits.ts'

/** Open files that are there when nobody says otherwise. */
const OPEN_FILES = 524_288
/** More listeners than that are not rendered: twenty plain ones and twenty encrypted. */
const MOST_LISTENERS = 40

/** The largest number of chats that so many connections are enough for. */
export function chatsOf(maxconn: number): number {
  let low = 0
  let high = Number.isFinite(maxconn) ? Math.max(0, maxconn) : 0
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (connectionsFor(middle) <= maxconn) low = middle
    else high = middle - 1
  }
  return low
}

/** `limits.openFiles` where the default is too small for so many chats. */
export function filesFor(chats: number, nodes: number): number | undefined {
  const own = ownDescriptors(nodes + MOST_LISTENERS)
  if (chats <= fitting(OPEN_FILES - own)) return undefined
  return 2 * (connectionsFor(chats) + 1) + own
}
