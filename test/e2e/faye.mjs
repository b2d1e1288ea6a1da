// A Bayeux client of other authors. Arguments: origin, transport. Prints what came of a chat as JSON.
import faye from 'faye'
import jsonp from 'faye/src/transport/jsonp.js'
import transports from 'faye/src/transport/node_transports.js'
import {installDocument} from './script-element.mjs'

const [origin, transport] = process.argv.slice(2)
installDocument()
// In Node it leaves this one out, for want of a document.
transports.register('callback-polling', jsonp)
const client = new faye.Client(`${origin}/genesys/cometd`, {timeout: 45})
// It shakes hands over HTTP and changes to WebSocket afterwards.
if (transport !== 'websocket') client.disable('websocket')
if (transport === 'callback-polling') client.disable('long-polling')
// It opens its WebSocket before the handshake has brought a cookie. Where a cookie names the node, the two would meet different nodes, and
// the first session would be lost. So this customer has been here before; the jar has no public way in.
const earlier = await fetch(`${origin}/genesys/cometd`)
for (const cookie of earlier.headers.getSetCookie()) client._dispatcher.cookies.setCookieSync(cookie, origin)
const channel = '/service/chatV2/customer-support'
let stage = 'handshake'
const deadline = setTimeout(() => {
  process.stderr.write(`no further than ${stage}\n`)
  process.exit(1)
}, 20_000)
const sessions = new Set()
client.addExtension({
  outgoing(message, pass) {
    if (message.clientId) sessions.add(message.clientId)
    pass(message)
  },
})
client.on('transport:down', () => process.stderr.write(`transport down at ${stage}\n`))

const heard = []
let wake = () => undefined
const event = async matches => {
  for (;;) {
    const found = heard.find(data => data.messages?.some(matches))
    if (found) return found
    await new Promise(resolve => (wake = resolve))
  }
}
const newestKey = () => heard.findLast(data => data.secureKey !== undefined)?.secureKey
await client.subscribe(channel, data => {
  heard.push(data)
  wake()
})
const perform = async (operation, parameters = {}) => {
  stage = operation
  const secureKey = newestKey()
  await client.publish(channel, {operation, ...(secureKey === undefined ? {} : {secureKey}), ...parameters})
}
const agent = type => one => one.from.type === 'Agent' && one.type === type
await perform('requestChat', {nickname: 'Faye'})
await event(agent('ParticipantJoined'))
await perform('startTyping', {message: 'Hel'})
await perform('sendMessage', {message: 'Hello'})
const answer = (await event(agent('Message'))).messages.find(agent('Message')).text
await perform('disconnect')
await client.disconnect()
clearTimeout(deadline)
process.stdout.write(JSON.stringify({clientId: [...sessions].at(-1), sessions: sessions.size, answer}), () => process.exit(0))
