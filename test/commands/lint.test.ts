import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Report} from '../../src/model/report.ts'
import {runCli} from '../support/cli.ts'

/** Right but for the size of an upload, and for what is no error. */
const NGINX = `events {}
http {
  upstream gms { hash $remote_addr consistent; server 127.0.0.1:8080; server 127.0.0.1:8081; }
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  server {
    listen 80;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_read_timeout 1h;
    location /genesys/ { proxy_pass http://gms; }
  }
}
`
const ID = 'upload-body-limit-too-small'
const ONLY = ['--only', ID]

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-lint-test-'))
  file = join(folder, 'nginx.conf')
  await writeFile(file, NGINX)
})
afterAll(() => rm(folder, {recursive: true, force: true}))

/** `lint … --format json`. */
async function lintJson(args: readonly string[], input = ''): Promise<{report: Report; exitCode: number | undefined}> {
  const {stdout, stderr, exitCode} = await runCli(['lint', ...args, '--format', 'json'], {input})
  if (stdout === '') throw new Error(`no report (exit ${exitCode}): ${stderr}`)
  return {report: JSON.parse(stdout) as Report, exitCode}
}

describe('lint', () => {
  it('names the line, and what belongs there', async () => {
    const {stdout, stderr, exitCode} = await runCli(['lint', 'nginx.conf', ...ONLY, '--proxy-version', '1.22'], {cwd: folder})
    expect({exitCode, stderr}).toEqual({exitCode: 1, stderr: ''})
    expect(stdout).toMatch(/^nginx\.conf:\d+:\d+ error upload-body-limit-too-small\n/)
    expect(stdout).toMatch(/│ +\^+\n/)
    expect(stdout).toMatch(/^ +\+ .*client_max_body_size 11m;/m)
    expect(stdout).toContain('✖ 1 error')
    expect(stdout).toContain(`gms-proxy explain ${ID}`)
  })

  it('reports one outcome for each rule', async () => {
    const {report, exitCode} = await lintJson([file, '--proxy-version', '1.22.1'])
    expect(exitCode).toBe(1)
    expect(report).toMatchObject({schema: 'gms-proxy/report/v1', command: 'lint', verdict: 'failed'})
    const [subject] = report.subjects
    expect(subject).toMatchObject({name: file, proxy: 'nginx', proxyVersion: '1.22.1', runtime: 'none', source: file})
    expect(subject?.outcomes.find(({id}) => id === ID)).toMatchObject({status: 'failed', findings: [{location: {file}}]})
    expect(new Set(subject?.outcomes.map(({status}) => status))).toEqual(new Set(['passed', 'failed', 'skipped']))
  })

  it('holds a file to the parameters', async () => {
    const small = await runCli(['lint', file, ...ONLY, '--set', 'upload.maxFileSize=512KiB'])
    expect(small.exitCode).toBe(0)
    expect(small.stdout).toContain('✔ nothing found')
  })

  it('reads stdin, a folder, several files, and what is rendered', async () => {
    const stdin = await lintJson(['-', ...ONLY], NGINX)
    expect(stdin.report.subjects[0]?.outcomes[0]?.findings[0]?.location?.file).toBe('-')
    const several = await lintJson([folder, file, ...ONLY])
    expect(several.report.subjects.map(({name}) => name)).toEqual([folder, file])
    const rendered = await lintJson(['all', '--params', 'fixtures/parameters/two-nodes.yaml', ...ONLY])
    expect(rendered).toMatchObject({exitCode: 0, report: {verdict: 'passed', subjects: [{source: 'rendered'}, {}, {}]}})
  })

  it('says for which version it was read, and why', async () => {
    const {report} = await lintJson([file, ...ONLY, '--proxy-version', '1.18'])
    expect(report.subjects[0]).toMatchObject({proxyVersion: '1.18.0', runtimeReason: 'read as nginx 1.18.0: asked for'})
    const unasked = await lintJson([file, ...ONLY])
    expect(unasked.report.subjects[0]?.runtimeReason).toMatch(/^read as nginx \d/)
  })

  it('fails on less when asked', async () => {
    const args = ['lint', file, '--only', 'logging', '--fail-on']
    expect((await runCli([...args, 'error'])).exitCode).toBe(0)
    expect((await runCli([...args, 'note'])).exitCode).toBe(1)
  })

  it('writes every format', async () => {
    const formats = ['text', 'json', 'junit', 'sarif', 'github', 'markdown', 'html']
    const {exitCode} = await runCli(['lint', file, ...formats.flatMap(name => ['--report', `${name}=${join(folder, `report.${name}`)}`])])
    expect(exitCode).toBe(1)
    for (const name of formats) expect(await readFile(join(folder, `report.${name}`), 'utf8')).toContain(ID)
    const sarif = JSON.parse(await readFile(join(folder, 'report.sarif'), 'utf8')) as {
      runs: [{tool: {driver: {rules: readonly {help?: {markdown: string}}[]}}}]
    }
    expect(sarif.runs[0].tool.driver.rules.every(({help}) => help?.markdown.includes('## Fix'))).toBe(true)
  })
})

describe('--test', () => {
  it('says that the proxy of that version is not here', async () => {
    const {stdout, exitCode} = await runCli([
      'lint',
      file,
      ...ONLY,
      '--test',
      '--proxy-version',
      '1.2.3',
      '--set',
      'upload.maxFileSize=512KiB',
    ])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^○ listener-config-accepted: nothing here can run nginx 1\.2\.3/m)
  })

  it('does not run code of the author of a file', async () => {
    const hostile = join(folder, 'hostile.conf')
    await writeFile(hostile, `load_module /tmp/evil.so;\n${NGINX}`)
    const {stderr, exitCode} = await runCli(['lint', hostile, ...ONLY, '--test', '--proxy', 'nginx'])
    // Without a proxy there is nothing that could run it.
    if (exitCode !== 1) expect({exitCode, stderr}).toEqual({exitCode: 2, stderr: expect.stringContaining('load_module') as string})
  })
})

describe('what cannot be read', () => {
  it('is exit code 2 with every place, never a report', async () => {
    const broken = join(folder, 'broken.conf')
    await writeFile(broken, 'events {}\nhttp {\n  server {\n    listen 80\n')
    const {stdout, stderr, exitCode} = await runCli(['lint', broken, file, '--proxy', 'nginx'])
    expect({stdout, exitCode}).toEqual({stdout: '', exitCode: 2})
    expect(stderr).toMatch(/broken\.conf:\d+:\d+: /)
  })

  it.each([
    [['http://chat.example.com'], /is a URL: lint reads/],
    [['nothing-here'], /nor a file or folder that exists/],
    [['-'], /stdin is empty/],
    [['-', '--params', '-'], /cannot both come from stdin/],
    [['nginx.conf', '--only', 'upgade'], /matches no rule; did you mean "upgrade"/],
    [['nginx.conf', '--only', 'upgrade-handshake'], /matches no rule/],
    [['nginx.conf', '--write-baseline'], /baseline/],
    [['nginx.conf', '--baseline', 'nginx.conf', '--write-baseline'], /is no baseline: it is not written over/],
    [['nginx.conf', '--baseline', 'missing.json'], /cannot be read: ENOENT[\s\S]*--write-baseline/],
    [['nginx.conf', '--baseline', 'nginx.conf'], /is not JSON/],
    [['nginx.conf', '--binary', 'missing'], /there is no such file/],
  ])('%j', async (args, expected) => {
    const {stdout, stderr, exitCode} = await runCli(['lint', ...args], {cwd: folder})
    expect(stderr).toMatch(expected)
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''})
    expect(stderr).not.toMatch(/\n {4}at /)
  })
})

describe('comments that switch rules off', () => {
  it('are counted, and shown when asked', async () => {
    const quiet = join(folder, 'quiet.conf')
    await writeFile(quiet, `# gms-proxy-ignore-file ${ID}: uploads go another way\n${NGINX}`)
    const {stdout, exitCode} = await runCli(['lint', quiet, ...ONLY])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('✔ nothing found · 1 suppressed')
    expect((await runCli(['lint', quiet, ...ONLY, '-v'])).stdout).toContain('suppressed: uploads go another way')
  })

  it('need a reason', async () => {
    const wrong = join(folder, 'wrong.conf')
    await writeFile(wrong, `# gms-proxy-ignore-file ${ID}\n${NGINX}`)
    const {stderr, exitCode} = await runCli(['lint', wrong])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/wrong\.conf:1:1: gms-proxy-ignore gives no reason/)
  })
})

describe('a baseline', () => {
  it('lets old findings pass, from any folder, and says which are gone', async () => {
    const conf = join(folder, 'conf')
    await mkdir(conf)
    await writeFile(join(conf, 'nginx.conf'), NGINX)
    const written = await runCli(['lint', 'conf/nginx.conf', '--baseline', 'known.json', '--write-baseline'], {cwd: folder})
    expect({exitCode: written.exitCode, stderr: written.stderr}).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^written known\.json: \d+ finding/),
    })
    const baseline = await readFile(join(folder, 'known.json'), 'utf8')
    expect(baseline).not.toContain(folder)
    expect((await runCli(['lint', 'conf/nginx.conf', '--baseline', 'known.json', '--fail-on', 'note'], {cwd: folder})).exitCode).toBe(0)
    expect((await runCli(['lint', '.', '--baseline', '../known.json', '--fail-on', 'note'], {cwd: conf})).exitCode).toBe(0)

    await writeFile(join(conf, 'nginx.conf'), NGINX.replace('proxy_read_timeout 1h;', 'proxy_read_timeout 20s; client_max_body_size 20m;'))
    const {stdout, exitCode} = await runCli(['lint', 'conf/nginx.conf', '--baseline', 'known.json'], {cwd: folder})
    expect(exitCode).toBe(1)
    expect(stdout).toContain('error polling-timeout-below-hold')
    expect(stdout).toContain(`${ID} is in the baseline and gone`)
  })
})
