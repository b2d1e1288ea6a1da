import {createSecureContext} from 'node:tls'
import {UsageError} from '../errors.ts'
import {silentLogger, type Logger} from '../log.ts'
import {DEFAULT_HOLD_MS, DEFAULT_MAX_INTERVAL_MS} from '../wire/bayeux.ts'
import {BayeuxServer} from './bayeux-server.ts'
import {decide, type ChatOptions} from './chat-options.ts'
import {ChatService, type AgentFile, type ChatName} from './chat-service.ts'
import type {ChatView} from './chat-store.ts'
import {FaultBoard} from './faults.ts'
import type {FlavourName} from './flavour.ts'
import {GmsNode, type Beside, type TlsIdentity} from './gms-node.ts'
import type {NodeStatus} from './health.ts'
import type {PushedNotification} from './push.ts'
import type {Recorder} from './recorder.ts'
import {RequestLog} from './request-log.ts'
import type {Page} from './routing.ts'
import type {SessionCookie} from './session-cookie.ts'
import {UploadService} from './upload-service.ts'
import {Warnings, type ClientWarning} from './warnings.ts'

/** Every decision where the sources are silent is an option here. Times in ms, sizes in bytes. */
export interface SimulatorOptions extends ChatOptions {
  /** Number of GMS nodes; they share chats and files but no Bayeux sessions. Default 2. */
  nodes?: number
  /** Address to listen on. Default 127.0.0.1. */
  host?: string
  /** One port per node; missing ones are chosen by the system. */
  ports?: readonly number[]
  /** How long a quiet /meta/connect is held. Default 30000 (CometD `timeout`). */
  holdMs?: number
  /** A session without /meta/connect for this long is swept. Default 10000 (CometD `maxInterval`). */
  maxIntervalMs?: number
  /** Largest WebSocket text message; above: close 1009. Default 65536 (Jetty). */
  maxMessageSize?: number
  /** Which generation GMS speaks like: CometD 5 on Jetty 9.4 (default), or CometD 8 on Jetty 12. */
  flavour?: FlavourName
  /** Every HTTP answer sets it to who brings none of that node; a 101 never does. Default none. */
  sessionCookie?: SessionCookie
  /** Every node knows the sessions of all, as if they were one. Default false: sessions belong to one node. */
  commonSessions?: boolean
  /** `permessage-deflate` is accepted when offered. Default true (Jetty). */
  deflate?: boolean
  /** Requests that the recorder keeps; the oldest that have ended are forgotten. Default 100000. */
  keptRequests?: number
  /** Where the nodes write what arrives, together with others. Default a log of their own. */
  log?: RequestLog
  /** The nodes speak TLS (https, wss) with this key and certificate; a list has one a node, and a node without speaks plain. Default plain. */
  tls?: TlsIdentity | readonly (TlsIdentity | undefined)[]
  /** Asked for every request but upgrades before GMS is. Default none. */
  beside?: Beside
  /** Pages that every node serves beside GMS, by path. Default none. */
  pages?: ReadonlyMap<string, Page>
  logger?: Logger
}

export interface SimulatedNode {
  readonly name: string
  readonly host: string
  readonly port: number
  /** False between `stopNode` and `startNode`. */
  readonly running: boolean
  readonly status: NodeStatus
  /** Bayeux sessions alive on this node now. */
  readonly sessions: number
  /** Times that a peer spoke TLS until it had seen the certificate of this node: to the end, or up to an alert about it. */
  readonly tlsGreetings: number
}

/** What a person or a check can make the simulated GMS do while it runs. Nodes are named; every call @throws UsageError for an unknown name. */
export interface GmsControl {
  /** Lets the agent of every open chat, or of one, say something now (an unsolicited event). Returns the number of chats reached. */
  agentSays(text: string, of?: ChatName): number
  /** The agent of every open chat, or of one, begins to type; until he says something. Returns the number of chats reached. */
  agentTypes(of?: ChatName): number
  /** The agent of every open chat, or of one, sends a file. Returns the number of chats reached. */
  agentSendsFile(file: AgentFile, of?: ChatName): number
  /** All open chats and the last hundred that have ended. */
  readonly chats: readonly ChatView[]
  /** What would have been pushed to mobile devices, the last thousand. */
  readonly pushed: readonly PushedNotification[]
  /** What clients did that another GMS may not take, the last thousand. */
  readonly warnings: readonly ClientWarning[]
  /** Faults of GMS, switched on and off. */
  readonly faults: FaultBoard
  /** Stops listening on a node, cuts its connections and forgets its sessions; one that is stopped stays so. */
  stopNode(name: string): Promise<void>
  /**
   * Starts a stopped node again on the port that it had: ONLINE, and it knows no session.
   * @throws EnvironmentError when somebody else has taken the port.
   */
  startNode(name: string): Promise<void>
  /** What the health endpoint of a node says; OFFLINE drains it: it goes on serving whoever comes. */
  setStatus(name: string, status: NodeStatus): void
  /** Forgets the sessions of a node, or of all, as after their expiry: held connects are answered, what follows is 402, sockets stay open. Returns how many. */
  sweepSessions(name?: string): number
}

/** A running simulator. `await using` it. */
export interface Simulator extends GmsControl, AsyncDisposable {
  readonly nodes: readonly SimulatedNode[]
  readonly recorder: Recorder
}

/**
 * Starts N strict GMS nodes in this process.
 * @throws EnvironmentError when a port is taken or the address is not this machine's.
 * @throws UsageError when key and certificate are unreadable or no pair.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const identityOf = (index: number) => (options.tls && 'key' in options.tls ? options.tls : options.tls?.[index])
  const {nodes: count = 2, host = '127.0.0.1', ports = [], logger = silentLogger} = options
  const log = options.log ?? new RequestLog(options.keptRequests ?? 100_000)
  const decisions = decide(options)
  const warnings = new Warnings(logger)
  const chats = new ChatService(decisions, warnings, logger)
  const files = new UploadService(decisions, chats, warnings, logger)
  const names = Array.from({length: count}, (_, index) => `gms${index + 1}`)
  const identities = names.map((_, index) => identityOf(index))
  for (const identity of new Set(identities)) if (identity) assertIdentity(identity)
  const faults = new FaultBoard(names)
  const holdMs = options.holdMs ?? DEFAULT_HOLD_MS
  const maxIntervalMs = options.maxIntervalMs ?? DEFAULT_MAX_INTERVAL_MS
  const commonSessions = options.commonSessions
    ? new BayeuxServer({
        node: names.join(' '),
        holdMs,
        maxIntervalMs,
        onService: (channel, data, session) => chats.publish(channel, data, session),
      })
    : undefined
  const nodes = names.map(
    (name, index) =>
      new GmsNode({
        name,
        host,
        port: ports[index] ?? 0,
        holdMs,
        maxIntervalMs,
        ...(commonSessions ? {commonSessions} : {}),
        maxMessageSize: options.maxMessageSize ?? 65_536,
        deflate: options.deflate ?? true,
        flavour: options.flavour,
        log,
        chats,
        files,
        health: decisions,
        faults,
        ...(identities[index] ? {tls: identities[index]} : {}),
        ...(options.sessionCookie ? {sessionCookie: {name: options.sessionCookie.name, route: options.sessionCookie.routes?.[index]}} : {}),
        ...(options.beside ? {beside: options.beside} : {}),
        ...(options.pages ? {pages: options.pages} : {}),
        logger,
      }),
  )
  const started = await Promise.allSettled(nodes.map(node => node.listen()))
  const failure = started.find(result => result.status === 'rejected')
  if (failure) {
    await Promise.all(nodes.map(node => node.stop()))
    commonSessions?.stop()
    throw failure.reason
  }
  const named = (name: string): GmsNode => {
    const node = nodes.find(candidate => candidate.name === name)
    if (node) return node
    const known = nodes.map(candidate => candidate.name).join(', ')
    throw new UsageError(`The simulator has no node "${name}"`, {suggestions: [`Name one of ${known}.`]})
  }
  for (const node of nodes) logger.debug(`${node.name} listens on ${node.host}:${node.port}`)
  return {
    nodes,
    recorder: log,
    agentSays: (text, of) => chats.agentSays(text, of),
    agentTypes: of => chats.agentTypes(of),
    agentSendsFile: (file, of) => chats.agentSendsFile(file, of),
    get chats() {
      return chats.chats
    },
    get pushed() {
      return chats.pushed
    },
    get warnings() {
      return warnings.list
    },
    faults,
    async stopNode(name) {
      await named(name).stop()
      logger.info(`${name}: stopped`)
    },
    async startNode(name) {
      await named(name).listen()
      logger.info(`${name}: started`)
    },
    setStatus(name, status) {
      named(name).status = status
      logger.info(`${name}: ${status}`)
    },
    sweepSessions: name => (name === undefined ? nodes : [named(name)]).reduce((sum, node) => sum + node.sweepSessions(), 0),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(node => node.stop()))
      commonSessions?.stop()
      chats.stop()
      log.end()
    },
  }
}

function assertIdentity(tls: TlsIdentity): void {
  try {
    createSecureContext(tls)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`The key and the certificate cannot be used: ${why}`, {
      suggestions: ['Give both as PEM, unencrypted, the key being that of the certificate.'],
      cause: error,
    })
  }
}
