import {createHash, randomBytes} from 'node:crypto'
import {afterEach, describe, expect, it} from 'vitest'
import {PollingUser, SocketUser, openSocket} from '../../test/support/simulator-client.ts'
import {startSimulator, type Simulator, type SimulatorOptions} from './simulator.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

let simulator: Simulator | undefined

async function start(options: SimulatorOptions = {}) {
  simulator = await startSimulator(options)
  const [port = 0, second = 0] = simulator.nodes.map(node => node.port)
  const user = await new PollingUser(port).start()
  const {notifications} = await user.ask({operation: 'requestChat', nickname: 'Ann'})
  return {sim: simulator, user, port, second, secureKey: notifications.at(-1)?.secureKey ?? ''}
}

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]()
  simulator = undefined
})

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function call(port: number, body: FormData | URLSearchParams | string, query = ''): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/genesys/2/chat-ntf${query}`, {method: 'POST', body})
}

async function upload(port: number, secureKey: string, content: Buffer, extra: Record<string, string> = {}): Promise<ChatNotification> {
  const form = new FormData()
  for (const [name, value] of Object.entries({operation: 'fileUpload', secureKey, ...extra})) form.set(name, value)
  form.set('file', new Blob([content], {type: 'application/pdf'}), 'março "1".pdf')
  return (await (await call(port, form)).json()) as ChatNotification
}

describe('files', () => {
  it('come back as they went, on any node, and are announced in the chat', async () => {
    const {sim, user, second, secureKey} = await start()
    const content = randomBytes(300_000)
    const uploaded = await upload(second, secureKey, content, {'userData[file-description]': 'bill'})
    expect(Object.keys(uploaded).sort()).toEqual(['chatEnded', 'secureKey', 'statusCode', 'userData'])
    expect(uploaded).toMatchObject({chatEnded: false, statusCode: 0})
    expect(uploaded.secureKey).not.toBe(secureKey)
    const fileId = uploaded.userData?.['file-id'] ?? ''
    expect(fileId).toMatch(/^00F0[0-9A-F]{12}$/)

    const request = sim.recorder.requests.find(({target}) => target === '/genesys/2/chat-ntf')
    expect(request).toMatchObject({node: 'gms2', status: 200, ended: 'answered'})
    expect(request?.body?.bytes).toBeGreaterThan(content.length)
    expect(sim.recorder.bySession(user.clientId)[0]?.node).toBe('gms1')

    const event = (await user.connect()).messages[0]?.data as ChatNotification
    expect(event.messages).toMatchObject([
      {type: 'FileUploaded', from: {type: 'Client'}, userData: {'file-id': fileId, 'file-size': '300000', 'file-description': 'bill'}},
    ])
    expect(event.secureKey).toBe(uploaded.secureKey)

    const download = await call(second, new URLSearchParams({operation: 'fileDownload', secureKey: uploaded.secureKey ?? '', fileId}))
    expect(download.status).toBe(200)
    expect(download.headers.get('content-type')).toBe('application/pdf')
    expect(sha256(Buffer.from(await download.arrayBuffer()))).toBe(sha256(content))

    const deleted = await call(second, new URLSearchParams({operation: 'fileDelete', secureKey: uploaded.secureKey ?? '', fileId}))
    expect(await deleted.json()).toMatchObject({chatEnded: false, statusCode: 0, secureKey: expect.any(String) as string})
    const gone = await call(second, new URLSearchParams({operation: 'fileDownload', secureKey: uploaded.secureKey ?? '', fileId}))
    expect(gone.status).toBe(500)
    expect(gone.headers.get('content-type')).toContain('text/html')
    expect(await gone.text()).toMatch(/referenceId\[\d{8}\]/)
  })

  it('have limits, all of them strings, in both content types and both spellings', async () => {
    const {port, secureKey} = await start()
    await upload(port, secureKey, Buffer.from('abc'))
    const form = new FormData()
    form.set('operation', 'fileGetLimits')
    form.set('secureKey', secureKey)
    for (const body of [form, new URLSearchParams({operation: 'fileGetsLimits', secureKey})]) {
      const limits = (await (await call(port, body)).json()) as ChatNotification
      expect(limits.messages?.[0]).toMatchObject({
        type: 'Notice',
        text: 'file-client-cfg-get',
        userData: {
          'upload-max-file-size': '10485760',
          'upload-max-total-size': '99614720',
          'used-upload-max-files': '1',
          'used-upload-max-total-size': '3',
        },
      })
    }
  })

  it('of the largest size are taken, one byte more is refused by GMS', async () => {
    const {sim, port, secureKey} = await start({maxFileSize: 200_000})
    expect((await upload(port, secureKey, randomBytes(200_000))).statusCode).toBe(0)
    const refused = await upload(port, secureKey, randomBytes(200_001))
    expect(refused).toMatchObject({statusCode: 2, chatEnded: false, errors: [{code: 249}]})
    expect(sim.recorder.requests.at(-1)?.body?.bytes).toBeGreaterThan(200_001)
  })

  it('need a known key, a file, a known operation and a readable form', async () => {
    const {port, secureKey} = await start()
    expect(await upload(port, 'nobody', Buffer.from('x'))).toMatchObject({statusCode: 2, chatEnded: true, errors: [{code: 249}]})
    const noFile = await call(port, new URLSearchParams({operation: 'fileUpload', secureKey}))
    expect(await noFile.json()).toMatchObject({statusCode: 2, errors: [{code: 102}]})
    const unknown = await call(port, new URLSearchParams({operation: 'constructor', secureKey}))
    expect(await unknown.json()).toMatchObject({statusCode: 2, errors: [{code: 102}]})
    expect((await call(port, '{}')).status).toBe(500)
  })

  it('may be bound to a node that knows the session', async () => {
    const {port, second, secureKey} = await start({uploadsTo: 'session-node'})
    expect(await upload(second, secureKey, Buffer.from('x'))).toMatchObject({statusCode: 2, errors: [{code: 249}]})
    expect((await upload(port, secureKey, Buffer.from('x'))).statusCode).toBe(0)
  })

  it('reach a chat over WebSocket at once', async () => {
    const {port} = await start()
    const socket = await (await SocketUser.open(port)).start()
    const {secureKey = ''} = await socket.ask({operation: 'requestChat', nickname: 'w'})
    await upload(port, secureKey, Buffer.from('x'))
    await socket.message(({data}) => JSON.stringify(data ?? '').includes('FileUploaded'))
    socket.socket.terminate()
  })

  it('of 10 MiB arrive whole', async () => {
    const {port, secureKey} = await start()
    const content = randomBytes(10 * 1024 * 1024)
    const {userData, secureKey: next = ''} = await upload(port, secureKey, content)
    const download = await call(
      port,
      new URLSearchParams({operation: 'fileDownload', secureKey: next}),
      `?fileId=${userData?.['file-id'] ?? ''}`,
    )
    expect(sha256(Buffer.from(await download.arrayBuffer()))).toBe(sha256(content))
  })

  it('that break off are recorded as such', async () => {
    const {sim, port} = await start()
    const socket = await openSocket(port)
    socket.write(
      'POST /genesys/2/chat-ntf HTTP/1.1\r\nHost: gms\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n--b\r\n',
    )
    await sim.recorder.waitFor(({target}) => target === '/genesys/2/chat-ntf', 2000)
    socket.destroy()
    const cut = await sim.recorder.waitFor(({ended}) => ended === 'peer-closed', 2000)
    expect(cut?.target).toBe('/genesys/2/chat-ntf')
    expect(cut?.body).toBeUndefined()
  })
})
