import type {IncomingMessage} from 'node:http'
import {z} from 'zod'
import {UsageError} from '../errors.ts'
import {FAULT_SCENES, type FaultRule} from '../simulator/faults.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {BAYEUX_TRANSPORTS} from '../wire/bayeux.ts'
import {CONTROL_PATH, NODE_ACTIONS, type NodeAction} from './protocol.ts'

/** A file of 10 MiB from the agent, in base64. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({kind: z.literal('delay'), ms: z.number()}),
  z.strictObject({kind: z.literal('hang')}),
  z.strictObject({kind: z.literal('drop')}),
  z.strictObject({kind: z.literal('session-unknown')}),
  z.strictObject({kind: z.literal('status'), status: z.number()}),
  z.strictObject({kind: z.literal('slow-body'), bytesPerSecond: z.number()}),
  z.strictObject({kind: z.literal('oversize')}),
])

/** Whether a rule makes sense is for the board of faults to say. */
const faultRuleSchema = z.strictObject({
  fault: faultSchema,
  nodes: z.array(z.string()).exactOptional(),
  on: z.array(z.enum(FAULT_SCENES)).exactOptional(),
  transports: z.array(z.enum(BAYEUX_TRANSPORTS)).exactOptional(),
  probe: z.string().exactOptional(),
  times: z.number().exactOptional(),
}) satisfies z.ZodType<FaultRule>

const nodeOrderSchema = z.strictObject({action: z.enum(NODE_ACTIONS)})

const chat = z.int().exactOptional()
const agentOrderSchema = z.union([
  z.strictObject({chat, says: z.string().min(1)}),
  z.strictObject({chat, types: z.literal(true)}),
  z.strictObject({chat, file: z.strictObject({name: z.string().min(1), mimeType: z.string().exactOptional(), base64: z.base64()})}),
])

/**
 * Does what a control call asks for, and says what came of it.
 * @throws UsageError when the call is not understood, EnvironmentError when a node cannot start.
 */
export async function obey(simulator: Simulator, method: string, path: string, body: () => Promise<unknown>): Promise<object> {
  const [what = '', name] = path.split('/')
  switch (`${method} ${what}`) {
    case 'POST nodes':
      return orderNode(simulator, name ?? '', understand(nodeOrderSchema, await body()).action)
    case 'POST faults':
      return {id: simulator.faults.add(understand(faultRuleSchema, await body()))}
    case 'DELETE faults':
      if (name === undefined) simulator.faults.clear()
      else if (!simulator.faults.remove(name)) throw new UsageError(`There is no fault ${JSON.stringify(name)}`)
      return {}
    case 'POST agent': {
      const order = understand(agentOrderSchema, await body())
      if ('says' in order) return {reached: simulator.agentSays(order.says, order.chat)}
      if ('types' in order) return {reached: simulator.agentTypes(order.chat)}
      const {base64, ...file} = order.file
      return {reached: simulator.agentSendsFile({...file, content: Buffer.from(base64, 'base64')}, order.chat)}
    }
    default:
      throw new UsageError(`There is no ${method} ${CONTROL_PATH}${path}`)
  }
}

async function orderNode(simulator: Simulator, name: string, action: NodeAction): Promise<object> {
  switch (action) {
    case 'stop':
      await simulator.stopNode(name)
      return {}
    case 'start':
      await simulator.startNode(name)
      return {}
    case 'online':
    case 'offline':
      simulator.setStatus(name, action === 'online' ? 'ONLINE' : 'OFFLINE')
      return {}
    case 'sweep':
      return {forgotten: simulator.sweepSessions(name)}
  }
}

/** @throws UsageError when the body is too long or no JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BODY_BYTES) throw new UsageError(`A body has at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new UsageError('The body is no JSON')
  }
}

function understand<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`The body is not understood: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`)
}
