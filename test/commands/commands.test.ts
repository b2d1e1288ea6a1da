import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {runCli} from '../support/cli.ts'

const TWO_NODES = ['--params', 'fixtures/parameters/two-nodes.yaml']
const VERBS = ['diagnose', 'doctor', 'explain', 'fix', 'import', 'init', 'lint', 'render', 'schema', 'simulate', 'verify']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-commands-test-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

describe('help', () => {
  it('names the verbs, and nothing that is not built', async () => {
    const {stdout, stderr, exitCode} = await runCli(['--help'])
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''})
    expect([...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, verb]) => verb)).toEqual(VERBS)
  })

  it.each(VERBS)('%s --help has examples', async verb => {
    const {stdout, exitCode} = await runCli([verb, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('EXAMPLES')
  })

  it.each(VERBS)('%s --help stands in columns', async verb => {
    const {stdout} = await runCli([verb, '--help'])
    const sections = stdout.split(/\n(?=[A-Z]+(?: FLAGS)?\n)/).filter(section => /^(?:[A-Z]+ )?FLAGS\n/.test(section))
    for (const section of sections) {
      const columns = [...section.matchAll(/^ *(?:-\w, )?(?=--)/gm)].map(([before]) => before.length)
      expect([...new Set(columns)], section).toHaveLength(1)
      // Explanations too begin in one column.
      const explained = [...section.matchAll(/^ *(?:-\w, )?--\S+(?: VALUE'\S*)? {2,}/gm)].map(([before]) => before.length)
      expect([...new Set(explained)], section).toHaveLength(1)
    }
  })

  it('lists the flags of verify', async () => {
    const {stdout} = await runCli(['verify', '--help'])
    const flags = [...stdout.matchAll(/^ {2,6}(?:-\w, )?--([a-z-]+)[= [.]/gm)].map(([, flag]) => flag)
    expect([...new Set(flags)].sort()).toEqual(
      'allow-exec auth binary ca chat-service fail-on fail-on-skip format header image intrusive keep no-color only params proxy proxy-version quiet report runtime set skip timeout timing upstream verbose'.split(
        ' ',
      ),
    )
    expect(stdout).toContain('GMS_PROXY_FAIL_ON')
  })

  it('is also a verb', async () => {
    expect((await runCli(['help', 'render'])).stdout).toBe((await runCli(['render', '--help'])).stdout)
  })

  it('prints the version', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^gms-proxy\/\d+\.\d+\.\d+ node\//)
  })
})

describe('what is wrong with the command line is exit 2, on stderr, with a next step', () => {
  it.each([
    [['vrify'], /"vrify" is not a command[\s\S]*gms-proxy verify/],
    [['lnt', 'x.conf'], /"lnt" is not a command[\s\S]*gms-proxy lint/],
    [['verify', 'nginx', '--upstream', 'gms1:8080'], /--upstream gms1:8080: gms1: is not spoken here/],
    [['verify', 'nginx', '--upstream', 'simulator,http://gms1:8080'], /simulator cannot be mixed/],
    [['verify', 'nginx', '--upstream', 'http://gms1:8080/chat'], /scheme, host and port only/],
    [
      ['verify', 'nginx', '--upstream', 'http://user:secret@gms1:8080'],
      /--upstream http:\/\/gms1:8080: credentials do not belong into a URL/,
    ],
    [['verify', 'nginx', '--auth', 'secret'], /--auth is not USER:PASSWORD/],
    [['verify', 'nginx', '--header', 'secret'], /--header is not NAME: VALUE/],
    [['verify', 'nginx', '--header', 'Host: other'], /--header Host: that one belongs to/],
    [['verify', 'nginx', '--ca', '/nowhere/ca.pem'], /--ca \/nowhere\/ca.pem cannot be read/],
    [['verify', 'nginx', '--ca', 'README.md'], /--ca README.md holds no certificate/],
    [['verify', 'nginx', '--chat-service', 'a/b'], /is not the name of a chat service/],
    [['verify', '--timing', 'compressed', 'http://127.0.0.1:9'], /--timing compressed cannot be used with/],
    [['verify', '--runtim', 'docker'], /--runtime instead of --runtim/],
    [['verify', '--runtime', 'podman'], /auto, binary, docker/],
    [['verify', '--format', 'pdf', 'nginx'], /text, json, junit/],
    [['verify', 'ngnix'], /neither a proxy[\s\S]*gms-proxy verify nginx/],
    [['verify', './nowhere.conf'], /nor a file or folder that exists/],
    [['verify', 'ftp://example.com'], /not spoken here/],
    [['verify', 'http://user:secret@example.com'], /not supported/],
    [['verify', 'http://example.com/genesys'], /scheme, host and port only/],
    [['verify'], /nothing to verify is named/],
    [['verify', 'nginx', ...TWO_NODES, '--only', 'nope'], /--only nope matches no check/],
    [['verify', 'nginx', ...TWO_NODES, '--timeout', 'soon'], /--timeout soon is not a duration/],
    [['verify', 'nginx', ...TWO_NODES, '--report', 'junit=/nowhere/x.xml'], /the folder \/nowhere does not exist/],
    [['verify', 'nginx', ...TWO_NODES, '--report', 'pdf=x'], /"pdf" is not a format/],
    [['verify', 'all', ...TWO_NODES, '--binary', '/usr/sbin/nginx'], /could mean any of several proxies/],
    [['verify', 'nginx', ...TWO_NODES, '--runtime', 'binary', '--image', 'x'], /--image belongs to --runtime docker/],
    [['verify', 'nginx', ...TWO_NODES, '--proxy-version', 'latest'], /is not a version/],
    [['verify', 'nginx', ...TWO_NODES, '--verbose', '--quiet'], /quiet/],
    [['verify', 'nginx', ...TWO_NODES, '--set', 'health.mode=http'], /nginx \S+ cannot be given[\s\S]*health\.mode/],
    [['render'], /upstream: missing/],
    [['render', 'ngix', ...TWO_NODES], /gms-proxy render nginx/],
    [['render', 'all', ...TWO_NODES], /render all needs a folder/],
    [['render', 'nginx', ...TWO_NODES, '--check'], /out/],
    [['render', 'nginx', ...TWO_NODES, '--format', 'json'], /belongs to --check/],
    [['render', 'nginx', ...TWO_NODES, '--proxy-version', '1.9'], /too old/],
    [['render', 'nginx', 'apache', ...TWO_NODES], /Unexpected argument: apache/],
    [['explain', 'upgrade-handshak'], /gms-proxy explain upgrade-handshake/],
    [['explain', 'pollin'], /gms-proxy explain polling/],
    [['explain', 'upgrade-header-missing'], /gms-proxy explain upgrade-headers-missing/],
    [['explain', 'tls-certificate-untrust'], /gms-proxy explain tls-certificate-untrusted/],
    [['simulate', '--nodes', '0'], /whole number from 1 to 100/],
    [['simulate', '--port', '65535'], /there are no 2 ports/],
    [['simulate', '--option', 'hodl=5s'], /did you mean "hold"/],
    [['simulate', '--fault', 'oversize on=health'], /cannot strike on health/],
    [['simulate', '--fault', 'hang node=gms7'], /no node "gms7"/],
    [['simulate', '--key', 'package.json'], /--certificate and --key go together/],
    [['simulate', '--certificate', 'missing.pem', '--key', 'missing.pem'], /--certificate missing\.pem cannot be read \(ENOENT\)/],
    [['simulate', '--certificate', 'package.json', '--key', 'package.json'], /key and the certificate cannot be used/],
  ])('%j', async (args, expected) => {
    const {stdout, stderr, exitCode} = await runCli(args)
    expect(stderr).toMatch(expected)
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''})
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  it('takes flags from the environment', async () => {
    const {stdout} = await runCli(['render', 'haproxy'], {env: {GMS_PROXY_SET: 'upstream.nodes=gms1:8080,gms2:8080,polling.hold=40s'}})
    expect(stdout).toContain('gms2:8080')
    expect((await runCli(['verify', 'nginx'], {env: {GMS_PROXY_FORMAT: 'pdf', GMS_PROXY_PARAMS: TWO_NODES[1] ?? ''}})).exitCode).toBe(2)
  })
})

describe('render', () => {
  it('writes one configuration, and nothing else, to stdout', async () => {
    const {stdout, stderr, exitCode} = await runCli(['render', 'haproxy', ...TWO_NODES])
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''})
    const [, , , ...body] = `${stdout}\n`.split('\n')
    expect(body.join('\n')).toBe(await readFile('fixtures/golden/haproxy/two-nodes/haproxy.cfg', 'utf8'))
  })

  it('reads parameters from stdin, and the proxy out of them', async () => {
    const {stdout} = await runCli(['render', '-p', '-'], {input: 'proxy: nginx\nupstream: {nodes: [gms1:8080]}\n'})
    expect(stdout).toContain('server gms1:8080')
  })

  it('takes gms-proxy.yaml when it is there', async () => {
    await writeFile(join(folder, 'gms-proxy.yaml'), 'upstream: {nodes: [gms7:8080]}\n')
    expect((await runCli(['render', 'nginx'], {cwd: folder})).stdout).toContain('gms7:8080')
  })

  it('writes folders, and knows when they differ', async () => {
    const out = join(folder, 'conf')
    expect((await runCli(['render', 'all', ...TWO_NODES, '--out', out])).exitCode).toBe(0)
    const check = ['render', 'all', ...TWO_NODES, '--out', out, '--check']
    expect(await runCli(check)).toEqual({exitCode: 0, stdout: '', stderr: 'nothing would change'})
    const file = join(out, 'nginx/nginx.conf')
    await writeFile(file, (await readFile(file, 'utf8')).replace('1h', '2h'))
    const text = await runCli(check)
    expect(text.exitCode).toBe(1)
    expect(text.stdout).toMatch(/^-.*2h[\s\S]*^\+.*1h/m)
    const json = await runCli([...check, '--format', 'json'])
    expect(JSON.parse(json.stdout)).toMatchObject({same: false, differences: [{state: 'differs', file}]})
  })
})

describe('explain', () => {
  it('lists every check, every rule and every cause that no file shows', async () => {
    const {stdout} = await runCli(['explain'])
    expect(stdout).toMatch(/^ {2}upgrade\s+check\s+upgrade-chat /m)
    expect(stdout).toMatch(/^\s+rule\s+upgrade-headers-missing /m)
    expect(stdout).toMatch(/^\s+cause\s+listener-unreachable /m)
    const all = JSON.parse((await runCli(['explain', '--format', 'json'])).stdout) as readonly {id: string}[]
    expect(all.every(({id}) => stdout.includes(id))).toBe(true)
  })

  it('lists those of one concern', async () => {
    const {stdout, exitCode} = await runCli(['explain', 'tls'])
    expect(exitCode).toBe(0)
    expect([...stdout.matchAll(/(?:check|rule|cause)\s+(\S+)/g)].every(([, id]) => id?.startsWith('tls-'))).toBe(true)
    const json = JSON.parse((await runCli(['explain', 'tls', '--format', 'json'])).stdout) as readonly {id: string; kind: string}[]
    expect(new Set(json.map(({kind}) => kind))).toEqual(new Set(['check', 'rule', 'cause']))
    expect(json.every(({id}) => stdout.includes(id))).toBe(true)
  })

  it.each(['upgrade-handshake', 'upgrade-headers-missing', 'upstream-down'])(
    'prints the page of %s, without the marks of its source',
    async id => {
      const {stdout} = await runCli(['explain', id])
      expect(stdout).toContain('What happens')
      expect(stdout).not.toMatch(/<!--|^#|```|\*\*/m)
    },
  )
})

describe('schema and doctor', () => {
  it('prints a JSON Schema', async () => {
    const schema = JSON.parse((await runCli(['schema'])).stdout) as {properties: Record<string, unknown>; additionalProperties: boolean}
    expect(Object.keys(schema.properties)).toContain('polling')
    expect(schema.additionalProperties).toBe(false)
    const file = join(folder, 'x.schema.json')
    expect(await runCli(['schema', '--out', file])).toEqual({exitCode: 0, stdout: '', stderr: `written ${file}`})
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(schema)
    expect((await runCli(['schema', '--out', folder])).exitCode).toBe(2)
  })

  it('says what this machine has', async () => {
    const {stdout, exitCode} = await runCli(['doctor', '--format', 'json'])
    const survey = JSON.parse(stdout) as {proxies: readonly {proxy: string; because: string; chosen?: unknown}[]}
    expect(survey.proxies.map(({proxy}) => proxy)).toEqual(['nginx', 'apache', 'haproxy'])
    expect(exitCode).toBe(survey.proxies.every(({chosen}) => chosen) ? 0 : 3)
    expect((await runCli(['doctor'])).stdout).toContain('Docker')
  })
})
