import type {Budgets, Target} from '../flows/flow.ts'
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
import {MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'
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
  try {
    const nodes = simulator.nodes.slice(0, nodeCount)
    const bystander = simulator.nodes[nodeCount]
    const [first] = nodes
    if (!first || !bystander) throw new Error('the simulator started without its nodes')
    const reach = (node: SimulatedNode) => `${address.reach}:${node.port}`
    const result = await start({proxy, bundle, runtime, nodes: nodes.map(reach), allowExec, keep, signal, logger})
    const running = result.started ? result.proxy : undefined
    const configuration: Configuration = {
      accepted: result.started,
      messages: result.started ? result.proxy.messages : result.messages,
      complaints: async () => running?.complaints() ?? [],
      log: async () => {
        const logs = await running?.logs()
        return logs ? `${logs.error}\n${logs.access}` : ''
      },
    }
    const budgets = budgetsFor(promises)
    const target = targetOf(running?.url ?? new URL('http://127.0.0.1:9'), promises)
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
        agentSays: (text, key) => simulator.agentSays(text, key),
      },
      flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
    }
    return {
      stage,
      sandbox: result.sandbox,
      ...(running ? {running} : {}),
      async [Symbol.asyncDispose]() {
        await running?.[Symbol.asyncDispose]()
        await simulator[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await simulator[Symbol.asyncDispose]()
    throw error
  }
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
