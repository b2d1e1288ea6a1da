import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {loadParameters} from '../parameters/load.ts'
import {PROXIES} from '../proxies/index.ts'
import {UsageError} from '../errors.ts'
import {composeFile} from './compose.ts'

interface Service {
  image: string
  ports: readonly string[]
  volumes: readonly {type: string; source: string; target: string; read_only: boolean; bind: {create_host_path: boolean}}[]
  ulimits: {nofile: {soft: number; hard: number}}
  stop_grace_period: string
  stop_signal: string
  sysctls?: Record<string, number>
  environment?: Record<string, string>
  healthcheck: {test: readonly string[]}
}

const parametersOf = async (text: string) =>
  (await loadParameters({file: '-', overrides: [], stdin: () => Promise.resolve(text)})).parameters
const NODES = 'upstream: {nodes: [gms1:8080]}\n'

async function compose(text: string, proxy = PROXIES.nginx, asked?: string): Promise<{text: string; service: Service}> {
  const file = composeFile(proxy, await parametersOf(text), {
    file: proxy.configFile,
    header: ['a line'],
    ...(asked === undefined ? {} : {asked}),
  })
  expect(file.path).toBe('compose.yaml')
  const read = (version: '1.1' | '1.2') =>
    parse(file.text, {version, strict: true, uniqueKeys: true}) as {services: Record<string, Service>}
  // Compose reads YAML 1.1 in some versions, 1.2 in others.
  expect(read('1.1')).toEqual(read('1.2'))
  const {services, ...others} = read('1.2')
  const {[proxy.name]: service, ...more} = services
  expect([others, more]).toEqual([{}, {}])
  if (!service) throw new Error('there is no service')
  return {text: file.text, service}
}

describe('a compose.yaml', () => {
  it('mounts the configuration and every certificate read-only, and publishes every port', async () => {
    const {service, text} = await compose(
      `listener: [{port: 80}, {port: 8080, address: '[::]'}, {port: 8080}]\ntls: {certificate: /etc/a.pem, key: /etc/a.key, clientCertificates: {authority: /etc/ca.pem}}\nupstream: {nodes: [gms1:8443], tls: {authority: /etc/ca.pem}}\n`,
    )
    expect(text).toMatch(/^# a line\n/)
    expect(service.ports).toEqual(['80:80', '443:443', '8080:8080'])
    expect(service.volumes.map(({source, target}) => `${source} ${target}`)).toEqual([
      './nginx.conf /etc/nginx/nginx.conf',
      '/etc/a.pem /etc/a.pem',
      '/etc/a.key /etc/a.key',
      '/etc/ca.pem /etc/ca.pem',
    ])
    expect(service.volumes.every(volume => volume.read_only && !volume.bind.create_host_path)).toBe(true)
    expect(service.image).toBe(PROXIES.nginx.image.reference)
  })

  it('gives what the parameters count on: descriptors, time to end, credentials', async () => {
    const {service} = await compose(
      `upstream: {nodes: [gms1:8080], drainTimeout: 1h}\nlimits: {openFiles: 20000}\nhealth: {mode: http, auth: GMS_AUTH}\n`,
      PROXIES.haproxy,
    )
    expect(service.ulimits.nofile).toEqual({soft: 20_000, hard: 20_000})
    expect(service.stop_grace_period).toBe('3605s')
    expect(service.stop_signal).toBe('SIGUSR1')
    expect(service.environment?.['GMS_AUTH']).toMatch(/^\$\{GMS_AUTH:\?/)
    expect(service.sysctls).toEqual({'net.ipv4.ip_unprivileged_port_start': 0})
    expect((await compose(NODES)).service).toMatchObject({stop_grace_period: '45s', stop_signal: 'SIGQUIT'})
    expect((await compose(NODES)).service).not.toHaveProperty('sysctls')
  })

  it.each([
    [undefined, PROXIES.nginx.image.reference],
    ['1.22', 'nginx:1.22'],
    ['1.22.1', 'nginx:1.22.1'],
    [PROXIES.nginx.versions.newest, PROXIES.nginx.image.reference],
  ])('runs the image of version %s', async (asked, image) => expect((await compose(NODES, PROXIES.nginx, asked)).service.image).toBe(image))

  it.each([
    ['listener: {address: 192.0.2.1}', /listener\.0\.address: a container has no address 192\.0\.2\.1/],
    ['listener: {address: "[::]"}', /listener\.0\.address: Docker hands connections on over IPv4/],
    ['listener: []\ntls: [{address: "127.0.0.1", certificate: /a.pem}]', /tls\.0\.address/],
    ['tls: {port: 443}', /tls\.0\.certificate: name the file/],
  ])('refuses %s', async (text, expected) => {
    const made = compose(`${text}\n${NODES}`)
    await expect(made).rejects.toThrow(UsageError)
    await expect(made).rejects.toThrow(expected)
  })

  it('is made for every fixture and proxy', async () => {
    const folder = 'fixtures/parameters'
    for (const name of readdirSync(folder))
      for (const proxy of Object.values(PROXIES)) {
        const {parameters} = await loadParameters({file: join(folder, name), overrides: [], stdin: () => Promise.resolve('')})
        if (parameters.tls?.some(({certificate}) => certificate === undefined)) continue
        if ([...parameters.listener, ...(parameters.tls ?? [])].some(({address}) => address !== '*' && address !== '[::]')) continue
        const {text} = composeFile(proxy, parameters, {file: proxy.configFile, header: []})
        expect((parse(text) as {services: object}).services, name).toHaveProperty(proxy.name)
      }
  })
})

describe('its health check', () => {
  /** As Compose would run it: `$$` is a dollar sign. */
  const run = async (port: number, more = '') => {
    const {service} = await compose(
      `listener: {port: ${port}, serverNames: [chat.example.com]${more}}\nforwarding: {trustedProxies: [10.0.0.0/8]}\n${NODES}`,
    )
    const [kind, command = '', ...args] = service.healthcheck.test
    expect(kind).toBe('CMD')
    return (
      await execa(
        command,
        args.map(each => each.replaceAll('$$', '$')),
        {reject: false, timeout: 20_000},
      )
    ).exitCode
  }

  it('passes while the proxy answers, whatever it answers, and fails when it does not', async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`)
      response.statusCode = 403
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const {port} = server.address() as AddressInfo
    expect(await run(port)).toBe(0)
    expect(seen).toEqual(['HEAD / chat.example.com'])
    expect(await run(port, ', proxyProtocol: true')).toBe(0)
    expect(seen).toHaveLength(1)
    await new Promise(resolve => server.close(resolve))
    expect(await run(port)).not.toBe(0)
    expect(await run(port, ', proxyProtocol: true')).not.toBe(0)
  })
})
