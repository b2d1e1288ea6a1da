import type {FileHandle} from 'node:fs/promises'
import {open} from 'node:fs/promises'

/** Enough for every line that can matter in a report; an access log of thousands of chats is longer. Bytes. */
const TAIL = 4 * 1024 * 1024

/** The last part of a log file; empty when it does not exist (yet) or is no regular file. */
export async function readTail(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const found = await file.stat()
    if (!found.isFile()) return ''
    const start = Math.max(0, found.size - TAIL)
    const {buffer, bytesRead} = await file.read({buffer: Buffer.alloc(found.size - start), position: start})
    const text = buffer.toString('utf8', 0, bytesRead)
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1)
  } catch {
    return ''
  } finally {
    await file?.close()
  }
}
