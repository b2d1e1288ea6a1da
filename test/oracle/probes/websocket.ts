import {deflateRawSync} from 'node:zlib'
import {clientFrame} from '../connection.ts'
import {CHANNEL, pause, type Probe, type SocketUser, type Stage} from '../probe.ts'

const PUBLISH = {data: {operation: 'requestChat', nickname: 'a'}}

function socket(name: string, run: (user: SocketUser, stage: Stage) => Promise<unknown>): Probe {
  return {
    name: `websocket: ${name}`,
    run: async stage => run(await stage.webSocket(), stage),
  }
}

/** Bytes after the upgrade, and every frame that comes back. */
function raw(name: string, bytes: (stage: Stage) => string | Buffer): Probe {
  return socket(name, async (user, stage) => {
    user.connection.send(bytes(stage))
    return user.frames()
  })
}

/** Single messages of a connected session. */
const MESSAGES: Readonly<Record<string, (user: SocketUser) => object>> = {
  'subscribe to the chat': u => u.message('/meta/subscribe', {subscription: CHANNEL}),
  'subscribe to several': u => u.message('/meta/subscribe', {subscription: [CHANNEL, '/other']}),
  'subscribe to none': u => u.message('/meta/subscribe'),
  'subscribe to a meta channel': u => u.message('/meta/subscribe', {subscription: '/meta/connect'}),
  'unsubscribe from none': u => u.message('/meta/unsubscribe'),
  'unsubscribe from the chat': u => u.message('/meta/unsubscribe', {subscription: CHANNEL}),
  'publish to the chat': u => u.message(CHANNEL, PUBLISH),
  'publish to a service that nobody serves': u => u.message('/service/none', {data: {}}),
  'publish to a broadcast channel': u => u.message('/other', {data: 1}),
  'publish without data': u => u.message('/service/none'),
  'an unknown meta channel': u => u.message('/meta/nonsense'),
  'no channel': u => u.message(CHANNEL, {channel: undefined}),
  'a channel without slash': u => u.message('chat', {data: {}}),
  'an id that is a number': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: 7}),
  'no id': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: undefined}),
  'no clientId': u => u.message('/service/none', {data: {}, clientId: undefined}),
  'another clientId': u => u.message('/service/none', {data: {}, clientId: 'nobody'}),
  'connect of another clientId': u => u.message('/meta/connect', {clientId: 'nobody', advice: {timeout: 0}}),
  'disconnect of another clientId': u => u.message('/meta/disconnect', {clientId: 'nobody'}),
  disconnect: u => u.message('/meta/disconnect'),
  'connect without connectionType': u => u.message('/meta/connect', {advice: {timeout: 0}}),
}

export const WEBSOCKET_PROBES: readonly Probe[] = [
  socket('handshake and first connect', async u => [await u.handshake(), await u.connect({advice: {timeout: 0}})]),
  socket('handshake, and a first connect without advice', async u => [await u.handshake(), await u.connect()]),
  ...Object.entries({
    'of no common transport': {supportedConnectionTypes: ['pigeon']},
    'of no transport': {supportedConnectionTypes: []},
    'without transports': {supportedConnectionTypes: undefined},
    'without version': {version: undefined},
    'with ext.ack': {ext: {ack: true}},
    'with an id that is a number': {id: 5},
  }).map(([name, fields]) => socket(`handshake ${name}`, u => u.handshake(fields))),
  ...Object.entries(MESSAGES).map(([name, message]) =>
    socket(name, async u => {
      await u.begin()
      return u.ask(message(u) as Record<string, unknown>)
    }),
  ),
  ...Object.entries({
    connect: '/meta/connect',
    subscribe: '/meta/subscribe',
    publish: CHANNEL,
    disconnect: '/meta/disconnect',
    'unknown meta channel': '/meta/nonsense',
  }).flatMap(([name, channel]) => [
    socket(`${name} before any handshake`, u => u.ask(u.message(channel, {data: {}, subscription: '/a'}))),
    socket(`${name} of an unknown session`, u => u.ask(u.message(channel, {clientId: 'nobody', data: {}, subscription: '/a'}))),
  ]),
  socket('handshake and connect in one frame', u =>
    u.ask(u.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['websocket']}), u.message('/meta/connect')),
  ),
  socket('a publish before the handshake in one frame', u =>
    u.ask(u.message(CHANNEL, PUBLISH), u.message('/meta/handshake', {version: '1.0'})),
  ),
  socket('a second handshake on the same connection', async u => {
    await u.begin()
    const old = u.clientId
    const again = await u.handshake()
    const fresh = u.clientId
    u.clientId = old
    const before = await u.ask(u.message('/service/none', {data: {}}))
    u.clientId = fresh
    return [again, before, await u.connect({advice: {timeout: 0}})]
  }),
  socket('frame of publish and subscribe', async u => {
    await u.begin()
    return u.ask(u.message('/service/none', {data: {}}), u.message('/meta/subscribe', {subscription: CHANNEL}))
  }),
  socket('frame of chat and subscribe', async u => {
    await u.begin()
    return u.ask(u.message(CHANNEL, PUBLISH), u.message('/meta/subscribe', {subscription: CHANNEL}))
  }),
  socket('frame of connect and publish', async (u, {target}) => {
    await u.begin()
    u.send(u.message('/meta/connect'), u.message('/service/none', {data: {}}))
    return u.frames(target.holdMs + 1500)
  }),
  socket('frame of publish and connect', async (u, {target}) => {
    await u.begin()
    u.send(u.message('/service/none', {data: {}}), u.message('/meta/connect'))
    return u.frames(target.holdMs + 1500)
  }),
  socket('frame of disconnect and publish', async u => {
    await u.begin()
    return u.ask(u.message('/meta/disconnect'), u.message('/service/none', {data: {}}))
  }),
  socket('publish before the first connect', async u => {
    await u.handshake()
    return [await u.ask(u.message(CHANNEL, PUBLISH)), await u.connect({advice: {timeout: 0}})]
  }),
  socket('chat while a connect is held', async u => {
    await u.begin()
    u.send(u.message('/meta/connect'))
    await pause(150)
    return u.ask(u.message(CHANNEL, PUBLISH))
  }),
  socket('hold', async (u, {target}) => {
    await u.begin()
    const began = performance.now()
    const frame = await u.send(u.message('/meta/connect')).frame(target.holdMs * 3)
    return [frame, performance.now() - began > target.holdMs * 0.95 ? 'held' : 'not held']
  }),
  socket('a shorter hold by advice', async (u, {target}) => {
    await u.begin()
    const began = performance.now()
    const frame = await u.send(u.message('/meta/connect', {advice: {timeout: Math.round(target.holdMs * 0.2)}})).frame()
    return [frame, performance.now() - began < target.holdMs * 0.7 ? 'short' : 'long']
  }),
  socket('a duplicate connect', async (u, {target}) => {
    await u.begin()
    u.send(u.message('/meta/connect'))
    await pause(150)
    u.send(u.message('/meta/connect'))
    return u.frames(target.holdMs * 2)
  }),
  socket('disconnect while a connect is held', async u => {
    await u.begin()
    u.send(u.message('/meta/connect'))
    await pause(150)
    // Two threads of CometD answer them.
    return (await u.ask(u.message('/meta/disconnect'))).sort()
  }),
  socket('messages after disconnect', async u => {
    await u.begin()
    await u.ask(u.message('/meta/disconnect'))
    return [await u.ask(u.message('/service/none', {data: {}})), await u.ask(u.message('/meta/connect'))]
  }),
  socket('a new handshake after disconnect', async u => {
    await u.begin()
    await u.ask(u.message('/meta/disconnect'))
    return [await u.handshake(), await u.connect({advice: {timeout: 0}})]
  }),
  socket('a session that expires, and what comes then', async (u, {target}) => {
    await u.begin()
    await pause(target.maxIntervalMs + 1300)
    return [await u.ask(u.message('/service/none', {data: {}})), await u.ask(u.message('/meta/connect')), await u.handshake()]
  }),
  socket('a session that never connected expires', async (u, {target}) => {
    await u.handshake()
    await pause(target.maxIntervalMs + 1300)
    return u.ask(u.message('/meta/connect'))
  }),
  socket('the session goes on over another connection', async (u, stage) => {
    await u.begin()
    u.send(u.message('/meta/connect'))
    await pause(150)
    u.connection.close()
    await pause(100)
    const again = await stage.webSocket()
    again.clientId = u.clientId
    return [await again.connect({advice: {timeout: 0}}), await again.ask(again.message(CHANNEL, PUBLISH))]
  }),
  socket('the session goes on over another connection while the first is open', async (u, stage) => {
    await u.begin()
    u.send(u.message('/meta/connect'))
    await pause(150)
    const again = await stage.webSocket()
    again.clientId = u.clientId
    const taken = await again.connect({advice: {timeout: 0}})
    const chat = await again.ask(again.message(CHANNEL, PUBLISH))
    return [taken, chat, await u.frames(500)]
  }),
  socket('the connection closes and the session expires', async (u, stage) => {
    await u.begin()
    u.connection.close()
    await pause(stage.target.maxIntervalMs + 1300)
    const again = await stage.webSocket()
    again.clientId = u.clientId
    return again.connect()
  }),
  socket('the session on the other node', async (u, stage) => {
    await u.begin()
    const elsewhere = await stage.webSocket({node: 1})
    elsewhere.clientId = u.clientId
    return [await elsewhere.connect(), await elsewhere.ask(elsewhere.message('/service/none', {data: {}}))]
  }),
  socket('two sessions in turn on one connection', async (u, stage) => {
    await u.begin()
    const other = await (await stage.webSocket()).begin()
    const mine = u.clientId
    u.clientId = other.clientId
    const borrowed = await u.ask(u.message('/service/none', {data: {}}))
    u.clientId = mine
    return [borrowed, await u.ask(u.message('/service/none', {data: {}}))]
  }),
  socket('several sessions of one browser are not told to poll', async (u, stage) => {
    await u.begin()
    const second = await stage.webSocket({headers: ['Cookie: BAYEUX_BROWSER=abcdefgh12345678']})
    const third = await stage.webSocket({headers: ['Cookie: BAYEUX_BROWSER=abcdefgh12345678']})
    await second.begin()
    await third.begin()
    second.send(second.message('/meta/connect'))
    third.send(third.message('/meta/connect'))
    return [await second.frame(), await third.frame()]
  }),
  {
    name: 'a session that falls back from websocket to long-polling',
    async run(stage) {
      const u = await (await stage.webSocket()).begin()
      const polling = stage.polling()
      polling.clientId = u.clientId
      const lost = await polling.connect()
      return [lost, await polling.ask(polling.message(CHANNEL, PUBLISH))]
    },
  },
  {
    name: 'a session that goes from long-polling to websocket',
    async run(stage) {
      const polling = await stage.polling().begin()
      const u = await stage.webSocket()
      u.clientId = polling.clientId
      const moved = await u.connect({advice: {timeout: 0}})
      const chat = await u.ask(u.message(CHANNEL, PUBLISH))
      return [moved, chat, await polling.connect({advice: {timeout: 0}})]
    },
  },
  {
    name: 'a session that goes from long-polling to websocket and back to long-polling',
    async run(stage) {
      const polling = await stage.polling().begin()
      const u = await stage.webSocket()
      u.clientId = polling.clientId
      const there = await u.connect({advice: {timeout: 0}})
      u.connection.close()
      await pause(100)
      return [there, await polling.connect({advice: {timeout: 0}}), await polling.ask(polling.message(CHANNEL, PUBLISH))]
    },
  },
  {
    name: 'a session that goes from callback-polling to websocket and is held there',
    async run(stage) {
      const polling = stage.polling()
      polling.jsonp = true
      await polling.begin()
      const u = await stage.webSocket()
      u.clientId = polling.clientId
      const held = u.send(u.message('/meta/connect'))
      await pause(150)
      const chat = await u.ask(u.message(CHANNEL, PUBLISH))
      return [chat, await held.frames(stage.target.holdMs + 1500)]
    },
  },
  {
    name: 'a session that goes to websocket while its poll is held',
    async run(stage) {
      const polling = await stage.polling().begin()
      const held = await polling.hold()
      const u = await stage.webSocket()
      u.clientId = polling.clientId
      const chat = await u.ask(u.message(CHANNEL, PUBLISH))
      return [chat, await polling.finish(held)]
    },
  },
  socket('broadcast to oneself and another', async (u, stage) => {
    const other = await (await stage.webSocket()).begin()
    await other.ask(other.message('/meta/subscribe', {subscription: '/hall/**'}))
    await u.begin()
    await u.ask(u.message('/meta/subscribe', {subscription: '/hall/a'}))
    return [await u.ask(u.message('/hall/a', {data: {hello: 1}})), await other.frames(1000)]
  }),
  raw('text that is no JSON', () => clientFrame('garbage')),
  raw('an empty text', () => clientFrame('')),
  raw('an empty list', () => clientFrame('[]')),
  raw('an empty object', () => clientFrame('{}')),
  raw('a list of null', () => clientFrame('[null]')),
  raw('a list of numbers', () => clientFrame('[1]')),
  raw('an object alone', () => clientFrame(JSON.stringify({channel: '/meta/handshake', id: '1', version: '1.0'}))),
  raw('nested in 300 lists', () =>
    clientFrame(`[{"channel":"/meta/handshake","id":"1","ext":{"a":${'['.repeat(300)}${']'.repeat(300)}}}]`),
  ),
  raw('a binary frame', () => clientFrame('[{"channel":"/meta/handshake","id":"1"}]', {opcode: 2})),
  socket('a binary frame between text', async u => {
    await u.begin()
    u.connection.send(clientFrame('x', {opcode: 2}))
    return u.ask(u.message('/service/none', {data: {}}))
  }),
  raw('an unmasked frame', () => clientFrame('[]', {masked: false})),
  raw('a reserved bit', () => clientFrame('[]', {reserved: 1})),
  raw('a compressed frame that was not negotiated', () => clientFrame('[]', {reserved: 4})),
  raw('an unknown opcode', () => clientFrame('[]', {opcode: 3})),
  raw('a continuation of nothing', () => clientFrame('[]', {opcode: 0})),
  raw('invalid UTF-8', () => clientFrame(Buffer.from([0xff, 0xfe]))),
  raw('a ping', () => clientFrame('hello', {opcode: 9})),
  raw('an empty ping', () => clientFrame('', {opcode: 9})),
  raw('a ping of 125 bytes', () => clientFrame('x'.repeat(125), {opcode: 9})),
  raw('a ping of 126 bytes', () => clientFrame('x'.repeat(126), {opcode: 9})),
  raw('a ping in parts', () => clientFrame('hello', {opcode: 9, final: false})),
  raw('a pong nobody asked for', () => clientFrame('hello', {opcode: 10})),
  ...Object.entries({
    'close without code': Buffer.alloc(0),
    'close 1000': code(1000),
    'close 1000 with a reason': code(1000, 'bye'),
    'close 1001': code(1001, 'going away'),
    'close 3000': code(3000, 'mine'),
    'close 4999': code(4999),
    'close 1005': code(1005),
    'close 999': code(999),
    'close with one byte': Buffer.from([3]),
    'close with invalid UTF-8': Buffer.concat([code(1000), Buffer.from([0xff])]),
  }).map(([name, payload]) => raw(name, () => clientFrame(payload, {opcode: 8}))),
  raw('a message of the limit', ({target}) => clientFrame(padded(target.maxMessageSize))),
  raw('a message one above the limit', ({target}) => clientFrame(padded(target.maxMessageSize + 1))),
  raw('a message far above the limit', ({target}) => clientFrame(padded(target.maxMessageSize * 8))),
  raw('a message above the limit in parts', ({target}) => {
    const text = padded(target.maxMessageSize + 100)
    return Buffer.concat([clientFrame(text.slice(0, 5000), {final: false}), clientFrame(text.slice(5000), {opcode: 0})])
  }),
  raw('a message in two parts', () => {
    const text = padded(200)
    return Buffer.concat([clientFrame(text.slice(0, 50), {final: false}), clientFrame(text.slice(50), {opcode: 0})])
  }),
  raw('a message in two parts with a ping between', () => {
    const text = padded(200)
    return Buffer.concat([
      clientFrame(text.slice(0, 50), {final: false}),
      clientFrame('mid', {opcode: 9}),
      clientFrame(text.slice(50), {opcode: 0}),
    ])
  }),
  raw('a new message before the last part', () => Buffer.concat([clientFrame('[', {final: false}), clientFrame('[]')])),
  raw('three messages in one write', () =>
    Buffer.concat(['1', '2', '3'].map(id => clientFrame(JSON.stringify([{channel: '/service/none', id, clientId: 'nobody', data: {}}])))),
  ),
  {
    name: 'websocket: permessage-deflate, small and large',
    async run(stage) {
      const u = await stage.webSocket({headers: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']})
      const compress = (text: string) => clientFrame(deflateRawSync(text, {finishFlush: 2}).subarray(0, -4), {reserved: 4})
      u.connection.send(compress(padded(3000)))
      const handshake = await u.frame()
      u.connection.send(clientFrame('[]'))
      return [handshake, await u.frames()]
    },
  },
  {
    name: 'websocket: a compressed message that inflates above the limit',
    async run(stage) {
      const u = await stage.webSocket({headers: ['Sec-WebSocket-Extensions: permessage-deflate']})
      u.connection.send(
        clientFrame(deflateRawSync(padded(stage.target.maxMessageSize * 4), {finishFlush: 2}).subarray(0, -4), {reserved: 4}),
      )
      return u.frames()
    },
  },
]

function code(value: number, reason = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(value)
  return Buffer.concat([head, Buffer.from(reason)])
}

/** A handshake of exactly that many bytes. */
function padded(bytes: number): string {
  const empty = JSON.stringify([
    {channel: '/meta/handshake', id: '1', version: '1.0', supportedConnectionTypes: ['websocket'], ext: {pad: ''}},
  ])
  return empty.replace('"pad":""', `"pad":"${'x'.repeat(Math.max(0, bytes - empty.length))}"`)
}
