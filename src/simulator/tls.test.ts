import {once} from 'node:events'
import {request, type RequestOptions} from 'node:https'
import type {IncomingMessage} from 'node:http'
import {generate} from 'selfsigned'
import {afterEach, beforeAll, expect, it} from 'vitest'
import {WebSocket} from 'ws'
import {openSocket} from '../../test/support/simulator-client.ts'
import {UsageError} from '../errors.ts'
import {startSimulator, type Simulator} from './simulator.ts'

let identity: {key: string; cert: string}
let simulator: Simulator

beforeAll(async () => {
  const {private: key, cert} = await generate([{name: 'commonName', value: 'localhost'}], {keyType: 'ec'})
  identity = {key, cert}
})
afterEach(() => simulator?.[Symbol.asyncDispose]())

async function ask(port: number, options: RequestOptions = {}): Promise<IncomingMessage> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path: '/genesys/cometd',
    method: 'OPTIONS',
    ca: identity.cert,
    servername: 'localhost',
    agent: false,
    ...options,
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response
}

it('speaks https and wss, also after a restart', async () => {
  simulator = await startSimulator({nodes: 1, tls: identity})
  const {port} = simulator.nodes[0]!
  for (const _ of ['first', 'again']) {
    expect((await ask(port)).statusCode).toBe(200)
    const socket = new WebSocket(`wss://127.0.0.1:${port}/genesys/cometd`, {rejectUnauthorized: false})
    await once(socket, 'open')
    socket.send('[{"channel":"/meta/handshake","version":"1.0","id":"1"}]')
    const [data] = (await once(socket, 'message')) as [Buffer]
    expect(JSON.parse(data.toString())).toMatchObject([{successful: true}])
    const closed = once(socket, 'close')
    await simulator.stopNode('gms1')
    await closed
    await simulator.startNode('gms1')
  }
})

it('reads an upgrade again that GMS does not take', async () => {
  simulator = await startSimulator({nodes: 1, tls: identity})
  const answer = await ask(simulator.nodes[0]!.port, {headers: {Connection: 'Upgrade', Upgrade: 'h2c'}})
  expect(answer.statusCode).toBe(200)
})

it('survives one who does not speak TLS', async () => {
  simulator = await startSimulator({nodes: 1, tls: identity})
  const {port} = simulator.nodes[0]!
  const plain = await openSocket(port)
  plain.resume().write('GET / HTTP/1.1\r\nHost: gms\r\n\r\n')
  await once(plain, 'close')
  expect((await ask(port)).statusCode).toBe(200)
})

it('speaks TLS at those nodes that were given a certificate', async () => {
  simulator = await startSimulator({nodes: 2, tls: [undefined, identity]})
  const [plain, encrypted] = simulator.nodes
  expect((await fetch(`http://127.0.0.1:${plain!.port}/genesys/cometd`, {method: 'OPTIONS'})).status).toBe(200)
  expect((await ask(encrypted!.port)).statusCode).toBe(200)
  expect([plain!.tlsGreetings, encrypted!.tlsGreetings]).toEqual([0, 1])
})

it('counts those who have seen its certificate, and nobody else', async () => {
  simulator = await startSimulator({nodes: 1, tls: identity})
  const [node] = simulator.nodes
  const plain = await openSocket(node!.port)
  plain.resume().write('GET / HTTP/1.1\r\nHost: gms\r\n\r\n')
  await once(plain, 'close')
  expect(node!.tlsGreetings).toBe(0)
  await ask(node!.port)
  expect(node!.tlsGreetings).toBe(1)
})

it('says in one line what is wrong with key and certificate', async () => {
  const {private: key} = await generate([], {keyType: 'ec'})
  for (const tls of [
    {...identity, key},
    {...identity, cert: 'nothing'},
  ]) {
    const failure = await startSimulator({tls}).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UsageError)
    expect((failure as Error).message).toMatch(/^The key and the certificate cannot be used: .+$/)
  }
})
