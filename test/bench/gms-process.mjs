// The far end of publishes.bench.mjs, in a process of its own: answers a Bayeux POST with as little work as possible (the strict simulator
// would be what is measured), and notices a publish that arrives twice. `node gms-process.mjs <ports> [http]`: on bare sockets, or as a
// usual HTTP server, which a new connection costs more.
import {createServer as createHttpServer} from 'node:http'
import {createServer} from 'node:net'

const END = Buffer.from('\r\n\r\n')
/** The last publish of each session: `id` of the next one is larger. */
const seen = new Map()
let publishes = 0
let twice = 0
let connections = 0

function answerTo(body) {
  const id = /"id":"(\d+)"/.exec(body)?.[1] ?? '0'
  if (body.includes('/meta/handshake')) {
    const clientId = `s${seen.size + 1}`
    seen.set(clientId, 0)
    return `[{"channel":"/meta/handshake","id":"${id}","clientId":"${clientId}","version":"1.0","successful":true,"supportedConnectionTypes":["websocket","long-polling"]}]`
  }
  const clientId = /"clientId":"(s\d+)"/.exec(body)?.[1] ?? ''
  publishes += 1
  if (Number(id) <= (seen.get(clientId) ?? 0)) twice += 1
  seen.set(clientId, Number(id))
  return `[{"channel":"/service/chatV2/customer-support","id":"${id}","successful":true}]`
}

/** Requests of one connection, one after the other; a body has a `Content-Length`. */
function serve(socket) {
  connections += 1
  let pending = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      const end = pending.indexOf(END)
      if (end < 0) return
      const head = pending.latin1Slice(0, end)
      const from = end + END.length
      const length = Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (pending.length < from + length) return
      const body = answerTo(pending.latin1Slice(from, from + length))
      pending = pending.subarray(from + length)
      const close = /\nconnection: *close/i.test(head)
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: ${body.length}\r\n${close ? 'Connection: close\r\n' : ''}\r\n${body}`,
      )
      if (close) socket.end()
    }
  })
}

function answer(request, response) {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const body = answerTo(Buffer.concat(chunks).toString('latin1'))
    response.writeHead(200, {'Content-Type': 'application/json;charset=UTF-8', 'Content-Length': body.length})
    response.end(body)
  })
}

function newServer() {
  if (process.argv[3] !== 'http') return createServer(serve)
  return createHttpServer({keepAliveTimeout: 60_000}, answer).on('connection', () => (connections += 1))
}

process.on('message', () => {
  process.send({publishes, twice, connections})
  publishes = twice = connections = 0
})
process.on('disconnect', () => process.exit())
const servers = Array.from({length: Number(process.argv[2] ?? 2)}, newServer)
await Promise.all(servers.map(server => new Promise(resolve => server.listen({port: 0, host: '127.0.0.1', backlog: 2048}, resolve))))
process.send({ports: servers.map(server => server.address().port)})
