import {createSocket} from 'node:dgram'
import {Resolver} from 'node:dns/promises'
import {once} from 'node:events'
import {connect} from 'node:net'
import {decode, encode} from 'dns-packet'
import {expect, test} from 'vitest'
import {startNameServer} from './name-server.ts'

function asking(address: string): Resolver {
  const resolver = new Resolver({tries: 1, timeout: 5000})
  resolver.setServers([address])
  return resolver
}

test('a name is where it was placed last, however it is spelt', async () => {
  await using server = await startNameServer('127.0.0.1')
  const resolver = asking(server.address)
  server.place('gms1.network.local', '127.0.0.1')
  expect(await resolver.resolve4('GMS1.network.local', {ttl: true})).toEqual([{address: '127.0.0.1', ttl: 1}])
  server.place('GMS1.Network.Local.', '127.0.0.2')
  expect(await resolver.resolve4('gms1.network.local')).toEqual(['127.0.0.2'])
  expect(server.questions).toBe(2)
})

test('a known name has no IPv6 address, another one does not exist', async () => {
  await using server = await startNameServer('127.0.0.1')
  const resolver = asking(server.address)
  server.place('gms1.network.local', '127.0.0.1')
  await expect(resolver.resolve6('gms1.network.local')).rejects.toMatchObject({code: 'ENODATA'})
  await expect(resolver.resolve4('gms2.network.local')).rejects.toMatchObject({code: 'ENOTFOUND'})
  expect(server.questions).toBe(1)
})

test('is asked over TCP too, in pieces of any size', async () => {
  await using server = await startNameServer('127.0.0.1')
  server.place('gms1.network.local', '127.0.0.1')
  const query = encode({type: 'query', id: 7, questions: [{type: 'A', name: 'gms1.network.local'}]})
  const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1')
  socket.write(Buffer.from([0]))
  socket.write(Buffer.concat([Buffer.from([query.length]), query]))
  const [data] = (await once(socket, 'data')) as [Buffer]
  expect(data.readUInt16BE(0)).toBe(data.length - 2)
  expect(decode(data.subarray(2))).toMatchObject({id: 7, answers: [{data: '127.0.0.1', ttl: 1}]})
  socket.destroy()
})

test('what is no question is not answered, and does no harm', async () => {
  await using server = await startNameServer('127.0.0.1')
  server.place('gms1.network.local', '127.0.0.1')
  const socket = createSocket('udp4')
  for (const garbage of ['', 'x', '\0'.repeat(12), '\xff'.repeat(40)])
    socket.send(Buffer.from(garbage, 'latin1'), Number(server.address.split(':')[1]), '127.0.0.1')
  expect(await asking(server.address).resolve4('gms1.network.local')).toEqual(['127.0.0.1'])
  socket.close()
})
