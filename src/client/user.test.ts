import {createServer} from 'node:http'
import type {IncomingMessage, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect, test} from 'vitest'
import {PROBE_HEADER} from '../wire/probe.ts'
import {User} from './user.ts'

async function withServer(
  serve: (request: IncomingMessage, response: ServerResponse) => void,
  use: (url: URL) => Promise<void>,
): Promise<void> {
  const server = createServer(serve)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const GET = {method: 'GET', path: '/genesys/x?secret=1', transport: 'http', deadlineMs: 5000} as const

test('a user keeps cookies by path, shows the public name, and numbers every request', async () => {
  const seen: IncomingMessage['headers'][] = []
  await withServer(
    (request, response) => {
      seen.push(request.headers)
      response.setHeader('Set-Cookie', ['NODE=n1; Path=/', 'OTHER=1; Path=/elsewhere', 'HERE=1; Path=/genesys; HttpOnly']).end('ok')
    },
    async url => {
      const user = new User({url, hostHeader: 'chat.example.com:8443'}, {headers: {Forwarded: 'for=192.0.2.1'}})
      await user.request(GET)
      const answer = await user.request(GET)
      expect(answer).toMatchObject({answered: true, status: 200})
      user.destroy()
      expect(user.cookieNames('/genesys/x').toSorted()).toEqual(['HERE', 'NODE'])
      expect(user.journal.exchanges.map(({what}) => what)).toEqual(['GET /genesys/x', 'GET /genesys/x'])
    },
  )
  expect(seen[0]).toMatchObject({host: 'chat.example.com:8443', origin: 'http://chat.example.com:8443', forwarded: 'for=192.0.2.1'})
  expect(seen[0]).not.toHaveProperty('cookie')
  expect(seen[1]?.cookie?.split('; ').toSorted()).toEqual(['HERE=1', 'NODE=n1'])
  expect(seen[1]?.[PROBE_HEADER]).not.toBe(seen[0]?.[PROBE_HEADER])
})

test('a kept connection that the peer has just closed is not an answer: the request goes again', async () => {
  let requests = 0
  await withServer(
    (request, response) => {
      requests += 1
      if (requests === 2) request.socket.destroy()
      else response.end('ok')
    },
    async url => {
      const user = new User({url, hostHeader: url.host})
      expect(await user.request(GET)).toMatchObject({answered: true})
      // The pool gives a connection back in its own time.
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(await user.request(GET)).toMatchObject({answered: true})
      expect(user.journal.exchanges).toHaveLength(3)
      user.destroy()
    },
  )
  expect(requests).toBe(3)
})

test('a kept connection that is reset in the middle of a large body is one too', async () => {
  let requests = 0
  await withServer(
    (request, response) => {
      requests += 1
      if (requests === 2) request.socket.resetAndDestroy()
      else request.resume().on('end', () => response.end('ok'))
    },
    async url => {
      const user = new User({url, hostHeader: url.host})
      expect(await user.request(GET)).toMatchObject({answered: true})
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(await user.request({...GET, method: 'POST', body: Buffer.alloc(10_000_000)})).toMatchObject({answered: true})
      user.destroy()
    },
  )
  expect(requests).toBe(3)
})

test('a request whose probe was given is sent once, over a connection of its own', async () => {
  const ports = new Set<number | undefined>()
  let requests = 0
  await withServer(
    (request, response) => {
      requests += 1
      ports.add(request.socket.remotePort)
      if (requests === 2) request.socket.destroy()
      else response.end('ok')
    },
    async url => {
      const user = new User({url, hostHeader: url.host})
      expect(await user.request(GET)).toMatchObject({answered: true})
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(await user.request({...GET, probe: 'given-1'})).toMatchObject({answered: false, failure: {ended: 'closed'}})
      user.destroy()
    },
  )
  expect(requests).toBe(2)
  expect(ports.size).toBe(2)
})

test('a fresh connection that is closed without an answer is a failure, at once', async () => {
  await withServer(
    request => request.socket.destroy(),
    async url => {
      const user = new User({url, hostHeader: url.host})
      expect(await user.request(GET)).toMatchObject({answered: false, failure: {ended: 'closed'}})
      expect(user.journal.exchanges).toHaveLength(1)
      user.destroy()
      expect(await user.request(GET)).toMatchObject({answered: false, failure: {reason: 'given up by the client'}})
    },
  )
})

test('an answer that begins but does not end is late', async () => {
  await withServer(
    (_, response) => response.write('beginning'),
    async url => {
      const user = new User({url, hostHeader: url.host})
      const answer = await user.request({...GET, deadlineMs: 200})
      expect(answer).toMatchObject({answered: false, failure: {ended: 'timed-out', reason: 'the answer was not complete within 200 ms'}})
      user.destroy()
    },
  )
})

test('a Secure cookie does not travel over http, not even to loopback, which stands for a public name', async () => {
  const seen: IncomingMessage['headers'][] = []
  await withServer(
    (request, response) => {
      seen.push(request.headers)
      response.setHeader('Set-Cookie', ['OPEN=1; Path=/', 'CLOSED=1; Path=/; Secure']).end('ok')
    },
    async url => {
      const user = new User({url, hostHeader: url.host})
      await user.request(GET)
      await user.request(GET)
      user.destroy()
      expect(seen[1]?.cookie).toBe('OPEN=1')
    },
  )
})
