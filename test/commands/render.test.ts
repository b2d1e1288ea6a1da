import {copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {projectRoot, runCli} from '../support/cli.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-render-test-'))
  await copyFile(join(projectRoot, 'fixtures/parameters/two-nodes.yaml'), join(folder, 'two-nodes.yaml'))
})
afterEach(() => rm(folder, {recursive: true, force: true}))

const render = (args: readonly string[], env: Record<string, string> = {}) => runCli(['render', ...args], {cwd: folder, env})
const TWO_NODES = ['--params', 'two-nodes.yaml']

describe('the header', () => {
  it.each(PROXY_NAMES)('of %s names a command that writes the same again, from anywhere', async proxy => {
    const args = [proxy, '--set', 'upload.maxFileSize=25MiB', '--set', 'listener.serverNames=a.example.com,b.example.com']
    const first = await render([...args, ...TWO_NODES], {GMS_PROXY_LAYOUT: 'debian'})
    expect(first.exitCode, first.stderr).toBe(0)
    const lines = first.stdout.split('\n').slice(0, 3)
    expect(lines).toEqual([
      expect.stringMatching(/^# Written by gms-proxy \d+\.\d+\.\d+ for .+, layout debian: /),
      expect.stringMatching(/^# Parameters: sha256 [0-9a-f]{16}$/),
      expect.stringMatching(/^# Again: gms-proxy render /),
    ])
    const [, command = ''] = /^# Again: gms-proxy (.*)$/.exec(lines[2] ?? '') ?? []
    const program = `${process.execPath} ${join(projectRoot, 'bin/run.js')}`
    const again = await execa(`${program} ${command}`, {shell: 'bash', cwd: folder, reject: false, stripFinalNewline: true})
    expect(again.stdout).toBe(first.stdout)
    await mkdir(join(folder, 'deep'))
    const elsewhere = await runCli(['render', ...args, '--params', '../two-nodes.yaml', '--layout', 'debian'], {cwd: join(folder, 'deep')})
    expect(elsewhere.stdout).toBe(first.stdout)
  })
})

describe('the command in a compose.yaml', () => {
  it.each(PROXY_NAMES)('writes both files of %s again, byte for byte', async proxy => {
    const args = [proxy, ...TWO_NODES, '--set', 'upload.maxFileSize=25MiB', '--compose', '--out', 'out']
    expect((await render(args)).exitCode).toBe(0)
    const compose = await readFile(join(folder, 'out/compose.yaml'), 'utf8')
    const [, command = ''] = /^# Again: gms-proxy (.*)$/m.exec(compose) ?? []
    const program = `${process.execPath} ${join(projectRoot, 'bin/run.js')}`
    expect((await execa(`${program} ${command}`, {shell: 'bash', cwd: folder, reject: false})).exitCode).toBe(0)
    for (const file of await readdir(join(folder, 'out')))
      expect(await readFile(join(folder, file), 'utf8')).toBe(await readFile(join(folder, 'out', file), 'utf8'))
  })
})

describe('layouts and fragments', () => {
  it.each(PROXY_NAMES)('%s is written for each of them, and knows its drift', async proxy => {
    const seen = new Set<string>()
    for (const layout of ['debian', 'rhel', 'docker', 'source']) {
      const args = [proxy, ...TWO_NODES, '--layout', layout, '--out', layout, '--fragment']
      expect((await render(args)).exitCode).toBe(0)
      expect(await render([...args, '--check', '--quiet'])).toEqual({exitCode: 0, stdout: '', stderr: ''})
      const [file = ''] = (await readdir(join(folder, layout), {recursive: true, withFileTypes: true}))
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name))
      seen.add(await readFile(file, 'utf8'))
    }
    expect(seen.size).toBe(4)
  })

  it('says for which version it writes where packages decide, unless one is asked for', async () => {
    const args = ['apache', ...TWO_NODES, '--layout', 'debian', '--out', 'out']
    expect((await render(args)).stderr).toMatch(/^note: Apache httpd: written for 2\.4\.\d+, the newest; .* --proxy-version$/m)
    expect((await render([...args, '--proxy-version', '2.4'])).stderr).not.toContain('note:')
  })

  it.each([
    [['nginx', '--layout', 'gentoo'], /docker, debian, rhel, source/],
    [['nginx', '--compose'], /--compose needs --out/],
    [['nginx', '--check'], /--check needs --out: the folder that is compared/],
    [['nginx', '--compose', '--out', 'x', '--fragment'], /--fragment is a part of one/],
    [['nginx', '--compose', '--out', 'x', '--layout', 'debian'], /--layout debian is for another place/],
    [['nginx', '--compose', '--out', 'x', '--set', 'listener.address=192.0.2.1'], /listener\.0\.address: a container has no address/],
    [
      ['nginx', '--set', 'limits.openFiles=20000', '--set', 'limits.chats=900000'],
      /limits\.chats: .*\d,\d{3} fit; .*raise limits\.openFiles/,
    ],
  ])('%j is refused', async (args, expected) => {
    const {exitCode, stdout, stderr} = await render([...args, ...TWO_NODES])
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''})
    expect(stderr).toMatch(expected)
    expect(await readdir(folder)).toEqual(['two-nodes.yaml'])
  })
})

describe('a folder', () => {
  it('gets a compose.yaml beside each configuration, and nothing else is touched', async () => {
    await mkdir(join(folder, 'out/nginx'), {recursive: true})
    await writeFile(join(folder, 'out/nginx/notes.txt'), 'mine')
    expect((await render(['all', ...TWO_NODES, '--out', 'out', '--compose'])).exitCode).toBe(0)
    expect((await readdir(join(folder, 'out'), {recursive: true})).sort()).toEqual(
      ['apache', 'apache/compose.yaml', 'apache/httpd.conf', 'haproxy', 'haproxy/compose.yaml', 'haproxy/haproxy.cfg'].concat([
        'nginx',
        'nginx/compose.yaml',
        'nginx/nginx.conf',
        'nginx/notes.txt',
      ]),
    )
    for (const proxy of PROXY_NAMES) {
      const {services} = parse(await readFile(join(folder, 'out', proxy, 'compose.yaml'), 'utf8')) as {services: Record<string, unknown>}
      expect(Object.keys(services)).toEqual([proxy])
    }
    const check = ['all', ...TWO_NODES, '--out', 'out', '--compose', '--check']
    expect((await render(check)).exitCode).toBe(0)
    const file = join(folder, 'out/haproxy/compose.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replace('unless-stopped', 'always'))
    const drifted = await render(check)
    expect(drifted).toMatchObject({exitCode: 1, stderr: 'out/haproxy/compose.yaml differs'})
    expect((await render(['nginx', ...TWO_NODES, '--out', 'out', '--check'])).stderr).toBe('out/nginx.conf is missing')
    expect(drifted.stdout).toMatch(/^-.*always\n\+.*unless-stopped$/m)
  })

  it('that another version wrote differs, in the header only', async () => {
    const args = ['haproxy', ...TWO_NODES, '--out', 'out']
    await render(args)
    const file = join(folder, 'out/haproxy.cfg')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/gms-proxy \d+\.\d+\.\d+ for/, 'gms-proxy 0.0.1 for'))
    const {exitCode, stdout} = await render([...args, '--check'])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^out\/haproxy\.cfg: only the header differs: it was written by gms-proxy 0\.0\.1, this is/)
    const json = JSON.parse((await render([...args, '--check', '--format', 'json'])).stdout) as {differences: readonly object[]}
    expect(json.differences).toEqual([
      expect.objectContaining({file: 'out/haproxy.cfg', headerOnly: expect.stringContaining('0.0.1') as string}),
    ])
  })

  it('gets nothing when one of three proxies refuses, and every reason is told', async () => {
    const {exitCode, stderr} = await render(['all', ...TWO_NODES, '--set', 'health.mode=http', '--out', 'out'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/nothing is written[\s\S]*^nginx \S+ cannot be given[\s\S]*health\.mode/m)
    expect(stderr).toContain('gms-proxy render haproxy')
    expect(await readdir(folder)).toEqual(['two-nodes.yaml'])
  })

  it.runIf(process.platform === 'linux')('where no folder can be made, ends at once', {timeout: 20_000}, async () => {
    const {exitCode, stderr} = await render(['nginx', ...TWO_NODES, '--out', '/proc/gms-proxy/out'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('/proc/gms-proxy/out')
  })

  it('is named: an empty name is not the current folder', async () => {
    const {exitCode, stderr} = await render(['nginx', ...TWO_NODES, '--out', ''])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--out is empty')
    expect(await readdir(folder)).toEqual(['two-nodes.yaml'])
  })

  it('keeps what was not written for this proxy, unless it is forced', async () => {
    expect((await render(['nginx', ...TWO_NODES, '--fragment', '--out', 'out'])).exitCode).toBe(0)
    const nginx = await readFile(join(folder, 'out/conf.d/gms-chat.conf'), 'utf8')
    const apache = await render(['apache', ...TWO_NODES, '--fragment', '--out', 'out'])
    expect(apache.exitCode).toBe(2)
    expect(apache.stderr).toMatch(/out\/conf\.d\/gms-chat\.conf is there already, for nginx[\s\S]*--out[\s\S]*--force/)
    expect(await readFile(join(folder, 'out/conf.d/gms-chat.conf'), 'utf8')).toBe(nginx)
    // Its own, of other parameters and of another version, it writes over.
    expect((await render(['nginx', ...TWO_NODES, '--fragment', '--proxy-version', '1.22', '--out', 'out'])).exitCode).toBe(0)
    await writeFile(join(folder, 'nginx.conf'), 'worker_processes 2;\n')
    const foreign = await render(['nginx', ...TWO_NODES, '--out', '.'])
    expect(foreign).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nginx.conf is there already, and not written by gms-proxy') as string,
    })
    expect((await render(['nginx', ...TWO_NODES, '--out', '.', '--force'])).exitCode).toBe(0)
    expect(await readFile(join(folder, 'nginx.conf'), 'utf8')).toMatch(/^# Written by gms-proxy/)
  })

  it('gets nothing when anything stands in the way', async () => {
    await mkdir(join(folder, 'out/haproxy/haproxy.cfg'), {recursive: true})
    const {exitCode, stderr} = await render(['all', ...TWO_NODES, '--out', 'out'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('haproxy.cfg is a folder')
    expect(await readdir(join(folder, 'out/nginx'))).toEqual([])
  })
})

describe('a version of another proxy', () => {
  it.each([
    [['nginx', '--proxy-version', '3.2'], 0, 'did you mean HAProxy 3.2?'],
    [['apache', '--proxy-version', '1.22'], 2, 'did you mean nginx 1.22?'],
    [['haproxy', '--proxy-version', '2.4'], 0, ''],
  ])('%j', async (args, expected, words) => {
    const {exitCode, stderr} = await render([...args, ...TWO_NODES])
    expect(exitCode).toBe(expected)
    expect(stderr).toContain(words)
    expect(stderr.includes('did you mean')).toBe(words !== '')
  })
})

describe('what is honoured in a weaker way', () => {
  it('is said on stderr, unless nobody wants to hear it', async () => {
    const args = ['nginx', ...TWO_NODES, '--proxy-version', '1.20']
    const {stderr} = await render(args)
    expect(stderr).toMatch(/^note: nginx 1\.20 reached its end of life on \d{4}-\d\d-\d\d: /m)
    expect(stderr).not.toContain('health.mode')
    expect((await render([...args, '--set', 'health.mode=tcp'])).stderr).toMatch(/^note: nginx 1\.20\.0: health\.mode: /m)
    expect((await render([...args, '--quiet'])).stderr).toBe('')
  })
})
