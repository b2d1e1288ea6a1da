import type {ConfigBundle, Edit, Span} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Parameters} from '../parameters/schema.ts'
import type {Durations} from './compressed.ts'
import type {Site} from './site.ts'
import type {Directive, ParsedConfig} from './syntax.ts'

/** A node address as the configuration writes it, e.g. `gms1.network.local:8080`; every place that names it is an edit in the sandbox. */
export interface NodeAddress {
  address: string
  span: Span
  /** Present when the proxy speaks TLS to it; `serverName` is the name it asks for and checks, when the file writes one. */
  tls?: {serverName?: string}
  /** The proxy asks name servers for it again while it runs. */
  followed?: boolean
}

/** An address that clients connect to. */
export interface ListenerAddress {
  /** As written. */
  address: string
  tls: boolean
  /** A certificate is named for it and TLS is not switched on: clients are meant to come over https, and cannot. */
  meansTls?: boolean
  /** Lets nobody in who has no certificate of his own. */
  demandsCertificate?: boolean
  /** A load balancer in front begins each connection with a PROXY protocol header. */
  proxyProtocol?: boolean
  span: Span
  serverName?: string
}

/** Something that section 7 of the contract refuses: the file would run its author's code, or reach out of the sandbox. */
export interface Refusal {
  directive: string
  because: string
  span: Span
}

/** Throw-away TLS files of one run, PEM, as the proxy sees them. `authority` has signed all of them, those of the simulated nodes too. */
export interface SandboxCertificates {
  /** Certificate of the authority alone: what a file that names trusted authorities is pointed at. */
  authority: string
  /** Certificate chain for the host names of the listeners, and its key. */
  certificate: string
  key: string
  /** Both in one file, for HAProxy and whoever writes one path for both. */
  bundle: string
}

/** Where the sandbox puts things, as the proxy itself will see it (inside the container for Docker). */
export interface SandboxPlan {
  /** Absolute folder for configuration, logs, pids, temporary files. The only place the proxy may write. */
  folder: string
  runtime: 'binary' | 'docker'
  version: string
  /** Address that listeners bind: `127.0.0.1` for a binary, `0.0.0.0` inside a container. */
  listenAddress: string
  /** One port per distinct listener of the file, in the order `listeners()` gives them. */
  ports: readonly number[]
  /** Where node n of the file really is (the simulator): `host:port`, in the order `nodes()` gives them. */
  nodes: readonly string[]
  /** Names of nodes that are followed stay names, and this name server (`host:port`) is asked for them. Absent: all become addresses. */
  nameServer?: string
  /** Replaces certificates that this machine does not have. Absent: the configuration speaks no TLS. */
  certificates?: SandboxCertificates
  /** User to run workers as when started by root; absent when unprivileged. */
  user?: {name: string; group: string}
  /** Installation facts from `installation()`. */
  installation: Installation
  /** Address of the relay that stands for the load balancer before listeners that expect a PROXY protocol header; absent: none does. */
  balancer?: string
  /** Hard limit of file descriptors where the proxy runs; absent when unknown: nothing is capped then. */
  openFiles?: number
  allowExec: boolean
}

/** What a binary (or an image) says about itself. */
export interface Installation {
  version: string
  /** Folder of loadable modules, e.g. `/usr/lib/apache2/modules`. */
  modulesFolder?: string
  /** Modules compiled in (Apache `-l`, nginx `--with-…`). */
  builtin: readonly string[]
  /** Loadable modules that exist, e.g. `mod_proxy.so`. */
  loadable: readonly string[]
  /** Stock configuration folder: includes may read from there. */
  stockFolder?: string
  /** File with media types, when the dialect needs one. */
  mimeTypes?: string
}

/** What the sandbox does to a configuration. */
export interface SandboxResult {
  /** Edits of the user's own files; shown as a diff. */
  edits: readonly Edit[]
  /** Files added around the user's (wrapper of a fragment, module list). `entry` of the bundle that is run. */
  added: readonly {path: string; text: string}[]
  entry: string
  refused: readonly Refusal[]
}

/** How to start and talk to the proxy. Arguments are for the sandboxed bundle at `folder`. */
export interface Invocation {
  argv: readonly string[]
  env?: Readonly<Record<string, string>>
}

/** A message of the proxy's own configuration test, mapped to a place when it names one. */
export interface ConfigTestMessage {
  level: 'error' | 'warning'
  text: string
  /** Absolute path as the proxy printed it; the runtime maps it back to the user's file. */
  file?: string
  line?: number
}

/** `1.22`, and the day (ISO 8601) after which its authors mend nothing; absent: still supported. */
export interface Branch {
  branch: string
  endOfLife?: string
}

/** Where a distribution keeps things: users, modules, logs, pid files. `docker` is the official image of the proxy. */
export const LAYOUTS = ['docker', 'debian', 'rhel', 'source'] as const
export type Layout = (typeof LAYOUTS)[number]

/** What is rendered for. */
export interface RenderTarget {
  /** `X.Y.Z`. */
  version: string
  layout: Layout
  /** A file to include into a configuration that serves other sites too, instead of a whole one. */
  fragment: boolean
  /** Lines of the comment on top: tool, digest of the parameters, the command that reproduces the file. */
  header: readonly string[]
}

/** A parameter that this proxy, or this version of it, cannot honour, or honours in another way than its name says. */
export interface Caveat {
  /** Dotted path, with indices: `upstream.nodes.0.maxConnections`. */
  path: string
  because: string
}

/** What a configuration says in the words of the parameters: `gms-proxy import`. */
export interface Imported {
  /** As a parameters file would hold it: loads, or fails with a UsageError that names what the configuration does not say (no nodes). */
  parameters: ParametersDocument
  /** What has an effect on chat, or on anything that a parameter could say, and was not carried over; other sites have one entry each. */
  left: readonly LeftBehind[]
}

/** A plain object of the shape of a parameters file; durations and sizes are written the way a person writes them (`30s`, `100MB`). */
export type ParametersDocument = Readonly<Record<string, unknown>>

export interface LeftBehind {
  span: Span
  /** One sentence without a full stop. */
  because: string
}

/** One column of the grid. Everything that is peculiar to nginx, Apache or HAProxy stands in `proxies/<name>/`. */
export interface Proxy {
  name: ProxyName
  /** As people write it: "nginx", "Apache httpd", "HAProxy". */
  title: string
  /** Rendered when `--proxy-version` is not given (newest stable the tool knows); below `oldest` rendering is refused. */
  versions: {newest: string; oldest: string}
  /** The pinned official image, and how configuration gets into it. */
  image: {reference: string; command: string}
  /** Names to look for on the PATH and in the usual folders, first hit wins. */
  binaries: readonly string[]
  binaryFolders: readonly string[]
  /** Name of the file when rendered, e.g. `nginx.conf`; its template is `templates/<proxy>/<configFile>.hbs`. */
  configFile: string
  /** The same for a fragment, e.g. `conf.d/gms-chat.conf`. */
  fragmentFile: string
  /** Branches with their end of support, newest first. A branch that is not listed is newer than this tool. */
  branches: readonly Branch[]
  /** Parameters that cannot be honoured: rendering is refused with these reasons. */
  unsupported(parameters: Parameters, target: RenderTarget): readonly Caveat[]
  /** Parameters that are honoured in a weaker or another way: said beside the result, and in a comment of the file. */
  caveats(parameters: Parameters, target: RenderTarget): readonly Caveat[]
  /** Parameters → exactly the names its templates print; all decisions live here. */
  view(parameters: Parameters, target: RenderTarget): Record<string, unknown>
  /** Reads a bundle; never throws for bad text. */
  parse(bundle: ConfigBundle): ParsedConfig
  /**
   * Files that the directives of one file pull in, as written (paths or globs), in order of appearance; `data` files hold no directives.
   * One that is `optional` is left out when it cannot be read: the sandbox puts something in its place.
   * Absent: the first argument of every `include` and `IncludeOptional`, at any depth, which is right for nginx and Apache.
   */
  includes?(directives: readonly Directive[]): readonly {pattern: string; data?: boolean; optional?: boolean; span: Span}[]
  /** Where packages put the configuration: an absolute `include` below one of these means the folder that is read, wherever its copy lies. */
  configurationFolders?: readonly string[]
  /** What the configuration means for chat, with the defaults of `version` (`X.Y.Z`). Never throws. */
  site?(config: ParsedConfig, version: string): Site
  /** The parameters that `view` would make this configuration from, read by the defaults of `version` (`X.Y.Z`). Never throws. */
  importFrom?(config: ParsedConfig, version: string): Imported
  /** Every duration of the configuration, the defaults of `version` (`X.Y.Z`) made explicit. Absent: this column cannot be run in compressed time. */
  durations?(config: ParsedConfig, version: string): Durations
  /** True when `text` looks like this dialect (used to recognise a foreign file). 0 … 1, best wins. */
  recognise(path: string, text: string): number
  /** Distinct listeners, the chat listener first (`chatFirst`). */
  listeners(config: ParsedConfig): readonly ListenerAddress[]
  /** Every mention of a node address, in order of appearance; equal `address` = the same node. */
  nodes(config: ParsedConfig): readonly NodeAddress[]
  /** Every place that names a name server to ask while it runs. Absent: this proxy asks the system. */
  nameServers?(config: ParsedConfig): readonly Span[]
  /** The sandbox table applied: see `SandboxPlan`. */
  sandbox(config: ParsedConfig, plan: SandboxPlan): SandboxResult
  /**
   * Argument vectors; `binary` is the path (or the image's command), `entry` the absolute path of the entry file, `folder` the sandbox,
   * `version` what the binary says of itself (absent: a current one).
   */
  versionCommand(binary: string): readonly string[]
  parseVersion(output: string): string | undefined
  configTest(binary: string, entry: string, folder: string, version?: string): Invocation
  /** Foreground start. */
  start(binary: string, entry: string, folder: string, version?: string): Invocation
  parseConfigTest(output: string): readonly ConfigTestMessage[]
  /** Further questions to the binary that fill `Installation`; `ask` runs `binary` with arguments and gives stdout+stderr, `list` names the entries of a folder or `[]`. */
  installation(
    binary: string,
    version: string,
    ask: (args: readonly string[]) => Promise<string>,
    list: (folder: string) => Promise<readonly string[]>,
  ): Promise<Installation>
  /** Signal that ends the whole process tree at once. */
  stopSignal: NodeJS.Signals
  reloadSignal: NodeJS.Signals
  /** Log files inside the sandbox folder, relative: `access` and `error` (an absent one goes to stdout/stderr). */
  logs: {access?: string; error?: string}
  /** Lines of the error log that fail the run: `[alert]`, `[emerg]`, crashes. */
  isFatalLogLine(line: string): boolean
}
