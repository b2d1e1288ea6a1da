import {once} from 'node:events'
import {request, type IncomingMessage} from 'node:http'
import {connect} from 'node:net'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {PollingUser, SocketUser} from '../../test/support/simulator-client.ts'
import {EnvironmentError} from '../errors.ts'
import {RequestLog} from '../simulator/request-log.ts'
import {startSimulator, type Simulator} from '../simulator/simulator.ts'
import {Desk} from './desk.ts'
import type {DeskState, FeedEvent, FeedLine} from './protocol.ts'

const PAGE = {html: '<meta name="control" content="%CONTROL%">', css: 'css', js: 'js'}
const HEADER = {'x-simulator-control': '1'}
let desk: Desk
let simulator: Simulator

beforeEach(async () => {
  desk = new Desk({page: PAGE, port: 0, chatService: 'customer-support'})
  await desk.listen()
  simulator = await startSimulator({nodes: 2, log: new RequestLog(100, desk.feed.read), beside: desk.serve})
  desk.attach(simulator, 'http')
})
afterEach(async () => {
  await simulator[Symbol.asyncDispose]()
  await desk[Symbol.asyncDispose]()
})

const control = (path: string, init: RequestInit = {}) =>
  fetch(`${desk.url}/_simulator/${path}`, {...init, headers: {...HEADER, ...(init.headers as Record<string, string> | undefined)}})
const post = async (path: string, body: unknown) => {
  const response = await control(path, {method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body)})
  return {status: response.status, ...((await response.json()) as {error?: string})}
}
const state = async () => (await (await control('state')).json()) as DeskState

describe('control calls', () => {
  it('stop, start, drain and sweep nodes', async () => {
    expect(await post('nodes/gms1', {action: 'stop'})).toMatchObject({status: 200})
    expect(await post('nodes/gms2', {action: 'offline'})).toMatchObject({status: 200})
    expect((await state()).nodes).toMatchObject([{running: false}, {running: true, status: 'OFFLINE'}])
    expect(await post('nodes/gms1', {action: 'start'})).toMatchObject({status: 200})
    expect(await post('nodes/gms2', {action: 'online'})).toMatchObject({status: 200})
    await new PollingUser(simulator.nodes[0]!.port).start()
    expect(await post('nodes/gms1', {action: 'sweep'})).toMatchObject({status: 200, forgotten: 1})
    expect((await state()).nodes).toMatchObject([
      {running: true, sessions: 0},
      {running: true, status: 'ONLINE'},
    ])
  })

  it('switch faults on and off', async () => {
    const {status, id} = (await post('faults', {fault: {kind: 'hang'}, on: ['publish']})) as {status: number; id?: string}
    expect(status).toBe(200)
    expect((await state()).faults).toMatchObject([{id, fault: {kind: 'hang'}, on: ['publish'], struck: 0}])
    expect((await control(`faults/${id ?? ''}`, {method: 'DELETE'})).status).toBe(200)
    await post('faults', {fault: {kind: 'hang'}})
    expect((await control('faults', {method: 'DELETE'})).status).toBe(200)
    expect((await state()).faults).toEqual([])
  })

  it('let the agent speak, type and send a file, in one chat or in all', async () => {
    for (const {port} of simulator.nodes) await (await new PollingUser(port).start()).ask({operation: 'requestChat', nickname: 'a'})
    expect(await post('agent', {says: 'all'})).toMatchObject({reached: 2})
    expect(await post('agent', {says: 'you', chat: 2})).toMatchObject({reached: 1})
    expect(await post('agent', {types: true, chat: 1})).toMatchObject({reached: 1})
    expect(await post('agent', {file: {name: 'a.txt', base64: 'aGk='}, chat: 9})).toMatchObject({reached: 0})
    const {chats} = await state()
    expect(chats.map(({transcript}) => transcript.filter(({type}) => type === 'Message').map(({text}) => text))).toEqual([
      ['all'],
      ['all', 'you'],
    ])
  })

  it.each([
    ['nodes/gms9', {action: 'stop'}, 400, 'no node "gms9"'],
    ['nodes/gms1', {action: 'explode'}, 400, 'not understood'],
    ['faults', {fault: {kind: 'oversize'}, on: ['health']}, 400, 'cannot strike on health'],
    ['faults', {fault: {kind: 'delay'}}, 400, 'not understood'],
    ['faults', '{"fault"', 400, 'no JSON'],
    ['agent', {says: ''}, 400, 'not understood'],
    ['agent', {file: {name: 'a', base64: 'A'.repeat(17 * 1024 * 1024)}}, 400, 'A body has at most'],
    ['nothing', {}, 400, 'There is no POST /_simulator/nothing'],
  ])('%s %.80j is refused', async (path, body, status, words) => {
    expect(await post(path, body)).toMatchObject({status, error: expect.stringContaining(words) as string})
  })

  it('name the port that is taken', async () => {
    const other = new Desk({page: PAGE, port: Number(new URL(desk.url).port), chatService: 'x'})
    await expect(other.listen()).rejects.toBeInstanceOf(EnvironmentError)
  })
})

describe('whom the desk obeys', () => {
  /** `fetch` sets Host and Origin by itself. */
  async function ask(headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
    const asked = request(`${desk.url}/_simulator/state`, {method, headers})
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    return response
  }
  const node = () => simulator.nodes[0]!.port

  it('programs of this machine, by any of its names', async () => {
    for (const host of ['127.0.0.1:1', 'localhost', '[::1]:1']) expect((await ask({...HEADER, host})).statusCode).toBe(200)
  })

  it('the pages of its own nodes, also when they ask first', async () => {
    for (const origin of [`http://127.0.0.1:${node()}`, `http://localhost:${node()}`]) {
      const allowed = await ask({origin, 'access-control-request-headers': 'x-simulator-control'}, 'OPTIONS')
      expect(allowed).toMatchObject({statusCode: 204, headers: {'access-control-allow-origin': origin}})
      expect((await ask({...HEADER, origin})).statusCode).toBe(200)
    }
  })

  it.each([
    ['a page of another site', {...HEADER, origin: 'http://evil.example'}],
    ['a page of another port', {...HEADER, origin: 'http://127.0.0.1:1'}],
    ['a file or a sandboxed frame', {...HEADER, origin: 'null'}],
    ['a name that was made to lead here', {...HEADER, host: 'evil.example'}],
    ['a name that only looks like ours', {...HEADER, host: '127.0.0.1.evil.example'}],
    ['a form or an image, which cannot send the header', {}],
  ])('but not %s', async (_, headers) => {
    const refused = await ask(headers)
    expect(refused.statusCode).toBe(403)
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
    expect((await ask({...headers}, 'POST')).statusCode).toBe(403)
    if (Object.keys(headers).length > 0) expect((await ask(headers, 'OPTIONS')).statusCode).toBe(403)
  })
})

describe('the state of a long life', () => {
  it('is that of the newest, those with somebody there first', async () => {
    const user = await new PollingUser(simulator.nodes[0]!.port).start()
    const {notifications} = await user.ask({operation: 'requestChat', nickname: 'stays'})
    let {secureKey} = notifications[0]!
    for (let i = 0; i < 60; i += 1) {
      const passing = await new PollingUser(simulator.nodes[1]!.port).start()
      const opened = await passing.ask({operation: 'requestChat', nickname: 'passes'})
      await passing.ask({operation: 'disconnect', secureKey: opened.notifications[0]!.secureKey})
      ;({secureKey} = (await user.ask({operation: 'customNotice', secureKey})).notifications.at(-1)!)
    }
    const {chats} = await state()
    expect(chats).toHaveLength(50)
    expect(chats[0]).toMatchObject({number: 1, nickname: 'stays', events: 62})
    expect(chats[0]?.transcript.map(({type}) => type)).toEqual(Array.from({length: 50}, () => 'CustomNotice'))
    expect(chats.at(-1)).toMatchObject({number: 61})
  })
})

describe('the page', () => {
  it('is at / of every node, knows where to call, and loads nothing from elsewhere', async () => {
    for (const {port} of simulator.nodes) {
      const response = await fetch(`http://127.0.0.1:${port}/`)
      expect(await response.text()).toBe(`<meta name="control" content="${desk.url}">`)
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/)
    }
    expect(await (await fetch(`http://127.0.0.1:${simulator.nodes[0]!.port}/_simulator/page.js`)).text()).toBe('js')
  })

  it('is no request to GMS: nothing of it is recorded, and control calls are none of the nodes', async () => {
    const {port} = simulator.nodes[0]!
    await fetch(`http://127.0.0.1:${port}/`)
    expect(simulator.recorder.requests).toEqual([])
    expect((await fetch(`http://127.0.0.1:${port}/_simulator/state`, {headers: HEADER})).status).toBe(404)
  })
})

describe('the feed', () => {
  it.each([
    ['an array', '['.repeat(900) + ']'.repeat(900)],
    ['an object', '{"a":'.repeat(900) + '1' + '}'.repeat(900)],
    ['long texts', JSON.stringify('x'.repeat(5_000_000))],
    ['many values', JSON.stringify(Array.from({length: 200_000}, (_, i) => i))],
  ])('takes %s of a size that nobody reads, and cuts it', async (_, data) => {
    const user = await new PollingUser(simulator.nodes[0]!.port).start()
    const answer = await fetch(`http://127.0.0.1:${simulator.nodes[0]!.port}/genesys/cometd/`, {
      method: 'POST',
      headers: {cookie: user.cookie ?? ''},
      body: `[{"channel":"/service/other","clientId":"${user.clientId}","id":"9","data":${data}}]`,
    })
    expect(answer.status).toBe(200)
    const lines = await linesUntil(({messages}) => messages?.some(({id}) => id === '9') === true)
    expect(JSON.stringify(lines.at(-1)).length).toBeLessThan(20_000)
  })

  it('says to which session a request belongs, also before its handshake was answered', async () => {
    const user = await new PollingUser(simulator.nodes[0]!.port).start()
    const socket = await (await SocketUser.open(simulator.nodes[1]!.port)).start()
    socket.socket.close(1000)
    const lines = await linesUntil(({kind}) => kind === 'closed')
    const of = (id: string) => new Set(lines.filter(({session}) => session === id).map(({request}) => request))
    const handshakes = lines.filter(({kind, messages}) => kind === 'received' && messages?.[0]?.channel === '/meta/handshake')
    expect(handshakes.map(({request}) => [of(user.clientId).has(request), of(socket.clientId).has(request)])).toEqual([
      [true, false],
      [false, true],
    ])
    expect(of(socket.clientId).size).toBe(1)
    expect(lines.at(-1)).toMatchObject({kind: 'closed', session: socket.clientId})
  })

  it('lets a page go that takes nothing any more', async () => {
    const {port} = new URL(desk.url)
    const sleeper = connect(Number(port), '127.0.0.1')
    sleeper.write(`GET /_simulator/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nx-simulator-control: 1\r\n\r\n`)
    await once(sleeper, 'data')
    sleeper.pause()
    const gone = once(sleeper, 'close')
    const user = await new PollingUser(simulator.nodes[0]!.port).start()
    const fat = Array.from({length: 50}, () => user.message('/service/other', {data: Array.from({length: 10}, () => 'x'.repeat(3900))}))
    for (let sent = 0; sent < 64 * 1024 * 1024; sent += 50 * 39_000) await user.post(fat)
    sleeper.resume()
    await gone
  })

  /** Lines until one matches. */
  async function linesUntil(matches: (line: FeedLine) => boolean): Promise<FeedLine[]> {
    const lines: FeedLine[] = []
    const {body} = await control('feed')
    let rest = ''
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const event of parts.map(part => JSON.parse(part) as FeedEvent)) {
        if (event.type === 'state') continue
        lines.push(event.line)
        if (matches(event.line)) return lines
      }
    }
    return lines
  }

  it('says what nodes received, answered and suffered, over every transport, without secrets of clients', async () => {
    const polling = await new PollingUser(simulator.nodes[0]!.port).start()
    simulator.faults.add({fault: {kind: 'delay', ms: 1}, on: ['publish'], times: 1})
    await polling.ask({operation: 'requestChat', nickname: 'a', auth: {username: 'u', password: 'hush-1234'}})
    const socket = await (await SocketUser.open(simulator.nodes[1]!.port)).start()
    socket.socket.close(1000)
    await fetch(`http://127.0.0.1:${simulator.nodes[0]!.port}/nowhere`)
    const lines = await linesUntil(({text}) => text?.includes('/nowhere') === true)
    const told = lines.map(({node, kind, transport, text, messages}) =>
      [node, transport, kind, text ?? messages?.map(({channel}) => channel).join(' ')].join(' '),
    )
    expect(told).toEqual(
      expect.arrayContaining([
        'gms1 long-polling received /meta/handshake',
        'gms1 long-polling sent /meta/handshake',
        'gms1 long-polling fault delay strikes publish',
        'gms2 websocket request GET /genesys/cometd → 101',
        'gms2 websocket received /meta/handshake',
        'gms2 websocket sent /meta/handshake',
        'gms1  request GET /nowhere → 404',
      ]),
    )
    expect(JSON.stringify(lines)).not.toContain('hush-1234')
    expect(JSON.stringify(lines)).toContain('‹redacted›')
    expect(lines.map(({n}) => n)).toEqual(lines.map((_, index) => index + 1))
  })
})
