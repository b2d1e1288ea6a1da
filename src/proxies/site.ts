import type {Edit, Span} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {ParsedConfig} from './syntax.ts'

/**
 * What a configuration means for chat, in one shape for the three dialects. Each column builds it from its syntax tree, and models its dialect's
 * inheritance there and nowhere else. What the model cannot follow is `unknown`, never a guess: rules stay silent about it.
 */
export interface Site {
  proxy: ProxyName
  /** Defaults are those of this version, `X.Y.Z`. */
  version: string
  config: ParsedConfig
  /** Every address that clients connect to; the chat listeners first, in the order of `Proxy.listeners`. */
  listeners: readonly Listener[]
  /** Sets of nodes that requests can reach, each once. */
  upstreams: readonly Upstream[]
  /** Where `request` ends when it comes in at `listener`, and what it meets on the way. */
  trace(listener: Listener, request: Request): Way
  /** Chats that can be open at once. */
  capacity: Capacity
  /** Ends open WebSockets so many ms after a reload; `undefined`: never. */
  drain: Setting<number | undefined>
  /** Administration of the proxy itself: sockets, counters, status pages. */
  consoles: readonly Console[]
  /** Name servers that are asked while the proxy runs. */
  nameServers: readonly {address: string; span: Span}[]
  /** Things of this dialect that are written but do not mean what they seem to. */
  oddities: readonly Oddity[]
  /** What the model did not understand, and why; rules about it stay silent. */
  unknown: readonly {span: Span; because: string}[]
}

/** A value in force, where it stands, and how to make it another. Durations ms, sizes bytes. */
export interface Setting<T> {
  value: T
  /** As an operator calls it: `proxy_read_timeout`, `timeout server`, `ProxyPass … timeout=`. */
  directive: string
  /** As written, or as the default would be written: `proxy_read_timeout 60s`. */
  text: string
  /** Where it is written; absent: the default of this version. */
  span?: Span
  /** Where it would have to be written (the block around, or the line that needs it): the place of a finding about a default. */
  home: Span
  /**
   * Edits that give it this argument, in the dialect's own spelling (`60s`, `1h`, `off`), for the narrowest scope that mends the request:
   * the written argument is replaced, or a line is put into `home`. Empty when the model does not know how.
   */
  put(argument: string): readonly Edit[]
}

export interface Listener {
  /** `*:443`, `[::]:80`, as written. */
  address: string
  port?: number
  span: Span
  /** Names that it answers to, as written (`*.example.com`, `~^chat`); empty: all. */
  serverNames: readonly string[]
  /** Takes requests whose Host no other listener of this address names. */
  isDefault: boolean
  /** GMS paths lead to an upstream from here (or were meant to: it is the first when none does). */
  chat: boolean
  /** Absent: plain text. */
  tls?: ListenerTls
  /** Clients must send a PROXY protocol header. */
  proxyProtocol: Setting<boolean>
  http2: Setting<boolean>
  /** A client must have sent all of its header after so many ms; `undefined`: never. */
  headerTimeout: Setting<number | undefined>
  /** Longest line of a request, bytes. */
  requestLine: Setting<number>
  /** Text of a layer-4 proxy: bytes are passed on, HTTP is not read. */
  layer4: Setting<boolean>
  /** Takes ambiguous requests (two lengths, bare line feeds, broken header names) as they come: everything that was switched to lenient. */
  lenient: readonly Setting<boolean>[]
  /** Requests for any host are forwarded (an open forward proxy). */
  forwardProxy: Setting<boolean>
}

export interface ListenerTls {
  certificate?: Setting<string>
  key?: Setting<string>
  /** Protocol versions, `TLSv1.2`. Empty: not known. */
  versions: Setting<readonly string[]>
  ciphers?: Setting<string>
}

/** A request that a client could send. Header names in lower case. */
export interface Request {
  /** For messages: "the held poll", "the upload". */
  title: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'CONNECT'
  /** Path without the query. */
  path: string
  query?: string
  /** Absent: the first name of the listener. */
  host?: string
  headers: Readonly<Record<string, string>>
}

/** How a request fares. Every part that cannot be told is absent or `unknown`. */
export interface Way {
  request: Request
  listener: Listener
  end: End
  /** Blocks and lines that decided it, outermost first: `server`, `location`, `ProxyPass`, `use_backend`. */
  route: readonly Span[]
  /** The header `name` (lower case) as it leaves for GMS. */
  sent(name: string): SentHeader
  /** HTTP version towards the node: `1.0`, `1.1`, `2`. */
  httpVersion: Setting<string>
  /** The proxy speaks the WebSocket protocol switch: after 101 bytes pass both ways. */
  tunnels: Setting<boolean>
  /** No byte from the node for so long ends the request; `undefined`: never. */
  answerTimeout: Setting<number | undefined>
  /** A WebSocket with no byte for so long is cut; `undefined`: never. */
  idleTimeout: Setting<number | undefined>
  /** The client sends no byte of a body for so long. */
  bodyTimeout: Setting<number | undefined>
  /** The whole body has to be there after so long, whatever arrives; `undefined`: no such limit. */
  wholeBodyTimeout: Setting<number | undefined>
  /** The first bytes of a body, as many as fit into a buffer, have to be there after so long; absent: nobody waits for them. */
  bodyStartTimeout?: Setting<number | undefined>
  /** Time to connect to a node; `undefined`: no limit. */
  connectTimeout: Setting<number | undefined>
  /** Largest body; `undefined`: no limit. */
  bodyLimit: Setting<number | undefined>
  /** The body is read to its end before the node sees a byte of it, in a buffer that refuses more than so many bytes; `undefined`: no such buffer. */
  bodyBuffer: Setting<number | undefined>
  /** Answers are collected before the client gets them. */
  buffered: Setting<boolean>
  /** Answers of type `application/json` are compressed here. */
  compressed: Setting<boolean>
  /** Answers go to the client at so many bytes a second (`limit_rate`, `filter bwlim-out`); absent or `undefined`: as fast as they can. */
  throttled?: Setting<number | undefined>
  cached: Setting<boolean>
  /** User name and password are asked for here. */
  credentials: Setting<boolean>
  /** Error answers of GMS are replaced by pages of the proxy. */
  errorsReplaced: Setting<boolean>
  /** `Location` of answers that names a node is translated. */
  redirectsTranslated: Setting<boolean>
  /** A request with a body that failed at one node is sent to another. */
  retriesPost: Setting<boolean>
  /** Response headers taken out, lower case: `set-cookie`. */
  hiddenAnswers: readonly Setting<string>[]
  /** Headers that the proxy adds to the answer, lower case. */
  addedAnswers: readonly (Setting<string> & {name: string})[]
  /** Open connections of one client address; `undefined`: no limit. */
  connectionsPerClient: Setting<number | undefined>
  /** Requests a second of one client address, and how many at once beyond that. */
  requestsPerSecond: Setting<{rate: number; burst: number} | undefined>
  logs: readonly Log[]
}

/** Where a request ends. `span` is the line that decides; `because` says what the model cannot follow. */
export type End =
  | {
      kind: 'upstream'
      upstream: Upstream
      tls: boolean
      /** Path as it reaches the node; absent: cannot be told. */ path?: string
      span: Span
      target: Setting<string>
    }
  /** Answered by the proxy: file, fixed answer, deny. `of` names the route's kind: `files`, `return`, `deny`, `no-route`, `no-handler`, `method`, `other-host`. */
  | {kind: 'answer'; status?: number; of: string; span: Span}
  | {kind: 'redirect'; status: number; to: string; span: Span}
  | {kind: 'unknown'; because: string; span: Span}

/** What a header is made from when it leaves for GMS. */
export type HeaderSource =
  /** What the client sent, unchanged (nothing when it sent none). */
  | 'client'
  | 'nothing'
  /** A fixed text: `value`. */
  | 'text'
  /** The address of whoever connected, and nothing that he could have written. */
  | 'peer'
  /** What the client wrote, then the address of whoever connected. */
  | 'client-and-peer'
  /** The Host of the request with its port; the host alone; name or address of the node. */
  | 'host'
  | 'host-without-port'
  | 'node'
  /** `http` or `https` by the connection. */
  | 'scheme'
  | 'unknown'

export type SentHeader = Setting<HeaderSource> & {
  /** Exactly what is sent for this request, where it can be told. */
  sends?: string
  /** Written further out and switched off by a header directive of an inner block. */
  overshadowed?: {span: Span; by: Span}
}

export interface Upstream {
  /** As written: `gms`, `balancer://gms`, `bk_gms`; the address itself when a route names one node directly. */
  name: string
  span: Span
  nodes: readonly Node[]
  /** `start`: names are resolved once. `followed`: asked again while it runs. `request`: a variable, asked for every request. */
  resolution: Setting<'start' | 'followed' | 'request'>
  /** Name servers serve this upstream (a variable without any does not work). */
  hasNameServers: boolean
  affinity: Affinity
  health: Health
  /** Idle connections to nodes are kept and used again. */
  keepAlive: Setting<boolean>
  /** A kept connection is given up after so long idle; `undefined`: never. */
  keepAliveTimeout: Setting<number | undefined>
  /** A session whose node died goes to another without an error (`option redispatch`, nofailover off). */
  movesSessions: Setting<boolean>
}

export interface Node {
  /** `host:port` as written. */
  address: string
  host: string
  port?: number
  span: Span
  /** Absent: plain text. */
  tls?: {
    verified: Setting<boolean>
    serverName?: Setting<string>
    /** TLS towards nodes is switched on at all (`SSLProxyEngine`). */ enabled: Setting<boolean>
  }
  /** `route=`, `cookie`, by which affinity finds it again. */
  key?: Setting<string>
  sendsProxyProtocol: Setting<boolean>
  /** Speaks HTTP/2 to it. */
  http2: Setting<boolean>
  maxConnections: Setting<number | undefined>
  backup: boolean
  /** Never gets a new session. */
  down: boolean
  /** After failures it gets nothing for so many ms. 0: it is always tried. */
  outFor: Setting<number>
  /** Failures that put it out. */
  failures: Setting<number>
}

/** How requests of one session find their node again. */
export interface Affinity {
  kind: 'none' | 'inserted-cookie' | 'prefixed-cookie' | 'application-cookie' | 'address' | 'session-text' | 'other'
  setting: Setting<string>
  /** Name of the cookie. */
  cookie?: string
  /** For `address`: whose; `forwarded`: a header or PROXY protocol of a load balancer in front is used. */
  of?: 'peer' | 'forwarded'
  /** The key can differ between requests of one session (request id, path, port, time). */
  unstable: boolean
  /** The key is the same for many browsers, or for all of them: a constant, the name of the host, what a browser calls itself. */
  shared?: boolean
}

export interface Health {
  kind: 'none' | 'passive' | 'tcp' | 'http'
  setting: Setting<string>
  method?: string
  path?: string
  /** Status that counts as healthy, as written: `200`, `200-399`. */
  expect?: string
  /** An `Authorization` header is sent with it. Absent: cannot be told. */
  credentials?: boolean
}

/** How many chats (WebSockets) can be open at once, by the configuration alone. */
export interface Capacity {
  /** Absent: not limited by the file, or not to be told. */
  chats?: number
  /** "1,024 worker connections × 1 worker / 2 connections a chat". */
  arithmetic: string
  /** What bounds it. */
  setting: Setting<number>
}

export interface Console {
  /** "stats socket", "stats page", "server-status", "stub_status", "balancer-manager". */
  what: string
  /** Anybody who can reach the machine, or any user on it, may use it. */
  open: boolean
  /** Changes the proxy, not only shows it. */
  changes: boolean
  setting: Setting<string>
}

export interface Log {
  span: Span
  /** Which node answered. */
  namesNode: boolean
  /** The query (callback-polling carries messages there), cookies or `Authorization` are written. */
  holdsQuery: boolean
  holdsSecrets: boolean
  /** Client text is escaped. */
  escapes: boolean
  setting: Setting<string>
}

export interface Oddity {
  kind:
    /** Text behind `>` of a section line. */
    | 'text-ignored'
    /** A duration without a unit, which the dialect takes for ms. */
    | 'duration-without-unit'
    /** Words of a later or earlier version; unknown words; words that need a module that is not loaded; variables nobody sets. */
    | 'word-removed'
    | 'word-unknown'
    | 'module-missing'
    | 'variable-unknown'
    /** A limit that has no effect where it stands. */
    | 'limit-without-effect'
    /** Other things the proxy's own test would refuse. */
    | 'refused'
  span: Span
  /** "reqadd", "LoadModule headers_module". */
  name: string
  /** One sentence: what really happens. */
  because: string
  /** Edits that mend it; empty when they are not known. */
  mend: readonly Edit[]
}
