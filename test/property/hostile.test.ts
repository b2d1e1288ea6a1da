import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, test} from 'vitest'
import {render} from '../src/bundle/render.ts'
import {UsageError} from '../src/errors.ts'
import type {ParametersInput} from '../src/parameters/schema.ts'
import {loadParameters} from '../src/parameters/load.ts'
import {PROXIES} from '../src/proxies/index.ts'
import type {Directive, Proxy} from '../src/proxies/proxy.ts'
import {sandbox} from '../src/runtime/sandbox.ts'

// Parameters are untrusted. Whatever passes the schema gives a configuration that the proxy itself takes without a word; whatever could end
// a directive does not pass. GMS_PROXY_PROPERTY_RUNS looks longer than an ordinary run of the suite may.

const RUNS = Number(process.env['GMS_PROXY_PROPERTY_RUNS'] ?? 25)
/** For each proxy, ms: a busy machine does fewer runs instead of taking longer. */
const BUDGET_MS = process.env['GMS_PROXY_PROPERTY_RUNS'] === undefined ? 4500 : 600_000

const box = mkdtempSync(join(tmpdir(), 'gms-proxy-property-'))
afterAll(() => rmSync(box, {recursive: true, force: true}))

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const characters = (allowed: string, size: {minLength: number; maxLength: number}) =>
  fc.array(fc.constantFrom(...allowed), size).map(all => all.join(''))
const label = fc
  .tuple(
    fc.constantFrom(...`${LETTERS}0123456789`),
    characters(`${LETTERS}0123456789_-`, {minLength: 0, maxLength: 20}),
    fc.constantFrom(...LETTERS),
  )
  .map(parts => parts.join(''))
/** Words that mean something to one of the proxies, in a place where they must not. */
const words = fc.constantFrom(
  'unix.local',
  'default',
  'server',
  'if',
  'on',
  'off',
  'any',
  'none',
  'all',
  'http',
  'localhost',
  'stdout',
  'fd',
  'abns',
)
const host = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(label, {minLength: 1, maxLength: 4})
      .map(labels => labels.join('.'))
      .filter(name => !/(?:^|\.)0x|^unix$/i.test(name)),
  },
  {weight: 2, arbitrary: words},
  {weight: 1, arbitrary: fc.ipV4().filter(address => address !== '0.0.0.0')},
)
const port = fc.oneof(fc.integer({min: 1, max: 65_535}), fc.constantFrom(80, 443, 8080))
const ipv6 = fc
  .ipV6()
  .filter(address => /[1-9a-f]/i.test(address))
  .map(address => `[${address}]`)
const node = fc
  .tuple(fc.oneof({weight: 8, arbitrary: host}, {weight: 1, arbitrary: ipv6}), port)
  .map(([name, number]) => `${name}:${number}`)
const path = characters(`${LETTERS}0123456789._~/-`, {minLength: 1, maxLength: 40}).map(text => `/${text}`)
const duration = (min: number, max: number) => fc.integer({min, max}).map(ms => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`))

const parameters: fc.Arbitrary<ParametersInput> = fc.record(
  {
    listener: fc.record(
      {
        address: fc.oneof(fc.constant('*'), host, ipv6),
        port,
        serverNames: fc.array(host, {maxLength: 50}),
      },
      {requiredKeys: []},
    ),
    upstream: fc.record({nodes: fc.uniqueArray(node, {minLength: 1, maxLength: 12, selector: text => text.toLowerCase()})}),
    affinity: fc.record(
      {
        mode: fc.constantFrom('cookie' as const, 'none' as const),
        cookie: fc
          .tuple(fc.constantFrom(...LETTERS), characters(`${LETTERS}0123456789_-`, {minLength: 0, maxLength: 63}))
          .map(parts => parts.join('')),
      },
      {requiredKeys: []},
    ),
    upgrade: fc.record({idleTimeout: duration(1000, 604_800_000)}),
    polling: fc.record({hold: duration(1000, 600_000)}),
    upload: fc.record({maxFileSize: fc.oneof(fc.integer({min: 1024, max: 10_737_418_240}), fc.constantFrom('10MiB', '1GiB', '500KB'))}),
    health: fc.record(
      {
        mode: fc.constantFrom('tcp' as const, 'none' as const),
        interval: duration(500, 3_600_000),
        rise: fc.integer({min: 1, max: 100}),
        fall: fc.integer({min: 1, max: 100}),
      },
      {requiredKeys: []},
    ),
    access: fc.record({paths: fc.uniqueArray(path, {minLength: 1, maxLength: 20})}),
    limits: fc.record({chats: fc.oneof(fc.integer({min: 1, max: 5000}), fc.integer({min: 1, max: 1_000_000}))}),
  },
  {requiredKeys: ['upstream']},
)

/** Reads parameters as a file would be read. */
const load = async (input: unknown) =>
  (await loadParameters({file: '-', stdin: () => Promise.resolve(JSON.stringify(input)), overrides: []})).parameters

function installed(proxy: Proxy): string | undefined {
  return ['', ...proxy.binaryFolders.map(folder => `${folder}/`)]
    .flatMap(folder => proxy.binaries.map(name => folder + name))
    .find(binary => spawnSync(binary, ['-v']).status === 0)
}

function ask(argv: readonly string[]) {
  const {stdout, stderr, status} = spawnSync(argv[0] ?? '', argv.slice(1), {
    encoding: 'utf8',
    env: {PATH: process.env['PATH'], LC_ALL: 'C'},
  })
  return {status, output: stdout + stderr}
}

const list = (folder: string) => {
  try {
    return Promise.resolve(readdirSync(folder))
  } catch {
    return Promise.resolve([])
  }
}

describe.each(Object.values(PROXIES))('$title', proxy => {
  const binary = installed(proxy)

  test.skipIf(binary === undefined)(
    'takes whatever is rendered from valid parameters, without a warning',
    async () => {
      const command = binary ?? ''
      const version = proxy.parseVersion(ask(proxy.versionCommand(command)).output) ?? ''
      const installation = await proxy.installation(command, version, args => Promise.resolve(ask([command, ...args]).output), list)
      const folder = join(box, proxy.name)
      await fc.assert(
        fc.asyncProperty(parameters, async input => {
          const bundle = render(proxy, await load(input), version)
          const config = proxy.parse(bundle)
          expect(config.problems).toEqual([])
          const plan = {
            folder,
            runtime: 'binary',
            version,
            listenAddress: '127.0.0.1',
            installation,
            openFiles: 8192,
            allowExec: false,
          } as const
          const runnable = sandbox(proxy, config, {...plan, ports: [20_771], nodes: nodesOf(proxy, config)})
          for (const {path: name, text} of runnable.files) {
            mkdirSync(dirname(join(folder, name)), {recursive: true})
            writeFileSync(join(folder, name), text)
          }
          const {status, output} = ask(proxy.configTest(command, runnable.entry, folder).argv)
          expect({status, messages: proxy.parseConfigTest(output)}, bundle.files[0]?.text).toEqual({status: 0, messages: []})
        }),
        {numRuns: RUNS, interruptAfterTimeLimit: BUDGET_MS, markInterruptAsFailure: false},
      )
    },
    BUDGET_MS + 15_000,
  )
})

function nodesOf(proxy: Proxy, config: Parameters<Proxy['nodes']>[0]): readonly string[] {
  return [...new Set(proxy.nodes(config).map(({address}) => address))].map((_, index) => `127.0.0.1:${20_800 + index}`)
}

/** Anything that ends, continues or opens something in one of the three dialects, YAML or a terminal. */
const BREAKS = [
  ';',
  '{',
  '}',
  '"',
  "'",
  '#',
  '\n',
  '\r',
  '\r\n',
  '\\',
  '$',
  '${x}',
  '%',
  '%[env(x)]',
  '<',
  '>',
  ' ',
  '\t',
  '\0',
  '\u001b[2J',
  '\u0085',
  '\u00a0',
  '\u2028',
  '`',
  '|',
  '&',
  '(',
  ')',
  '*',
  '^',
  '=',
  ',',
  '@',
  '!',
  'é',
  '\ud800',
]
/** Every text of the parameters, with a value that is valid there. */
const TEXTS: readonly {path: string; valid: string; build(text: string): object}[] = [
  {path: 'upstream.nodes.0', valid: 'gms1:8080', build: text => ({upstream: {nodes: [text]}})},
  {path: 'upstream.nodes.0.host', valid: 'gms1', build: text => ({upstream: {nodes: [{host: text, port: 1}]}})},
  {path: 'listener.address', valid: 'a.b', build: address => ({listener: {address}})},
  {path: 'listener.serverNames.0', valid: 'a.b', build: text => ({listener: {serverNames: [text]}})},
  {path: 'affinity.cookie', valid: 'A', build: cookie => ({affinity: {cookie}})},
  {path: 'affinity.mode', valid: 'none', build: mode => ({affinity: {mode}})},
  {path: 'upgrade.idleTimeout', valid: '30s', build: idleTimeout => ({upgrade: {idleTimeout}})},
  {path: 'polling.hold', valid: '30s', build: hold => ({polling: {hold}})},
  {path: 'upload.maxFileSize', valid: '10MiB', build: maxFileSize => ({upload: {maxFileSize}})},
  {path: 'health.interval', valid: '3s', build: interval => ({health: {interval}})},
  {path: 'health.path', valid: '/a', build: text => ({health: {path: text}})},
  {path: 'access.paths.0', valid: '/a', build: text => ({access: {paths: [text]}})},
  {path: 'access.allow.0', valid: '10.0.0.0/8', build: text => ({access: {allow: [text]}})},
  {path: 'access.origins.0', valid: 'https://a', build: text => ({access: {origins: [text]}})},
  {path: 'forwarding.trustedProxies.0', valid: '10.0.0.0/8', build: text => ({forwarding: {trustedProxies: [text]}})},
  {path: 'upstream.resolvers.0', valid: '1.1.1.1:53', build: text => ({upstream: {nodes: ['a:1'], resolvers: [text]}})},
  {path: 'version', valid: '1.22', build: version => ({version})},
  {path: 'tls.certificate', valid: '/a', build: certificate => ({tls: {certificate}})},
]

test.each(TEXTS)('nothing that could end a directive passes in $path', async ({valid, build}) => {
  const whole = (text: string) => ({upstream: {nodes: ['a:1']}, ...build(text)})
  await expect(load(whole(valid))).resolves.toBeDefined()
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...BREAKS), fc.nat({max: valid.length}), fc.string({maxLength: 5}), async (mark, at, tail) => {
      const text = valid.slice(0, at) + mark + tail + valid.slice(at)
      const result = await load(whole(text)).catch((error: unknown) => error)
      if (result instanceof UsageError) expect(result.exitCode).toBe(2)
      else {
        // a blank between number and unit, or the address that means every address: what was taken is printed in every dialect as one word
        for (const proxy of Object.values(PROXIES)) {
          const shape = (input: unknown) => load(input).then(read => skeleton(proxy, read))
          expect(await shape(whole(text)), text).toEqual(await shape(whole(valid)))
        }
      }
    }),
    {numRuns: 60},
  )
})

test.each(['unix:80', '0.0.0.0:80', '[::]:80', '[0:0:0:0:0:0:0:0]:80', '0:80', '1.2.3:80', '0x7f000001:80', '999.1.1.1:80', '[12:]:80'])(
  'a node that a proxy would take for something else: %s',
  async text => {
    await expect(load({upstream: {nodes: [text]}})).rejects.toThrow(UsageError)
    const [, host = '', number = ''] = /^(.*):(\d+)$/.exec(text) ?? []
    await expect(load({upstream: {nodes: [{host, port: Number(number)}]}})).rejects.toThrow(UsageError)
  },
)

/** Names of all directives in order: hostile text may change words, never add or end a directive. */
function skeleton(proxy: Proxy, read: Awaited<ReturnType<typeof load>>): unknown {
  const names = (directives: readonly Directive[]): unknown =>
    directives.map(({name, args, block}) => [name, args.length, block && names(block)])
  return names(proxy.parse(render(proxy, read, proxy.versions.newest)).files.flatMap(({directives}) => directives))
}
