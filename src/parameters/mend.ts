import type {Promises} from '../model/report.ts'
import {MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'

const MIB = 1_048_576
/** Beyond hold and network delay, ms. */
const MARGIN_MS = 5000

/** What the text of a mend may leave open, because it depends on what was promised. */
const VALUES: Readonly<Record<string, (promises: Promises) => number>> = {
  /** The file and 1 MiB for the multipart form around it. */
  bodyMiB: ({maxFileSize}) => Math.ceil(maxFileSize / MIB) + 1,
  holdSeconds: ({holdMs}) => Math.ceil(holdMs / 1000),
  pollSeconds: ({holdMs}) => Math.ceil((holdMs + MAX_NETWORK_DELAY_MS + MARGIN_MS) / 1000),
  idleSeconds: ({upgradeIdleMs}) => Math.ceil(upgradeIdleMs / 1000),
  chats: ({chats}) => chats,
}
const OPEN = new RegExp(`\\{(${Object.keys(VALUES).join('|')})\\}`, 'g')

/** A mend with the numbers that these promises need: `client_max_body_size {bodyMiB}m` → `client_max_body_size 11m`. */
export function mend(text: string, promises: Promises): string {
  return text.replace(OPEN, (open, name: string) => String(VALUES[name]?.(promises) ?? open))
}
