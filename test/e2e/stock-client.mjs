// A customer's page, as far as Node can play one: the official client with its own Node adapter, untouched.
// Arguments: origin, style of the vendor page (addListener, subscribe), transport (left free when absent). Prints what came of it as JSON.
import {CometD} from 'cometd'
import {adapt} from 'cometd-nodejs-client'
import {installDocument} from './script-element.mjs'

const [origin, style, transport] = process.argv.slice(2)
installDocument()
adapt()
const cometd = new CometD()
for (const type of cometd.getTransportTypes()) if (transport !== undefined && type !== transport) cometd.unregisterTransport(type)
const chatChannel = '/service/chatV2/customer-support'
let stage = 'handshake'
setTimeout(() => {
  process.stderr.write(`no further than ${stage}\n`)
  process.exit(1)
}, 20_000).unref()

function handleChatEvent({data}) {
  const said = (type, event) => event.from.type === 'Agent' && event.type === type
  for (const event of data.messages ?? []) {
    if (said('ParticipantJoined', event)) {
      stage = 'sendMessage'
      cometd.publish(chatChannel, {operation: 'sendMessage', secureKey: data.secureKey, message: 'Hello'})
    } else if (said('Message', event)) {
      const seen = {transport: cometd.getTransport().type, clientId: cometd.getClientId(), answer: event.text}
      stage = 'disconnect'
      cometd.publish(chatChannel, {operation: 'disconnect', secureKey: data.secureKey}, () =>
        cometd.disconnect(() => {
          process.stdout.write(JSON.stringify(seen))
        }),
      )
    }
  }
}

function requestChat() {
  stage = 'requestChat'
  cometd.publish(chatChannel, {operation: 'requestChat', firstName: 'Stock', lastName: 'Client'})
}

// The two examples of the page, "Subscribe for a channel", with its slips of the pen mended.
if (style === 'addListener') {
  cometd.addListener(chatChannel, handleChatEvent)
  cometd.configure({url: `${origin}/genesys/cometd`, logLevel: 'error'})
  cometd.handshake(handshake => {
    if (handshake.successful === true) requestChat()
  })
} else {
  cometd.addListener('/meta/handshake', handshake => {
    if (handshake.successful !== true) return
    cometd.batch(() => {
      cometd.subscribe(chatChannel, handleChatEvent)
      requestChat()
    })
  })
  cometd.configure({url: `${origin}/genesys/cometd`, logLevel: 'error'})
  cometd.handshake()
}
