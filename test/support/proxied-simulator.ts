import {join} from 'node:path'
import {render} from '../../src/bundle/render.ts'
import type {Target} from '../../src/flows/flow.ts'
import {silentLogger} from '../../src/log.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import type {Proxy} from '../../src/proxies/proxy.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {start} from '../../src/runtime/start.ts'
import {upstreamAddress} from '../../src/runtime/upstream-address.ts'
import {startSimulator, type Simulator, type SimulatorOptions} from '../../src/simulator/simulator.ts'
import {DEFAULT_CHAT_SERVICE} from '../../src/wire/chat.ts'
import {projectRoot} from './cli.ts'
import {runtimeRequest} from './runtime.ts'

const SERVER_NAME = 'chat.example.com'

/** The rendered two-node deployment in front of a simulator with options of a test's own. */
export async function proxiedSimulator(
  proxy: Proxy,
  {overrides = [], ...options}: SimulatorOptions & {overrides?: readonly string[]} = {},
): Promise<{target: Target; simulator: Simulator} & AsyncDisposable> {
  const {parameters} = await loadParameters({
    file: join(projectRoot, 'fixtures/parameters/two-nodes.yaml'),
    overrides,
    stdin: () => Promise.resolve(''),
  })
  const {signal} = new AbortController()
  const runtime = await resolveRuntime(proxy, runtimeRequest(proxy.name), signal)
  const address = await upstreamAddress(runtime, signal)
  const simulator = await startSimulator({...options, host: address.listen})
  const result = await start({
    proxy,
    bundle: render(proxy, parameters, runtime.version),
    runtime,
    nodes: simulator.nodes.map(({port}) => `${address.reach}:${port}`),
    allowExec: false,
    keep: false,
    signal,
    logger: silentLogger,
  })
  if (!result.started) throw new Error(result.messages.map(({text}) => text).join('\n'))
  const running = result.proxy
  return {
    target: {url: running.url, hostHeader: `${SERVER_NAME}:${running.url.port}`, chatService: DEFAULT_CHAT_SERVICE},
    simulator,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await simulator[Symbol.asyncDispose]()
    },
  }
}
