import {join} from 'node:path'
import {readBundle} from '../../src/bundle/disk.ts'
import {silentLogger} from '../../src/log.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Authority} from '../../src/runtime/certificates.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {start} from '../../src/runtime/start.ts'
import {upstreamAddress} from '../../src/runtime/upstream-address.ts'
import type {Simulator, SimulatorOptions} from '../../src/simulator/simulator.ts'
import {startSimulator} from '../../src/simulator/simulator.ts'
import {rulesFolder} from './rule-files.ts'
import {runtimeRequest} from './runtime.ts'

export interface LiveProxyOptions {
  /** A configuration beside a rule, `upgrade-redirected/fires.nginx.conf`. */
  file: string
  proxy: ProxyName
  /** Replacements in its text, each of which has to find something. */
  edits?: readonly (readonly [before: string | RegExp, after: string])[]
  simulator?: SimulatorOptions
  /** Who signs what listeners show. Absent: the configuration speaks no TLS. */
  authority?: Authority
  /** Nodes that are not there. */
  nodesAreGone?: boolean
}

/** A real proxy with the configuration of a rule, in front of a simulated GMS: as it would be found running somewhere. */
export async function liveProxy({
  file,
  proxy: name,
  edits = [],
  simulator: options = {},
  authority,
  nodesAreGone = false,
}: LiveProxyOptions): Promise<{url: URL; simulator: Simulator} & AsyncDisposable> {
  const proxy = PROXIES[name]
  const {bundle: read} = await readBundle(join(rulesFolder, file), {proxy: name, proxies: Object.values(PROXIES)})
  const bundle = edited(read, edits)
  const {signal} = new AbortController()
  const runtime = await resolveRuntime(proxy, runtimeRequest(name), signal)
  const address = await upstreamAddress(runtime, signal)
  const nodes = Math.max(1, new Set(proxy.nodes(proxy.parse(bundle)).map(node => node.address)).size)
  const simulator = await startSimulator({nodes, ...options, host: address.listen})
  const ports = simulator.nodes.map(({port}) => `${address.reach}:${port}`)
  if (nodesAreGone) for (const node of simulator.nodes) await simulator.stopNode(node.name)
  const result = await start({
    proxy,
    bundle,
    runtime,
    nodes: ports,
    ...(authority ? {certificates: {authority, names: ['chat.example.com']}} : {}),
    allowExec: false,
    keep: false,
    signal,
    logger: silentLogger,
  }).catch(async (error: unknown) => {
    await simulator[Symbol.asyncDispose]()
    throw error
  })
  if (!result.started) {
    await simulator[Symbol.asyncDispose]()
    throw new Error(result.messages.map(({text}) => text).join('\n'))
  }
  const {proxy: running} = result
  return {
    url: running.url,
    simulator,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await simulator[Symbol.asyncDispose]()
    },
  }
}

function edited(bundle: ConfigBundle, edits: NonNullable<LiveProxyOptions['edits']>): ConfigBundle {
  return {
    ...bundle,
    files: bundle.files.map(file => {
      if (file.path !== bundle.entry) return file
      let {text} = file
      for (const [before, after] of edits) {
        const next = text.replaceAll(typeof before === 'string' ? before : new RegExp(before, 'g'), after)
        if (next === text) throw new Error(`${file.path} holds no ${before instanceof RegExp ? before.source : before}`)
        text = next
      }
      return {...file, text}
    }),
  }
}
