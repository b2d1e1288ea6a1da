import type {AddressInfo, Socket} from 'node:net'
import {createServer} from 'node:net'
import {expect, test} from 'vitest'
import {WebSocketServer} from 'ws'
import {clientTextFrame, serverTextFrame} from './frames.ts'
import type {RawAnswer, RawRequest} from './raw.ts'
import {sendRaw} from './raw.ts'

/** Sends a request to a peer that answers the first bytes with `answer`; gives what both sides saw. */
async function exchange(answer: (socket: Socket) => void, request: Partial<RawRequest> = {}): Promise<{seen: RawAnswer; received: string}> {
  let received = ''
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
    socket.on('data', chunk => (received += chunk.toString('latin1')))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const seen = await sendRaw(new URL(`http://127.0.0.1:${port}`), {
    head: ['GET / HTTP/1.1', 'hOsT: x'],
    deadlineMs: 500,
    signal: new AbortController().signal,
    ...request,
  })
  await new Promise(resolve => server.close(resolve))
  return {seen, received}
}

test('what is sent is what was written', async () => {
  const {received} = await exchange(socket => socket.end('HTTP/1.1 204 No Content\r\n\r\n'), {
    head: ['BREW  /pot HTTP/1.0', 'X-b: 2', 'x-A:1', 'X-b: 3'],
    body: 'tea',
  })
  expect(received).toBe('BREW  /pot HTTP/1.0\r\nX-b: 2\r\nx-A:1\r\nX-b: 3\r\n\r\ntea')
})

test('content length: the connection that stays open is told from the one that closes', async () => {
  const text = 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 5\r\n\r\nhello'
  expect((await exchange(socket => socket.write(text))).seen).toMatchObject({
    status: 200,
    httpVersion: '1.1',
    statusLine: 'HTTP/1.1 200 OK',
    stayedOpen: true,
    headers: {'set-cookie': ['a=1', 'b=2']},
  })
  const {seen} = await exchange(socket => socket.end(text))
  expect(seen).toMatchObject({stayedOpen: false})
  expect(seen.failure).toBeUndefined()
  expect(seen.body.toString()).toBe('hello')
})

test('chunks are put together, an interim answer is skipped', async () => {
  const {seen} = await exchange(socket =>
    socket.write(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
    ),
  )
  expect(seen).toMatchObject({status: 200, stayedOpen: true})
  expect(seen.body.toString()).toBe('hello world')
})

test('a body without length ends with the connection', async () => {
  const {seen} = await exchange(socket => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'))
  expect(seen).toMatchObject({status: 200, httpVersion: '1.0', stayedOpen: false})
  expect(seen.failure).toBeUndefined()
  expect(seen.body.toString()).toBe('until the end')
})

test.each([
  ['cut short', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel'), 'closed'],
  ['cut in the headers', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nCont'), 'closed'],
  ['reset', (socket: Socket) => socket.resetAndDestroy(), 'closed'],
  ['silence', () => undefined, 'timed-out'],
  ['half an answer, then silence', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel'), 'timed-out'],
  ['not HTTP', (socket: Socket) => socket.write('SSH-2.0-x\r\n'), 'refused'],
])('%s', async (_, answer, ended) => {
  expect((await exchange(answer)).seen.failure?.ended).toBe(ended)
})

test('frames are understood by a real WebSocket server, and its by us', async () => {
  const server = new WebSocketServer({host: '127.0.0.1', port: 0})
  await new Promise(resolve => server.once('listening', resolve))
  server.on('connection', socket => socket.on('message', data => socket.send(`heard ${String(data)}`)))
  const {port} = server.address() as AddressInfo
  for (const text of ['hi', 'x'.repeat(300)]) {
    const seen = await sendRaw(new URL(`http://127.0.0.1:${port}`), {
      head: [
        'GET / HTTP/1.1',
        'Host: x',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ],
      afterUpgrade: clientTextFrame(text),
      deadlineMs: 5000,
      signal: new AbortController().signal,
    })
    expect(seen).toMatchObject({status: 101, stayedOpen: true, headers: {'sec-websocket-accept': ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']}})
    expect(serverTextFrame(seen.body)).toBe(`heard ${text}`)
  }
  server.close()
})
