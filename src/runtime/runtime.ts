import type {Logger} from '../log.ts'
import type {ConfigBundle, Edit} from '../model/bundle.ts'
import type {Location} from '../model/report.ts'
import type {ListenerAddress, Proxy} from '../proxies/proxy.ts'
import type {Authority} from './certificates.ts'

/** How a proxy will be run, and why. */
export interface Runtime {
  kind: 'binary' | 'docker'
  /** Path of the binary, or image reference. */
  reference: string
  version: string
  /** "nginx 1.22.1 found on the PATH" */
  reason: string
}

export interface RuntimeRequest {
  prefer: 'auto' | 'binary' | 'docker'
  /** X.Y or X.Y.Z that was asked for. */
  version?: string
  image?: string
  binary?: string
}

/** Message of the proxy's own test, mapped to the user's file. */
export interface ConfigMessage {
  level: 'error' | 'warning'
  text: string
  location?: Location
}

/** A proxy that answers. `await using` it. */
export interface RunningProxy extends AsyncDisposable {
  /** The chat listener, `http://127.0.0.1:port`; `https:` where it speaks TLS. */
  url: URL
  /** All of them, the chat listener first. */
  listeners: readonly ReachedListener[]
  /** All published listeners in the order of the configuration. */
  ports: readonly number[]
  runtime: Runtime
  /** Folder of the sandbox on this machine. */
  folder: string
  /** Warnings of the configuration test. */
  messages: readonly ConfigMessage[]
  logs(): Promise<{access: string; error: string}>
  /** Which of these texts stand in the access or error log, and the first line of each; that line without any of them, redacted. */
  findInLogs(texts: readonly string[]): Promise<readonly {text: string; line: string}[]>
  /** Why the process ended on its own, or log lines that fail the run; empty while all is well. */
  complaints(): Promise<readonly string[]>
  /** Memory of all its processes, bytes; `undefined` where the system does not tell. */
  memory(): Promise<number | undefined>
  reload(): Promise<void>
}

/** A configuration made runnable, once; any number of proxies can be started from it. */
export interface Sandboxed {
  /** Unified diff over the user's files; empty when nothing was changed. */
  diff: string
  /** Distinct node addresses the configuration names, in order. */
  nodes: readonly string[]
}

export type StartResult =
  | {started: true; proxy: RunningProxy; sandbox: Sandboxed}
  /** The proxy refuses the file for its own content: a finding, not an exception. */
  | {started: false; messages: readonly ConfigMessage[]; sandbox: Sandboxed}

/** An address of a running proxy that clients connect to. */
export interface ReachedListener {
  /** As the configuration writes it. */
  address: string
  /** `https:` where it speaks TLS. */
  url: URL
  /** A certificate is named for it and TLS is not switched on. */
  meansTls: boolean
  /** `url` is that of a relay, which tells the listener in a PROXY protocol header who connects, and connects itself from this address. */
  announcedBy?: string
}

/** Who signs what the proxy shows to clients, and for which host names. */
export interface StartCertificates {
  authority: Authority
  names: readonly string[]
}

export interface StartOptions {
  proxy: Proxy
  bundle: ConfigBundle
  runtime: Runtime
  /** Where node n of the file is found: `host:port`. */
  nodes: readonly string[]
  /** Absent: the configuration speaks no TLS. */
  certificates?: StartCertificates
  /** Names of nodes stay names, and this name server, `host:port`, is asked for them. Absent: they become addresses. */
  nameServer?: string
  /** Changes beside those of the sandbox, such as those of compressed time. They yield to its own. */
  edits?: readonly Edit[]
  /** Whether clients of a listener come with a PROXY protocol header. Default: as the configuration expects. */
  announces?(listener: ListenerAddress): boolean
  allowExec: boolean
  /** Variables that the configuration reads. */
  environment?: Readonly<Record<string, string>>
  keep: boolean
  signal: AbortSignal
  logger: Logger
}
