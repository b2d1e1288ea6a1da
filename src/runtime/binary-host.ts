import {randomInt} from 'node:crypto'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {env as ownEnv, kill} from 'node:process'
import {execa} from 'execa'
import getPort from 'get-port'
import {EnvironmentError} from '../errors.ts'
import type {Installation, Proxy} from '../proxies/proxy.ts'
import type {Account} from './account.ts'
import {unprivilegedAccount} from './account.ts'
import {onExit} from './cleanup.ts'
import type {SandboxFolder} from './folder.ts'
import {makeFolder, writeInto} from './folder.ts'
import {startForeground} from './foreground.ts'
import type {Answer, Exit, Host, Launched} from './host.ts'
import {readTail} from './output.ts'
import {groupListensOn} from './listening.ts'
import {groupIsAlive, killGroup, signalGroup, startTime} from './owner.ts'
import {askUntil, PATIENCE} from './patience.ts'
import type {Runtime} from './runtime.ts'

/** A configuration may read its environment: it gets what a proxy needs, not the secrets of whoever runs us. */
export function proxyEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: ownEnv['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    ...(ownEnv['TZ'] === undefined ? {} : {TZ: ownEnv['TZ']}),
    ...extra,
  }
}

const installations = new WeakMap<Runtime, Promise<Installation>>()

/**
 * Ports below the range from which systems hand out ports of their own accord (Linux 32768, macOS and BSD 49152): between choosing and
 * binding, no simulator, client connection or other proxy can be given one of these, and be taken for the proxy when it answers.
 */
function candidatePorts(): readonly number[] {
  return Array.from({length: 50}, () => randomInt(15_000, 32_000))
}

/** This machine as the place to run a proxy. As root, the proxy runs as `nobody` from its first instruction where it can. */
export async function binaryHost(proxy: Proxy, runtime: Runtime, {keep}: {keep: boolean}): Promise<Host> {
  const account = await unprivilegedAccount()
  const folder = await makeFolder({account, keep})
  const command = runtime.reference
  const canDrop = account !== undefined && (await starts(command, proxy.versionCommand(command), account))
  const identity = canDrop ? {uid: account.uid, gid: account.gid} : {}

  const ask = async (args: readonly string[]) =>
    (
      await execa(command, args, {
        reject: false,
        all: true,
        stdin: 'ignore',
        timeout: PATIENCE.answer,
        env: proxyEnvironment(),
        extendEnv: false,
      })
    ).all ?? ''
  const list = (path: string) => readdir(path).catch(() => [])

  return {
    folder: folder.path,
    plan: {
      folder: folder.path,
      runtime: 'binary',
      listenAddress: '127.0.0.1',
      ...(account && !canDrop ? {user: {name: account.name, group: account.group}} : {}),
    },
    command,
    acceptMeansListening: true,
    installation() {
      const known = installations.get(runtime) ?? proxy.installation(command, runtime.version, ask, list)
      installations.set(runtime, known)
      return known
    },
    async planPorts(count) {
      const ports: number[] = []
      while (ports.length < count) ports.push(await getPort({host: '127.0.0.1', port: candidatePorts()}))
      return ports
    },
    reachesNodes: () => Promise.resolve(),
    write: file => writeInto(folder.path, file, account),
    async run([file = command, ...args], env, signal): Promise<Answer> {
      const result = await execa(file, args, {
        ...identity,
        cwd: folder.path,
        env: proxyEnvironment(env),
        extendEnv: false,
        stdin: 'ignore',
        all: true,
        reject: false,
        timeout: PATIENCE.configTest,
        killSignal: 'SIGKILL',
        cancelSignal: signal,
      })
      signal.throwIfAborted()
      if (result.timedOut)
        throw new EnvironmentError(`${proxy.title} did not finish its configuration test within ${PATIENCE.configTest / 1000} s`)
      if (result.exitCode === undefined && result.signal === undefined)
        throw new EnvironmentError(`${file} cannot be started: ${result.originalMessage ?? result.shortMessage ?? 'unknown reason'}`)
      return {exit: exitOf(result), output: result.all ?? ''}
    },
    async launch(argv, env, ports) {
      return launch(argv, {env: proxyEnvironment(env), identity, folder, account, ports})
    },
    async output() {
      return {stdout: await readTail(join(folder.outer, 'stdout.log')), stderr: await readTail(join(folder.outer, 'stderr.log'))}
    },
    dispose: () => folder.remove(),
  }
}

interface LaunchOptions {
  env: Record<string, string>
  identity: {uid?: number; gid?: number}
  folder: SandboxFolder
  account: Account | undefined
  ports: readonly number[]
}

function launch(argv: readonly string[], {env, identity, folder, account, ports}: LaunchOptions): Launched {
  const {pid, exit, ended} = startForeground(argv, {cwd: folder.path, env, identity, outer: folder.outer, account})
  const forget = onExit(() => {
    if (pid !== undefined) killGroup(pid)
  })
  if (pid !== undefined) folder.adopt({pid, started: startTime(pid) ?? ''})
  const gone = async () => {
    if (pid !== undefined && groupIsAlive(pid)) return undefined
    await ended
    return true
  }
  return {
    exit,
    ports: () => Promise.resolve(ports),
    listensOn: port => pid === undefined || groupListensOn(pid, port),
    signal(name) {
      if (pid !== undefined && exit() === undefined) kill(pid, name)
      return Promise.resolve()
    },
    async stop(stopSignal) {
      if (pid !== undefined) {
        signalGroup(pid, stopSignal)
        if (!(await askUntil(gone, {budgetMs: PATIENCE.stop}))) {
          killGroup(pid)
          await askUntil(gone, {budgetMs: PATIENCE.kill})
        }
      }
      forget()
    },
  }
}

async function starts(command: string, [file = command, ...args]: readonly string[], {uid, gid}: Account): Promise<boolean> {
  const {exitCode} = await execa(file, args, {
    uid,
    gid,
    cwd: '/',
    reject: false,
    stdin: 'ignore',
    timeout: PATIENCE.answer,
    env: proxyEnvironment(),
    extendEnv: false,
  })
  return exitCode === 0
}

function exitOf({exitCode, signal}: {exitCode?: number | undefined; signal?: string | undefined}): Exit {
  return {...(exitCode === undefined ? {} : {code: exitCode}), ...(signal === undefined ? {} : {signal})}
}
