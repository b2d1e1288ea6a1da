import {env} from 'node:process'
import {runCommand} from './command.ts'
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
  timedOut: boolean
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
  {timeoutMs = PATIENCE.answer, signal}: {timeoutMs?: number; signal?: AbortSignal | undefined} = {},
): Promise<DockerAnswer> {
  const {exit, timedOut, stdout, stderr, output} = await runCommand(['docker', ...args], {timeoutMs, signal})
  const lines = stderr.split('\n').map(line => line.trim())
  const problem = timedOut
    ? `no answer within ${timeoutMs / 1000} s`
    : (lines.find(line => /error|cannot|denied|no such|not found/i.test(line)) ??
      lines.find(line => line !== '') ??
      exit.because ??
      'no reason given')
  return {ok: exit.code === 0, timedOut, ...(exit.code === undefined ? {} : {code: exit.code}), stdout: stdout.trim(), problem, output}
}

let known: Promise<Engine> | undefined

/** The engine, asked once for a process while it answers. @throws the signal's reason when it aborts. */
export async function engine(signal?: AbortSignal): Promise<Engine> {
  known ??= askEngine(signal)
  try {
    const answer = await known
    if (!answer.answers) known = undefined
    return answer
  } catch (error) {
    known = undefined
    throw error
  }
}

async function askEngine(signal: AbortSignal | undefined): Promise<Engine> {
  const [client, info, context] = await Promise.all([
    docker(['--version'], {signal}),
    docker(['info', '--format', '{{.ServerVersion}}\t{{.OperatingSystem}}\t{{json .SecurityOptions}}'], {signal}),
    docker(['context', 'inspect', '--format', '{{.Name}}\t{{.Endpoints.docker.Host}}'], {signal}),
  ])
  if (!client.ok)
    return {
      answers: false,
      rootless: false,
      because:
        client.code === undefined && !client.timedOut
          ? 'the docker command is not installed'
          : `the docker command does not work: ${client.problem}`,
    }
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
  return (await docker(['image', 'inspect', '--format', '{{.Id}}', reference], {signal})).ok
}

/** Downloads an image; says why when it cannot. */
export async function pullImage(reference: string, signal: AbortSignal): Promise<string | undefined> {
  const {ok, problem} = await docker(['pull', '--quiet', reference], {timeoutMs: PATIENCE.pull, signal})
  return ok ? undefined : problem
}
