import {isIP} from 'node:net'
import {monitorEventLoopDelay} from 'node:perf_hooks'
import type {Budgets, Target} from '../flows/flow.ts'
import {handshake} from '../flows/handshake.ts'
import {plainRequest} from '../flows/plain-request.ts'
import type {Logger} from '../log.ts'
import type {Promises} from '../model/report.ts'
import type {Compression} from '../proxies/compressed.ts'
import type {ListenerAddress, Proxy} from '../proxies/proxy.ts'
import {throwAwayAuthority} from '../runtime/certificates.ts'
import {descriptorLimit} from '../runtime/descriptors.ts'
import {askUntil} from '../runtime/patience.ts'
import {start} from '../runtime/start.ts'
import {upstreamAddress} from '../runtime/upstream-address.ts'
import type {RunningProxy, Runtime, Sandboxed} from '../runtime/runtime.ts'
import {COMETD_PATH, MAX_NETWORK_DELAY_MS, META} from '../wire/bayeux.ts'
import type {Configuration, GmsAddress, Stage, Staging, UpstreamNames} from './check.ts'
import {encryptionOf} from './encryption.ts'
import {nodeIdentities} from './node-identities.ts'
import type {Access} from './gms.ts'
import {ANYBODY, simulatedGms, tappedGms} from './gms.ts'
import type {Turn} from './manners.ts'
import {atThatPace} from './pacing.ts'
import type {Offer} from './preflight.ts'
import type {Prepared} from './subject.ts'
import {writtenForAnother} from './subject.ts'

export interface StageOptions {
  proxy: Proxy
  prepared: Prepared
  runtime: Runtime
  /** Default `ANYBODY`. */
  access?: Access
  /** Absent: GMS is simulated. */
  real?: RealGms
  /** Absent: in real time. */
  compression?: Compression
  /** What is different for one check. */
  staging?: Staging
  allowExec: boolean
  keep: boolean
  signal: AbortSignal
  logger: Logger
}

/** A GMS that is not ours. */
export interface RealGms {
  /** One a node, or one for all. */
  urls: readonly URL[]
  offer: Offer
  turn: Turn
}

/** A GMS with a proxy in front of it, as checks see it, and what only the engine needs. */
export interface SetStage extends AsyncDisposable {
  stage: Stage
  sandbox: Sandboxed
  running?: RunningProxy
  /** In compressed time: how many times as fast as production, and the promises of production. */
  pace?: {factor: number; promises: Promises}
  /** The longest time for which nothing in this process moved while the proxy was started, ms: it may have taken its nodes for dead since. */
  stoodStillMs?: number
}

/** A proper one: that GMS was reached at the beginning is held against the end (listener-stays-up). */
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])
/** How long a line may take into its log. */
const WRITTEN_MS = 3000
/** A proxy that does not answer has its checks to say so. */
const SETTLE_MS = 2000

/** What a client allows a busy machine at the least, ms: its clock is no proxy's, and stands in no order that compressed time has to keep. */
const PATIENCE_MS = 5000

/** What a healthy proxy never reaches, not even on a machine whose cores are busy. A busy machine is no faster in compressed time. */
export function budgetsFor(promises: Pick<Promises, 'holdMs'>, pace = 1): Budgets {
  return {answer: 15_000, hold: promises.holdMs, networkDelay: Math.max(PATIENCE_MS, MAX_NETWORK_DELAY_MS / pace)}
}

/** Puts as many nodes, simulated or tapped, as the configuration names behind it, one more that it does not name, and starts the proxy. */
export async function setStage(options: StageOptions): Promise<SetStage> {
  const {proxy, prepared, runtime, access = ANYBODY, real, compression, staging = {}, allowExec, keep, signal, logger} = options
  const {bundle} = prepared
  const pace = compression?.factor ?? 1
  const stated = promisesWith(prepared.promises, real)
  const promises = atThatPace(stated, pace)
  const address = await upstreamAddress(runtime, signal)
  const nodeCount = countNodes(proxy, prepared)
  const encryption = await encryptionOf(proxy, prepared)
  const mentions = proxy.nodes(prepared.config)
  const authority = encryption?.authority ?? (promises.upstreamTls ? await throwAwayAuthority() : undefined)
  const tls = authority
    ? await nodeIdentities(
        {mentions, promises, names: encryption?.names ?? [], reach: [address.reach, address.listen, 'localhost'], authority},
        staging.shown,
      )
    : []
  const {sessionCookie} = prepared
  const side = {
    count: nodeCount,
    host: address.listen,
    tls,
    promises,
    access,
    logger,
    ...(sessionCookie ? {sessionCookie} : {}),
    // Only then is no affinity right: that they do is what the operator has said by it.
    commonSessions: promises.nodes > 1 && promises.affinity === 'none',
  }
  const gms = await (real ? tappedGms(real.urls, side) : simulatedGms(side))
  let running: RunningProxy | undefined
  const standstill = monitorEventLoopDelay({resolution: 20})
  standstill.enable()
  try {
    const {nodes, bystander} = gms
    const [first] = nodes
    if (!first) throw new Error('GMS stands there without a node')
    const reach = (node: GmsAddress) => `${address.reach}:${node.port}`
    const result = await start({
      proxy,
      bundle,
      runtime,
      nodes: nodes.map(reach),
      ...(prepared.environment ? {environment: prepared.environment} : {}),
      ...(encryption ? {certificates: encryption} : {}),
      ...(staging.nameServer === undefined ? {} : {nameServer: staging.nameServer}),
      ...(compression ? {edits: compression.edits} : {}),
      announces: listener => announces(listener, promises),
      allowExec,
      keep,
      signal,
      logger,
    })
    running = result.started ? result.proxy : undefined
    const proxyRun = running
    const otherVersion = writtenForAnother(proxy, bundle, runtime)
    const configuration: Configuration = {
      ...(otherVersion === undefined ? {} : {writtenForAnother: otherVersion}),
      accepted: result.started,
      messages: result.started ? result.proxy.messages : result.messages,
      listeners: proxyRun?.listeners ?? [],
      complaints: async () => proxyRun?.complaints() ?? [],
      log: async () => {
        const logs = await proxyRun?.logs()
        return logs ? `${logs.error}\n${logs.access}` : ''
      },
      findInLog: async (texts, patiently) => {
        const look = async () => (await proxyRun?.findInLogs(texts)) ?? []
        const whole = async () => {
          const found = await look()
          return found.length === texts.length ? found : undefined
        }
        return (patiently && (await askUntil(whole, {budgetMs: WRITTEN_MS, everyMs: 100, signal}))) ?? look()
      },
      memory: async () => proxyRun?.memory(),
      reload: async () => proxyRun?.reload(),
    }
    const budgets = budgetsFor(promises, pace)
    const announcedBy = proxyRun?.listeners[0]?.announcedBy
    const mostChats = await mostChatsHere((real ? 3 : 2) + (announcedBy === undefined ? 0 : 2))
    const target: Target = {
      announcedBy,
      ...targetOf(proxyRun?.url ?? new URL('http://127.0.0.1:9'), promises, access),
      ...(encryption ? {trust: encryption.trust} : {}),
      ...(real ? {agent: real.offer.agent} : {}),
    }
    const direct: Target = {...target, announcedBy: undefined, url: new URL(`${tls[0] ? 'https' : 'http'}://${first.host}:${first.port}`)}
    const stage: Stage = {
      target,
      promises,
      budgets,
      signal,
      configuration,
      mostChats,
      upstream: {
        recorder: gms.recorder,
        nodes,
        bystander: {name: bystander.name, address: reach(bystander)},
        direct,
        written: addressesOf(proxy, prepared),
        ...(gms.control ? {control: gms.control} : {}),
        ...(gms.tls ? {tls: gms.tls} : {}),
        names: namesOf(proxy, prepared),
      },
      flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
      ...(real ? {} : {another: (other, within) => setStage({...options, staging: other, signal: within})}),
    }
    if (proxyRun) await settleIn(target, budgets, signal, real !== undefined)
    standstill.disable()
    return {
      stage,
      sandbox: result.sandbox,
      stoodStillMs: standstill.max / 1e6,
      ...(proxyRun ? {running: proxyRun} : {}),
      ...(compression ? {pace: {factor: pace, promises: stated}} : {}),
      async [Symbol.asyncDispose]() {
        await proxyRun?.[Symbol.asyncDispose]()
        await gms[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    standstill.disable()
    await running?.[Symbol.asyncDispose]()
    await gms[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * One request before all others. All users of a check share our address: a proxy that remembers which node an address got (HAProxy's
 * stick-table) learns it from the first answer, and two first requests at the same time would be given two nodes.
 */
export async function settleIn(target: Target, budgets: Budgets, signal: AbortSignal, politely: boolean): Promise<void> {
  const patient = {budgets: {...budgets, answer: SETTLE_MS}, signal}
  if (politely) {
    await handshake.run(target, {transport: 'long-polling'}, patient)
    return
  }
  await plainRequest.run(
    target,
    {method: 'POST', target: `${COMETD_PATH}/handshake`, headers: [['Content-Type', 'application/json']], body: HANDSHAKE},
    patient,
  )
}

/**
 * A chat takes descriptors of ours (client and simulated GMS: 2; client and both sides of a tap: 3; 2 more for both sides of a relay before the
 * listener); some are taken by everything else.
 */
export async function mostChatsHere(each: number): Promise<number> {
  return Math.max(1, Math.floor(((await descriptorLimit()) - 500) / each))
}

/** A GMS that takes smaller files than were promised refuses the larger ones itself: that is not the proxy's fault. */
export function promisesWith(promises: Promises, real: RealGms | undefined): Promises {
  const {maxFileSize = Infinity} = real?.offer ?? {}
  if (maxFileSize >= promises.maxFileSize) return promises
  return {...promises, maxFileSize, source: {...promises.source, maxFileSize: 'GMS'}}
}

function countNodes(proxy: Proxy, prepared: Prepared): number {
  return Math.max(1, addressesOf(proxy, prepared).length)
}

/** Whether users of a listener come with a PROXY protocol header: as promised of its port, else as the configuration expects. */
export function announces({address, proxyProtocol = false}: ListenerAddress, promises: Pick<Promises, 'proxyProtocol'>): boolean {
  const port = /(?:^|:)(\d+)$/.exec(address)?.[1]
  return (port === undefined ? undefined : promises.proxyProtocol?.[port]) ?? proxyProtocol
}

/** The nodes that a configuration names, each once. */
export function addressesOf(proxy: Proxy, {config}: Prepared): readonly string[] {
  return [...new Set(proxy.nodes(config).map(({address}) => address))]
}

/** Host names of nodes, and what the proxy does to find them. */
function namesOf(proxy: Proxy, {config}: Prepared): UpstreamNames {
  const named = proxy.nodes(config).flatMap(({address, followed}) => {
    const host = address.replace(/:\d+$/, '')
    return isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 && /^[\w.-]+$/.test(host) ? [{host, followed}] : []
  })
  const servers = proxy.nameServers?.(config)
  return {
    hosts: [...new Set(named.map(({host}) => host))],
    followed: [...new Set(named.flatMap(({host, followed}) => (followed ? [host] : [])))],
    asks: servers === undefined ? 'always-system' : servers.length > 0 ? 'named-servers' : 'nobody',
  }
}

/** Users send the public name with the port they connect to. */
export function targetOf(url: URL, {serverName, origins}: Promises, access: Access): Target {
  const [origin] = origins
  return {
    ...(origin === undefined ? {} : {origin}),
    url,
    hostHeader: serverName === undefined ? url.host : `${serverName}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`,
    ...(serverName !== undefined && url.protocol === 'https:' ? {serverName} : {}),
    ...access,
  }
}
