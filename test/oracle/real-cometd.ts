import {once} from 'node:events'
import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {execa, execaSync} from 'execa'
import {projectRoot} from '../support/cli.ts'

/** A generation of the real server: CometD 5 on Jetty 9.4, CometD 8 on Jetty 12. */
export type Generation = 'cometd-5' | 'cometd-8'
export const GENERATIONS = ['cometd-5', 'cometd-8'] as const satisfies readonly Generation[]

const folder = join(projectRoot, 'fixtures/oracle')

/** What the real server needs and this machine lacks, in words; `undefined` when it can be started. */
export function whatIsMissing(): string | undefined {
  const missing = ['java', 'mvn'].filter(tool => execaSync(tool, ['-version'], {reject: false}).failed)
  return missing.length === 0 ? undefined : `The real CometD server needs Java 17 and Maven; not on PATH: ${missing.join(', ')}.`
}

/** Builds the server of that generation, unless it is newer than its sources. Downloads from Maven Central the first time. */
export async function buildReal(generation: Generation): Promise<void> {
  const files = (under: string): string[] =>
    readdirSync(join(folder, under), {recursive: true, withFileTypes: true})
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
  const newest = Math.max(...[join(folder, 'pom.xml'), ...files('src')].map(modified))
  if (modified(join(folder, 'target', generation, 'oracle.jar')) > newest) return
  await execa('mvn', ['-q', '-B', ...(generation === 'cometd-5' ? ['-Dcometd5'] : []), 'clean', 'package'], {cwd: folder})
}

function modified(file: string): number {
  return statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0
}

interface RealOptions {
  nodes: number
  /** CometD's `timeout`, ms. */
  holdMs: number
  maxIntervalMs: number
}

/** A running real server; its nodes share chats and no sessions. */
export interface RealServer extends AsyncDisposable {
  readonly ports: readonly number[]
}

/** Starts a built server; ready when this resolves. @throws Error with its output when it does not start. */
export async function startReal(generation: Generation, {nodes, holdMs, maxIntervalMs}: RealOptions): Promise<RealServer> {
  const built = join(folder, 'target', generation)
  const settings = {
    ports: Array.from({length: nodes}, () => '0').join(','),
    timeout: String(holdMs),
    'max-interval': String(maxIntervalMs),
  }
  const child = execa(
    'java',
    [
      '-cp',
      `${join(built, 'oracle.jar')}:${join(built, 'lib/*')}`,
      'oracle.Main',
      ...Object.entries(settings).flatMap(([k, v]) => [`--${k}`, v]),
    ],
    {stdin: 'pipe', buffer: {stdout: false}, reject: false},
  )
  const lines = createInterface({input: child.stdout})
  const first = await Promise.race([once(lines, 'line'), child.then(({stderr}) => Promise.reject(new Error(`oracle ended: ${stderr}`)))])
  const {nodes: started} = JSON.parse(String(first[0])) as {nodes: {port: number}[]}
  return {
    ports: started.map(({port}) => port),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await child
    },
  }
}
