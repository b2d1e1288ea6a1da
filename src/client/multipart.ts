import {createHash, randomBytes} from 'node:crypto'

export interface FormFile {
  field: string
  name: string
  mimeType: string
  content: Buffer
}

/** A form as it goes over the wire, so that digest and size can be compared with what GMS received. */
export interface MultipartBody {
  contentType: string
  body: Buffer
  /** Hex digest of the whole body. */
  sha256: string
}

/** `multipart/form-data` of fields and at most one file (RFC 7578). Names must not contain quotes or line ends. */
export function multipart(fields: Readonly<Record<string, string>>, file?: FormFile): MultipartBody {
  const boundary = `----gms-proxy-${randomBytes(12).toString('hex')}`
  const part = (disposition: string, type = '') =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${type}\r\n`)
  const parts: Buffer[] = Object.entries(fields).flatMap(([name, value]) => [part(`name="${name}"`), Buffer.from(`${value}\r\n`)])
  if (file !== undefined) {
    parts.push(
      part(`name="${file.field}"; filename="${file.name}"`, `Content-Type: ${file.mimeType}\r\n`),
      file.content,
      Buffer.from('\r\n'),
    )
  }
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  return {contentType: `multipart/form-data; boundary=${boundary}`, body, sha256: sha256(body)}
}

/** Hex digest. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
