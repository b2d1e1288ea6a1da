import {spawnSync} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {pid} from 'node:process'
import type {Logger} from '../log.ts'
import {onExit} from './cleanup.ts'
import type {DockerAnswer} from './docker-engine.ts'
import {docker} from './docker-engine.ts'
import {currentOwner, isDead, parseOwner} from './owner.ts'
import {askUntil, PATIENCE} from './patience.ts'

const OWNER_LABEL = 'gms-proxy.owner'
/** How often a container is asked for that the engine may still be making. */
const REMOVALS = 5

/** A name that tells whose container it is, and the arguments of docker(1) that every container of ours begins with. */
export function newContainer(): {name: string; run: readonly string[]} {
  const name = `gms-proxy-${pid}-${randomBytes(6).toString('hex')}`
  return {name, run: ['run', '--rm', '--pull', 'never', '--name', name, '--label', `${OWNER_LABEL}=${JSON.stringify(currentOwner())}`]}
}

/**
 * Runs a container to its end. Whatever happens, it is gone afterwards: time that ran out, an abort, our own exit.
 * @param args what follows `docker run`: options, image, arguments.
 * @throws the signal's reason when it aborts.
 */
export async function runContainer(
  args: readonly string[],
  {timeoutMs = PATIENCE.configTest, signal}: {timeoutMs?: number; signal?: AbortSignal | undefined} = {},
): Promise<DockerAnswer> {
  signal?.throwIfAborted()
  const {name, run} = newContainer()
  const forget = onExit(() => removeNow(name))
  const client = new AbortController()
  const running = docker([...run, ...args], {timeoutMs: timeoutMs + PATIENCE.kill, signal: client.signal})
  let ended = false
  let stopped: Promise<void> | undefined
  const stop = () => {
    // The client ends with its container. Were it killed first, the engine might still make the container afterwards.
    stopped ??= removeUntil(name, () => (ended ? true : undefined)).then(() => client.abort(new Error('no answer in time')))
  }
  const timer = setTimeout(stop, timeoutMs)
  signal?.addEventListener('abort', stop, {once: true})
  try {
    return await running
  } catch (error) {
    if (!client.signal.aborted) throw error
    return {ok: false, timedOut: true, stdout: '', problem: `no answer within ${timeoutMs / 1000} s`, output: ''}
  } finally {
    ended = true
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    await stopped
    forget()
    signal?.throwIfAborted()
  }
}

/** Removes a container again and again until `gone` says that it is. */
export async function removeUntil(name: string, gone: () => true | undefined): Promise<void> {
  await askUntil(
    async () => {
      await docker(['rm', '--force', '--volumes', name], {timeoutMs: PATIENCE.kill})
      return gone()
    },
    {budgetMs: PATIENCE.kill, everyMs: 100},
  )
}

/** For the exit hook, after the client was killed: the engine may just be making the container. */
export function removeNow(name: string): void {
  for (let attempt = 0; attempt < REMOVALS; attempt += 1) {
    const {stdout, error} = spawnSync('docker', ['rm', '--force', '--volumes', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PATIENCE.stop,
    })
    if (error || stdout.trim() === name) return
  }
}

/** Removes containers whose owner ended without doing it. */
export async function reapContainers(logger: Logger): Promise<void> {
  const {stdout} = await docker(['ps', '--all', '--filter', `label=${OWNER_LABEL}`, '--format', `{{.ID}}\t{{.Label "${OWNER_LABEL}"}}`])
  for (const line of stdout.split('\n')) {
    const [id = '', label = ''] = line.split('\t')
    const owner = parseOwner(label)
    if (!owner || !isDead(owner)) continue
    logger.debug(`removing container ${id}, left behind by process ${owner.pid}`)
    await docker(['rm', '--force', '--volumes', id])
  }
}
