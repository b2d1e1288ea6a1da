import {join} from 'node:path'
import {getgid, getuid} from 'node:process'
import {EnvironmentError} from '../errors.ts'
import type {Installation, Proxy} from '../proxies/proxy.ts'
import type {Account} from './account.ts'
import {unprivilegedAccount} from './account.ts'
import {onExit} from './cleanup.ts'
import {newContainer, removeNow, removeUntil, runContainer} from './containers.ts'
import {docker, engine} from './docker-engine.ts'
import {makeFolder, writeInto} from './folder.ts'
import {startForeground} from './foreground.ts'
import type {Answer, Host, Launched} from './host.ts'
import {readTail} from './output.ts'
import {askUntil, PATIENCE} from './patience.ts'
import type {Runtime} from './runtime.ts'

/** Name that a container knows this machine by, where the bridge's address is not one of ours (Docker Desktop). */
export const HOST_ALIAS = 'host.docker.internal'
/** Where the sandbox folder is mounted. */
const MOUNT = '/gms-proxy'
/** Containers have ports of their own: nothing can be in the way of these. */
const FIRST_PORT = 18080
/** HAProxy sizes its tables by the descriptor limit, and some engines give a thousand millions. It can be lowered anywhere, raised not. */
const DESCRIPTORS = 65_536

const limits = new WeakMap<Runtime, Promise<readonly string[]>>()
const reached = new WeakMap<Runtime, Promise<void>>()
const installations = new WeakMap<Runtime, Promise<Installation>>()

/** A container as the place to run a proxy: unprivileged, nothing but the sandbox folder shared, published on loopback only. */
export async function dockerHost(
  proxy: Proxy,
  runtime: Runtime,
  {keep, nodes, signal}: {keep: boolean; nodes: readonly string[]; signal: AbortSignal},
): Promise<Host> {
  const {rootless} = await engine(signal)
  const account = await unprivilegedAccount()
  const folder = await makeFolder({account, keep})
  const image = runtime.reference
  const common = [
    ...['--security-opt', 'no-new-privileges', '--user', containerUser(rootless, account)],
    ...(await limit(runtime, signal)),
    ...['--volume', `${folder.path}:${MOUNT}:z`, '--workdir', MOUNT],
    ...(nodes.some(node => node.startsWith(HOST_ALIAS)) ? ['--add-host', `${HOST_ALIAS}:host-gateway`] : []),
  ]
  const withEnv = (env: Readonly<Record<string, string>>) => Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const inside = (argv: readonly string[], options: readonly string[] = []) => [
    ...common,
    ...options,
    '--entrypoint',
    argv[0] ?? proxy.image.command,
    image,
    ...argv.slice(1),
  ]

  const ask = async (args: readonly string[]) => (await runContainer(inside([proxy.image.command, ...args]), {signal})).output
  const list = async (path: string) => {
    const {ok, stdout} = await runContainer(inside(['ls', '-1A', path]), {signal})
    return ok ? stdout.split('\n').filter(name => name !== '') : []
  }

  return {
    folder: folder.path,
    // Root of a rootless engine is this user; workers need another name there, and it cannot own the folder.
    plan: {folder: MOUNT, runtime: 'docker', listenAddress: '0.0.0.0', ...(rootless ? {user: {name: 'root', group: 'root'}} : {})},
    command: proxy.image.command,
    acceptMeansListening: false,
    installation() {
      const known = installations.get(runtime) ?? proxy.installation(proxy.image.command, runtime.version, ask, list)
      installations.set(runtime, known)
      return known
    },
    planPorts: count => Promise.resolve(Array.from({length: count}, (_, index) => FIRST_PORT + index)),
    reachesNodes() {
      const known = reached.get(runtime) ?? checkReach(image, nodes[0], {common, signal})
      reached.set(runtime, known)
      return known
    },
    write: file => writeInto(folder.path, file, account),
    async run(argv, env): Promise<Answer> {
      const {code, output, problem, timedOut} = await runContainer(inside(argv, withEnv(env)), {signal})
      if (timedOut)
        throw new EnvironmentError(`${proxy.title} did not finish its configuration test within ${PATIENCE.configTest / 1000} s`, {
          suggestions: [`run ${image} by hand and see what it waits for`, 'name another with --image'],
        })
      // docker-run(1): 125 the engine failed, 126 and 127 the command cannot be started.
      if (code === undefined || (code >= 125 && code <= 127))
        throw new EnvironmentError(`the container of ${image} cannot be started: ${problem}`, {
          suggestions: ['name another with --image', 'see what this machine can run: gms-proxy doctor'],
        })
      const unseen = code === 0 ? undefined : await whyUnseen(inside, argv, signal)
      if (unseen !== undefined)
        throw new EnvironmentError(`the Docker engine does not see ${folder.path}: ${unseen}`, {
          suggestions: ['set TMPDIR to a folder that is shared with the engine'],
        })
      return {exit: {code}, output}
    },
    async launch(argv, env, ports) {
      const {name, run} = newContainer()
      const published = ports.flatMap(port => ['--publish', `127.0.0.1::${port}`])
      return launch([...run, ...inside(argv, [...published, ...withEnv(env)])], {name, ports, outer: folder.outer})
    },
    async output() {
      return {stdout: await readTail(join(folder.outer, 'stdout.log')), stderr: await readTail(join(folder.outer, 'stderr.log'))}
    },
    dispose: () => folder.remove(),
  }
}

/** Options that keep the descriptor limit in bounds, asked once for a runtime. */
function limit(runtime: Runtime, signal: AbortSignal): Promise<readonly string[]> {
  const known = limits.get(runtime) ?? askLimit(runtime.reference, signal)
  limits.set(runtime, known)
  return known
}

async function askLimit(image: string, signal: AbortSignal): Promise<readonly string[]> {
  const {ok, stdout} = await runContainer(['--network', 'none', '--entrypoint', 'sh', image, '-c', 'ulimit -Hn'], {signal})
  return ok && !(Number(stdout) <= DESCRIPTORS) ? ['--ulimit', `nofile=${DESCRIPTORS}:${DESCRIPTORS}`] : []
}

/** A firewall between bridge and host would make every check fail for no fault of the configuration. Images without bash are not asked. */
async function checkReach(
  image: string,
  node: string | undefined,
  {common, signal}: {common: readonly string[]; signal: AbortSignal},
): Promise<void> {
  const [, host, port] = /^(.+):(\d+)$/.exec(node ?? '') ?? []
  if (host === undefined || port === undefined || host.startsWith('127.')) return
  const probe = ['--entrypoint', 'timeout', image, '5', 'bash', '-c', `exec 3<>/dev/tcp/${host}/${port}`]
  const {code} = await runContainer([...common, ...probe], {signal})
  // timeout(1) and bash: 1 refused or unreachable, 124 no answer.
  if (code !== 1 && code !== 124) return
  throw new EnvironmentError(`a container cannot reach this machine at ${host}:${port}: a firewall may stand between`, {
    suggestions: [`allow connections from the Docker bridge to ${host}`, 'use --runtime binary'],
  })
}

/** A mounted folder can be empty in the container when the engine has another view of the file system than we have. */
async function whyUnseen(
  inside: (argv: readonly string[]) => readonly string[],
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const entry = argv.find(arg => arg.startsWith(`${MOUNT}/`))
  if (entry === undefined) return undefined
  const {ok, problem} = await runContainer(inside(['ls', entry]), {signal})
  return ok ? undefined : problem
}

function launch(args: readonly string[], {name, ports, outer}: {name: string; ports: readonly number[]; outer: string}): Launched {
  const {exit, ended, kill} = startForeground(['docker', ...args], {cwd: outer, outer})
  const forget = onExit(() => {
    kill('SIGKILL')
    removeNow(name)
  })
  const gone = () => (exit() === undefined ? undefined : (true as const))
  let known: readonly number[] | undefined
  return {
    exit,
    async ports() {
      known ??= await publishedPorts(name, ports)
      return known
    },
    // An engine counts the page cache and the memory of the kernel in.
    memory: () => Promise.resolve(undefined),
    async signal(signalName) {
      await docker(['kill', '--signal', signalName, name])
    },
    // The engine binds the published port itself, or the container does not start.
    listensOn: () => true,
    async stop(stopSignal) {
      if (exit() === undefined && (await docker(['kill', '--signal', stopSignal, name])).ok)
        await askUntil(gone, {budgetMs: PATIENCE.containerStop})
      // Asked again while the client lives: it may be stopped before the engine has made the container.
      await removeUntil(name, gone)
      if (exit() === undefined) kill('SIGKILL')
      await ended
      await askUntil(async () => ((await docker(['container', 'inspect', '--format', '{{.Id}}', name])).ok ? undefined : true), {
        budgetMs: PATIENCE.kill,
      })
      forget()
    },
  }
}

async function publishedPorts(name: string, ports: readonly number[]): Promise<readonly number[] | undefined> {
  const {ok, stdout} = await docker(['port', name])
  if (!ok) return undefined
  const found = new Map([...stdout.matchAll(/^(\d+)\/tcp -> [\d.]+:(\d+)$/gm)].map(([, inner, outer]) => [Number(inner), Number(outer)]))
  const published = ports.flatMap(port => found.get(port) ?? [])
  return published.length === ports.length ? published : undefined
}

/** What the container writes must be ours to remove; as root, it gets no rights at all. */
function containerUser(rootless: boolean, account: Account | undefined): string {
  if (rootless) return '0:0'
  return account ? `${account.uid}:${account.gid}` : `${getuid?.() ?? 0}:${getgid?.() ?? 0}`
}
