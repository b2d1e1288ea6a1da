import {MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'

/** What the official client allows the network beyond GMS's hold (CometD `maxNetworkDelay`), ms. */
export const NETWORK_DELAY_MS = MAX_NETWORK_DELAY_MS
/** Room for a busy machine on top of it, ms. */
export const MARGIN_MS = 5000
/** Room for the multipart form around a file, bytes. */
export const FORM_BYTES = 1_048_576

/** How long a proxy must wait for the answer to a poll, ms: hold + network delay + margin. */
export function pollPatience(holdMs: number): number {
  return holdMs + NETWORK_DELAY_MS + MARGIN_MS
}
