import type {AddressInfo, Socket} from 'node:net'
import {connect, createServer} from 'node:net'
import {expect, test} from 'vitest'
import {startSimulator} from '../simulator/simulator.ts'
import {auth} from './auth.ts'
import {chat} from './chat.ts'
import {files} from './files.ts'
import type {Target, Transcript} from './flow.ts'
import {freshClients} from './fresh-clients.ts'
import {handshake} from './handshake.ts'
import {heldPoll} from './held-poll.ts'
import {idleWebSocket} from './idle-websocket.ts'
import {longChat} from './long-chat.ts'
import {openChats} from './open-chats.ts'
import {operations} from './operations.ts'
import {plainRequest} from './plain-request.ts'
import {push} from './push.ts'
import {typing} from './typing.ts'
import {upgrade} from './upgrade.ts'
import {upload} from './upload.ts'

type Context = Parameters<typeof chat.run>[2]
const budgets = {answer: 400, hold: 100, networkDelay: 200}
const context: Context = {budgets, signal: new AbortController().signal}

/** Every flow, as a user of a peer that is no GMS. */
const FLOWS: Record<string, (target: Target, context: Context) => Promise<Transcript>> = {
  'handshake over WebSocket': (target, with_) => handshake.run(target, {transport: 'websocket'}, with_),
  'handshake over long-polling': (target, with_) => handshake.run(target, {transport: 'long-polling'}, with_),
  'handshake over callback-polling': (target, with_) => handshake.run(target, {transport: 'callback-polling'}, with_),
  'chat over WebSocket': (target, with_) => chat.run(target, {transport: 'websocket'}, with_),
  'chat over long-polling': (target, with_) => chat.run(target, {transport: 'long-polling'}, with_),
  'chat over callback-polling': (target, with_) => chat.run(target, {transport: 'callback-polling'}, with_),
  'chat negotiated': (target, with_) => chat.run(target, {transport: 'negotiated'}, with_),
  'held poll': (target, with_) => heldPoll.run(target, {transport: 'long-polling'}, with_),
  'poll that delivers': (target, with_) => heldPoll.run(target, {transport: 'callback-polling', delivers: {}}, with_),
  'idle WebSocket': (target, with_) => idleWebSocket.run(target, {silenceMs: 100}, with_),
  'fresh clients': (target, with_) => freshClients.run(target, {clients: 2, rounds: 1}, with_),
  upload: (target, with_) => upload.run(target, {transport: 'long-polling', bytes: 1000}, with_),
  'operations of the official client': (target, with_) => operations.run(target, {transport: 'websocket', style: 'subscribe'}, with_),
  'operations of the probe': (target, with_) =>
    operations.run(target, {transport: 'callback-polling', client: 'probe', style: 'subscribe'}, with_),
  typing: (target, with_) => typing.run(target, {transport: 'long-polling'}, with_),
  'long chat': (target, with_) => longChat.run(target, {transport: 'callback-polling'}, with_),
  files: (target, with_) => files.run(target, {transport: 'long-polling', client: 'probe'}, with_),
  credentials: (target, with_) => auth.run(target, {transport: 'websocket', username: 'user1', password: 'pass1'}, with_),
  'a device': (target, with_) =>
    push.run(target, {transport: 'long-polling', device: {push_notification_deviceid: 'd1', push_notification_type: 'fcm'}}, with_),
  'open chats': (target, with_) => openChats.run(target, {chats: 5}, with_),
  upgrade: (target, with_) => upgrade.run(target, {connection: 'Upgrade', upgrade: 'websocket', thenHandshake: true}, with_),
}
/** One request is complete with any HTTP answer, so it has its own expectations. */
const PLAIN = (target: Target, with_: Context) => plainRequest.run(target, {target: '/genesys/cometd'}, with_)

const answer = (status: string, body: string, type = 'text/html') =>
  `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** What the peer does with the first bytes of a connection. */
const PEERS: Record<string, {act: (socket: Socket) => void; ended: Transcript['ended'][]; once?: true}> = {
  hangs: {act: () => undefined, ended: ['timed-out']},
  resets: {act: socket => socket.resetAndDestroy(), ended: ['closed', 'refused']},
  'hangs up': {act: socket => socket.end(), ended: ['closed', 'refused']},
  'says 504': {act: socket => socket.write(answer('504 Gateway Time-out', '<html>504</html>')), ended: ['refused', 'timed-out']},
  'says 200 with HTML': {act: socket => socket.write(answer('200 OK', '<html>Welcome</html>')), ended: ['refused', 'timed-out']},
  'says 200 with an empty list': {act: socket => socket.write(answer('200 OK', '[]', 'application/json')), ended: ['refused', 'timed-out']},
  'talks another protocol': {act: socket => socket.write('SSH-2.0-OpenSSH_9.2\r\n'), ended: ['refused', 'timed-out']},
  'upgrades without a word after': {
    act: socket =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n'),
    ended: ['refused', 'timed-out', 'closed'],
    once: true,
  },
}

async function withPeer(
  act: (socket: Socket) => void,
  use: (target: Target, open: () => number) => Promise<void>,
  once = false,
): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let acted = false
    socket.on('data', () => {
      if (!acted || !once) act(socket)
      acted = true
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  try {
    await use(
      {url: new URL(`http://127.0.0.1:${port}`), hostHeader: `127.0.0.1:${port}`, chatService: 'customer-support'},
      () => sockets.size,
    )
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

async function eventually(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (holds()) return true
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return false
}

test.each(Object.entries(PEERS))('every flow ends against a peer that %s', async (_, {act, ended, once}) => {
  await withPeer(
    act,
    async (target, open) => {
      const seen = await Promise.all(Object.entries(FLOWS).map(async ([name, run]) => [name, await run(target, context)] as const))
      for (const [name, transcript] of seen) {
        // These two are complete with any HTTP answer; what it was they tell in their own fields.
        if (transcript.ended === 'completed' && 'clients' in transcript) {
          expect(transcript).toMatchObject({clients: [{accepted: 0, trouble: expect.any(String) as string}, {}]})
          continue
        }
        if (transcript.ended === 'completed' && 'acceptIsValid' in transcript) {
          expect(transcript).toMatchObject({acceptIsValid: false, status: expect.any(Number) as number})
          continue
        }
        expect(ended, `${name}: ${transcript.ended} at ${transcript.stoppedAt}`).toContain(transcript.ended)
        expect(transcript.stoppedAt, name).toBeTruthy()
        expect(transcript.exchanges.length, name).toBeGreaterThan(0)
      }
      expect(await eventually(() => open() === 0)).toBe(true)
    },
    once,
  )
})

test('every flow ends where nobody listens', async () => {
  let target: Target | undefined
  await withPeer(
    () => undefined,
    async at => {
      target = at
    },
  )
  for (const [name, run] of [...Object.entries(FLOWS), ['plain', PLAIN] as const]) {
    const transcript = await run(target as Target, context)
    expect(['refused', 'timed-out'], name).toContain(transcript.ended)
    expect(JSON.stringify(transcript.exchanges), name).toContain('ECONNREFUSED')
  }
})

test('a plain request is complete with any HTTP answer', async () => {
  await withPeer(
    socket => socket.write(answer('504 Gateway Time-out', 'late')),
    async target => expect(await PLAIN(target, context)).toMatchObject({ended: 'completed', status: 504, answer: 'late', stayedOpen: true}),
  )
  await withPeer(
    () => undefined,
    async target => expect(await PLAIN(target, context)).toMatchObject({ended: 'timed-out'}),
  )
})

test('aborting ends every flow and its connections at once', async () => {
  await withPeer(
    () => undefined,
    async (target, open) => {
      const patient = {budgets: {answer: 60_000, hold: 60_000, networkDelay: 60_000}}
      for (const [name, run] of [...Object.entries(FLOWS), ['plain', PLAIN] as const]) {
        const abort = new AbortController()
        const running = run(target, {...patient, signal: abort.signal})
        const ended = running.then(
          () => 'resolved',
          (error: unknown) => error,
        )
        expect(await eventually(() => open() > 0), name).toBe(true)
        abort.abort(new Error('enough'))
        expect(await ended, name).toMatchObject({message: 'enough'})
        expect(await eventually(() => open() === 0), name).toBe(true)
      }
      const abort = new AbortController()
      abort.abort(new Error('before'))
      await expect(FLOWS['upgrade']?.(target, {...patient, signal: abort.signal})).rejects.toThrow('before')
    },
  )
})

/** A hop in front of a real GMS that can cut or swallow what passes. */
async function throughHop(disturb: (client: Socket, gms: Socket) => void, use: (target: Target) => Promise<void>): Promise<void> {
  await using gms = await startSimulator({nodes: 1, holdMs: 1000})
  const hop = createServer(client => {
    const onward = connect({host: '127.0.0.1', port: gms.nodes[0]?.port ?? 0})
    for (const socket of [client, onward]) socket.on('error', () => undefined)
    client.pipe(onward).pipe(client)
    disturb(client, onward)
  })
  await new Promise<void>(resolve => hop.listen(0, '127.0.0.1', resolve))
  const {port} = hop.address() as AddressInfo
  await use({url: new URL(`http://127.0.0.1:${port}`), hostHeader: 'chat.example.com', chatService: 'customer-support'})
  hop.close()
}

const LEISURELY = {budgets: {answer: 2000, hold: 1000, networkDelay: 2000}, signal: new AbortController().signal}

test('a WebSocket cut while idle is told with its time', async () => {
  const cutAfter = 600
  await throughHop(
    client => void setTimeout(() => client.destroy(), cutAfter),
    async target => {
      const seen = await idleWebSocket.run(target, {silenceMs: 1500}, LEISURELY)
      expect(seen).toMatchObject({ended: 'closed', alive: false, cut: {code: 1006}})
      expect(seen.cut?.afterMs).toBeLessThanOrEqual(cutAfter + 100)
    },
  )
})

test('a WebSocket that died in silence is told by the answer that does not come', async () => {
  await throughHop(
    (client, gms) => void setTimeout(() => client.unpipe(gms), 400),
    async target => expect(await idleWebSocket.run(target, {silenceMs: 800}, LEISURELY)).toMatchObject({ended: 'timed-out', alive: false}),
  )
})
