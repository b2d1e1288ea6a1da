import type {SecureContext} from 'node:tls'
import {UsageError} from '../errors.ts'
import type {Logger} from '../log.ts'
import type {Promises} from '../model/report.ts'
import type {TlsIdentity} from '../simulator/gms-node.ts'
import type {Recorder} from '../simulator/recorder.ts'
import {RequestLog} from '../simulator/request-log.ts'
import type {SessionCookie} from '../simulator/session-cookie.ts'
import type {GmsControl} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {startTap} from '../tap/tap.ts'
import type {ChatAuth} from '../wire/chat-messages.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {GmsAddress, UpstreamTls} from './check.ts'

/** How users of a deployment get in: said by a person, because no configuration tells. */
export interface Access {
  chatService: string
  auth?: ChatAuth
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /** Whom to trust beside the roots of Node. */
  trust?: SecureContext
}

/** Nobody in particular: what the simulated GMS takes. */
export const ANYBODY: Access = {chatService: DEFAULT_CHAT_SERVICE}

/** The nodes that a proxy under test has behind it, simulated or tapped, and the log of what reached them. */
export interface GmsSide extends AsyncDisposable {
  recorder: Recorder
  /** In the order of the configuration. */
  nodes: readonly GmsAddress[]
  /** Simulated in any case: nothing should ever arrive there. */
  bystander: GmsAddress
  /** Absent when the GMS is a real one. */
  control?: GmsControl
  /** Absent when the GMS is a real one, and where no node speaks TLS. */
  tls?: UpstreamTls
}

interface SideOptions {
  /** Nodes that the configuration names. */
  count: number
  /** Address to listen on. */
  host: string
  /** What the nodes show to a proxy that speaks TLS to them, in the order of the configuration; a node without speaks plain. */
  tls: readonly (TlsIdentity | undefined)[]
  promises: Promises
  access: Access
  /** What simulated nodes set. */
  sessionCookie?: SessionCookie
  commonSessions?: boolean
  logger: Logger
}

/** Requests that the log of a tap keeps. */
const KEPT_REQUESTS = 100_000

/** As many simulated nodes as the configuration names, and one more. */
export async function simulatedGms({
  count,
  host,
  tls,
  promises,
  access,
  sessionCookie,
  commonSessions = false,
  logger,
}: SideOptions): Promise<GmsSide> {
  const simulator = await startSimulator({
    nodes: count + 1,
    host,
    tls: tls.slice(0, count),
    holdMs: promises.holdMs,
    maxFileSize: promises.maxFileSize,
    chatService: access.chatService,
    ...(sessionCookie ? {sessionCookie} : {}),
    commonSessions,
    // What the operator calls his service, and who may ask, is not known: a health check of whatever name must find its node.
    adminAuth: 'any',
    statusServices: 'any',
    logger,
  })
  const encrypted = simulator.nodes.filter((_, index) => index < count && tls[index])
  return {
    recorder: simulator.recorder,
    ...split(simulator.nodes, count),
    control: simulator,
    ...(encrypted.length > 0
      ? {
          tls: {
            nodes: encrypted.map(({name}) => name),
            greetings: () => encrypted.reduce((sum, {tlsGreetings}) => sum + tlsGreetings, 0),
          },
        }
      : {}),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  }
}

/** A tap before each real node, and a simulated bystander; all of them write into one log. */
export async function tappedGms(urls: readonly URL[], {count, host, tls, promises, access, logger}: SideOptions): Promise<GmsSide> {
  const log = new RequestLog(KEPT_REQUESTS)
  const simulator = await startSimulator({nodes: count + 1, host, holdMs: promises.holdMs, log, logger})
  try {
    const tap = await startTap({
      nodes: assigned(urls, count).map((url, index) => ({name: `gms${index + 1}`, url})),
      host,
      log,
      tls,
      ...(access.trust ? {trust: access.trust} : {}),
      logger,
    })
    return {
      recorder: log,
      nodes: tap.nodes,
      bystander: split(simulator.nodes, count).bystander,
      async [Symbol.asyncDispose]() {
        await tap[Symbol.asyncDispose]()
        await simulator[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await simulator[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * One URL a node; a single URL stands for all of them.
 * @throws UsageError for any other number.
 */
export function assigned(urls: readonly URL[], count: number): readonly URL[] {
  const [only] = urls
  if (only && urls.length === 1) return Array.from({length: count}, () => only)
  if (urls.length === count) return urls
  throw new UsageError(`the configuration names ${count} ${count === 1 ? 'node' : 'nodes'}, and --upstream ${urls.length}`, {
    suggestions: ['give one URL a node, in the order of the configuration', 'give a single URL that stands for all of them'],
  })
}

function split(nodes: readonly GmsAddress[], count: number): {nodes: readonly GmsAddress[]; bystander: GmsAddress} {
  const bystander = nodes[count]
  if (!bystander) throw new Error('the simulator started without its nodes')
  return {nodes: nodes.slice(0, count), bystander}
}
