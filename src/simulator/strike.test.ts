import {once} from 'node:events'
import {afterEach, describe, expect, it} from 'vitest'
import {WebSocket} from 'ws'
import {PollingUser, SocketUser, openSocket, sendRaw} from '../../test/support/simulator-client.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Fault} from './faults.ts'
import type {CapturedRequest} from './recorder.ts'
import {startSimulator, type Simulator} from './simulator.ts'

const CHANNEL = '/service/chatV2/customer-support'
/** A fault is awaited this long before the test says that it did not come, ms. */
const PATIENCE_MS = 5000
let simulator: Simulator
let port = 0

async function start(options = {}): Promise<void> {
  simulator = await startSimulator({nodes: 1, ...options})
  port = simulator.nodes[0]?.port ?? 0
}

afterEach(() => simulator[Symbol.asyncDispose]())

/** The first request that a fault has struck. */
async function struck(kind: Fault['kind']): Promise<CapturedRequest> {
  const found = await simulator.recorder.waitFor(request => request.strikes.some(strike => strike.kind === kind), PATIENCE_MS)
  if (!found) throw new Error(`no request was struck by ${kind}`)
  return found
}

/** What came of one message: replies, or how it ended without. */
interface Result {
  messages?: readonly BayeuxMessage[]
  /** HTTP only. */
  status?: number
  body?: string
  /** WebSocket only. */
  close?: {code: number; reason: string}
  failed?: boolean
  tookMs: number
}

interface Person {
  publish(): Promise<Result>
}

const PEOPLE: Record<BayeuxTransport, () => Promise<Person>> = {
  async 'long-polling'() {
    const user = await new PollingUser(port).start()
    return {publish: () => overHttp(fetch(`http://127.0.0.1:${port}/genesys/cometd/`, post(user, user.message(CHANNEL, {data: {}}))))}
  },
  async 'callback-polling'() {
    // A session of one polling transport is unknown to the other.
    const user = new PollingUser(port)
    const get = (message: object): Promise<Response> => {
      const query = new URLSearchParams({jsonp: 'cb', message: JSON.stringify([message])})
      return fetch(`http://127.0.0.1:${port}/genesys/cometd/?${query.toString()}`, {headers: {cookie: user.cookie ?? ''}})
    }
    const handshake = await get(user.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['callback-polling']}))
    user.cookie = handshake.headers.get('set-cookie')?.split(';')[0]
    user.clientId = /"clientId":"(.*?)"/.exec(await handshake.text())?.[1] ?? ''
    await get(user.message('/meta/connect', {advice: {timeout: 0}}))
    return {publish: () => overHttp(get(user.message(CHANNEL, {data: {}})))}
  },
  async websocket() {
    const user = await (await SocketUser.open(port)).start()
    return {
      async publish() {
        const began = performance.now()
        const closed = new Promise<Result>(resolve =>
          user.socket.once('close', (code: number, reason: Buffer) => {
            resolve({...(code === 1006 ? {failed: true} : {close: {code, reason: reason.toString()}}), tookMs: 0})
          }),
        )
        const id = user.send(CHANNEL, {data: {}})
        const answered = user.message(message => message.id === id).then(message => ({messages: [message], tookMs: 0}))
        return {...(await Promise.race([answered, closed])), tookMs: performance.now() - began}
      },
    }
  },
}

function post(user: PollingUser, message: object): RequestInit {
  return {method: 'POST', headers: {'content-type': 'application/json', cookie: user.cookie ?? ''}, body: JSON.stringify([message])}
}

async function overHttp(answer: Promise<Response>): Promise<Result> {
  const began = performance.now()
  try {
    const response = await answer
    const body = await response.text()
    const json = body.replace(/^cb\((.*)\)$/s, '$1')
    const messages = json.startsWith('[') ? {messages: JSON.parse(json) as BayeuxMessage[]} : {}
    return {...messages, status: response.status, body, tookMs: performance.now() - began}
  } catch {
    return {failed: true, tookMs: performance.now() - began}
  }
}

describe.each(['websocket', 'long-polling', 'callback-polling'] as const)('over %s', transport => {
  const person = async (fault: Fault): Promise<Person> => {
    await start()
    const made = await PEOPLE[transport]()
    simulator.faults.add({fault, on: ['publish'], transports: [transport], times: 1})
    return made
  }
  const ok = expect.arrayContaining([expect.objectContaining({channel: CHANNEL, successful: true})]) as BayeuxMessage[]

  it('delay: the answer is right and late, and the record says so', async () => {
    const {publish} = await person({kind: 'delay', ms: 150})
    const late = await publish()
    expect(late).toMatchObject({messages: ok})
    expect(late.tookMs).toBeGreaterThanOrEqual(149)
    const capture = await struck('delay')
    expect(capture.strikes).toMatchObject([{kind: 'delay', scene: 'publish'}])
    if (transport !== 'websocket') expect((capture.answeredAt ?? 0) - capture.at).toBeGreaterThanOrEqual(149)
    expect(await publish()).toMatchObject({messages: ok})
  })

  it('hang: taken in, never answered; the next one is', async () => {
    const {publish} = await person({kind: 'hang'})
    let answered = false
    void publish().then(() => (answered = true))
    const capture = await struck('hang')
    expect(await publish()).toMatchObject({messages: ok})
    expect(answered).toBe(false)
    expect(capture.messages.at(transport === 'websocket' ? -2 : -1)?.channel).toBe(CHANNEL)
    if (transport !== 'websocket') expect(capture).toMatchObject({ended: 'open'})
  })

  it('drop: the connection is cut, and the record says by whom', async () => {
    const {publish} = await person({kind: 'drop'})
    expect(await publish()).toMatchObject({failed: true})
    const capture = await struck('drop')
    if (transport !== 'websocket') expect(capture).toMatchObject({ended: 'gms-closed'})
    else {
      const closed = await simulator.recorder.waitFor(request => request.close !== undefined, PATIENCE_MS)
      expect(closed?.close).toMatchObject({by: 'gms', code: 1006})
    }
  })

  it('session-unknown: 402 where all else is well', async () => {
    const {publish} = await person({kind: 'session-unknown'})
    const result = await publish()
    expect(result.messages).toMatchObject([{channel: CHANNEL, successful: false, error: '402::session_unknown'}])
    if (transport !== 'websocket') expect(result.status).toBe(200)
    expect(await publish()).toMatchObject({messages: ok})
  })

  it("status: Jetty's page, or the socket closed with 1011", async () => {
    const {publish} = await person({kind: 'status', status: 503})
    const result = await publish()
    if (transport === 'websocket') expect(result.close).toEqual({code: 1011, reason: 'Service Unavailable'})
    else expect(result).toMatchObject({status: 503, body: expect.stringContaining('HTTP ERROR 503 Service Unavailable') as string})
    expect((await struck('status')).strikes).toHaveLength(1)
  })

  it('slow-body: the right answer, no faster than asked', async () => {
    const {publish} = await person({kind: 'slow-body', bytesPerSecond: 500})
    const slow = await publish()
    expect(slow).toMatchObject({messages: ok})
    expect(slow.tookMs).toBeGreaterThanOrEqual(((slow.body?.length ?? 60) / 500) * 1000 - 5)
    expect(await publish()).toMatchObject({messages: ok})
  })

  it('oversize: 1009, or 413', async () => {
    const {publish} = await person({kind: 'oversize'})
    const result = await publish()
    if (transport === 'websocket') expect(result.close).toEqual({code: 1009, reason: 'Resulting message size is too large'})
    else expect(result.status).toBe(413)
  })
})

describe('scenes', () => {
  it('knows the messages of a session apart', async () => {
    await start()
    const user = new PollingUser(port)
    for (const [scene, message] of [
      ['handshake', {version: '1.0'}],
      ['connect', {connectionType: 'long-polling'}],
      ['subscribe', {subscription: CHANNEL}],
      ['disconnect', {}],
    ] as const) {
      const other = simulator.faults.add({fault: {kind: 'drop'}, on: ['publish']})
      simulator.faults.add({fault: {kind: 'delay', ms: 1}, on: [scene], times: 1})
      await user.post([user.message(`/meta/${scene}`, message)])
      expect(simulator.faults.active.map(({id}) => id)).toEqual([other])
      expect(simulator.recorder.requests.at(-1)?.strikes).toMatchObject([{kind: 'delay', scene}])
      simulator.faults.clear()
      if (scene === 'handshake') await user.handshake()
    }
  })

  it('strikes a batch once, for the first message that has a fault', async () => {
    await start()
    const user = await new PollingUser(port).start()
    simulator.faults.add({fault: {kind: 'session-unknown'}, on: ['publish']})
    const {messages} = await user.post([user.message('/meta/subscribe', {subscription: CHANNEL}), user.message(CHANNEL, {data: {}})])
    expect(messages.map(({error}) => error)).toEqual(['402::session_unknown', '402::session_unknown'])
    expect(simulator.faults.active).toMatchObject([{struck: 1}])
  })

  it('finds a WebSocket by the probe of its upgrade', async () => {
    await start()
    simulator.faults.add({fault: {kind: 'status', status: 500}, probe: 'mine', on: ['handshake']})
    const mine = await SocketUser.open(port, {headers: {[PROBE_HEADER]: 'mine'}})
    const other = await (await SocketUser.open(port, {headers: {[PROBE_HEADER]: 'other'}})).start()
    mine.send('/meta/handshake')
    expect(await once(mine.socket, 'close')).toMatchObject({0: 1011})
    other.socket.terminate()
  })

  it.each([
    ['status', {kind: 'status', status: 503}, 'Unexpected server response: 503'],
    ['drop', {kind: 'drop'}, 'socket hang up'],
  ] as const)('upgrade, %s', async (_, fault, words) => {
    await start()
    simulator.faults.add({fault, on: ['upgrade'], times: 1})
    await expect(SocketUser.open(port)).rejects.toThrow(words)
    const capture = await struck(fault.kind)
    expect(capture).toMatchObject(fault.kind === 'drop' ? {ended: 'gms-closed'} : {ended: 'answered', status: 503})
    ;(await SocketUser.open(port)).socket.terminate()
  })

  it('upgrade, delay: late, with the frames that came meanwhile', async () => {
    await start()
    simulator.faults.add({fault: {kind: 'delay', ms: 200}, on: ['upgrade']})
    const socket = await openSocket(port)
    const received = new Promise<string>(resolve => {
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        if (text.includes('clientId')) resolve(text)
      })
    })
    const began = performance.now()
    socket.write(
      'GET /genesys/cometd HTTP/1.1\r\nHost: gms\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await struck('delay')
    const text = Buffer.from('[{"channel":"/meta/handshake","version":"1.0","id":"1"}]')
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]))
    expect(await received).toMatch(/^HTTP\/1\.1 101 /)
    expect(performance.now() - began).toBeGreaterThanOrEqual(199)
    socket.destroy()
  })

  it('upgrade, hang: no answer, and the peer who gives up is seen', async () => {
    await start()
    simulator.faults.add({fault: {kind: 'hang'}, on: ['upgrade']})
    const socket = new WebSocket(`ws://127.0.0.1:${port}/genesys/cometd`)
    socket.on('error', () => {})
    const capture = await struck('hang')
    expect(capture.ended).toBe('open')
    socket.terminate()
    expect(await simulator.recorder.waitFor(request => request.ended === 'peer-closed', PATIENCE_MS)).toBe(capture)
  })

  const upload = (): Promise<Result> => {
    const form = new FormData()
    form.set('operation', 'fileUpload')
    form.set('secureKey', 'nobody')
    form.set('file', new Blob(['x'.repeat(50_000)]), 'a.txt')
    return overHttp(fetch(`http://127.0.0.1:${port}/genesys/2/chat-ntf`, {method: 'POST', body: form}))
  }

  it.each([
    [
      {kind: 'status', status: 502},
      {status: 502, body: expect.stringContaining('HTTP ERROR 502 Bad Gateway') as string},
    ],
    [{kind: 'oversize'}, {status: 413}],
    [{kind: 'drop'}, {failed: true}],
    [{kind: 'delay', ms: 150}, {status: 200}],
    [{kind: 'slow-body', bytesPerSecond: 1000}, {status: 200}],
  ] as const)('files: %o strikes when the whole upload has been taken in', async (fault, expected) => {
    await start()
    simulator.faults.add({fault, on: ['files']})
    const result = await upload()
    expect(result).toMatchObject(expected)
    if (fault.kind === 'delay') expect(result.tookMs).toBeGreaterThanOrEqual(149)
    if (fault.kind === 'slow-body') expect(result.tookMs).toBeGreaterThanOrEqual((result.body?.length ?? 0) - 5)
    expect((await struck(fault.kind)).body?.bytes).toBeGreaterThan(50_000)
  })

  it('health: a node whose load balancer learns nothing good', async () => {
    await start({adminAuth: false})
    const health = () => overHttp(fetch(`http://127.0.0.1:${port}/genesys/1/admin/node/status`))
    expect(await health()).toMatchObject({status: 200, body: 'ONLINE'})
    simulator.faults.add({fault: {kind: 'status', status: 500}, on: ['health'], times: 1})
    expect(await health()).toMatchObject({status: 500})
    simulator.faults.add({fault: {kind: 'drop'}, on: ['health'], times: 1})
    expect(await health()).toMatchObject({failed: true})
    expect(await health()).toMatchObject({status: 200})
  })

  it('files, hang: taken in and never answered', async () => {
    await start()
    simulator.faults.add({fault: {kind: 'hang'}, on: ['files']})
    const answer = upload()
    const taken = await simulator.recorder.waitFor(request => request.body !== undefined, PATIENCE_MS)
    expect(taken).toMatchObject({ended: 'open', strikes: [{kind: 'hang', scene: 'files'}]})
    await simulator.stopNode('gms1')
    expect(await answer).toMatchObject({failed: true})
    expect(taken?.ended).toBe('gms-closed')
  })
})

describe('what a fault must not break', () => {
  it('frames stay in order, and a held connect does not wait for late ones', async () => {
    await start()
    const user = await (await SocketUser.open(port)).start()
    simulator.faults.add({fault: {kind: 'delay', ms: 200}, on: ['publish'], times: 1})
    const first = user.send(CHANNEL, {data: {}})
    const second = user.send(CHANNEL, {data: {}})
    const connect = user.send('/meta/connect', {connectionType: 'websocket', advice: {timeout: 0}})
    await user.message(({id}) => id === second)
    const ids = user.frames.flat().flatMap(({id}) => (id === undefined ? [] : [id]))
    expect(ids.slice(-3)).toEqual([connect, first, second])
    user.socket.terminate()
  })

  it('a message in fragments is followed by what was sent meanwhile, never mixed with it', async () => {
    await start()
    const user = await (await SocketUser.open(port)).start()
    await user.ask({operation: 'requestChat', nickname: 'a'})
    simulator.faults.add({fault: {kind: 'slow-body', bytesPerSecond: 400}, on: ['subscribe']})
    const slow = user.send('/meta/subscribe', {subscription: CHANNEL})
    await struck('slow-body')
    expect(simulator.agentSays('meanwhile')).toBe(1)
    await user.message(({data}) => JSON.stringify(data ?? '').includes('meanwhile'))
    expect(user.frames.flat().at(-2)).toMatchObject({id: slow})
    user.socket.terminate()
  })

  it('a peer who leaves while GMS is late or slow is survived and seen', async () => {
    await start()
    for (const fault of [{kind: 'delay', ms: 60_000} as const, {kind: 'slow-body', bytesPerSecond: 1} as const]) {
      const id = simulator.faults.add({fault, on: ['handshake']})
      const gone = new AbortController()
      const body = JSON.stringify([{channel: '/meta/handshake', version: '1.0', id: '1'}])
      const answer = fetch(`http://127.0.0.1:${port}/genesys/cometd/`, {method: 'POST', body, signal: gone.signal}).then(it => it.text())
      const capture = await struck(fault.kind)
      gone.abort()
      await expect(answer).rejects.toThrow()
      expect(await simulator.recorder.waitFor(request => request === capture && request.ended === 'peer-closed', PATIENCE_MS)).toBe(capture)
      simulator.faults.remove(id)
    }
    await new PollingUser(port).start()
  })

  it('other requests to CometD are no scene', async () => {
    await start()
    simulator.faults.add({fault: {kind: 'status', status: 503}})
    expect((await sendRaw(port, 'OPTIONS /genesys/cometd HTTP/1.1\r\nHost: gms\r\n\r\n')).status).toBe(200)
  })
})
