import {createServer, request as send} from 'node:http'
import type {IncomingHttpHeaders, IncomingMessage} from 'node:http'
import type {AddressInfo} from 'node:net'
import type {Listener, Request} from '../../src/proxies/site.ts'

/** A request as a node got it. */
export interface Seen {
  node: number
  method: string
  /** With the query. */
  url: string
  httpVersion: string
  headers: IncomingHttpHeaders
  /** Names and values as they came, to tell what was sent twice. */
  rawHeaders: readonly string[]
}

/** Nodes that answer everything with 200 (upgrades too) and remember what they were asked. `answers` are put into every answer. */
export async function startEchoNodes(
  count: number,
  {host = '127.0.0.1', answers = {}}: {host?: string; answers?: Readonly<Record<string, string>>} = {},
): Promise<{ports: readonly number[]; take(): readonly Seen[]} & AsyncDisposable> {
  let seen: Seen[] = []
  const servers = await Promise.all(
    Array.from({length: count}, async (_, node) => {
      const server = createServer((request, response) => {
        const {method = '', url = '', httpVersion, headers, rawHeaders} = request
        request.resume().on('end', () => {
          seen.push({node, method, url, httpVersion, headers, rawHeaders})
          response.writeHead(200, {'Content-Type': 'application/json', ...answers}).end('{}')
        })
      })
      await new Promise<void>(resolve => server.listen(0, host, resolve))
      return server
    }),
  )
  return {
    ports: servers.map(server => (server.address() as AddressInfo).port),
    take: () => {
      const taken = seen
      seen = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        servers.map(server => {
          server.closeAllConnections()
          return new Promise(resolve => server.close(resolve))
        }),
      )
    },
  }
}

/** What a proxy at `url` answers to a request of the model, with as large a body as it announces; read to its end. */
export async function answerTo(url: URL, listener: Listener, request: Request): Promise<IncomingMessage> {
  const {path, query, method, headers} = request
  const host = request.host ?? listener.serverNames[0] ?? 'localhost'
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = send(
      {
        host: url.hostname,
        port: url.port,
        path: query === undefined ? path : `${path}?${query}`,
        method,
        headers: {...headers, host},
        agent: false,
      },
      resolve,
    )
    outgoing.on('error', reject)
    outgoing.on('upgrade', (message: IncomingMessage) => resolve(message))
    outgoing.end(Buffer.alloc(Number(headers['content-length'] ?? 0)))
  })
  response.resume()
  await new Promise(resolve => response.on('end', resolve))
  return response
}
