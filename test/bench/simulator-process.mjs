// The measured end of simulator.bench.mjs, in a process of its own: one simulated node, or as the floor a WebSocket server that echoes.
import {createServer} from 'node:http'
import {register} from 'tsx/esm/api'
import {WebSocketServer} from 'ws'

async function simulator() {
  register()
  const {startSimulator} = await import('../../src/simulator/simulator.ts')
  const {nodes} = await startSimulator({nodes: 1})
  return nodes[0].port
}

async function echo() {
  const server = createServer()
  new WebSocketServer({server}).on('connection', socket => socket.on('message', data => socket.send(data.toString())))
  await new Promise(resolve => server.listen({port: 0, host: '127.0.0.1', backlog: 2048}, resolve))
  return server.address().port
}

process.on('message', () => {
  // Twice: what the first collection has finalized, the second frees.
  globalThis.gc()
  globalThis.gc()
  const {rss, heapUsed, external} = process.memoryUsage()
  const {user, system} = process.cpuUsage()
  process.send({rss, heap: heapUsed + external, cpuMicros: user + system})
})
process.on('disconnect', () => process.exit())
process.send({port: await (process.argv[2] === 'echo' ? echo() : simulator())})
