import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {CHAT_CLIENTS, CHAT_STYLES} from '../../src/flows/chat-session.ts'
import type {OperationsResult} from '../../src/flows/operations.ts'
import {operations} from '../../src/flows/operations.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {SetStage} from '../../src/verify/stage.ts'
import type {BayeuxTransport} from '../../src/wire/bayeux.ts'
import {BAYEUX_TRANSPORTS} from '../../src/wire/bayeux.ts'
import {CHAT_OPERATIONS} from '../../src/wire/chat-messages.ts'
import type {ChatOperation} from '../../src/wire/chat-messages.ts'
import {renderedStage} from '../support/rendered-stage.ts'

// Every operation over every transport through every rendered proxy, by the official client and by ours, in both styles of the vendor
// page, seen from both ends. With GMS_PROXY_OPERATIONS=1 the table goes to stdout as markdown.

const printed = process.env['GMS_PROXY_OPERATIONS'] === '1'
const VARIANTS = CHAT_CLIENTS.flatMap(client => CHAT_STYLES.map(style => ({client, style})))
type Cell = `${ProxyName} ${BayeuxTransport} ${ChatOperation}`
/** How many of the variants carried the operation to its end. */
const table = new Map<Cell, number>()

describe.each(Object.values(PROXIES).map(proxy => [proxy.name, proxy] as const))('through rendered %s', (name, proxy) => {
  let set: SetStage
  beforeAll(async () => {
    set = await renderedStage(proxy)
  })
  afterAll(async () => set[Symbol.asyncDispose]())

  describe.each(BAYEUX_TRANSPORTS)('over %s', transport => {
    const runs: {variant: string; seen: OperationsResult}[] = []
    beforeAll(async () => {
      for (const {client, style} of VARIANTS)
        runs.push({
          variant: `${client} ${style}`,
          // What was required before 8.5.112 is tolerated: half of the customers are that old.
          seen: await set.stage.flow(operations, {transport, client, style, deprecated: style === 'subscribe'}),
        })
    })

    it.each(CHAT_OPERATIONS)('%s', operation => {
      const {recorder, nodes} = set.stage.upstream ?? expect.fail('no second witness')
      let passed = 0
      for (const {variant, seen} of runs) {
        // First witness: acknowledged and answered once, without an error; a chat ends with disconnect and not before.
        const told = seen.operations.filter(performed => performed.operation === operation)
        expect(told, `${variant}: ${seen.stoppedAt}`).toEqual([
          expect.objectContaining({statusCode: 0, errors: [], chatEnded: operation === 'disconnect'}),
        ])
        // Second witness: it arrived once, in this session, over this transport, at one node of the configuration.
        const arrived = recorder
          .bySession(seen.clientId ?? '')
          .flatMap(request => request.messages.map(message => ({request, message})))
          .filter(({message: {data}}) => typeof data === 'object' && data !== null && 'operation' in data && data.operation === operation)
        expect(
          arrived.map(({request, message}) => [request.transport, message.clientId]),
          variant,
        ).toEqual([[transport, seen.clientId]])
        expect(nodes.map(node => node.name)).toContain(arrived[0]?.request.node)
        passed += 1
        table.set(`${name} ${transport} ${operation}`, passed)
      }
      expect(passed).toBe(VARIANTS.length)
    })

    it('as one unbroken chat', () => {
      for (const {variant, seen} of runs) {
        expect({variant, ended: seen.ended, transport: seen.transport, flaws: seen.flaws}).toEqual({
          variant,
          ended: 'completed',
          transport,
          flaws: [],
        })
        // A key that does not change would not show that the newest is used.
        expect(seen.keys).toBeGreaterThan(5)
      }
    })
  })
})

afterAll(() => {
  if (!printed) return
  const columns = Object.values(PROXIES).flatMap(({name}) => BAYEUX_TRANSPORTS.map(transport => ({name, transport})))
  const rows = CHAT_OPERATIONS.map(operation =>
    [operation, ...columns.map(({name, transport}) => `${table.get(`${name} ${transport} ${operation}`) ?? 0}/${VARIANTS.length}`)].join(
      ' | ',
    ),
  )
  const head = ['operation', ...columns.map(({name, transport}) => `${name} ${transport}`)]
  const lines = [head.join(' | '), head.map(() => '---').join(' | '), ...rows].map(line => `| ${line} |`)
  const whole = [...table.values()].filter(count => count === VARIANTS.length).length
  process.stdout.write(`\n${lines.join('\n')}\n\n${whole} of ${columns.length * CHAT_OPERATIONS.length} cells\n`)
})
