import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {projectRoot, runCli} from '../support/cli.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-init-test-'))
})
afterEach(() => rm(folder, {recursive: true, force: true}))

const init = (args: readonly string[], env: Record<string, string> = {}) => runCli(['init', ...args], {cwd: folder, env})
const file = () => readFile(join(folder, 'gms-proxy.yaml'), 'utf8')
const active = async () =>
  (await file())
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.replace(/ +#.*/, ''))

describe('init without a terminal', () => {
  it('writes what the flags say, and the schema that the first line names', async () => {
    const {exitCode, stdout, stderr} = await init([
      ...['--proxy', 'haproxy', '--node', 'gms1:8080', '--node', '[fd00::1]:8080', '--server-name', 'chat.example.com'],
      ...['--tls-certificate', '/etc/ssl/chat.pem', '--set', 'limits.chats=300'],
    ])
    expect({exitCode, stdout}).toEqual({exitCode: 0, stdout: ''})
    expect(stderr).toMatch(
      /^written gms-proxy\.yaml\nwritten gms-proxy\.schema\.json\nnote: port 80 serves the chat in plain text beside HTTPS: tls\.redirect: .*\nnext: gms-proxy render haproxy /,
    )
    expect((await file()).replace(/\n# /g, ' ')).toMatch(/Where clients connect.*Here port 80 serves the chat in plain text.*\nlistener:/)
    expect(await active()).toEqual([
      'proxy: haproxy',
      'listener:',
      '  serverNames: [chat.example.com]',
      'tls:',
      '  certificate: /etc/ssl/chat.pem',
      'upstream:',
      '  nodes: [gms1:8080, "[fd00::1]:8080"]',
      'limits:',
      '  chats: 300',
    ])
    expect(await file()).toMatch(/^# yaml-language-server: \$schema=gms-proxy\.schema\.json\n/)
    expect(await readFile(join(folder, 'gms-proxy.schema.json'), 'utf8')).toBe(`${(await runCli(['schema'])).stdout}\n`)
  })

  it.each([
    ['nginx', []],
    ['apache', ['--node', 'gms2:8080', '--set', 'affinity.mode=source-address']],
    ['haproxy', ['--set', 'health.mode=http', '--set', 'polling.hold=45s', '--set', 'version=2.6']],
    ['nginx', ['--tls-certificate', '/etc/a.pem', '--tls-key', '/etc/a.key', '--set', 'tls.redirect=true', '--set', 'tls.hsts=1y']],
    ['haproxy', ['--set', 'snippets.haproxy.backend=option tcp-smart-connect', '--set', 'access.origins=https://a.example.com']],
  ])('writes what render %s accepts: %j', async (proxy, more) => {
    expect(await init(['--proxy', proxy, '--node', 'gms1:8080', ...more])).toMatchObject({exitCode: 0})
    const rendered = await runCli(['render', '--out', 'out'], {cwd: folder})
    expect({exitCode: rendered.exitCode, stdout: rendered.stdout}, rendered.stderr).toEqual({exitCode: 0, stdout: ''})
  })

  it('writes to stdout, and then no other file', async () => {
    const {exitCode, stdout, stderr} = await init(['-', '--yes'], {GMS_PROXY_NODE: 'gms1:8080,gms2:8080'})
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''})
    expect(stdout).toContain('\n  nodes: [gms1:8080, gms2:8080]')
    expect(stdout).toContain('gms-proxy schema --out gms-proxy.schema.json')
    expect(await readdir(folder)).toEqual([])
  })

  it.each([
    [[], /GMS nodes are not named[\s\S]*gms-proxy init --node/],
    [['--yes'], /GMS nodes are not named/],
    [['--node', 'gms1'], /--node gms1: "gms1" is not a node: write host:port/],
    [['--node', 'gms1:8080', '--set', 'polling.hol=1s'], /did you mean "hold"/],
    [['--node', 'gms1:8080', '--tls-key', '/a.key'], /^ {2}--tls-key \/a\.key: needs tls\.certificate/m],
    [['--node', 'gms1:8080', '--tls-certificate', 'a.pem'], /^ {2}--tls-certificate a\.pem: expected an absolute path/m],
    [['--node', 'gms1:8080', '--server-name', 'a;b'], /^ {2}--server-name a;b: expected a host name/m],
    [['--node', 'gms1:8080', '--server-name', 'a', '--server-name', ' b c'], /^ {2}--server-name b c: expected a host name/m],
    [['--node', 'gms1:8080', '--node', 'gms1:8080'], /^ {2}--node gms1:8080: .*twice/m],
    [['--node', 'x', '--server-name', ';', '--set', 'polling.hol=1'], /3 problems in the flags\n(.*\n)*.*--set polling\.hol=1: /],
    [['--node', 'gms1:8080', '--proxy', 'nginx', '--set', 'health.mode=http'], /nginx \S+ cannot be given[\s\S]*health\.mode/],
    [['--node', 'gms1:8080', '--proxy', 'caddy'], /nginx, apache, haproxy/],
    [['no/such/folder.yaml', '--node', 'gms1:8080'], /its folder does not exist/],
  ])('%j is refused, and nothing is written', async (args, expected) => {
    const {exitCode, stdout, stderr} = await init(args)
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''})
    expect(stderr).toMatch(expected)
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves what is there, unless it is forced', async () => {
    await writeFile(join(folder, 'gms-proxy.yaml'), 'mine')
    const {exitCode, stderr} = await init(['--node', 'gms1:8080'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/gms-proxy\.yaml exists[\s\S]*--force/)
    expect(await readdir(folder)).toEqual(['gms-proxy.yaml'])
    expect((await init(['--node', 'gms1:8080', '--force', '--no-schema', '--quiet'])).stderr).toBe('')
    expect(await active()).toEqual(['upstream:', '  nodes: [gms1:8080]'])
    await writeFile(join(folder, 'gms-proxy.schema.json'), '{}')
    expect((await init(['other.yaml', '--node', 'gms1:8080'])).stderr).toContain('is not the schema of gms-proxy')
  })

  it('says which proxies could not be rendered from it when none is named', async () => {
    const {exitCode, stderr} = await init(['--node', 'gms1:8080', '--set', 'health.mode=http'])
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^note: nginx cannot be rendered from it: health\.mode: /m)
  })
})

// util-linux `script` gives the program a terminal; elsewhere there is none to be had without a native module.
describe.runIf(process.platform === 'linux')('init on a terminal', () => {
  /** Types each answer when its question has appeared. */
  async function talk(
    conversation: readonly (readonly [question: string, answer: string])[],
    args: readonly string[] = [],
    size = 'rows 40 cols 120',
  ) {
    const command = [process.execPath, join(projectRoot, 'bin/run.js'), 'init', ...args].join(' ')
    const run = execa('script', ['--quiet', '--return', '--command', `stty ${size}; exec ${command}`, '/dev/null'], {
      cwd: folder,
      reject: false,
      timeout: 60_000,
      env: {TERM: 'xterm'},
      buffer: false,
    })
    let unseen = ''
    const open = [...conversation]
    run.stdout.setEncoding('utf8')
    for await (const chunk of run.stdout) {
      unseen += String(chunk)
      const [next] = open
      if (!next || !unseen.includes(next[0])) continue
      unseen = ''
      open.shift()
      run.stdin.write(next[1])
    }
    return {exitCode: (await run).exitCode, unanswered: open, rest: unseen}
  }

  it('asks, judges each answer at once, and writes what render accepts', {timeout: 90_000}, async () => {
    const {exitCode, unanswered} = await talk([
      ['Which proxy', '\r'],
      ['GMS nodes', 'gms1\r'],
      ['is not a node', '\u007f\u007f\u007f\u007fgms1:8080, gms2:8080\r'],
      ['Host names', 'chat.example.com\r'],
      ['HTTPS', 'y'],
      ['certificate chain', '/etc/ssl/chat.pem\r'],
      ['private key', '\r'],
      ['in plain text', '\r'],
      ['keeps a session', '\r'],
      ['Largest file', '25MiB\r'],
      ['Open chats', '\r'],
    ])
    expect({exitCode, unanswered}).toEqual({exitCode: 0, unanswered: []})
    expect(await active()).toEqual([
      'proxy: nginx',
      'listener:',
      '  serverNames: [chat.example.com]',
      'tls:',
      '  certificate: /etc/ssl/chat.pem',
      '  redirect: true',
      'upstream:',
      '  nodes: [gms1:8080, gms2:8080]',
      'affinity:',
      '  mode: cookie',
      'upload:',
      '  maxFileSize: 25MiB',
      'limits:',
      '  chats: 1000',
    ])
    expect((await runCli(['render', '--out', 'out'], {cwd: folder})).exitCode).toBe(0)
  })

  it('asks only for what no flag has decided', {timeout: 90_000}, async () => {
    const flags = ['--proxy', 'haproxy', '--node', 'gms1:8080', '--server-name', 'a.b', '--set', 'upload.maxFileSize=1MiB', '--no-schema']
    const {exitCode, unanswered} = await talk(
      [
        ['HTTPS', 'n'],
        ['Open chats', '500\r'],
      ],
      flags,
    )
    expect({exitCode, unanswered}).toEqual({exitCode: 0, unanswered: []})
    expect((await active()).join('\n')).toMatch(/maxFileSize: 1MiB[\s\S]*chats: 500/)
  })

  it('writes nothing when it is left: 130', {timeout: 90_000}, async () => {
    const {exitCode, unanswered} = await talk([
      ['Which proxy', '\r'],
      ['GMS nodes', '\u0003'],
    ])
    expect({exitCode, unanswered}).toEqual({exitCode: 130, unanswered: []})
    expect(await readdir(folder)).toEqual([])
  })

  it('ends with 130 when its terminal goes away, and writes nothing', {timeout: 90_000}, async () => {
    // A shell that stays behind tells how it ended.
    await writeFile(
      join(folder, 'run.sh'),
      `trap '' HUP\n'${process.execPath}' '${join(projectRoot, 'bin/run.js')}' init\necho $? > ended.tmp; mv ended.tmp ended\n`,
    )
    const terminal = execa('script', ['--quiet', '--command', 'exec sh run.sh', '/dev/null'], {
      cwd: folder,
      reject: false,
      env: {TERM: 'xterm'},
      buffer: false,
    })
    terminal.stdout.setEncoding('utf8')
    let seen = ''
    for await (const chunk of terminal.stdout) {
      seen += String(chunk)
      if (!seen.includes('Which proxy')) continue
      terminal.kill('SIGKILL')
      break
    }
    await terminal
    await expect.poll(() => readFile(join(folder, 'ended'), 'utf8').catch(() => ''), {timeout: 30_000}).toBe('130\n')
    expect((await readdir(folder)).sort()).toEqual(['ended', 'run.sh'])
  })

  it('can be read on a terminal that does not know its size', {timeout: 90_000}, async () => {
    const {unanswered} = await talk([['Which proxy stands in front of GMS?', '\u0003']], [], 'rows 0 cols 0')
    expect(unanswered).toEqual([])
  })

  it('asks nothing with --yes', {timeout: 90_000}, async () => {
    expect((await talk([], ['--yes', '--node', 'gms1:8080'])).exitCode).toBe(0)
    expect(await active()).toEqual(['upstream:', '  nodes: [gms1:8080]'])
  })
})
