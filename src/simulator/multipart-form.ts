import {Writable} from 'node:stream'
import {Busboy, type BusboyInstance} from '@fastify/busboy'
import type {HttpExchange} from './http-exchange.ts'

/** RFC 9110, 8.3.1: only that can go out again as a header. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]{1,127}\/[\w!#$%&'*+.^`|~-]{1,127}$/
const ANY_BYTES = 'application/octet-stream'

/** A media type as it may be sent on: anything else is called bytes. */
export function mediaTypeOf(text: string | undefined): string {
  return text !== undefined && MEDIA_TYPE.test(text) ? text : ANY_BYTES
}

/** A file part. `content` ends at the limit when `truncated`. */
export interface FormFile {
  name: string
  mimeType: string
  content: Buffer
  truncated: boolean
}

export interface Form {
  fields: ReadonlyMap<string, string>
  file?: FormFile
}

/**
 * Reads a `multipart/form-data` or `application/x-www-form-urlencoded` body to its end; of a file at most `maxFileSize` bytes are kept.
 * `unreadable` is called for any other body, `read` for these; neither when the peer goes away in the middle.
 */
export function readForm(
  exchange: HttpExchange,
  maxFileSize: number,
  read: (form: Form) => void,
  unreadable: (reason: string) => void,
): void {
  const contentType = exchange.header('content-type')[0]
  if (contentType === undefined || !/^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(contentType)) {
    exchange.streamBody()
    unreadable(`Content-Type ${contentType ?? 'missing'}`)
    return
  }
  let parser: BusboyInstance
  try {
    parser = new Busboy({headers: {'content-type': contentType}, limits: {fileSize: maxFileSize}})
  } catch (error) {
    exchange.streamBody()
    unreadable(error instanceof Error ? error.message : String(error))
    return
  }
  const fields = new Map<string, string>()
  let file: FormFile | undefined
  let settled = false
  parser.on('field', (name, value) => fields.set(name, value))
  parser.on('file', (_, stream, name, __, mimeType) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.on('end', () => {
      file ??= {name, mimeType: mediaTypeOf(mimeType), content: Buffer.concat(chunks), truncated: stream.truncated}
    })
  })
  parser.on('finish', () => {
    if (settled) return
    settled = true
    read(file ? {fields, file} : {fields})
  })
  parser.on('error', error => {
    if (settled) return
    settled = true
    unreadable(error instanceof Error ? error.message : String(error))
  })
  exchange.streamBody(guard(parser, () => settled))
}

/** Goes on reading (for the log's digest, and so that the peer gets its answer) when the parser has given up on the body. */
function guard(parser: BusboyInstance, hasSettled: () => boolean): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (hasSettled() || parser.write(chunk)) done()
      else parser.once('drain', () => done())
    },
    final(done) {
      if (!hasSettled()) parser.end()
      done()
    },
  })
}
