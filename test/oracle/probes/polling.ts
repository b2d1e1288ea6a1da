import {CHANNEL, pause, type PollingUser, type Probe, type Stage} from '../probe.ts'

type Style = 'long-polling' | 'callback-polling'

function user(stage: Stage, style: Style, node = 0): PollingUser {
  const made = stage.polling(node)
  made.jsonp = style === 'callback-polling'
  return made
}

const PUBLISH = {data: {operation: 'requestChat', nickname: 'a'}}

/** What is asked in the same words over both polling transports. */
function both(name: string, run: (user: PollingUser, stage: Stage, style: Style) => Promise<unknown>): Probe[] {
  return (['long-polling', 'callback-polling'] as const).map(style => ({
    name: `${style}: ${name}`,
    run: stage => run(user(stage, style), stage, style),
  }))
}

/** Single messages sent by a session that is handshaken and connected. */
const MESSAGES: Readonly<Record<string, (user: PollingUser) => object>> = {
  'subscribe to the chat': u => u.message('/meta/subscribe', {subscription: CHANNEL}),
  'subscribe to several': u => u.message('/meta/subscribe', {subscription: [CHANNEL, '/other']}),
  'subscribe to none': u => u.message('/meta/subscribe'),
  'subscribe to an empty list': u => u.message('/meta/subscribe', {subscription: []}),
  'subscribe to a number': u => u.message('/meta/subscribe', {subscription: 1}),
  'subscribe to null': u => u.message('/meta/subscribe', {subscription: null}),
  'subscribe to an empty name': u => u.message('/meta/subscribe', {subscription: ''}),
  'subscribe to a wildcard': u => u.message('/meta/subscribe', {subscription: '/service/*'}),
  'subscribe to a deep wildcard': u => u.message('/meta/subscribe', {subscription: '/**'}),
  'subscribe to a wildcard in the middle': u => u.message('/meta/subscribe', {subscription: '/a/*/b'}),
  'subscribe to a meta channel': u => u.message('/meta/subscribe', {subscription: '/meta/connect'}),
  'subscribe to a name without slash': u => u.message('/meta/subscribe', {subscription: 'chat'}),
  'subscribe to a name with a slash at the end': u => u.message('/meta/subscribe', {subscription: '/chat/'}),
  'unsubscribe from a channel that there is not': u => u.message('/meta/unsubscribe', {subscription: '/nobody/ever'}),
  'unsubscribe from none': u => u.message('/meta/unsubscribe'),
  'unsubscribe from the chat': u => u.message('/meta/unsubscribe', {subscription: CHANNEL}),
  'unsubscribe from several': u => u.message('/meta/unsubscribe', {subscription: ['/a', '/b']}),
  'publish to the chat': u => u.message(CHANNEL, PUBLISH),
  'publish to a service that nobody serves': u => u.message('/service/none', {data: {}}),
  'publish to a broadcast channel': u => u.message('/other', {data: 1}),
  'publish without data': u => u.message(CHANNEL),
  'publish null': u => u.message('/service/none', {data: null}),
  'publish text': u => u.message(CHANNEL, {data: 'text'}),
  'publish to a wildcard': u => u.message('/service/*', {data: {}}),
  'publish to a name without slash': u => u.message('chat', {data: {}}),
  'publish to an empty name': u => u.message('', {data: {}}),
  'publish to the root': u => u.message('/', {data: {}}),
  'publish to /meta': u => u.message('/meta', {data: {}}),
  'an unknown meta channel': u => u.message('/meta/nonsense'),
  'a channel that is a number': u => u.message(CHANNEL, {channel: 1}),
  'no channel': u => u.message(CHANNEL, {channel: undefined}),
  'a channel that is null': u => u.message(CHANNEL, {channel: null}),
  'no id': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: undefined}),
  'an id that is a number': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: 7}),
  'an id that is a fraction': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: 1.5}),
  'an id that is null': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: null}),
  'an id that is an object': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: {a: 1}}),
  'an id that is true': u => u.message('/meta/subscribe', {subscription: CHANNEL, id: true}),
  'a clientId that is a number': u => u.message(CHANNEL, {...PUBLISH, clientId: 1}),
  'no clientId': u => u.message(CHANNEL, {...PUBLISH, clientId: undefined}),
  'another clientId': u => u.message(CHANNEL, {...PUBLISH, clientId: 'nobody'}),
  'subscribe of another clientId': u => u.message('/meta/subscribe', {subscription: CHANNEL, clientId: 'nobody'}),
  'disconnect of another clientId': u => u.message('/meta/disconnect', {clientId: 'nobody'}),
  'connect of another clientId': u => u.message('/meta/connect', {clientId: 'nobody'}),
  'unknown meta channel of another clientId': u => u.message('/meta/nonsense', {clientId: 'nobody'}),
  disconnect: u => u.message('/meta/disconnect'),
  'ext is echoed or not': u => u.message('/meta/subscribe', {subscription: CHANNEL, ext: {a: 1}}),
  'connect without connectionType': u => u.message('/meta/connect', {advice: {timeout: 0}}),
  'connect of an unknown connectionType': u => u.message('/meta/connect', {connectionType: 'pigeon', advice: {timeout: 0}}),
  'connect with advice.timeout as text': u => u.message('/meta/connect', {advice: {timeout: '0'}}),
  'connect with advice.interval': u => u.message('/meta/connect', {advice: {timeout: 0, interval: 700}}),
  'connect with negative timeout': u => u.message('/meta/connect', {advice: {timeout: -1}}),
  'connect with advice that is no object': u => u.message('/meta/connect', {advice: 1}),
}

const HANDSHAKES: Readonly<Record<string, object>> = {
  'as it should be': {},
  'of all transports': {supportedConnectionTypes: ['websocket', 'long-polling', 'callback-polling']},
  'of no common transport': {supportedConnectionTypes: ['pigeon']},
  'of no transport': {supportedConnectionTypes: []},
  'without transports': {supportedConnectionTypes: undefined},
  'with a transport as text': {supportedConnectionTypes: 'long-polling'},
  'without version': {version: undefined},
  'of version 2.0': {version: '2.0'},
  'of a minimum version above': {minimumVersion: '9.9'},
  'without id': {id: undefined},
  'with an id that is a number': {id: 5},
  'with a clientId': {clientId: 'mine'},
  'with ext.ack': {ext: {ack: true}},
  'with advice': {advice: {timeout: 60_000, interval: 5}},
}

export const POLLING_PROBES: readonly Probe[] = [
  ...Object.entries(HANDSHAKES).flatMap(([name, fields]) => both(`handshake ${name}`, u => u.handshake(fields as Record<string, unknown>))),
  ...both('handshake and connect in one batch', u =>
    u.ask([u.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['long-polling']}), u.message('/meta/connect')]),
  ),
  ...both('a publish before the handshake in one batch', u =>
    u.ask([u.message(CHANNEL, PUBLISH), u.message('/meta/handshake', {version: '1.0'})]),
  ),
  ...both('a second handshake of a session', async u => {
    await u.begin()
    const old = u.clientId
    const again = await u.handshake()
    const fresh = u.clientId
    u.clientId = old
    const before = await u.ask(u.message(CHANNEL, PUBLISH))
    u.clientId = fresh
    return [again, before, await u.connect()]
  }),
  ...Object.entries(MESSAGES).flatMap(([name, message]) =>
    both(name, async u => {
      await u.begin()
      return u.ask(message(u) as Record<string, unknown>)
    }),
  ),
  ...both('publish before the first connect', async u => {
    await u.handshake()
    return [await u.ask(u.message(CHANNEL, PUBLISH)), await u.connect()]
  }),
  ...both('chat: publish, event, next connect', async u => {
    await u.begin()
    return [await u.ask(u.message(CHANNEL, PUBLISH)), await u.connect({advice: {timeout: 0}}), await u.connect({advice: {timeout: 0}})]
  }),
  ...both('batch of publish and subscribe', async u => {
    await u.begin()
    return u.ask([u.message(CHANNEL, PUBLISH), u.message('/meta/subscribe', {subscription: CHANNEL})])
  }),
  ...both('batch of subscribe, connect and publish', async u => {
    await u.begin()
    return u.ask([u.message('/meta/subscribe', {subscription: CHANNEL}), u.message('/meta/connect'), u.message(CHANNEL, PUBLISH)])
  }),
  ...both('batch of connect and publish', async u => {
    await u.begin()
    return u.ask([u.message('/meta/connect'), u.message(CHANNEL, PUBLISH)])
  }),
  ...both('batch of two connects', async u => {
    await u.begin()
    return u.ask([u.message('/meta/connect'), u.message('/meta/connect')])
  }),
  ...both('batch of disconnect and publish', async u => {
    await u.begin()
    return u.ask([u.message('/meta/disconnect'), u.message(CHANNEL, PUBLISH)])
  }),
  ...both('batch with a message of nobody first', async u => {
    await u.begin()
    return u.ask([u.message(CHANNEL, {...PUBLISH, clientId: 'nobody'}), u.message(CHANNEL, PUBLISH)])
  }),
  ...both('batch with a message of nobody last', async u => {
    await u.begin()
    return u.ask([u.message(CHANNEL, PUBLISH), u.message(CHANNEL, {...PUBLISH, clientId: 'nobody'})])
  }),
  ...both('hold', async u => {
    await u.begin()
    return [await u.connect(), await u.connect()]
  }),
  ...both('first connect without advice is not held', async u => {
    await u.handshake()
    return [await u.connect(), await u.connect()]
  }),
  ...both('a shorter hold by advice', async (u, {target}) => {
    await u.begin()
    return u.connect({advice: {timeout: Math.round(target.holdMs * 0.2)}})
  }),
  ...both('a longer hold by advice', async (u, {target}) => {
    await u.begin()
    return u.connect({advice: {timeout: target.holdMs * 1.5}})
  }),
  ...both('a publish wakes the held connect', async u => {
    await u.begin()
    const held = await u.hold()
    const ack = await u.ask(u.message(CHANNEL, PUBLISH))
    return [ack, await u.finish(held), await u.connect({advice: {timeout: 0}})]
  }),
  ...both('a duplicate connect', async u => {
    await u.begin()
    const older = await u.hold()
    const newer = await u.hold()
    return [await u.finish(older), await u.finish(newer)]
  }),
  ...both('disconnect while a connect is held', async u => {
    await u.begin()
    const held = await u.hold()
    return [await u.ask(u.message('/meta/disconnect'), '/disconnect'), await u.finish(held), await u.connect()]
  }),
  ...both('two sessions of one browser', async (first, stage, style) => {
    const second = user(stage, style)
    await first.begin()
    second.cookie = first.cookie
    const handshake = await second.handshake()
    const held = await first.hold({advice: {timeout: 700}})
    const early = await second.connect({advice: {timeout: 0}})
    const refused = await second.connect()
    const free = await first.finish(held)
    return [handshake, early, refused, free, await second.connect()]
  }),
  ...both('a second session of a browser that nobody has seen', async (_, stage, style) => {
    const stranger = user(stage, style)
    stranger.cookie = 'BAYEUX_BROWSER=abcdefgh12345678'
    return [await stranger.handshake(), await stranger.connect()]
  }),
  ...both('a cookie in quotes and beside others', async u => {
    await u.begin()
    u.cookie = `a=b; ${u.cookie?.replace('=', '="') ?? ''}"; c=d`
    return u.ask(u.message(CHANNEL, PUBLISH))
  }),
  ...both('two browser cookies, the right one first', async u => {
    await u.begin()
    u.cookie = `${u.cookie ?? ''}; BAYEUX_BROWSER=abcdefgh12345678`
    return u.ask(u.message(CHANNEL, PUBLISH))
  }),
  ...both('two browser cookies, the right one last', async u => {
    await u.begin()
    u.cookie = `BAYEUX_BROWSER=abcdefgh12345678; ${u.cookie ?? ''}`
    return u.ask(u.message(CHANNEL, PUBLISH))
  }),
  ...both('messages without the cookie', async u => {
    await u.begin()
    u.cookie = undefined
    return [
      await u.connect(),
      await u.ask(u.message(CHANNEL, PUBLISH)),
      await u.ask(u.message('/meta/subscribe', {subscription: CHANNEL})),
      await u.ask(u.message('/meta/unsubscribe', {subscription: CHANNEL})),
      await u.ask(u.message('/meta/disconnect')),
      await u.ask(u.message('/meta/nonsense')),
      await u.ask([u.message('/meta/connect'), u.message(CHANNEL, PUBLISH)]),
    ]
  }),
  ...both('messages to the other node', async (u, stage, style) => {
    await u.begin()
    const elsewhere = user(stage, style, 1)
    elsewhere.cookie = u.cookie
    elsewhere.clientId = u.clientId
    return [await elsewhere.connect(), await elsewhere.ask(elsewhere.message(CHANNEL, PUBLISH)), await u.connect({advice: {timeout: 0}})]
  }),
  ...both('a session that expires without connect', async (u, {target}) => {
    await u.begin()
    await pause(target.maxIntervalMs + 1300)
    return [await u.connect(), await u.ask(u.message(CHANNEL, PUBLISH))]
  }),
  ...both('a session that never connected', async (u, {target}) => {
    await u.handshake()
    await pause(target.maxIntervalMs + 1300)
    return u.connect()
  }),
  ...both('publishing does not keep a session', async (u, {target}) => {
    await u.begin()
    for (let i = 0; i < 5; i += 1) {
      await pause((target.maxIntervalMs + 1500) / 5)
      await u.ask(u.message('/service/none', {data: {}}))
    }
    return u.ask(u.message('/service/none', {data: {}}))
  }),
  ...both('a session whose held connect is cut lives on for maxInterval', async (u, {target}) => {
    await u.begin()
    const held = await u.hold()
    held.close()
    await pause(target.maxIntervalMs / 3)
    return u.connect({advice: {timeout: 0}})
  }),
  ...both('an interval that the client asks for makes the session live longer', async (u, {target}) => {
    await u.begin()
    await u.connect({advice: {timeout: 0, interval: 4000}})
    await pause(target.maxIntervalMs + 1300)
    return u.connect({advice: {timeout: 0}})
  }),
  ...both('broadcast to oneself', async u => {
    await u.begin()
    await u.ask(u.message('/meta/subscribe', {subscription: '/room'}))
    return [await u.ask(u.message('/room', {data: {a: 1}})), await u.connect({advice: {timeout: 0}})]
  }),
  ...both('broadcast to a wildcard, and after unsubscribing', async (u, stage, style) => {
    const speaker = await user(stage, style).begin()
    await u.begin()
    await u.ask(u.message('/meta/subscribe', {subscription: `/lobby/${style}/*`}))
    const held = await u.hold()
    const ack = await speaker.ask(speaker.message(`/lobby/${style}/one`, {data: 'hello'}))
    const heard = await u.finish(held)
    await u.ask(u.message('/meta/unsubscribe', {subscription: `/lobby/${style}/*`}))
    await speaker.ask(speaker.message(`/lobby/${style}/one`, {data: 'anybody?'}))
    return [ack, heard, await u.connect({advice: {timeout: 0}})]
  }),
  {
    name: 'a session that goes from long-polling to callback-polling and back',
    async run(stage) {
      const u = stage.polling()
      await u.begin()
      u.jsonp = true
      const there = [await u.ask(u.message(CHANNEL, PUBLISH)), await u.connect({advice: {timeout: 0}})]
      u.jsonp = false
      return [...there, await u.connect({advice: {timeout: 0}}), await u.ask(u.message('/service/none', {data: {}}))]
    },
  },
]
