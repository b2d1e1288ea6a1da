import {UsageError} from '../errors.ts'
import {silentLogger, type Logger} from '../log.ts'
import {DEFAULT_HOLD_MS, DEFAULT_MAX_INTERVAL_MS, MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import {ChatService} from './chat-service.ts'
import {ChatStore} from './chat-store.ts'
import {FaultBoard} from './faults.ts'
import {GmsNode} from './gms-node.ts'
import type {Recorder} from './recorder.ts'
import {RequestLog} from './request-log.ts'
import {UploadService} from './upload-service.ts'

/** Every decision where the sources are silent is an option here. Times in ms, sizes in bytes. */
export interface SimulatorOptions {
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
  chatService?: string
  /** Largest file GMS takes. Default 10 MiB. */
  maxFileSize?: number
  /** `permessage-deflate` is accepted when offered. Default true (Jetty). */
  deflate?: boolean
  /** Largest sum of all files of one chat. Default 95 MiB (field sample). */
  maxTotalSize?: number
  /** Most files of one chat. Default 5 (field sample). */
  maxFiles?: number
  /** Whether an upload may reach a node that holds no CometD session of its chat. Default `any-node`: nodes share chats and files. */
  uploadsTo?: 'any-node' | 'session-node'
  /** What the agent does with a message: answers it at once (default), or nothing. */
  agent?: 'answers' | 'silent'
  /** When a chat gets a new key: with every answer (default: the hardest on a client), with file operations only, or never. */
  secureKeyRotation?: 'answers' | 'files' | 'never'
  /**
   * How long a replaced key is still taken, counted from the first use of its successor. Default 10000 (a client's maxNetworkDelay).
   * Until the client has used a newer key, its last one stays valid: the answer that brought the new one may have been lost.
   */
  secureKeyGraceMs?: number
  /** Requests that the recorder keeps; the oldest that have ended are forgotten. Default 100000. */
  keptRequests?: number
  logger?: Logger
}

export interface SimulatedNode {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Bayeux sessions alive on this node now. */
  readonly sessions: number
}

/** What a person or a check can make the simulated GMS do while it runs. Nodes are named; every call @throws UsageError for an unknown name. */
export interface GmsControl {
  /** Lets the agent of every open chat, or of one, say something now (an unsolicited event). Returns the number of chats reached. */
  agentSays(text: string, secureKey?: string): number
  /** Faults of GMS, switched on and off. */
  readonly faults: FaultBoard
  /** Stops listening on a node, cuts its connections and forgets its sessions. */
  stopNode(name: string): Promise<void>
  /** Starts a stopped node again on the port that it had; it knows no session. */
  startNode(name: string): Promise<void>
  /** What the health endpoint of a node says; OFFLINE drains it: it goes on serving whoever comes. */
  setStatus(name: string, status: NodeStatus): void
  /** Forgets the sessions of a node, or of all, as after their expiry; sockets stay open. Returns how many. */
  sweepSessions(name?: string): number
}

/** What `GET /genesys/1/admin/node/status` answers. */
export type NodeStatus = 'ONLINE' | 'OFFLINE'

/** A running simulator. `await using` it. */
export interface Simulator extends GmsControl, AsyncDisposable {
  readonly nodes: readonly SimulatedNode[]
  readonly recorder: Recorder
}

/**
 * Starts N strict GMS nodes in this process.
 * @throws EnvironmentError when a port is taken or the address is not this machine's.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const {nodes: count = 2, host = '127.0.0.1', ports = [], logger = silentLogger} = options
  const log = new RequestLog(options.keptRequests ?? 100_000)
  const chats = new ChatService({
    store: new ChatStore(),
    chatService: options.chatService ?? DEFAULT_CHAT_SERVICE,
    agent: options.agent ?? 'answers',
    secureKeyRotation: options.secureKeyRotation ?? 'answers',
    secureKeyGraceMs: options.secureKeyGraceMs ?? MAX_NETWORK_DELAY_MS,
    logger,
  })
  const files = new UploadService({
    chats,
    maxFileSize: options.maxFileSize ?? 10 * 1024 * 1024,
    maxTotalSize: options.maxTotalSize ?? 95 * 1024 * 1024,
    maxFiles: options.maxFiles ?? 5,
    maxDownloads: 2,
    uploadsTo: options.uploadsTo ?? 'any-node',
    logger,
  })
  const faults = new FaultBoard()
  const nodes = Array.from(
    {length: count},
    (_, index) =>
      new GmsNode({
        name: `gms${index + 1}`,
        host,
        port: ports[index] ?? 0,
        holdMs: options.holdMs ?? DEFAULT_HOLD_MS,
        maxIntervalMs: options.maxIntervalMs ?? DEFAULT_MAX_INTERVAL_MS,
        maxMessageSize: options.maxMessageSize ?? 65_536,
        deflate: options.deflate ?? true,
        log,
        chats,
        files,
        logger,
      }),
  )
  const started = await Promise.allSettled(nodes.map(node => node.listen()))
  const failure = started.find(result => result.status === 'rejected')
  if (failure) {
    await Promise.all(nodes.map(node => node.stop()))
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
    agentSays: (text, secureKey) => chats.agentSays(text, secureKey),
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
      log.end()
    },
  }
}
