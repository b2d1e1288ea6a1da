import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, test} from 'vitest'
import {render} from '../../bundle/render.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ParametersInput} from '../../parameters/schema.ts'
import {parametersSchema} from '../../parameters/schema.ts'
import {apache} from './index.ts'

const nodes = ['gms1.network.local:8080', 'gms2.network.local:8080']
const text = (input: Partial<ParametersInput>, version = '2.4.66') =>
  render(apache, parametersSchema.parse({upstream: {nodes}, ...input}), version).files[0]?.text ?? ''
const number = (configuration: string, directive: string) => Number(new RegExp(`^${directive}\\s+(\\d+)$`, 'm').exec(configuration)?.[1])

describe('decisions', () => {
  test.each([1, 49, 200, 1000, 9500, 100_000])('threads for %i chats', chats => {
    const configuration = text({limits: {chats}})
    expect(number(configuration, 'MaxRequestWorkers')).toBeGreaterThanOrEqual(chats + 50)
    expect(number(configuration, 'MaxRequestWorkers')).toBe(
      number(configuration, 'StartServers') * number(configuration, 'ThreadsPerChild'),
    )
    expect(number(configuration, 'ThreadsPerChild')).toBeLessThanOrEqual(250)
    expect(number(configuration, 'ServerLimit')).toBe(2 * number(configuration, 'StartServers'))
  })

  test('upgrade= from 2.4.47, mod_proxy_wstunnel before', () => {
    expect(text({}, '2.4.47')).toContain('"http://gms1.network.local:8080" route=node1 upgrade=websocket')
    expect(text({}, '2.4.47')).not.toContain('wstunnel')
    expect(text({}, '2.4.46')).toContain('"ws://gms1.network.local:8080" route=node1 timeout=3600')
    expect(text({}, '2.4.46')).toContain('mod_proxy_wstunnel.so')
  })

  test('a poll is waited for longer than GMS holds it, an upload at least a minute', () => {
    expect(text({polling: {hold: '20s'}})).toContain('ProxyTimeout      60')
    expect(text({polling: {hold: '2m'}})).toContain('ProxyTimeout      135')
  })

  test('affinity none prints neither cookie nor routes', () => {
    expect(text({affinity: {mode: 'none'}})).not.toMatch(/route=|stickysession|Set-Cookie/)
  })

  test('health none and passive need no checks', () => {
    expect(text({health: {mode: 'none'}})).not.toMatch(/hcheck|hctemplate/)
    expect(text({health: {mode: 'passive', interval: '7s'}})).toContain('retry=7')
  })

  test('what httpd cannot honour is said', () => {
    const refused = (input: Partial<ParametersInput>) =>
      apache.unsupported(parametersSchema.parse({upstream: {nodes}, ...input}), '2.4.66').map(({path}) => path)
    expect(refused({})).toEqual([])
    expect(refused({limits: {chats: 100_001}})).toEqual(['limits.chats'])
  })
})

const binary = ['apache2', 'httpd']
  .flatMap(name => ['', ...apache.binaryFolders.map(folder => `${folder}/`)].map(folder => folder + name))
  .find(path => spawnSync(path, ['-v']).status === 0)

describe.skipIf(binary === undefined)('httpd itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-apache-'))
  afterAll(() => rmSync(folder, {recursive: true, force: true}))
  const ask = (args: readonly string[]) => {
    const {stdout, stderr} = spawnSync(binary ?? '', args, {encoding: 'utf8'})
    return Promise.resolve(stdout + stderr)
  }
  const list = (path: string) => {
    try {
      return Promise.resolve(readdirSync(path))
    } catch {
      return Promise.resolve([])
    }
  }

  test('accepts every rendering without a word', async () => {
    const version = apache.parseVersion(await ask(['-v'])) ?? ''
    const installation = await apache.installation(binary ?? '', version, ask, list)
    const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9_-]{0,20}[a-z0-9])?$/)
    const host = fc.array(label, {minLength: 1, maxLength: 4}).map(labels => labels.join('.'))
    const node = fc
      .tuple(
        fc.oneof(
          host,
          fc.ipV6().map(address => `[${address}]`),
        ),
        fc.integer({min: 1, max: 65_535}),
      )
      .map(([name, port]) => `${name}:${port}`)
      .filter(address => parametersSchema.safeParse({upstream: {nodes: [address]}}).success)
    const input = fc.record(
      {
        listener: fc.record({
          address: fc.constantFrom('*', '127.0.0.1', '[::1]'),
          port: fc.integer({min: 1, max: 65_535}),
          serverNames: fc.array(host, {maxLength: 4}),
        }),
        affinity: fc.record({
          mode: fc.constantFrom('cookie' as const, 'none' as const),
          cookie: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/),
        }),
        upgrade: fc.record({idleTimeout: fc.constantFrom('1s', '90s', '7d')}),
        polling: fc.record({hold: fc.constantFrom('1s', '30s', '600s', '1500ms')}),
        upload: fc.record({maxFileSize: fc.integer({min: 1024, max: 10_737_418_240})}),
        health: fc.record({
          mode: fc.constantFrom('tcp' as const, 'passive' as const, 'none' as const),
          interval: fc.constantFrom('500ms', '3s', '1h'),
        }),
        access: fc.record({paths: fc.array(fc.stringMatching(/^\/[A-Za-z0-9._~/-]{1,40}$/), {minLength: 1, maxLength: 4})}),
        limits: fc.record({chats: fc.integer({min: 1, max: 20_000})}),
      },
      {requiredKeys: []},
    )
    fc.assert(
      fc.property(
        fc.array(node, {minLength: 1, maxLength: 5}),
        input,
        fc.constantFrom('2.4.37', version),
        (addresses, parameters, rendered) => {
          const bundle = render(apache, parametersSchema.parse({...parameters, upstream: {nodes: addresses}}), rendered)
          expect(bundle.files[0]?.text).not.toMatch(/[ \t]$/m)
          const config = apache.parse(bundle)
          expect(config.problems).toEqual([])
          // nodes stay as they are written: names need not resolve for a test
          const result = apache.sandbox(config, {
            folder,
            runtime: 'binary',
            version,
            listenAddress: '127.0.0.1',
            ports: [20_999],
            nodes: [],
            installation,
            allowExec: false,
          })
          expect(result.refused).toEqual([])
          for (const file of [...applyEdits(bundle, result.edits).files, ...result.added]) {
            mkdirSync(dirname(join(folder, file.path)), {recursive: true})
            writeFileSync(join(folder, file.path), file.text)
          }
          const [command = '', ...args] = apache.configTest(binary ?? '', join(folder, result.entry), folder).argv
          const {stderr, status} = spawnSync(command, args, {encoding: 'utf8'})
          expect({status, stderr}).toEqual({status: 0, stderr: 'Syntax OK\n'})
        },
      ),
      {numRuns: 40},
    )
  }, 60_000)
})
