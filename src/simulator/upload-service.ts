import {createHash} from 'node:crypto'
import {posix} from 'node:path'
import type {Logger} from '../log.ts'
import type {ChatNotification, FileReply} from '../wire/chat-messages.ts'
import {FILE_OPERATIONS, type FileOperation} from '../wire/chat.ts'
import {ERROR_CODE, chatError} from './chat-errors.ts'
import type {ChatDecisions} from './chat-options.ts'
import type {ChatService} from './chat-service.ts'
import {newFileId, type Chat} from './chat-store.ts'
import type {HttpExchange} from './http-exchange.ts'
import {readForm, type Form, type FormFile} from './multipart-form.ts'
import type {Warnings} from './warnings.ts'

/** Spellings of the page's own example and of clients in the field. */
const VARIANTS: Readonly<Record<string, FileOperation>> = {download: 'fileDownload', fileGetsLimits: 'fileGetLimits'}

/** What a request asks for, from the form or, tolerated, from the query. */
interface Asked {
  parameter(name: string): string
  form: Form
  node: string
}

type Handler = (exchange: HttpExchange, asked: Asked, chat: Chat) => void

/** `POST /genesys/2/chat-ntf`: the four file operations, on every node, over the chats that all nodes share. */
export class UploadService {
  readonly #decisions: ChatDecisions
  readonly #chats: ChatService
  readonly #warnings: Warnings
  readonly #logger: Logger
  readonly #operations: Readonly<Record<FileOperation, Handler>> = {
    fileGetLimits: (exchange, _, chat) => this.#limits(exchange, chat),
    fileUpload: (exchange, asked, chat) => this.#upload(exchange, asked, chat),
    fileDownload: (exchange, asked, chat) => this.#download(exchange, asked, chat),
    fileDelete: (exchange, asked, chat) => this.#delete(exchange, asked, chat),
  }

  constructor(decisions: ChatDecisions, chats: ChatService, warnings: Warnings, logger: Logger) {
    this.#decisions = decisions
    this.#chats = chats
    this.#warnings = warnings
    this.#logger = logger
  }

  serve(exchange: HttpExchange, node: string): void {
    if (exchange.method !== 'POST') {
      exchange.streamBody()
      exchange.refuse(405, 'Method Not Allowed', 'none', {Allow: 'POST'})
      return
    }
    readForm(
      exchange,
      this.#decisions.maxFileSize,
      form => this.#dispatch(exchange, this.#asked(exchange, form, node)),
      reason => {
        this.#logger.info(`${node}: unreadable form on ${exchange.path} (${reason})`)
        exchange.refuse(500, 'Server Error')
      },
    )
  }

  /** A servlet finds parameters in the query as well as in a form; the page wants them in the form (its table says URL for fileId, its examples do not). */
  #asked(exchange: HttpExchange, form: Form, node: string): Asked {
    return {
      form,
      node,
      parameter: name => {
        const inForm = form.fields.get(name)
        const inQuery = exchange.query.get(name)
        if (inQuery !== null)
          this.#warnings.add(node, `${name} came in the query${inForm === undefined ? '' : ' and in the form, which counts'}`)
        return inForm ?? inQuery ?? ''
      },
    }
  }

  #dispatch(exchange: HttpExchange, asked: Asked): void {
    const named = asked.parameter('operation')
    const operation = FILE_OPERATIONS.find(name => name === named) ?? (Object.hasOwn(VARIANTS, named) ? VARIANTS[named] : undefined)
    if (operation === undefined) {
      const missing = named === '' ? 'Parameter operation is missing.' : `Unknown operation ${JSON.stringify(named)}.`
      answer(exchange, chatError(ERROR_CODE.missingParameter, missing))
      return
    }
    if (operation !== named) this.#warnings.add(asked.node, `operation ${named} taken as ${operation}`)
    const chat = this.#chats.admit(asked.parameter('secureKey'))
    if (!('peers' in chat)) {
      this.#refuse(exchange, operation, chat)
      return
    }
    if (this.#decisions.uploadsTo === 'session-node' && !chat.nodes.includes(asked.node)) {
      this.#refuse(exchange, operation, chatError(ERROR_CODE.notExecuted, `Node ${asked.node} holds no session of this chat.`))
      return
    }
    this.#operations[operation](exchange, asked, chat)
  }

  /** A download that fails is a page with status 500 (vendor page); every other operation fails as a chat notification. */
  #refuse(exchange: HttpExchange, operation: FileOperation, error: ChatNotification): void {
    const advice = error.errors?.[0]?.advice ?? ''
    this.#logger.info(`${operation} refused: ${advice}`)
    if (operation === 'fileDownload') exchange.refuse(500, advice)
    else answer(exchange, error)
  }

  #limits(exchange: HttpExchange, chat: Chat): void {
    const {maxFileSize, maxTotalSize, maxFiles, maxDownloads, uploadNeedsAgent, fileTypes} = this.#decisions
    const userData = {
      'download-attempts': String(maxDownloads),
      'upload-max-files': String(maxFiles),
      // The only value that was seen in the field.
      'delete-file': 'odd',
      'upload-max-file-size': String(maxFileSize),
      'used-download-attempts': String(chat.used.downloads),
      'used-upload-max-total-size': String(chat.used.bytes),
      'upload-need-agent': String(uploadNeedsAgent),
      'used-upload-max-files': String(chat.used.files),
      'upload-max-total-size': String(maxTotalSize),
      'upload-file-types': fileTypes.join(':'),
    }
    answer(exchange, {
      messages: [{from: chat.client, text: 'file-client-cfg-get', type: 'Notice', utcTime: Date.now(), userData}],
      chatEnded: false,
      statusCode: 0,
    })
  }

  /** Why a file is not taken; the smallest limit first. */
  #obstacle(chat: Chat, file: FormFile): string | undefined {
    const {maxFileSize, maxTotalSize, maxFiles, uploadNeedsAgent, fileTypes} = this.#decisions
    if (uploadNeedsAgent && !chat.agentPresent) return 'An upload needs an agent in the chat.'
    const extension = posix.extname(file.name).slice(1).toLowerCase()
    if (!fileTypes.includes(extension)) return `Files of type ${JSON.stringify(extension)} are not taken, only ${fileTypes.join(':')}.`
    if (file.truncated) return `The file is larger than ${maxFileSize} bytes.`
    if (chat.used.files >= maxFiles) return `This chat already has ${maxFiles} files.`
    if (chat.used.bytes + file.content.length > maxTotalSize) return `The files of this chat exceed ${maxTotalSize} bytes.`
    return undefined
  }

  #upload(exchange: HttpExchange, {form: {fields, file}}: Asked, chat: Chat): void {
    if (!file) return this.#refuse(exchange, 'fileUpload', chatError(ERROR_CODE.missingParameter, 'Parameter file is missing.'))
    const obstacle = this.#obstacle(chat, file)
    if (obstacle !== undefined) return this.#refuse(exchange, 'fileUpload', chatError(ERROR_CODE.notExecuted, obstacle))
    const id = newFileId()
    const {name, mimeType, content} = file
    chat.files.set(id, {id, name, mimeType, content, by: 'Client', downloads: 0})
    chat.used.files += 1
    chat.used.bytes += content.length
    this.#chats.rotate(chat, 'file')
    this.#logger.info(
      `chat ${chat.number}: upload of ${content.length} bytes, sha256 ${createHash('sha256').update(content).digest('hex')}`,
    )
    answer(exchange, {chatEnded: false, statusCode: 0, secureKey: chat.secureKey, userData: {'file-id': id}})
    const described = Object.fromEntries(
      [...fields].flatMap(([field, value]) => (/^userData\[(.+)\]$/.exec(field) ?? []).slice(1).map(key => [key, value])),
    )
    const userData = {...described, 'file-id': id, 'file-name': name, 'file-size': String(content.length)}
    chat.tell({from: chat.client, type: 'FileUploaded', userData})
  }

  #download(exchange: HttpExchange, asked: Asked, chat: Chat): void {
    const {maxDownloads} = this.#decisions
    const refuse = (code: number, what: string): void => this.#refuse(exchange, 'fileDownload', chatError(code, what))
    const id = asked.parameter('fileId')
    if (id === '') return refuse(ERROR_CODE.missingParameter, 'Parameter fileId is missing.')
    const file = chat.files.get(id)
    if (!file) return refuse(ERROR_CODE.notExecuted, 'There is no such file.')
    if (file.downloads >= maxDownloads) return refuse(ERROR_CODE.notExecuted, `The file was already downloaded ${maxDownloads} times.`)
    file.downloads += 1
    chat.used.downloads += 1
    const name = file.name.replace(/[^\x20-\x7e]|["\\]/g, '_')
    exchange.send(200, {'Content-Type': file.mimeType, 'Content-Disposition': `attachment; filename="${name}"`}, file.content)
  }

  #delete(exchange: HttpExchange, asked: Asked, chat: Chat): void {
    const {fileDeletion} = this.#decisions
    const refuse = (code: number, what: string): void => this.#refuse(exchange, 'fileDelete', chatError(code, what))
    const id = asked.parameter('fileId')
    if (id === '') return refuse(ERROR_CODE.missingParameter, 'Parameter fileId is missing.')
    const file = chat.files.get(id)
    if (!file) return refuse(ERROR_CODE.notExecuted, 'There is no such file.')
    if (file.by !== 'Client') return refuse(ERROR_CODE.notExecuted, 'A file of the agent may not be deleted.')
    if (fileDeletion === 'refused') return refuse(ERROR_CODE.notExecuted, 'Files may not be deleted.')
    chat.files.delete(id)
    if (fileDeletion === 'frees-limits') {
      chat.used.files -= 1
      chat.used.bytes -= file.content.length
    }
    this.#chats.rotate(chat, 'file')
    answer(exchange, {chatEnded: false, statusCode: 0, secureKey: chat.secureKey})
    chat.tell({from: chat.client, type: 'FileDeleted', userData: {'file-id': id, 'file-name': file.name}})
  }
}

function answer(exchange: HttpExchange, notification: FileReply): void {
  exchange.send(200, {'Content-Type': 'application/json;charset=utf-8'}, JSON.stringify(notification))
}
