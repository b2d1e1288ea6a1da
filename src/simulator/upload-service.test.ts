import {createHash, randomBytes} from 'node:crypto'
import {describe, expect, it} from 'vitest'
import {refused, startGms, type GmsUnderTest} from '../../test/support/gms.ts'
import {SocketUser, notificationsOf, openSocket} from '../../test/support/simulator-client.ts'
import {fileReplySchema, type ChatNotification} from '../wire/chat-messages.ts'
import type {SimulatorOptions} from './simulator.ts'

/** A simulator in which a user has a chat. */
async function start(options: SimulatorOptions = {}): Promise<GmsUnderTest & {port: number; second: number; secureKey: string}> {
  const gms = await startGms({nodes: 2, ...options})
  const [port = 0, second = 0] = gms.ports
  return {...gms, port, second, secureKey: await gms.openChat()}
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function call(port: number, body: FormData | URLSearchParams | string, query = ''): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/genesys/2/chat-ntf${query}`, {method: 'POST', body})
}

/** One operation in both content types. */
function forms(fields: Record<string, string>): (FormData | URLSearchParams)[] {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return [form, new URLSearchParams(fields)]
}

async function operate(port: number, fields: Record<string, string>): Promise<ChatNotification> {
  return (await (await call(port, new URLSearchParams(fields))).json()) as ChatNotification
}

async function upload(
  port: number,
  secureKey: string,
  content: Buffer,
  {name = 'probe.zip', ...extra}: {name?: string; [field: string]: string | undefined} = {},
): Promise<ChatNotification> {
  const form = new FormData()
  for (const [field, value] of Object.entries({operation: 'fileUpload', secureKey, ...extra})) form.set(field, value ?? '')
  form.set('file', new Blob([content], {type: 'application/pdf'}), name)
  return (await (await call(port, form)).json()) as ChatNotification
}

/** Uploads a file of three bytes. Returns its id. */
async function uploadSmall(port: number, secureKey: string): Promise<string> {
  return (await upload(port, secureKey, Buffer.from('abc'))).userData?.['file-id'] ?? ''
}

async function limitsOf(port: number, secureKey: string): Promise<Readonly<Record<string, string>>> {
  return (await operate(port, {operation: 'fileGetLimits', secureKey})).messages?.[0]?.userData ?? {}
}

async function expectNoDownload(answer: Response, why: RegExp): Promise<void> {
  expect(answer.status).toBe(500)
  expect(answer.headers.get('content-type')).toContain('text/html')
  const page = await answer.text()
  expect(page).toMatch(/referenceId\[\d{8}\]/)
  expect(page).toMatch(why)
}

describe('a media type', () => {
  it.each([['te\u0001xt/html'], ['text/html\u000b'], ['image'], ['a/b c'], [`${'a'.repeat(200)}/b`]])(
    '%j that no header can carry is called bytes',
    async type => {
      await using gms = await start()
      const part = (head: string, body: string): string => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
      const body = [
        part('name="operation"', 'fileUpload'),
        part('name="secureKey"', gms.secureKey),
        part(`name="file"; filename="a.png"\r\nContent-Type: ${type}`, 'abc'),
        '--b--\r\n',
      ].join('')
      const uploaded = await fetch(`http://127.0.0.1:${gms.port}/genesys/2/chat-ntf`, {
        method: 'POST',
        headers: {'content-type': 'multipart/form-data; boundary=b'},
        body,
      })
      const {secureKey = '', userData} = (await uploaded.json()) as ChatNotification
      const download = {operation: 'fileDownload', secureKey, fileId: userData?.['file-id'] ?? ''}
      const answer = await call(gms.port, new URLSearchParams(download))
      expect([answer.status, await answer.text()]).toEqual([200, 'abc'])
      expect(answer.headers.get('content-type')).toMatch(/^(application\/octet-stream|image\/\S+)$/)
    },
  )

  it('of a file of the agent is held to the same', async () => {
    await using gms = await start()
    gms.sim.agentSendsFile({name: 'a\r\nb.png', mimeType: 'a/b\r\nSet-Cookie: c=d', content: Buffer.from('abc')})
    const {notifications} = await gms.user.ask({operation: 'requestNotifications', secureKey: gms.secureKey})
    const {secureKey = '', messages = []} = notifications.at(-1) ?? {}
    const fileId = messages.find(({type}) => type === 'FileUploaded')?.userData?.['file-id'] ?? ''
    const answer = await call(gms.port, new URLSearchParams({operation: 'fileDownload', secureKey, fileId}))
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('set-cookie')]).toEqual([
      200,
      'application/octet-stream',
      null,
    ])
  })
})

describe('files', () => {
  it('come back as they went, on any node, and are announced in the chat', async () => {
    await using gms = await start()
    const content = randomBytes(300_000)
    const uploaded = await upload(gms.second, gms.secureKey, content, {
      name: 'março.pdf',
      'userData[file-description]': 'bill',
      'userData[k]': 'v',
    })
    expect(Object.keys(uploaded).sort()).toEqual(['chatEnded', 'secureKey', 'statusCode', 'userData'])
    expect(uploaded).toMatchObject({chatEnded: false, statusCode: 0})
    expect(uploaded.secureKey).not.toBe(gms.secureKey)
    const fileId = uploaded.userData?.['file-id'] ?? ''
    expect(fileId).toMatch(/^00F0[0-9A-F]{12}$/)

    const request = gms.sim.recorder.requests.find(({target}) => target === '/genesys/2/chat-ntf')
    expect(request).toMatchObject({node: 'gms2', status: 200, ended: 'answered'})
    expect(request?.body?.bytes).toBeGreaterThan(content.length)
    expect(gms.sim.recorder.bySession(gms.user.clientId)[0]?.node).toBe('gms1')

    const [event] = notificationsOf((await gms.user.connect()).messages)
    expect(event?.messages).toMatchObject([
      {
        type: 'FileUploaded',
        from: {type: 'Client'},
        userData: {'file-id': fileId, 'file-name': 'março.pdf', 'file-size': '300000', 'file-description': 'bill', k: 'v'},
      },
    ])
    expect(event?.secureKey).toBe(uploaded.secureKey)

    const secureKey = uploaded.secureKey ?? ''
    for (const body of forms({operation: 'fileDownload', secureKey, fileId})) {
      const download = await call(gms.second, body)
      expect(download.status).toBe(200)
      expect(download.headers.get('content-type')).toBe('application/pdf')
      expect(download.headers.get('content-disposition')).toBe('attachment; filename="mar_o.pdf"')
      expect(sha256(Buffer.from(await download.arrayBuffer()))).toBe(sha256(content))
    }

    const deleted = await operate(gms.second, {operation: 'fileDelete', secureKey, fileId})
    expect(Object.keys(deleted).sort()).toEqual(['chatEnded', 'secureKey', 'statusCode'])
    expect(deleted).toMatchObject({chatEnded: false, statusCode: 0})
    expect(notificationsOf((await gms.user.connect()).messages)[0]?.messages).toMatchObject([
      {type: 'FileDeleted', userData: {'file-id': fileId}},
    ])
    await expectNoDownload(await call(gms.second, new URLSearchParams({operation: 'fileDownload', secureKey, fileId})), /no such file/)
  })

  it('have limits, all of them strings, in both content types', async () => {
    await using gms = await start()
    await uploadSmall(gms.port, gms.secureKey)
    for (const body of forms({operation: 'fileGetLimits', secureKey: gms.secureKey})) {
      const limits = (await (await call(gms.port, body)).json()) as ChatNotification
      expect(limits).toMatchObject({chatEnded: false, statusCode: 0, messages: [{type: 'Notice', text: 'file-client-cfg-get'}]})
      expect(limits.messages?.[0]).not.toHaveProperty('index')
      expect(fileReplySchema.safeParse(limits).success).toBe(true)
      expect(limits.messages?.[0]?.userData).toEqual({
        'download-attempts': '2',
        'upload-max-files': '5',
        'delete-file': 'odd',
        'upload-max-file-size': '10485760',
        'used-download-attempts': '0',
        'used-upload-max-total-size': '3',
        'upload-need-agent': 'false',
        'used-upload-max-files': '1',
        'upload-max-total-size': '99614720',
        'upload-file-types': 'jpeg:jpg:pdf:png:zip',
      })
    }
  })

  it('reach a chat over WebSocket at once', async () => {
    await using gms = await start()
    const socket = await (await SocketUser.open(gms.port)).start()
    const {secureKey = ''} = await socket.ask({operation: 'requestChat', nickname: 'w'})
    await uploadSmall(gms.port, secureKey)
    await socket.message(({data}) => JSON.stringify(data ?? '').includes('FileUploaded'))
    socket.socket.terminate()
  })

  it('of 10 MiB arrive whole', async () => {
    await using gms = await start()
    const content = randomBytes(10 * 1024 * 1024)
    const {userData, secureKey = ''} = await upload(gms.port, gms.secureKey, content)
    const fileId = userData?.['file-id'] ?? ''
    const download = await call(gms.port, new URLSearchParams({operation: 'fileDownload', secureKey, fileId}))
    expect(sha256(Buffer.from(await download.arrayBuffer()))).toBe(sha256(content))
  })

  it('that break off are recorded as such', async () => {
    await using gms = await start()
    const socket = await openSocket(gms.port)
    socket.write(
      'POST /genesys/2/chat-ntf HTTP/1.1\r\nHost: gms\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n--b\r\n',
    )
    await gms.sim.recorder.waitFor(({target}) => target === '/genesys/2/chat-ntf', 2000)
    socket.destroy()
    const cut = await gms.sim.recorder.waitFor(({ended}) => ended === 'peer-closed', 2000)
    expect(cut?.target).toBe('/genesys/2/chat-ntf')
    expect(cut?.body).toBeUndefined()
  })
})

describe('an upload is refused', () => {
  it('when larger than one file may be: the largest is taken, one byte more is not', async () => {
    await using gms = await start({maxFileSize: 200_000})
    expect((await upload(gms.port, gms.secureKey, randomBytes(200_000))).statusCode).toBe(0)
    expect(await upload(gms.port, gms.secureKey, randomBytes(200_001))).toMatchObject(refused(249, /larger than 200000 bytes/))
    expect(gms.sim.recorder.requests.at(-1)?.body?.bytes).toBeGreaterThan(200_001)
  })

  it('when all files together would be too large', async () => {
    await using gms = await start({maxTotalSize: 100})
    expect((await upload(gms.port, gms.secureKey, randomBytes(60))).statusCode).toBe(0)
    expect(await upload(gms.port, gms.secureKey, randomBytes(41))).toMatchObject(refused(249, /exceed 100 bytes/))
    expect((await upload(gms.port, gms.secureKey, randomBytes(40))).statusCode).toBe(0)
  })

  it('when there are enough files', async () => {
    await using gms = await start({maxFiles: 2})
    await uploadSmall(gms.port, gms.secureKey)
    await uploadSmall(gms.port, gms.secureKey)
    expect(await upload(gms.port, gms.secureKey, Buffer.from('x'))).toMatchObject(refused(249, /already has 2 files/))
  })

  it.each(['probe.exe', 'zip', '.zip', 'probe.zip.', 'probe'])('for its type: %s', async name => {
    await using gms = await start()
    expect(await upload(gms.port, gms.secureKey, Buffer.from('x'), {name})).toMatchObject(
      refused(249, /^Files of type .* jpeg:jpg:pdf:png:zip/),
    )
  })

  it('for its type when the types are others; case does not matter', async () => {
    await using gms = await start({fileTypes: ['txt']})
    expect((await upload(gms.port, gms.secureKey, Buffer.from('x'), {name: 'a.b.TXT'})).statusCode).toBe(0)
    expect(await upload(gms.port, gms.secureKey, Buffer.from('x'))).toMatchObject(refused(249, /"zip" are not taken, only txt/))
    expect((await limitsOf(gms.port, gms.secureKey))['upload-file-types']).toBe('txt')
  })

  it('before an agent is there, when that is demanded', async () => {
    await using gms = await start({uploadNeedsAgent: true, agent: 'absent'})
    expect(await upload(gms.port, gms.secureKey, Buffer.from('x'))).toMatchObject(refused(249, /needs an agent/))
    expect((await limitsOf(gms.port, gms.secureKey))['upload-need-agent']).toBe('true')
    gms.sim.agentSays('here I am')
    expect((await upload(gms.port, gms.secureKey, Buffer.from('x'))).statusCode).toBe(0)
  })

  it('without a file, and in another content type', async () => {
    await using gms = await start()
    for (const body of forms({operation: 'fileUpload', secureKey: gms.secureKey, file: 'text'}))
      expect(await (await call(gms.port, body)).json()).toMatchObject(refused(102, /^Parameter file is missing/))
  })

  it('on a node without a session of the chat, when nodes do not share files', async () => {
    await using gms = await start({uploadsTo: 'session-node'})
    expect(await upload(gms.second, gms.secureKey, Buffer.from('x'))).toMatchObject(refused(249, /holds no session/))
    expect((await upload(gms.port, gms.secureKey, Buffer.from('x'))).statusCode).toBe(0)
  })
})

describe('a download is refused', () => {
  it('as a page with status 500: no key, unknown key, no file, unknown file, wrong node', async () => {
    await using gms = await start()
    const fileId = await uploadSmall(gms.port, gms.secureKey)
    const {secureKey} = gms
    const download = {operation: 'fileDownload'}
    for (const [fields, why] of [
      [{fileId}, /secureKey is missing/],
      [{fileId, secureKey: 'nope'}, /Media server/],
      [{secureKey}, /fileId is missing/],
      [{secureKey, fileId: '00F0'}, /no such file/],
    ] as const)
      for (const body of forms({...download, ...fields})) await expectNoDownload(await call(gms.port, body), why)
  })

  it('after as many as are allowed of one file, by whom it may be', async () => {
    await using gms = await start({maxDownloads: 1})
    const {secureKey} = gms
    const own = await uploadSmall(gms.port, secureKey)
    gms.sim.agentSendsFile({name: 'folder/offer.exe', content: Buffer.from('offer'), mimeType: 'text/plain'})
    const events = notificationsOf((await gms.user.connect()).messages).flatMap(({messages = []}) => messages)
    expect(events.at(-1)).toMatchObject({
      from: {type: 'Agent'},
      type: 'FileUploaded',
      userData: {'file-name': 'offer.exe', 'file-size': '5'},
    })
    const theirs = events.at(-1)?.userData?.['file-id'] ?? ''
    for (const fileId of [own, theirs]) {
      expect((await call(gms.port, new URLSearchParams({operation: 'fileDownload', secureKey, fileId}))).status).toBe(200)
      await expectNoDownload(
        await call(gms.port, new URLSearchParams({operation: 'fileDownload', secureKey, fileId})),
        /already downloaded 1 times/,
      )
    }
    const limits = await limitsOf(gms.port, secureKey)
    expect(limits).toMatchObject({'download-attempts': '1', 'used-download-attempts': '2', 'used-upload-max-files': '1'})
  })
})

describe('a deletion', () => {
  it.each([
    ['frees-nothing', {statusCode: 0}, '1', '3'],
    ['frees-limits', {statusCode: 0}, '0', '0'],
    ['refused', refused(249, /may not be deleted/), '1', '3'],
  ] as const)('%s', async (fileDeletion, answer, files, bytes) => {
    await using gms = await start({fileDeletion})
    const {secureKey} = gms
    const fileId = await uploadSmall(gms.port, secureKey)
    expect(await operate(gms.port, {operation: 'fileDelete', secureKey, fileId})).toMatchObject(answer)
    expect(await limitsOf(gms.port, secureKey)).toMatchObject({'used-upload-max-files': files, 'used-upload-max-total-size': bytes})
  })

  it('is refused for the agent’s files and for those that are not there', async () => {
    await using gms = await start()
    const {secureKey} = gms
    gms.sim.agentSendsFile({name: 'offer.pdf', content: Buffer.from('offer')})
    const events = notificationsOf((await gms.user.connect()).messages).flatMap(({messages = []}) => messages)
    const fileId = events.at(-1)?.userData?.['file-id'] ?? ''
    expect(await operate(gms.port, {operation: 'fileDelete', secureKey, fileId})).toMatchObject(refused(249, /file of the agent/))
    expect(await operate(gms.port, {operation: 'fileDelete', secureKey, fileId: 'x'})).toMatchObject(refused(249, /no such file/))
    expect(await operate(gms.port, {operation: 'fileDelete', secureKey})).toMatchObject(refused(102, /^Parameter fileId is missing/))
  })
})

describe('a file operation', () => {
  it('needs a known key and a known operation in a readable form', async () => {
    await using gms = await start()
    expect(await operate(gms.port, {operation: 'fileGetLimits', secureKey: 'nobody'})).toMatchObject(
      refused(249, /Media/, {chatEnded: true}),
    )
    expect(await operate(gms.port, {operation: 'fileGetLimits'})).toMatchObject(refused(102, /^Parameter secureKey is missing/))
    expect(await operate(gms.port, {operation: 'constructor'})).toMatchObject(refused(102, /^Unknown operation "constructor"/))
    expect(await operate(gms.port, {secureKey: gms.secureKey})).toMatchObject(refused(102, /^Parameter operation is missing/))
    expect((await call(gms.port, '{}')).status).toBe(500)
    expect((await fetch(`http://127.0.0.1:${gms.port}/genesys/2/chat-ntf`)).status).toBe(405)
  })

  it('is refused after the chat has ended', async () => {
    await using gms = await start()
    await gms.ask({operation: 'disconnect', secureKey: gms.secureKey})
    expect(await upload(gms.port, gms.secureKey, Buffer.from('x'))).toMatchObject(refused(249, /Media/, {chatEnded: true}))
  })

  it('is taken in the spellings of the field and with parameters in the query, and warned of', async () => {
    await using gms = await start()
    const {secureKey} = gms
    const fileId = await uploadSmall(gms.port, secureKey)
    expect(await operate(gms.port, {operation: 'fileGetsLimits', secureKey})).toMatchObject({statusCode: 0})
    expect((await call(gms.port, new URLSearchParams({operation: 'download', secureKey, fileId}))).status).toBe(200)
    expect((await call(gms.port, new URLSearchParams({operation: 'fileDownload', secureKey}), `?fileId=${fileId}`)).status).toBe(200)
    const deleted = await call(gms.port, new URLSearchParams({operation: 'fileDelete', secureKey, fileId}), '?fileId=other')
    expect(await deleted.json()).toMatchObject({statusCode: 0})
    expect(gms.sim.warnings.map(({node, what}) => `${node}: ${what}`)).toEqual([
      'gms1: operation fileGetsLimits taken as fileGetLimits',
      'gms1: operation download taken as fileDownload',
      'gms1: fileId came in the query',
      'gms1: fileId came in the query and in the form, which counts',
    ])
    expect(gms.said).toContain('gms1: fileId came in the query')
  })

  it('rotates the key by itself when only files do', async () => {
    await using gms = await start({secureKeyRotation: 'files'})
    expect((await upload(gms.port, gms.secureKey, Buffer.from('x'))).secureKey).not.toBe(gms.secureKey)
    await using never = await start({secureKeyRotation: 'never'})
    expect((await upload(never.port, never.secureKey, Buffer.from('x'))).secureKey).toBe(never.secureKey)
  })
})
