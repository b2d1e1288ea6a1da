import type {Installation, SandboxPlan} from '../proxies/proxy.ts'

/** How a process ended. */
export interface Exit {
  code?: number
  signal?: string
  /** Why it could not be started at all. */
  because?: string
}

/** What a command that ran to its end said. */
export interface Answer {
  exit: Exit
  /** stdout and stderr as they came. */
  output: string
}

/** The proxy's process, or container, while it runs. */
export interface Launched {
  /** Set once the process has ended. */
  exit(): Exit | undefined
  /** Host ports, in the order of the planned ones; `undefined` until they are known. */
  ports(): Promise<readonly number[] | undefined>
  /** True when nobody but the proxy can be who answers on this port. */
  listensOn(port: number): boolean
  /** Memory of all its processes, bytes; `undefined` where nobody tells. */
  memory(): Promise<number | undefined>
  /** Signals the leader only. */
  signal(name: NodeJS.Signals): Promise<void>
  /** Ends the whole tree: `stopSignal` first, SIGKILL when that is not enough, soon when somebody waits for us to end. */
  stop(stopSignal: NodeJS.Signals, options: {hurry: boolean}): Promise<void>
}

/** A place to run one proxy in: this machine, or a container. Made for one start, disposed with it. */
export interface Host {
  /** Sandbox folder as this process sees it. */
  readonly folder: string
  /** Sandbox folder as the proxy sees it, and what else the column has to know. */
  readonly plan: Pick<SandboxPlan, 'folder' | 'runtime' | 'listenAddress' | 'user'>
  /** The program that `argv` begins with. */
  readonly command: string
  /** True when an accepted TCP connection proves that the proxy itself listens. */
  readonly acceptMeansListening: boolean
  installation(): Promise<Installation>
  planPorts(count: number): Promise<readonly number[]>
  /** @throws EnvironmentError when a node of this machine cannot be reached from where the proxy runs. */
  reachesNodes(): Promise<void>
  write(file: {path: string; text: string}): Promise<void>
  /** @throws EnvironmentError when the command cannot be started at all. */
  run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Answer>
  launch(argv: readonly string[], env: Readonly<Record<string, string>>, ports: readonly number[]): Promise<Launched>
  /** Output of the running proxy so far. */
  output(): Promise<{stdout: string; stderr: string}>
  dispose(): Promise<void>
}

/** "exit code 1", "signal SIGSEGV". */
export function describeExit({code, signal, because}: Exit): string {
  if (because !== undefined) return because
  return signal === undefined ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`
}

/** A crash as a shell or a container runtime reports it: ended by a signal that nobody sent on purpose. */
export function isCrash({code, signal}: Exit): boolean {
  return ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE'].includes(signal ?? '') || [132, 134, 135, 136, 139].includes(code ?? 0)
}
