import {CometD, type Message} from 'cometd'
import type {Conversation} from '../conversation.ts'

// A customer's page: the CometD library as npm delivers it, and nothing but the browser's own APIs.

interface ChatData {
  messages?: {index: number; type: string; text?: string; from: {type: string}}[]
  secureKey?: string
  chatEnded: boolean
  statusCode: number
  userData?: Record<string, string>
}

const CHANNEL = '/service/chatV2/customer-support'

async function sha256(bytes: BufferSource): Promise<string> {
  // Only a page from a secure origin has crypto.subtle; a sum of the content is enough where there is none.
  if (!isSecureContext) {
    let [a, b] = [1, 0]
    for (const byte of new Uint8Array(bytes as ArrayBuffer)) [a, b] = [(a + byte) % 65_521, (a + byte + b) % 65_521]
    return `adler ${b * 65_536 + a}`
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

async function operate(fields: Record<string, string>, file?: Blob): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  if (file) form.append('file', file, 'holiday.png')
  return fetch('/genesys/2/chat-ntf', {method: 'POST', body: form})
}

/** One chat over one transport, with a file in it. `negotiated` leaves the choice to the library. */
async function converse(transport: string, fileBytes: number): Promise<Conversation> {
  const client = new CometD()
  const types = client.getTransportTypes()
  if (transport !== 'negotiated') for (const type of types) if (type !== transport) client.unregisterTransport(type)
  client.configure({url: new URL('/genesys/cometd', location.href).href, connectTimeout: 10_000})
  const said: string[] = []
  let last = 0
  let secureKey = ''
  let ended = false
  let wake = () => {}
  client.addListener(CHANNEL, (message: Message) => {
    const data = message.data as ChatData
    if (data.statusCode !== 0) throw new Error(`statusCode ${data.statusCode}`)
    secureKey = data.secureKey ?? secureKey
    ended ||= data.chatEnded
    for (const event of data.messages ?? []) {
      if (event.index <= last) continue
      last = event.index
      said.push(`${event.from.type} ${event.type}${event.text === undefined ? '' : `: ${event.text}`}`)
    }
    wake()
  })
  const until = async (what: string, reached: () => boolean): Promise<void> => {
    const deadline = performance.now() + 20_000
    while (!reached()) {
      if (performance.now() > deadline) throw new Error(`${what}: ${said.join(', ')}`)
      await new Promise<void>(resolve => {
        wake = resolve
        setTimeout(resolve, 1000)
      })
    }
  }
  const publish = (data: Record<string, unknown>): Promise<void> =>
    new Promise((resolve, reject) => {
      client.publish(CHANNEL, data, reply => {
        if (reply.successful === true) resolve()
        else reject(new Error(JSON.stringify(reply)))
      })
    })
  await new Promise<void>((resolve, reject) => {
    client.handshake(reply => {
      if (reply.successful === true) resolve()
      else reject(new Error(`no handshake over ${transport}: ${reply.error ?? ''}`))
    })
  })
  const negotiated = client.getTransport()?.type ?? 'none'
  await publish({operation: 'requestChat', nickname: 'Ada', subject: 'From a browser'})
  await until('the agent joins', () => said.some(line => line === 'Agent ParticipantJoined'))
  await publish({operation: 'sendMessage', secureKey, message: 'Grüße aus dem Browser 👋'})
  await until('the agent answers', () => said.some(line => line.startsWith('Agent Message') && line.includes('👋')))

  const content = new Uint8Array(fileBytes)
  for (let i = 0; i < fileBytes; i += 65_536) crypto.getRandomValues(content.subarray(i, Math.min(fileBytes, i + 65_536)))
  const sent = (await (await operate({operation: 'fileUpload', secureKey}, new Blob([content], {type: 'image/png'}))).json()) as ChatData
  secureKey = sent.secureKey ?? secureKey
  const fileId = sent.userData?.['file-id'] ?? ''
  if (fileId === '') throw new Error(`no file-id: ${JSON.stringify(sent)}`)
  await until('the upload is told', () => said.some(line => line.startsWith('Client FileUploaded')))
  const got = await operate({operation: 'fileDownload', secureKey, fileId})
  const back = await got.arrayBuffer()

  await publish({operation: 'disconnect', secureKey})
  await until('the chat ends', () => ended)
  await new Promise<void>(resolve => {
    client.disconnect(() => resolve())
    setTimeout(resolve, 5000)
  })
  return {negotiated, said, ended, sentSha256: await sha256(content), downloadedSha256: await sha256(back)}
}

Object.assign(globalThis, {converse})
