import type {Writable} from 'node:stream'
import * as ws from 'ws'

/** One direction of a WebSocket, read from a copy of its bytes. */
export interface FrameReader {
  /** Resolves when everything in these bytes has been told. Never rejects. */
  push(chunk: Buffer): Promise<void>
}

interface FrameListener {
  text(message: string): void
  /** A close frame; 1005 when it names no code (RFC 6455, 7.4.1). */
  close(code: number): void
}

/** Parts of ws 8.23 that its type definitions do not name. */
interface Internals {
  Receiver: new (options: {
    isServer: boolean
    extensions: Readonly<Record<string, unknown>>
    maxPayload: number
    skipUTF8Validation: boolean
  }) => Writable
  PerMessageDeflate: {
    new (options: {isServer: boolean; maxPayload: number}): {accept(offers: readonly unknown[]): void}
    extensionName: string
  }
  extension: {parse(header: string): Readonly<Record<string, readonly unknown[]>>}
}
const {Receiver, PerMessageDeflate, extension} = ws as unknown as Internals

/** A longer message is not read. */
const MOST_BYTES = 16 * 1_048_576

/**
 * Reads the frames that the client (`fromClient`: masked) or GMS sends. `extensions` is the Sec-WebSocket-Extensions of the 101. What
 * cannot be read is not told: it has been passed on all the same.
 */
export function readFrames({fromClient, extensions}: {fromClient: boolean; extensions: string}, listener: FrameListener): FrameReader {
  const receiver = new Receiver({
    isServer: fromClient,
    extensions: negotiated(extensions, fromClient),
    maxPayload: MOST_BYTES,
    skipUTF8Validation: true,
  })
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) listener.text(data.toString())
  })
  receiver.on('conclude', (code: number) => listener.close(code))
  receiver.on('error', () => undefined)
  return {
    push: chunk =>
      new Promise(resolve => {
        if (receiver.destroyed || receiver.writableEnded) resolve()
        // A copy: the receiver takes the mask off in place.
        else receiver.write(Buffer.from(chunk), () => resolve())
      }),
  }
}

/** permessage-deflate with the parameters of the 101. What a client compressed is read as a server reads it, and the other way round. */
function negotiated(header: string, isServer: boolean): Readonly<Record<string, unknown>> {
  let agreed: readonly unknown[] | undefined
  try {
    agreed = extension.parse(header)[PerMessageDeflate.extensionName]
  } catch {
    return {}
  }
  if (!agreed) return {}
  const inflater = new PerMessageDeflate({isServer, maxPayload: MOST_BYTES})
  inflater.accept(agreed)
  return {[PerMessageDeflate.extensionName]: inflater}
}
