import {env} from 'node:process'
import {execa} from 'execa'
import {PATIENCE} from './patience.ts'

/** What the docker command line says about the engine it talks to. */
export interface Engine {
  answers: boolean
  /** Version of the command line; absent when there is none. */
  client?: string
  version?: string
  /** Operating system of the engine: "Docker Desktop", "Debian GNU/Linux 12". */
  system?: string
  context?: string
  endpoint?: string
  /** Containers' root is this user (rootless Docker, rootless Podman). */
  rootless: boolean
  /** Why it cannot be used, when it cannot. */
  because?: string
}

export interface DockerAnswer {
  ok: boolean
  code?: number
  stdout: string
  /** First line of what went wrong. */
  problem: string
  /** stdout and stderr as they came. */
  output: string
}

/** Runs one docker command to its end; never throws for a failing command. @throws the signal's reason when it aborts. */
export async function docker(
  args: readonly string[],
  {timeoutMs = PATIENCE.answer, signal}: {timeoutMs?: number; signal?: AbortSignal} = {},
): Promise<DockerAnswer> {
  const result = await execa('docker', args, {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: timeoutMs,
    ...(signal ? {cancelSignal: signal} : {}),
  })
  signal?.throwIfAborted()
  const lines = result.stderr.split('\n').map(line => line.trim())
  const problem = result.timedOut
    ? `no answer within ${timeoutMs / 1000} s`
    : (lines.find(line => /error|cannot|denied|no such|not found/i.test(line)) ??
      lines.find(line => line !== '') ??
      result.originalMessage ??
      'no reason given')
  return {
    ok: result.exitCode === 0,
    ...(result.exitCode === undefined ? {} : {code: result.exitCode}),
    stdout: result.stdout.trim(),
    problem,
    output: result.all ?? '',
  }
}

let known: Promise<Engine> | undefined

/** The engine, asked once for a process while it answers. */
export async function engine(): Promise<Engine> {
  known ??= askEngine()
  const answer = await known
  if (!answer.answers) known = undefined
  return answer
}

async function askEngine(): Promise<Engine> {
  const [client, info, context] = await Promise.all([
    docker(['--version']),
    docker(['info', '--format', '{{.ServerVersion}}\t{{.OperatingSystem}}\t{{json .SecurityOptions}}']),
    docker(['context', 'inspect', '--format', '{{.Name}}\t{{.Endpoints.docker.Host}}']),
  ])
  if (!client.ok) return {answers: false, rootless: false, because: 'the docker command is not installed'}
  const [name, inspected] = context.ok ? context.stdout.split('\t') : []
  const endpoint = env['DOCKER_HOST'] ?? inspected
  const facts = {
    rootless: false,
    client: /\d+(?:\.\d+)+/.exec(client.stdout)?.[0] ?? client.stdout,
    ...(name === undefined ? {} : {context: name}),
    ...(endpoint === undefined ? {} : {endpoint}),
  }
  const [version, system, security = ''] = info.stdout.split('\t')
  if (!info.ok || !version) return {...facts, answers: false, because: `no Docker engine answers: ${info.problem}`}
  const remote = endpoint !== undefined && !/^(unix|npipe|fd):/.test(endpoint)
  return {
    ...facts,
    answers: !remote,
    version,
    ...(system === undefined ? {} : {system}),
    rootless: security.includes('rootless'),
    ...(remote
      ? {
          because: `the Docker engine at ${endpoint} is on another machine: neither the sandbox folder nor loopback ports are shared with it`,
        }
      : {}),
  }
}

/** True when the engine has the image already. */
export async function hasImage(reference: string, signal?: AbortSignal): Promise<boolean> {
  return (await docker(['image', 'inspect', '--format', '{{.Id}}', reference], signal ? {signal} : {})).ok
}

/** Downloads an image; says why when it cannot. */
export async function pullImage(reference: string, signal: AbortSignal): Promise<string | undefined> {
  const {ok, problem} = await docker(['pull', '--quiet', reference], {timeoutMs: PATIENCE.pull, signal})
  return ok ? undefined : problem
}
