import {randomBytes} from 'node:crypto'

const TEXT = 0x81

/** One masked text frame, as a client has to send it (RFC 6455, 5.2 and 5.3). Text below 64 KiB. */
export function clientTextFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  const head =
    payload.length < 126
      ? Buffer.from([TEXT, 0x80 | payload.length])
      : Buffer.from([TEXT, 0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

/** Text of the first frame in `bytes`, when it is complete, unmasked, unfragmented text below 64 KiB; else `undefined`. */
export function serverTextFrame(bytes: Buffer): string | undefined {
  if (bytes.length < 2 || bytes[0] !== TEXT) return undefined
  const short = bytes.readUInt8(1)
  if (short > 126 || (short === 126 && bytes.length < 4)) return undefined
  const [start, length] = short === 126 ? [4, bytes.readUInt16BE(2)] : [2, short]
  return bytes.length < start + length ? undefined : bytes.toString('utf8', start, start + length)
}
