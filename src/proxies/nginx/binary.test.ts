import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import fc from 'fast-check'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {PLAIN, render} from '../../bundle/render.ts'
import type {ConfigBundle} from '../../model/bundle.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ParametersInput} from '../../parameters/schema.ts'
import {parametersSchema} from '../../parameters/schema.ts'
import {nginx} from './index.ts'
import {throwAwayAuthority} from '../../runtime/certificates.ts'
import {parse} from './parse.ts'

const folders = ['', ...nginx.binaryFolders.map(path => `${path}/`)]
const binary = folders.map(path => `${path}nginx`).find(path => spawnSync(path, ['-v']).status === 0)
const run = (argv: readonly string[]) => {
  const {stdout, stderr, status} = spawnSync(argv[0] ?? '', argv.slice(1), {encoding: 'utf8'})
  return {status, output: stdout + stderr}
}
const box = mkdtempSync(join(tmpdir(), 'gms-proxy-nginx-'))
afterAll(() => rmSync(box, {recursive: true, force: true}))
beforeAll(async () => {
  const {certificate, key} = await (await throwAwayAuthority()).issue(['localhost'])
  writeFileSync(certificates.certificate, certificate)
  writeFileSync(certificates.key, key)
  writeFileSync(certificates.bundle, certificate + key)
})

const list = async (folder: string) => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const certificates = {
  authority: join(box, 'certificate.pem'),
  certificate: join(box, 'certificate.pem'),
  key: join(box, 'key.pem'),
  bundle: join(box, 'bundle.pem'),
}

/** The verdict of nginx's own test on a sandboxed bundle. */
async function judged(path: string, bundle: ConfigBundle) {
  const version = nginx.parseVersion(run(nginx.versionCommand(path)).output) ?? ''
  const installation = await nginx.installation(path, version, async args => run([path, ...args]).output, list)
  const config = nginx.parse(bundle)
  const plan = {
    folder: box,
    runtime: 'binary',
    version,
    listenAddress: '127.0.0.1',
    ports: [20781, 20782, 20785, 20786, 20787],
    nodes: ['127.0.0.1:20783', '127.0.0.1:20784'],
    certificates,
    installation,
    allowExec: false,
    openFiles: 4096,
  } as const
  const result = nginx.sandbox(config, plan)
  for (const file of [...applyEdits(bundle, result.edits).files, ...result.added]) {
    mkdirSync(dirname(join(box, file.path)), {recursive: true})
    writeFileSync(join(box, file.path), file.text)
  }
  const {status, output} = run(nginx.configTest(path, join(box, result.entry), box).argv)
  return {status, messages: nginx.parseConfigTest(output), problems: config.problems, refused: result.refused}
}
const accepted = {status: 0, messages: [], problems: [], refused: []}

describe.skipIf(binary === undefined)('nginx itself', () => {
  const path = binary ?? 'nginx'
  const nodes = ['gms1.network.local:8080', 'gms2.network.local:8080']
  const cases: readonly [string, ParametersInput][] = [
    ['the smallest', {upstream: {nodes: ['gms:8080']}}],
    ['two nodes', {upstream: {nodes}}],
    ['no affinity', {upstream: {nodes}, affinity: {mode: 'none'}}],
    ['no health', {upstream: {nodes: ['[::1]:8080', 'a:1']}, health: {mode: 'none'}}],
    ['a hundred nodes', {upstream: {nodes: Array.from({length: 100}, (_, index) => `gms${index}:8080`)}}],
    ['a cookie with a hyphen', {upstream: {nodes}, affinity: {cookie: 'gms-node'}}],
    [
      'long names',
      {
        upstream: {nodes},
        listener: {
          serverNames: Array.from(
            {length: 50},
            (_, index) => `${'a'.repeat(50)}.${'b'.repeat(50)}.${'c'.repeat(50)}.${'d'.repeat(50)}.${index}.example.com`,
          ),
        },
      },
    ],
    ['one chat', {upstream: {nodes}, limits: {chats: 1}}],
    ['9500 chats', {upstream: {nodes}, limits: {chats: 9500}}],
    [
      'odd sizes and times',
      {
        upstream: {nodes},
        upload: {maxFileSize: 1_234_567},
        polling: {hold: '1500ms'},
        upgrade: {idleTimeout: '7d'},
        health: {interval: '500ms', fall: 1},
      },
    ],
    ['many paths', {upstream: {nodes}, access: {paths: ['/genesys/', '/a.b/c~d', '/genesys/cometd', '/x//y']}}],
    [
      'TLS of every profile, by name and for clients with certificates',
      {
        upstream: {nodes},
        listener: [{serverNames: ['a.example']}, {address: '[::]', serverNames: ['a.example']}],
        tls: [
          {serverNames: ['a.example'], profile: 'modern', certificate: '/etc/ssl/a.pem', redirect: true, hsts: '1y', ocspStapling: true},
          {serverNames: ['b.example'], profile: 'intermediate', certificate: '/etc/ssl/b.pem', key: '/etc/ssl/b.key', http2: false},
          {port: 8443, profile: 'old', clientCertificates: {authority: '/etc/ssl/ca.pem', required: false}},
        ],
        affinity: {sameSite: 'none', partitioned: true},
      },
    ],
    [
      'TLS to the nodes',
      {
        upstream: {
          nodes,
          tls: {serverName: 'gms.example', authority: '/etc/ssl/ca.pem', certificate: '/etc/ssl/c.pem', key: '/etc/ssl/c.key'},
        },
      },
    ],
    [
      'trusted hops, with and without PROXY protocol',
      {
        upstream: {nodes},
        listener: [{port: 80}, {port: 8080, proxyProtocol: true}],
        forwarding: {trustedProxies: ['10.1.2.3/8', '10.0.0.0/8', 'fd00::1/8', '::1'], rfc7239: true},
      },
    ],
    [
      'everything that keeps people out',
      {
        upstream: {nodes},
        access: {
          paths: ['/genesys'],
          allow: ['192.0.2.1/24', '192.0.2.0/24', '2001:db8::/32'],
          adminAllow: ['10.0.0.1'],
          origins: ['https://www.example.com:8443', `https://${'a'.repeat(60)}.${'b'.repeat(60)}.example`],
          cors: 'proxy',
        },
        limits: {connectionsPerClient: 100, requestsPerSecond: 50},
      },
    ],
    [
      'routes of the application',
      {
        affinity: {mode: 'application-cookie', cookie: 'a-b_c'},
        upstream: {
          nodes: [
            {host: 'a', port: 1, route: 'one', weight: 5, maxConnections: 10},
            {host: 'b', port: 1, route: 'two', drain: true},
            {host: 'c', port: 1, route: 'three', backup: true},
          ],
          keepAlive: '0s',
          drainTimeout: '1h',
        },
      },
    ],
    ['addresses of clients', {upstream: {nodes}, affinity: {mode: 'source-address'}, logging: {format: 'json', metricsPort: 9113}}],
    [
      'snippets',
      {
        upstream: {nodes},
        snippets: {
          nginx: {
            main: 'worker_cpu_affinity auto;',
            http: 'map $host $own { default 1; }',
            upstream: 'keepalive_requests 500;',
            server: 'add_header X-Served-By "a b" always; # why',
            location: 'proxy_set_header X-Brand "{ x }";',
          },
        },
      },
    ],
  ]
  describe.each([
    ['whole', PLAIN],
    ['for Debian', {...PLAIN, layout: 'debian', header: ['line {', 'line }']}],
    ['a fragment', {...PLAIN, fragment: true}],
  ] as const)('%s', (_, how) => {
    test.each(cases)('takes what is rendered without a warning: %s', async (__, input) => {
      const parameters = parametersSchema.parse(input)
      if (how.fragment) delete parameters.snippets?.nginx?.main
      const target = {...how, version: '1.22.1'}
      expect(nginx.unsupported(parameters, target)).toEqual([])
      expect(await judged(path, render(nginx, parameters, target.version, how))).toEqual(accepted)
    })
  })

  test.each(['genesys-sample', 'genesys-sample-two-nodes'])('takes %s', async name => {
    const root = join(import.meta.dirname, '../../../fixtures/foreign/nginx', name)
    const bundle: ConfigBundle = {
      proxy: 'nginx',
      entry: 'nginx.conf',
      origin: 'read',
      root,
      files: [{path: 'nginx.conf', text: readFileSync(join(root, 'nginx.conf'), 'utf8')}],
    }
    expect(await judged(path, bundle)).toEqual(accepted)
  })

  test('agrees with the reader about what is well formed', () => {
    const pieces = [
      'a',
      'b"',
      '"x y"',
      "'q'",
      ';',
      ';',
      '\\;',
      '\\"',
      '#c\n',
      '\n',
      ' ',
      ' ',
      '${v}',
      '$',
      '"a;b"',
      "'a}'",
      'x}',
      ')',
      '"q")',
      '\\',
      '"',
      "'",
      '"\\""',
      '{',
      '}',
      'é',
      '\\ ',
      '\\#',
    ]
    const file = join(box, 'soup.conf')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), {minLength: 1, maxLength: 7}), soup => {
        const text = `events {}\nhttp { types { x ${soup.join('')} ;\n } }\n`
        writeFileSync(file, text)
        const {directives = []} = parse({proxy: 'nginx', entry: 'a', origin: 'read', files: [{path: 'a', text}]}).files[0] ?? {}
        const {problems} = parse({proxy: 'nginx', entry: 'a', origin: 'read', files: [{path: 'a', text}]})
        const types = directives[1]?.block?.[0]
        const wellFormed =
          problems.length === 0 &&
          directives.length === 2 &&
          directives[1]?.block?.length === 1 &&
          types?.block?.every(({block}) => !block) === true
        expect(wellFormed).toBe(
          run([path, '-t', '-q', '-p', `${box}/`, '-c', file, '-e', `${box}/soup.log`, '-g', `pid ${box}/soup.pid;`]).status === 0,
        )
      }),
      {numRuns: 60},
    )
  })
})
