import type {Logger} from '../log.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import type {Location} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'

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
  /** The chat listener, `http://127.0.0.1:port`. */
  url: URL
  /** All published listeners in the order of the configuration. */
  ports: readonly number[]
  runtime: Runtime
  /** Folder of the sandbox on this machine. */
  folder: string
  /** Warnings of the configuration test. */
  messages: readonly ConfigMessage[]
  logs(): Promise<{access: string; error: string}>
  /** Why the process ended on its own, or log lines that fail the run; empty while all is well. */
  complaints(): Promise<readonly string[]>
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

export interface StartOptions {
  proxy: Proxy
  bundle: ConfigBundle
  runtime: Runtime
  /** Where node n of the file is found: `host:port`. */
  nodes: readonly string[]
  allowExec: boolean
  keep: boolean
  signal: AbortSignal
  logger: Logger
}
