import {randomInt} from 'node:crypto'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {env as ownEnv, kill} from 'node:process'
import getPort from 'get-port'
import {EnvironmentError} from '../errors.ts'
import type {Installation, Proxy} from '../proxies/proxy.ts'
import type {Account} from './account.ts'
import {unprivilegedAccount} from './account.ts'
import {onExit} from './cleanup.ts'
import {runCommand} from './command.ts'
import type {SandboxFolder} from './folder.ts'
import {makeFolder, writeInto} from './folder.ts'
import {startForeground} from './foreground.ts'
import type {Answer, Host, Launched} from './host.ts'
import {memoryOfGroup} from './memory.ts'
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
export async function binaryHost(proxy: Proxy, runtime: Runtime, {keep, signal}: {keep: boolean; signal: AbortSignal}): Promise<Host> {
  const account = await unprivilegedAccount()
  const folder = await makeFolder({account, keep})
  const command = runtime.reference
  const canDrop = account !== undefined && (await starts(command, proxy.versionCommand(command), account, signal))
  const identity = canDrop ? {uid: account.uid, gid: account.gid} : {}

  const ask = async (args: readonly string[]) =>
    (await runCommand([command, ...args], {timeoutMs: PATIENCE.answer, signal, env: proxyEnvironment()})).output
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
    async run(argv, env): Promise<Answer> {
      const {exit, timedOut, output} = await runCommand(argv, {
        timeoutMs: PATIENCE.configTest,
        signal,
        cwd: folder.path,
        env: proxyEnvironment(env),
        identity,
      })
      if (timedOut)
        throw new EnvironmentError(`${proxy.title} did not finish its configuration test within ${PATIENCE.configTest / 1000} s`, {
          suggestions: [`run it by hand and see what it waits for: ${argv[0] ?? command}`, 'run another build with --binary or --image'],
        })
      if (exit.because !== undefined)
        throw new EnvironmentError(`${argv[0] ?? command} cannot be started: ${exit.because}`, {
          suggestions: ['run another build with --binary or --image'],
        })
      return {exit, output}
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
    memory: () => (pid === undefined ? Promise.resolve(undefined) : memoryOfGroup(pid)),
    signal(name) {
      if (pid !== undefined && exit() === undefined) kill(pid, name)
      return Promise.resolve()
    },
    async stop(stopSignal, {hurry}) {
      if (pid !== undefined) {
        signalGroup(pid, stopSignal)
        if (!(await askUntil(gone, {budgetMs: hurry ? PATIENCE.hurriedStop : PATIENCE.stop}))) {
          killGroup(pid)
          await askUntil(gone, {budgetMs: PATIENCE.kill})
        }
      }
      forget()
    },
  }
}

async function starts(command: string, argv: readonly string[], {uid, gid}: Account, signal: AbortSignal): Promise<boolean> {
  const {exit} = await runCommand(argv.length === 0 ? [command] : argv, {
    timeoutMs: PATIENCE.answer,
    signal,
    cwd: '/',
    env: proxyEnvironment(),
    identity: {uid, gid},
  })
  return exit.code === 0
}
