// A customer's page, as far as Node can play one: the official client with its own Node adapter, untouched. Prints the transport it chose and what the agent answered.
import {CometD} from 'cometd'
import {adapt} from 'cometd-nodejs-client'

adapt()
const client = new CometD()
const channel = '/service/chatV2/customer-support'
client.configure({url: `${process.argv[2]}/genesys/cometd`, logLevel: 'error'})
const timer = setTimeout(() => process.exit(1), 20_000)
client.addListener(channel, ({data}) => {
  if (data.messages?.some(event => event.from.type === 'Agent' && event.type === 'Message')) {
    process.stdout.write(`${client.getTransport().type}\n`)
    client.disconnect(() => clearTimeout(timer))
  } else if (data.messages?.some(event => event.type === 'ParticipantJoined' && event.from.type === 'Agent')) {
    client.publish(channel, {operation: 'sendMessage', secureKey: data.secureKey, message: 'Hello'})
  }
})
client.handshake(({successful}) => {
  if (successful) client.publish(channel, {operation: 'requestChat', firstName: 'Stock', lastName: 'Client'})
})
