import {createHash, randomBytes} from 'node:crypto'
import type {AddressInfo, Server, Socket} from 'node:net'
import {connect, createServer} from 'node:net'
import {generate} from 'selfsigned'
import {afterEach, describe, expect, it} from 'vitest'
import {WebSocket} from 'ws'
import {PollingUser, sendRaw, SocketUser} from '../../test/support/simulator-client.ts'
import {silentLogger} from '../log.ts'
import type {CapturedRequest} from '../simulator/recorder.ts'
import {RequestLog} from '../simulator/request-log.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import {startTap} from './tap.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]()
})

interface Tapped {
  /** Port of the node itself, and of the tap before it. */
  direct: number
  tapped: number
  log: RequestLog
}

async function tap(port: number): Promise<Tapped> {
  const log = new RequestLog(1000)
  const started = await startTap({
    nodes: [{name: 'gms1', url: new URL(`http://127.0.0.1:${port}`)}],
    host: '127.0.0.1',
    log,
    logger: silentLogger,
  })
  open.push(started)
  return {direct: port, tapped: started.nodes[0]?.port ?? 0, log}
}

/** A node that treats each connection like this; with the tap before it. */
async function node(treat: (socket: Socket) => void): Promise<Tapped> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({allowHalfOpen: true}, socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    treat(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  open.push({
    [Symbol.asyncDispose]: () =>
      new Promise<void>(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  })
  return tap((server.address() as AddressInfo).port)
}

interface Said {
  received: Buffer
  /** `end` when the peer said that it had said all, else the code of the error. */
  how: string
}

/** Sends pieces one after the other, each when something came back for the one before, and reads to the end. */
function talk(port: number, pieces: readonly (string | Buffer)[], {end = false} = {}): Promise<Said> {
  return new Promise(resolve => {
    const socket = connect({port, host: '127.0.0.1', allowHalfOpen: true})
    const chunks: Buffer[] = []
    const rest = [...pieces]
    const next = () => {
      const piece = rest.shift()
      if (piece !== undefined) socket.write(piece)
      if (rest.length === 0 && end) socket.end()
    }
    socket.once('connect', next)
    socket.on('data', chunk => {
      chunks.push(chunk)
      next()
    })
    const done = (how: string) => {
      socket.destroy()
      resolve({received: Buffer.concat(chunks), how})
    }
    socket.once('end', () => done('end'))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
  })
}

describe('bytes', () => {
  const REQUESTS = {
    'odd spelling, repeats, order and spaces':
      'GET /genesys/cometd HTTP/1.1\r\nhOST:   gms.example.com:8080  \r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\nX-Forwarded-For:\r\nConnection: keep-alive , Foo\r\nAccept:*/*\r\n\r\n',
    'HTTP/1.0 without a Host': 'POST /genesys/2/chat-ntf HTTP/1.0\r\nContent-Length: 4\r\n\r\na=b\n',
    'absolute form, and a fragment of a header on the next line':
      'GET http://other.example/x?y#z HTTP/1.1\r\nHost: a\r\nX-Long: one\r\n  two\r\n\r\n',
    'bare line feeds': 'GET / HTTP/1.1\nHost: a\n\n',
    'a length and chunks at once':
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nTrailer: t\r\n\r\n',
    'an upgrade as a proxy of 1.0 spoils it':
      'GET /genesys/cometd HTTP/1.0\r\nHost: gms\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n',
    'not HTTP at all': '\u0016\u0003\u0001 hello\r\n\r\n',
    'UTF-8 in a header': 'GET /gr\u00fcn HTTP/1.1\r\nHost: a\r\nX: \u20ac\r\n\r\n',
    'two methods': 'BREW /pot HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n\r\n',
  }
  const ANSWER =
    'HTTP/1.1 207 Odd  Words\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'

  it.each(Object.entries(REQUESTS))('%s: the same at both ends as without the tap', async (_, request) => {
    const seen: Buffer[] = []
    const {direct, tapped} = await node(socket => {
      const chunks: Buffer[] = []
      socket.on('data', chunk => {
        chunks.push(chunk)
        if (Buffer.concat(chunks).length < Buffer.byteLength(request)) return
        seen.push(Buffer.concat(chunks))
        socket.end(ANSWER)
      })
    })
    const [plain, through] = [await talk(direct, [request]), await talk(tapped, [request])]
    expect(through).toEqual(plain)
    expect(through.received.toString()).toBe(ANSWER)
    expect(seen).toHaveLength(2)
    expect(seen[1]?.equals(seen[0] ?? Buffer.alloc(0))).toBe(true)
    expect(seen[1]?.equals(Buffer.from(request))).toBe(true)
  })

  it('a large body arrives whole, and its digest is noted', async () => {
    const body = randomBytes(24 * 1_048_576)
    let arrived = ''
    const {tapped, log} = await node(socket => {
      const hash = createHash('sha256')
      let left = body.length
      let inBody = false
      socket.on('data', chunk => {
        let piece = chunk
        if (!inBody) {
          inBody = true
          piece = chunk.subarray(chunk.indexOf('\r\n\r\n') + 4)
        }
        hash.update(piece)
        left -= piece.length
        if (left > 0) return
        arrived = hash.digest('hex')
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const head = `POST /genesys/2/chat-ntf HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`
    await talk(tapped, [Buffer.concat([Buffer.from(head), body])])
    const sha256 = createHash('sha256').update(body).digest('hex')
    expect(arrived).toBe(sha256)
    expect(log.requests[0]).toMatchObject({body: {bytes: body.length, sha256}, status: 200, ended: 'answered', sent: {bytes: 2}})
  })

  it('a node that does not read makes the sender wait', async () => {
    const {direct, tapped} = await node(socket => socket.pause())
    const accepted = async (port: number) => {
      const socket = connect({port, host: '127.0.0.1'})
      const chunk = Buffer.alloc(65_536)
      let stalled = 0
      // Written only while the other side takes it: what goes in is what the way holds.
      while (stalled < 3) {
        if (socket.write(chunk)) continue
        const drained = await new Promise<boolean>(resolve => {
          const timer = setTimeout(() => resolve(false), 250)
          socket.once('drain', () => {
            clearTimeout(timer)
            resolve(true)
          })
        })
        if (!drained) stalled = 3
        if (socket.bytesWritten > 512 * 1_048_576) break
      }
      const {bytesWritten} = socket
      socket.destroy()
      return bytesWritten
    }
    const [plain, through] = [await accepted(direct), await accepted(tapped)]
    // Two more pairs of kernel buffers, and a few streams of 64 KiB.
    expect(through).toBeLessThan(4 * plain + 1_048_576)
  }, 20_000)
})

describe('ends of connections', () => {
  it('a half-closed peer gets its answer', async () => {
    const {direct, tapped, log} = await node(socket => {
      socket.resume().once('end', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate'))
    })
    const request = 'GET /genesys/cometd HTTP/1.1\r\nHost: a\r\n\r\n'
    const [plain, through] = [await talk(direct, [request], {end: true}), await talk(tapped, [request], {end: true})]
    expect(through).toEqual(plain)
    expect(through.received.toString()).toContain('late')
    expect(log.requests[0]).toMatchObject({status: 200, ended: 'answered'})
  })

  it('a node that resets, resets', async () => {
    const {direct, tapped, log} = await node(socket => socket.once('data', () => socket.resetAndDestroy()))
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    expect(await talk(tapped, [request])).toEqual(await talk(direct, [request]))
    expect((await talk(tapped, [request])).how).toBe('ECONNRESET')
    expect(log.requests.map(({ended}) => ended)).toEqual(['gms-closed', 'gms-closed'])
  })

  it('a node that closes without an answer, closes', async () => {
    const {tapped, log} = await node(socket => socket.once('data', () => socket.end()))
    expect(await talk(tapped, ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'])).toMatchObject({how: 'end'})
    expect(log.requests[0]).toMatchObject({ended: 'gms-closed'})
  })

  it('a proxy that resets or gives up while GMS holds is seen by GMS, and noted', async () => {
    const how: string[] = []
    const {tapped, log} = await node(socket => {
      socket.once('error', (error: NodeJS.ErrnoException) => how.push(error.code ?? ''))
      socket.once('end', () => {
        how.push('end')
        socket.end()
      })
      socket.resume()
    })
    for (const leave of ['reset', 'end'] as const) {
      const socket = connect({port: tapped, host: '127.0.0.1'})
      socket.write('POST /genesys/cometd/connect HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n[]')
      await log.waitFor(({body, ended}) => body !== undefined && ended === 'open', 5000)
      if (leave === 'reset') socket.resetAndDestroy()
      else socket.end()
      await log.waitFor(request => request === log.requests.at(-1) && request.ended !== 'open', 5000)
      socket.destroy()
    }
    await expect.poll(() => how).toEqual(['ECONNRESET', 'end'])
    expect(log.requests.map(({ended}) => ended)).toEqual(['peer-closed', 'peer-closed'])
  })

  it('where there is no node, the connection is cut', async () => {
    const {tapped} = await tap(1)
    expect(['ECONNRESET', 'EPIPE', 'end']).toContain((await talk(tapped, ['GET / HTTP/1.1\r\n\r\n'])).how)
  })
})

describe('what is noted', () => {
  it('an upgrade that was sent before the answer to another request came', async () => {
    const answers = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n']
    const {tapped, log} = await node(socket =>
      socket.on('data', () => {
        const answer = answers.shift() ?? ''
        if (answers.length === 0) socket.end(answer)
        else socket.write(answer)
      }),
    )
    const text = Buffer.from('[{"channel":"/meta/connect"}]')
    // Masked with zeros.
    const frame = Buffer.concat([Buffer.from([0x81, 0x80 + text.length, 0, 0, 0, 0]), text])
    const requests = 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /genesys/cometd HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n'
    await talk(tapped, [requests, frame])
    expect(log.requests[1]?.messages.map(({channel}) => channel)).toEqual(['/meta/connect'])
    expect(log.requests.map(({status}) => status)).toEqual([200, 101])
  })

  it('answers belong to their requests when these come in one piece', async () => {
    const {tapped, log} = await node(socket => {
      let seen = ''
      socket.on('data', chunk => {
        seen += chunk.toString()
        if (!seen.endsWith('/3 HTTP/1.1\r\nHost: a\r\n\r\n')) return
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 A\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 202 B\r\n')
        socket.end('Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1 203 C\r\n\r\nuntil the end')
      })
    })
    const request = (method: string, path: number) => `${method} /${path} HTTP/1.1\r\nHost: a\r\n`
    const body = 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
    await talk(tapped, [`${request('GET', 1)}\r\n${request('POST', 2)}${body}${request('GET', 3)}\r\n`])
    expect(log.requests.map(({target, status, ended, body: own, sent}) => [target, status, ended, own?.bytes, sent?.bytes])).toEqual([
      ['/1', 201, 'answered', 0, 3],
      ['/2', 202, 'answered', 2, 1],
      ['/3', 203, 'answered', 0, 13],
    ])
  })

  it('an upgrade that was refused leaves a connection of HTTP', async () => {
    const {tapped, log} = await node(socket => {
      socket.on('data', chunk => {
        const upgrade = chunk.toString().includes('Upgrade: websocket')
        socket.write(
          upgrade ? 'HTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\nno!' : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
        )
        if (!upgrade) socket.end()
      })
    })
    const upgrade = 'GET /genesys/cometd HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    await talk(tapped, [upgrade, 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'])
    expect(log.requests.map(({target, status}) => [target, status])).toEqual([
      ['/genesys/cometd', 400],
      ['/next', 200],
    ])
    expect(log.requests[0]?.transport).toBeUndefined()
  })

  it('frames that stick to the 101, and to the request for it, are passed and read', async () => {
    const frame = (text: string, mask: boolean) => {
      const payload = Buffer.from(text)
      const head = [0x81, (mask ? 0x80 : 0) | payload.length]
      // A mask that changes every byte: taking it off must not change what is passed on.
      const key = Buffer.from([1, 2, 3, 4])
      return mask
        ? Buffer.concat([Buffer.from(head), key, payload.map((byte, at) => byte ^ (key[at % 4] ?? 0))])
        : Buffer.concat([Buffer.from(head), payload])
    }
    const head = 'GET /genesys/cometd HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const request = Buffer.concat([Buffer.from(head), frame('[{"channel":"/meta/handshake","id":"1"}]', true)])
    const answer = Buffer.concat([
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n'),
      frame('[{"channel":"/meta/handshake","successful":true,"clientId":"abc"}]', false),
    ])
    const seen: Buffer[] = []
    const {tapped, log} = await node(socket => {
      socket.on('data', chunk => {
        seen.push(chunk)
        if (Buffer.concat(seen).length === request.length) socket.end(answer)
      })
    })
    const {received} = await talk(tapped, [request])
    expect(received.equals(answer)).toBe(true)
    expect(Buffer.concat(seen).equals(request)).toBe(true)
    expect(log.requests[0]).toMatchObject({
      transport: 'websocket',
      status: 101,
      messages: [{channel: '/meta/handshake'}],
      close: {code: 1006, by: 'gms'},
    })
    expect(log.bySession('abc')).toEqual([log.requests[0]])
  })

  it('is what a simulated node notes itself', async () => {
    const simulator = await startSimulator({nodes: 1, holdMs: 200})
    open.push(simulator)
    const {tapped, log} = await tap(simulator.nodes[0]?.port ?? 0)

    const poller = await new PollingUser(tapped).start()
    await poller.connect()
    await sendRaw(
      tapped,
      `GET /genesys/cometd/handshake?jsonp=cb&message=${encodeURIComponent('[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["callback-polling"]}]')} HTTP/1.1\r\nHost: gms\r\nConnection: close\r\n\r\n`,
    )
    await sendRaw(
      tapped,
      `GET /genesys/cometd HTTP/1.0\r\nHost: gms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${PROBE_HEADER}: old\r\n\r\n`,
    )
    const socket = await (await SocketUser.open(tapped, {headers: {[PROBE_HEADER]: 'ws'}})).start()
    socket.socket.close(1000)
    const deflated = new WebSocket(`ws://127.0.0.1:${tapped}/genesys/cometd`, {
      perMessageDeflate: {threshold: 0},
      headers: {[PROBE_HEADER]: 'deflated'},
    })
    await new Promise(resolve => deflated.once('open', resolve))
    expect(deflated.extensions).toContain('permessage-deflate')
    const answered = new Promise<string>(resolve => deflated.once('message', data => resolve(String(data))))
    deflated.send(JSON.stringify([{id: '1', channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['websocket']}]))
    expect(await answered).toContain('clientId')
    deflated.close(4001)
    const cut = new WebSocket(`ws://127.0.0.1:${tapped}/genesys/cometd`, {headers: {[PROBE_HEADER]: 'cut'}})
    await new Promise(resolve => cut.once('open', resolve))
    cut.terminate()

    const over = ({ended, status, close}: CapturedRequest) => ended !== 'open' && (status !== 101 || close !== undefined)
    await expect.poll(() => log.requests.every(over) && simulator.recorder.requests.every(over)).toBe(true)
    const shown = (requests: readonly CapturedRequest[]) =>
      requests.map(({at: _, answeredAt: __, remoteAddress: ___, close, ...rest}) => ({
        ...rest,
        ...(close ? {close: {code: close.code, by: close.by}} : {}),
      }))
    expect(shown(log.requests)).toEqual(shown(simulator.recorder.requests))
    const sessions = [poller.clientId, socket.clientId]
    for (const session of sessions) expect(shown(log.bySession(session))).toEqual(shown(simulator.recorder.bySession(session)))
    expect(log.byProbe('deflated')?.messages.map(({channel}) => channel)).toEqual(['/meta/handshake'])
  })
})

it('speaks TLS where the proxy does, and reads what is inside', async () => {
  const {cert: certificate, private: key} = await generate([{name: 'commonName', value: 'localhost'}], {keyType: 'ec'})
  await using simulator = await startSimulator({nodes: 1})
  const log = new RequestLog(100)
  await using tap = await startTap({
    nodes: [{name: 'gms1', url: new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`)}],
    host: '127.0.0.1',
    log,
    tls: [{key, cert: certificate}],
    logger: silentLogger,
  })
  const socket = new WebSocket(`wss://127.0.0.1:${tap.nodes[0]?.port ?? 0}/genesys/cometd`, {rejectUnauthorized: false})
  const answered = new Promise<string>((resolve, reject) => socket.once('message', data => resolve(String(data))).once('error', reject))
  socket.once('open', () => socket.send('[{"channel":"/meta/handshake","version":"1.0","id":"1"}]'))
  expect(await answered).toContain('clientId')
  expect(log.requests).toMatchObject([{node: 'gms1', status: 101, messages: [{channel: '/meta/handshake'}]}])
  socket.terminate()
})
