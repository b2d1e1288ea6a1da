/** Why a request got no usable answer. */
export interface Failure {
  /** `refused`: somebody said no (TCP, HTTP status, garbage); `closed`: the connection ended first; `timed-out`: silence. */
  ended: 'timed-out' | 'refused' | 'closed'
  /** In words, without secrets: `HTTP 504`, `ECONNREFUSED`, `close 1006`. */
  reason: string
  /** System or library code, when there is one. */
  code?: string
}

/** Errors of this machine's own resources: descriptors, memory, ephemeral ports (connect(2), socket(2)). */
const HOST_LIMITS: readonly string[] = ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']

/** True when the failure is this machine's, not the peer's. */
export function isHostLimit(failure: Failure): boolean {
  return failure.code !== undefined && HOST_LIMITS.includes(failure.code)
}

/** The first code in a chain of causes (happy-eyeballs errors keep theirs one level down). */
function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
    const first: unknown = at instanceof AggregateError ? at.errors[0] : undefined
    if (first instanceof Error && 'code' in first && typeof first.code === 'string') return first.code
  }
  return undefined
}

/** Names what an error of `node:net`, `undici` or `ws` means for a user. */
export function failureOf(error: unknown): Failure {
  const code = codeOf(error)
  const said = error instanceof Error ? error.message : String(error)
  // OpenSSL puts addresses and lines of its source around what it has to say.
  const text = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/i.exec(said)?.[1] ?? said
  const withCode = code === undefined ? {} : {code}
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT')
    return {ended: 'timed-out', reason: `no TCP connection (${code})`, ...withCode}
  if (code?.startsWith('HPE_') === true) return {ended: 'refused', reason: `the answer is not HTTP (${code})`, ...withCode}
  const cut =
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'UND_ERR_SOCKET' ||
    text.includes('socket hang up') ||
    text.includes('other side closed')
  if (cut) return {ended: 'closed', reason: `the connection was closed before an answer (${code ?? text})`, ...withCode}
  return {ended: 'refused', reason: code === undefined || text.includes(code) ? text : `${text} (${code})`, ...withCode}
}
