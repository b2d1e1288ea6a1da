import {execFile} from 'node:child_process'
import {chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import fc from 'fast-check'
import {expect} from 'vitest'
import {render} from '../../src/bundle/render.ts'
import type {ParametersInput} from '../../src/parameters/schema.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import type {Parameters} from '../../src/parameters/schema.ts'
import type {Proxy, RenderTarget, SandboxPlan} from '../../src/proxies/proxy.ts'
import {LAYOUTS} from '../../src/proxies/proxy.ts'
import {throwAwayAuthority} from '../../src/runtime/certificates.ts'
import {sandbox} from '../../src/runtime/sandbox.ts'
import {arbitraryParameters} from './arbitrary-parameters.ts'

const run = promisify(execFile)

/** How many random deployments; CI looks at 2,000 for each proxy, `npm run fuzz` at 20,000. */
export const RUNS = Number(process.env['GMS_PROXY_PROPERTY_RUNS'] ?? 60)
/** How many texts a reader is given beside the binary: each of them costs a start of it, and most of them are no configuration. */
export const READ_RUNS = Math.max(60, Math.round(RUNS / 5))
/** The slowest of the three tests takes 60 ms on a quiet core; ms. */
export const PATIENCE_MS = 60_000 + RUNS * 600

/** Reads parameters as a file would be read. */
export async function load(input: unknown): Promise<Parameters> {
  return (await loadParameters({file: '-', stdin: () => Promise.resolve(JSON.stringify(input)), overrides: []})).parameters
}

/** The binary of a proxy on this machine, asked for its version; `undefined` when there is none. */
export async function installed(proxy: Proxy): Promise<string | undefined> {
  for (const folder of ['', ...proxy.binaryFolders.map(own => `${own}/`)])
    for (const name of proxy.binaries) if ((await ask([folder + name, '-v'])).status === 0) return folder + name
  return undefined
}

/** Where a binary is asked: on this machine, or in a container. */
export interface Machine {
  ask(argv: readonly string[]): Promise<{status: number; output: string}>
  list(folder: string): Promise<readonly string[]>
}

const here: Machine = {ask, list}

/** A container of `reference` that stays until it is disposed of; temporary folders have the same path in it. */
export async function containerOf(reference: string): Promise<Machine & AsyncDisposable> {
  const mount = ['--volume', `${tmpdir()}:${tmpdir()}`, '--network', 'none', '--entrypoint', 'sleep']
  const {status, output} = await ask(['docker', 'run', '--detach', '--rm', ...mount, reference, 'infinity'])
  const id = output.trim().split('\n').at(-1) ?? ''
  if (status !== 0) throw new Error(`${reference}: ${output}`)
  const within = (argv: readonly string[]) => ask(['docker', 'exec', id, ...argv])
  return {
    ask: within,
    async list(folder) {
      const found = await within(['ls', folder])
      return found.status === 0 ? found.output.split('\n').filter(name => name !== '') : []
    },
    async [Symbol.asyncDispose]() {
      await ask(['docker', 'rm', '--force', id])
    },
  }
}

/**
 * Renders random deployments for the binary's version, in every layout, whole and as a fragment, and has the binary test each. What the proxy
 * declares that it cannot do is taken out first.
 * @throws the counterexample: a configuration that is refused, or accepted with a warning.
 */
export async function assertAccepted(proxy: Proxy, binary: string): Promise<{refusals: number; runs: number}> {
  await using judge = await realBinary(proxy, binary)
  const {version} = judge
  let runs = 0
  let refusals = 0
  await fc.assert(
    fc.asyncProperty(arbitraryParameters, hows, async (input, how) => {
      const {parameters, removed} = await honoured(proxy, input, {...how, version})
      refusals += removed.length > 0 ? 1 : 0
      runs++
      await judge.accepts(parameters, how)
    }),
    {numRuns: RUNS},
  )
  return {refusals, runs}
}

/** The same for these deployments, in every layout, whole and as a fragment; gives how many the proxy did not decline. */
export async function assertAllAccepted(
  proxy: Proxy,
  binary: string,
  deployments: readonly Parameters[],
  machine: Machine = here,
): Promise<number> {
  await using judge = await realBinary(proxy, binary, machine)
  let accepted = 0
  for (const parameters of deployments)
    for (const how of LAYOUTS.flatMap(layout => [true, false].map(fragment => ({layout, fragment, header: []})))) {
      if (proxy.unsupported(parameters, {...how, version: judge.version}).length > 0) continue
      await judge.accepts(parameters, how)
      accepted++
    }
  return accepted
}

export const hows = fc.record({layout: fc.constantFrom(...LAYOUTS), fragment: fc.boolean(), header: fc.constant(['one line'])})

/** A binary that tests what is rendered for its version, in a folder of its own. */
async function realBinary(proxy: Proxy, binary: string, {ask, list}: Machine = here) {
  const folder = mkdtempSync(join(tmpdir(), `gms-proxy-property-${proxy.name}-`))
  // a proxy that gives up root in a container still reads it
  chmodSync(folder, 0o755)
  const version = proxy.parseVersion((await ask(proxy.versionCommand(binary))).output) ?? ''
  const installation = await proxy.installation(binary, version, async args => (await ask([binary, ...args])).output, list)
  const plan = {
    folder,
    runtime: 'binary',
    version,
    listenAddress: '127.0.0.1',
    installation,
    openFiles: 8192,
    certificates: await certificates(folder),
    allowExec: false,
  } as const
  return {
    version,
    async accepts(parameters: Parameters, how: Omit<RenderTarget, 'version'>): Promise<void> {
      const bundle = render(proxy, parameters, version, how)
      const config = proxy.parse(bundle)
      expect(config.problems).toEqual([])
      const listeners = proxy.listeners(config)
      const nodes = [...new Set(proxy.nodes(config).map(({address}) => address))]
      const placed: SandboxPlan = {
        ...plan,
        ports: listeners.map((_, index) => 20_701 + index),
        nodes: nodes.map((_, index) => `127.0.0.1:${20_800 + index}`),
      }
      const runnable = sandbox(proxy, config, placed)
      for (const {path, text} of runnable.files) {
        mkdirSync(dirname(join(folder, path)), {recursive: true})
        writeFileSync(join(folder, path), text)
      }
      const {status, output} = await ask(proxy.configTest(binary, runnable.entry, folder, version).argv)
      const messages = proxy.parseConfigTest(output)
      if (status !== 0 || messages.length > 0)
        expect({status, messages, output}, bundle.files.map(({text}) => text).join('\n')).toEqual({status: 0, messages: [], output})
    },
    [Symbol.asyncDispose]() {
      rmSync(folder, {recursive: true, force: true})
      return Promise.resolve()
    },
  }
}

/** Takes out what the proxy declares that it cannot do, until it declares nothing. */
export async function honoured(
  proxy: Proxy,
  input: ParametersInput,
  target: RenderTarget,
): Promise<{parameters: Parameters; removed: readonly string[]}> {
  const left = structuredClone(input)
  const removed: string[] = []
  for (;;) {
    const parameters = await load(left)
    const refused = proxy.unsupported(parameters, target)
    if (refused.length === 0) return {parameters, removed}
    for (const {path, because} of refused) {
      if (removed.length > 200 || !remove(left, path.split('.'))) throw new Error(`${path}: ${because}, and taking it out changes nothing`)
      // what belongs to it alone would contradict the default
      if (path === 'health.mode') for (const own of ['path', 'expect', 'auth']) remove(left, ['health', own])
      removed.push(path)
    }
  }
}

/** Removes the deepest key of a path that is there; a list of one may be written without its brackets. */
function remove(from: object, path: readonly string[]): boolean {
  const [key = '', ...rest] = path
  if (/^\d+$/.test(key) && !Array.isArray(from)) return remove(from, rest)
  if (!Object.hasOwn(from, key)) return false
  const record = from as Record<string, unknown>
  const inner = record[key]
  if (rest.length > 0 && typeof inner === 'object' && inner !== null && remove(inner, rest)) return true
  if (Array.isArray(from)) return false
  return Reflect.deleteProperty(record, key)
}

async function certificates(folder: string): Promise<NonNullable<SandboxPlan['certificates']>> {
  const authority = await throwAwayAuthority()
  const {certificate, key} = await authority.issue(['localhost', '127.0.0.1'])
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return {
    authority: write('authority.pem', authority.certificate),
    certificate: write('leaf.pem', certificate),
    key: write('leaf.key', key),
    bundle: write('bundle.pem', `${certificate}\n${key}\n`),
  }
}

async function ask([command = '', ...args]: readonly string[]): Promise<{status: number; output: string}> {
  try {
    const {stdout, stderr} = await run(command, args, {env: {PATH: process.env['PATH'], LC_ALL: 'C'}})
    return {status: 0, output: stdout + stderr}
  } catch (error) {
    const {code, stdout = '', stderr = ''} = error as {code?: number | string; stdout?: string; stderr?: string}
    return {status: typeof code === 'number' ? code : -1, output: stdout + stderr}
  }
}

function list(folder: string): Promise<readonly string[]> {
  try {
    return Promise.resolve(readdirSync(folder))
  } catch {
    return Promise.resolve([])
  }
}
