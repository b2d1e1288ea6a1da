import type {Budgets, Target} from '../flows/flow.ts'
import {plainRequest} from '../flows/plain-request.ts'
import type {Logger} from '../log.ts'
import type {Promises} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {descriptorLimit} from '../runtime/descriptors.ts'
import {start} from '../runtime/start.ts'
import {upstreamAddress} from '../runtime/upstream-address.ts'
import type {RunningProxy, Runtime, Sandboxed} from '../runtime/runtime.ts'
import type {SimulatedNode} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import {COMETD_PATH, MAX_NETWORK_DELAY_MS, META} from '../wire/bayeux.ts'
import type {Configuration, Stage} from './check.ts'
import type {Prepared} from './subject.ts'

export interface StageOptions {
  proxy: Proxy
  prepared: Prepared
  runtime: Runtime
  allowExec: boolean
  keep: boolean
  signal: AbortSignal
  logger: Logger
}

/** A simulator with a proxy in front of it, as checks see it, and what only the engine needs. */
export interface SetStage extends AsyncDisposable {
  stage: Stage
  sandbox: Sandboxed
  running?: RunningProxy
}

/** A proper one: that GMS was reached at the beginning is held against the end (listener-stays-up). */
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])
/** A proxy that does not answer has its checks to say so. */
const SETTLE_MS = 2000

/** What a healthy proxy never reaches, not even on a machine whose cores are busy. */
export function budgetsFor(promises: Promises): Budgets {
  return {answer: 15_000, hold: promises.holdMs, networkDelay: MAX_NETWORK_DELAY_MS}
}

/** Starts as many simulated nodes as the configuration names, one more that it does not name, and the proxy in front of them. */
export async function setStage({proxy, prepared, runtime, allowExec, keep, signal, logger}: StageOptions): Promise<SetStage> {
  const {bundle, promises} = prepared
  const address = await upstreamAddress(runtime, signal)
  const mostChats = await mostChatsHere()
  const nodeCount = countNodes(proxy, prepared)
  const simulator = await startSimulator({
    nodes: nodeCount + 1,
    host: address.listen,
    holdMs: promises.holdMs,
    maxFileSize: promises.maxFileSize,
    logger,
  })
  let running: RunningProxy | undefined
  try {
    const nodes = simulator.nodes.slice(0, nodeCount)
    const bystander = simulator.nodes[nodeCount]
    const [first] = nodes
    if (!first || !bystander) throw new Error('the simulator started without its nodes')
    const reach = (node: SimulatedNode) => `${address.reach}:${node.port}`
    const result = await start({proxy, bundle, runtime, nodes: nodes.map(reach), allowExec, keep, signal, logger})
    running = result.started ? result.proxy : undefined
    const proxyRun = running
    const configuration: Configuration = {
      accepted: result.started,
      messages: result.started ? result.proxy.messages : result.messages,
      complaints: async () => proxyRun?.complaints() ?? [],
      log: async () => {
        const logs = await proxyRun?.logs()
        return logs ? `${logs.error}\n${logs.access}` : ''
      },
    }
    const budgets = budgetsFor(promises)
    const target = targetOf(proxyRun?.url ?? new URL('http://127.0.0.1:9'), promises)
    const direct: Target = {...target, url: new URL(`http://${first.host}:${first.port}`)}
    const stage: Stage = {
      target,
      promises,
      budgets,
      signal,
      configuration,
      mostChats,
      upstream: {
        recorder: simulator.recorder,
        nodes,
        bystander: {name: bystander.name, address: reach(bystander)},
        direct,
        written: addressesOf(proxy, prepared),
        control: simulator,
      },
      flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
    }
    if (proxyRun) await settleIn(target, budgets, signal)
    return {
      stage,
      sandbox: result.sandbox,
      ...(proxyRun ? {running: proxyRun} : {}),
      async [Symbol.asyncDispose]() {
        await proxyRun?.[Symbol.asyncDispose]()
        await simulator[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await running?.[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * One request before all others. All users of a check share our address: a proxy that remembers which node an address got (HAProxy's
 * stick-table) learns it from the first answer, and two first requests at the same time would be given two nodes.
 */
async function settleIn(target: Target, budgets: Budgets, signal: AbortSignal): Promise<void> {
  await plainRequest.run(
    target,
    {method: 'POST', target: `${COMETD_PATH}/handshake`, headers: [['Content-Type', 'application/json']], body: HANDSHAKE},
    {budgets: {...budgets, answer: SETTLE_MS}, signal},
  )
}

/** A chat takes two descriptors of ours (client and simulator) and two of the proxy; some are taken by everything else. */
export async function mostChatsHere(): Promise<number> {
  return Math.max(1, Math.floor(((await descriptorLimit()) - 500) / 2))
}

function countNodes(proxy: Proxy, prepared: Prepared): number {
  return Math.max(1, addressesOf(proxy, prepared).length)
}

function addressesOf(proxy: Proxy, {config}: Prepared): readonly string[] {
  return [...new Set(proxy.nodes(config).map(({address}) => address))]
}

/** Users send the public name with the port they connect to. */
export function targetOf(url: URL, {serverName}: Promises): Target {
  return {
    url,
    hostHeader: serverName === undefined ? url.host : `${serverName}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`,
    chatService: DEFAULT_CHAT_SERVICE,
  }
}
