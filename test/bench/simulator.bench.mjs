// Memory of an idle session and CPU time of a message in a simulated node, against a bare WebSocket server that echoes as many frames.
import {fork} from 'node:child_process'
import {once} from 'node:events'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {WebSocket} from 'ws'

const SESSIONS = Number(process.env.BENCH_SESSIONS ?? 5000)
const CHATS = 100
const MESSAGES = 100
/** Frames to and fro of one sendMessage: the message; its answer, the agent's answer, the acknowledgement. */
const FRAMES_BACK = 3
const CHANNEL = '/service/chatV2/customer-support'
const measured = join(dirname(fileURLToPath(import.meta.url)), 'simulator-process.mjs')

async function start(what) {
  const child = fork(measured, [what], {execArgv: ['--expose-gc']})
  child.once('exit', code => {
    if (code !== 0) throw new Error(`the measured process ended with ${code}`)
  })
  const [{port}] = await once(child, 'message')
  const ask = async () => {
    child.send('measure')
    return (await once(child, 'message'))[0]
  }
  return {url: `ws://127.0.0.1:${port}/genesys/cometd`, ask, stop: () => child.disconnect()}
}

/** Opens sockets a few at a time. */
async function open(url, count) {
  const sockets = []
  while (sockets.length < count) {
    const batch = Array.from({length: Math.min(100, count - sockets.length)}, () => new WebSocket(url, {perMessageDeflate: false}))
    await Promise.all(batch.map(socket => once(socket, 'open')))
    sockets.push(...batch)
  }
  return sockets
}

/** Sends one Bayeux message and waits for its reply; `seen` hears everything on the way. */
function request(socket, message, seen = () => {}) {
  return new Promise(resolve => {
    const listen = data => {
      for (const reply of JSON.parse(data.toString())) {
        seen(reply)
        if (reply.id !== message.id || reply.data !== undefined) continue
        socket.off('message', listen)
        resolve(reply)
      }
    }
    socket.on('message', listen)
    socket.send(JSON.stringify([message]))
  })
}

async function session(socket) {
  const {clientId} = await request(socket, {channel: '/meta/handshake', id: '1', version: '1.0', supportedConnectionTypes: ['websocket']})
  await request(socket, {channel: '/meta/connect', id: '2', clientId, connectionType: 'websocket', advice: {timeout: 0}})
  socket.send(JSON.stringify([{channel: '/meta/connect', id: '3', clientId, connectionType: 'websocket'}]))
  return clientId
}

async function chat(socket, clientId) {
  let secureKey
  const take = ({data}) => (secureKey = data?.secureKey ?? secureKey)
  const publish = (id, data) => request(socket, {channel: CHANNEL, id, clientId, data}, take)
  await publish('4', {operation: 'requestChat', nickname: 'Bench'})
  return message => publish(message, {operation: 'sendMessage', secureKey, message: `message ${message} of a person who waits`})
}

async function echoed(socket, message) {
  for (let i = 0; i < FRAMES_BACK; i++) {
    socket.send(message)
    await once(socket, 'message')
  }
}

async function idle(what, prepare) {
  const server = await start(what)
  const before = await server.ask()
  const sockets = await open(server.url, SESSIONS)
  for (let at = 0; at < sockets.length; at += 100) await Promise.all(sockets.slice(at, at + 100).map(prepare))
  const after = await server.ask()
  server.stop()
  for (const socket of sockets) socket.terminate()
  const each = name => (after[name] - before[name]) / SESSIONS / 1024
  console.log(
    `${`${SESSIONS} idle, ${what}`.padEnd(44)} ${each('rss').toFixed(1).padStart(6)} kB of memory each   ${each('heap').toFixed(1).padStart(6)} kB of heap`,
  )
  return each('rss')
}

async function talk(what, prepare) {
  const server = await start(what)
  const sockets = await open(server.url, CHATS)
  const says = await Promise.all(sockets.map(prepare))
  const round = count =>
    Promise.all(
      says.map(async say => {
        for (let i = 0; i < count; i++) await say(String(100 + i))
      }),
    )
  await round(MESSAGES / 5)
  const before = await server.ask()
  await round(MESSAGES)
  const after = await server.ask()
  server.stop()
  for (const socket of sockets) socket.terminate()
  const micros = (after.cpuMicros - before.cpuMicros) / CHATS / MESSAGES
  console.log(
    `${`${CHATS} chats, ${MESSAGES} messages each, ${what}`.padEnd(44)} ${micros.toFixed(0).padStart(6)} µs of CPU time per message`,
  )
  return micros
}

const bare = await idle('echo', async () => {})
const sessions = await idle('sessions', session)
const chats = await idle('sessions with a chat', async socket => chat(socket, await session(socket)))
const frames = await talk('echo', async socket => message => echoed(socket, message))
const messages = await talk('sendMessage', async socket => chat(socket, await session(socket)))
console.log(
  `ratios: session ${(sessions / bare).toFixed(2)}, with a chat ${(chats / bare).toFixed(2)}, message ${(messages / frames).toFixed(2)}`,
)
