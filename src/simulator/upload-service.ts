import {createHash, randomBytes} from 'node:crypto'
import type {Logger} from '../log.ts'
import {FILE_OPERATIONS, type FileOperation} from '../wire/chat.ts'
import {ERROR_CODE, chatError, type ChatService} from './chat-service.ts'
import type {Chat} from './chat-store.ts'
import type {HttpExchange} from './http-exchange.ts'
import {readForm, type Form} from './multipart-form.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

interface UploadServiceOptions {
  chats: ChatService
  /** Bytes of one file. */
  maxFileSize: number
  /** Bytes of all files of a chat. */
  maxTotalSize: number
  maxFiles: number
  /** Told to the client, not enforced; nor are the file types. */
  maxDownloads: number
  /** Any node takes an upload, or only one that holds a CometD session of the chat. */
  uploadsTo: 'any-node' | 'session-node'
  logger: Logger
}

/** Spellings of the page's own example and of clients in the field. */
const VARIANTS: Readonly<Record<string, FileOperation>> = {download: 'fileDownload', fileGetsLimits: 'fileGetLimits'}

type Handler = (exchange: HttpExchange, form: Form, chat: Chat) => void

/** `POST /genesys/2/chat-ntf`: the four file operations, on every node, over the chats that all nodes share. */
export class UploadService {
  readonly #options: UploadServiceOptions
  readonly #operations: Readonly<Record<FileOperation, Handler>>

  constructor(options: UploadServiceOptions) {
    this.#options = options
    this.#operations = {
      fileGetLimits: (exchange, _, chat) => this.#limits(exchange, chat),
      fileUpload: (exchange, form, chat) => this.#upload(exchange, form, chat),
      fileDownload: (exchange, form, chat) => this.#download(exchange, form, chat),
      fileDelete: (exchange, form, chat) => this.#delete(exchange, form, chat),
    }
  }

  serve(exchange: HttpExchange, node: string): void {
    if (exchange.method !== 'POST') {
      exchange.streamBody()
      exchange.refuse(405, 'Method Not Allowed', 'none', {Allow: 'POST'})
      return
    }
    readForm(
      exchange,
      this.#options.maxFileSize,
      form => this.#dispatch(exchange, form, node),
      reason => {
        this.#options.logger.info(`${node}: unreadable form on ${exchange.path} (${reason})`)
        exchange.refuse(500, 'Server Error')
      },
    )
  }

  #dispatch(exchange: HttpExchange, form: Form, node: string): void {
    const asked = form.fields.get('operation') ?? ''
    const operation = FILE_OPERATIONS.find(name => name === asked) ?? (Object.hasOwn(VARIANTS, asked) ? VARIANTS[asked] : undefined)
    if (operation === undefined) {
      answer(exchange, chatError(ERROR_CODE.missingParameter, `Unknown operation ${JSON.stringify(asked)}.`))
      return
    }
    if (operation !== asked) this.#options.logger.warn(`${node}: operation ${asked} taken as ${operation}`)
    const chat = this.#options.chats.admit(form.fields.get('secureKey'))
    if (!('peers' in chat)) {
      this.#refuse(exchange, operation, chat)
      return
    }
    if (this.#options.uploadsTo === 'session-node' && ![...chat.peers].some(peer => peer.node === node)) {
      this.#refuse(exchange, operation, chatError(ERROR_CODE.notExecuted, `Node ${node} holds no session of this chat.`))
      return
    }
    this.#operations[operation](exchange, form, chat)
  }

  /** A download that fails is a page with status 500 (vendor page); every other operation fails as a chat notification. */
  #refuse(exchange: HttpExchange, operation: FileOperation, error: ChatNotification): void {
    const advice = error.errors?.[0]?.advice ?? ''
    this.#options.logger.info(`${operation} refused: ${advice}`)
    if (operation === 'fileDownload') exchange.refuse(500, advice)
    else answer(exchange, error)
  }

  #limits(exchange: HttpExchange, chat: Chat): void {
    const {maxFileSize, maxTotalSize, maxFiles, maxDownloads} = this.#options
    const userData = {
      'download-attempts': String(maxDownloads),
      'upload-max-files': String(maxFiles),
      'delete-file': 'odd',
      'upload-max-file-size': String(maxFileSize),
      'used-download-attempts': String(chat.used.downloads),
      'used-upload-max-total-size': String(chat.used.bytes),
      'upload-need-agent': 'false',
      'used-upload-max-files': String(chat.used.files),
      'upload-max-total-size': String(maxTotalSize),
      'upload-file-types': 'jpeg:jpg:pdf:png:zip',
    }
    answer(exchange, {
      messages: [{from: chat.client, index: 0, text: 'file-client-cfg-get', type: 'Notice', utcTime: Date.now(), userData}],
      chatEnded: false,
      statusCode: 0,
    })
  }

  #upload(exchange: HttpExchange, {fields, file}: Form, chat: Chat): void {
    const {chats, maxFileSize, maxTotalSize, maxFiles, logger} = this.#options
    const refuse = (code: number, what: string): void => this.#refuse(exchange, 'fileUpload', chatError(code, what))
    if (!file) return refuse(ERROR_CODE.missingParameter, 'Parameter file is missing.')
    if (file.truncated) return refuse(ERROR_CODE.notExecuted, `The file is larger than ${maxFileSize} bytes.`)
    if (chat.used.files >= maxFiles) return refuse(ERROR_CODE.notExecuted, `This chat already has ${maxFiles} files.`)
    if (chat.used.bytes + file.content.length > maxTotalSize)
      return refuse(ERROR_CODE.notExecuted, `The files of this chat exceed ${maxTotalSize} bytes.`)
    const id = `00F0${randomBytes(6).toString('hex').toUpperCase()}`
    const sha256 = createHash('sha256').update(file.content).digest('hex')
    chat.files.set(id, {id, name: file.name, mimeType: file.mimeType, content: file.content, sha256, downloads: 0})
    chat.used.files += 1
    chat.used.bytes += file.content.length
    chats.rotate(chat, 'file')
    logger.info(`chat ${chat.number}: upload of ${file.content.length} bytes, sha256 ${sha256}`)
    answer(exchange, {chatEnded: false, statusCode: 0, secureKey: chat.secureKey, userData: {'file-id': id}})
    const described = Object.fromEntries(
      [...fields].flatMap(([name, value]) => (/^userData\[(.+)\]$/.exec(name) ?? []).slice(1).map(key => [key, value])),
    )
    const userData = {...described, 'file-id': id, 'file-name': file.name, 'file-size': String(file.content.length)}
    chat.tell({from: chat.client, type: 'FileUploaded', userData})
  }

  #download(exchange: HttpExchange, form: Form, chat: Chat): void {
    const file = chat.files.get(fileIdOf(exchange, form))
    if (!file) return this.#refuse(exchange, 'fileDownload', chatError(ERROR_CODE.notExecuted, 'There is no such file.'))
    file.downloads += 1
    chat.used.downloads += 1
    const name = file.name.replace(/[^\x20-\x7e]|["\\]/g, '_')
    exchange.send(200, {'Content-Type': file.mimeType, 'Content-Disposition': `attachment; filename="${name}"`}, file.content)
  }

  #delete(exchange: HttpExchange, form: Form, chat: Chat): void {
    const id = fileIdOf(exchange, form)
    const file = chat.files.get(id)
    if (!file) return this.#refuse(exchange, 'fileDelete', chatError(ERROR_CODE.notExecuted, 'There is no such file.'))
    chat.files.delete(id)
    this.#options.chats.rotate(chat, 'file')
    answer(exchange, {chatEnded: false, statusCode: 0, secureKey: chat.secureKey})
    chat.tell({from: chat.client, type: 'FileDeleted', userData: {'file-id': id, 'file-name': file.name}})
  }
}

/** The page says that the id travels in the URL, its examples put it into the form. */
function fileIdOf(exchange: HttpExchange, form: Form): string {
  return form.fields.get('fileId') ?? exchange.query.get('fileId') ?? ''
}

function answer(exchange: HttpExchange, notification: ChatNotification): void {
  exchange.send(200, {'Content-Type': 'application/json;charset=utf-8'}, JSON.stringify(notification))
}
