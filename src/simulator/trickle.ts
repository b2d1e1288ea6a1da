/** A piece is handed out this often at most, ms. */
const TICK_MS = 50

/**
 * Hands out `bytes` in pieces, at that rate from now on; the last piece comes when the whole would have been sent. Returns what stops it.
 * @param bytes not empty
 */
export function trickle(bytes: Buffer, bytesPerSecond: number, piece: (part: Buffer, last: boolean) => void): () => void {
  const began = performance.now()
  let sent = 0
  const timer = setInterval(
    () => {
      const due = Math.min(bytes.length, Math.floor(((performance.now() - began) * bytesPerSecond) / 1000))
      if (due <= sent) return
      const part = bytes.subarray(sent, due)
      sent = due
      if (sent === bytes.length) clearInterval(timer)
      piece(part, sent === bytes.length)
    },
    Math.min(Math.max(TICK_MS, 1000 / bytesPerSecond), (bytes.length * 1000) / bytesPerSecond + 1),
  )
  return () => clearInterval(timer)
}
