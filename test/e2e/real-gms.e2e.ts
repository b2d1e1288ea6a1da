import {once} from 'node:events'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {execa} from 'execa'
import type {ResultPromise} from 'execa'
import {generate} from 'selfsigned'
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest'
import type {SubjectReport} from '../../src/model/report.ts'
import {idsWith, projectRoot, runCli, verifyJson} from '../support/cli.ts'

// A GMS that is not ours: another process, which knows nothing of the run. What it noted itself is asked for afterwards.

const entry = join(projectRoot, 'bin/run.js')
const PARAMETERS = ['--set', 'upstream.nodes=gms1.example.com:8080,gms2.example.com:8080', '--set', 'polling.hold=2s']
const QUICK = ['polling-chat', 'listener-reaches-gms', 'forwarding-host'].flatMap(id => ['--only', id])

interface State {
  nodes: readonly {name: string; sessions: number}[]
  chats: readonly {ended: boolean}[]
}

interface Gms {
  urls: readonly string[]
  /** What it noted. */
  state(): Promise<State>
}

const running: Pick<ResultPromise, 'kill' | 'catch'>[] = []
afterAll(async () => {
  await Promise.all(
    running.splice(0).map(async child => {
      child.kill('SIGTERM')
      await child.catch(() => undefined)
    }),
  )
})

async function startGms(...args: readonly string[]): Promise<Gms> {
  const child = execa(process.execPath, [entry, 'simulate', '--format', 'json', '--quiet', '--option', 'hold=2s', ...args], {
    cwd: projectRoot,
    buffer: {stdout: false},
    reject: false,
  })
  running.push(child)
  const lines = createInterface({input: child.stdout})
  const first = await Promise.race([once(lines, 'line'), child.then(({stderr}) => Promise.reject(new Error(`no GMS came up: ${stderr}`)))])
  const {nodes, control} = JSON.parse(String(first[0])) as {nodes: readonly {url: string}[]; control: string}
  return {
    urls: nodes.map(({url}) => new URL(url).origin),
    state: async () => (await (await fetch(`${control}state`, {headers: {'x-simulator-control': '1'}})).json()) as State,
  }
}

const upstream = ({urls}: Gms) => ['--upstream', urls.join(',')]

/** Nobody is left in a chat, and no session lives longer than GMS itself keeps it. */
async function expectNothingLeft(gms: Gms): Promise<void> {
  const {chats} = await gms.state()
  expect(chats.length).toBeGreaterThan(0)
  expect(chats.filter(({ended}) => !ended)).toEqual([])
  await vi.waitFor(async () => expect((await gms.state()).nodes.map(({sessions}) => sessions)).toEqual([0, 0]), {timeout: 15_000})
}

function outcome(subject: SubjectReport | undefined, id: string) {
  return subject?.outcomes.find(one => one.id === id)
}

// What takes half a minute (a client of 15 kB/s) is the same with a tap before any of the three: one of them waits for it.
test.concurrent.each([
  ['nginx', []],
  ['apache', ['--skip', 'upload-slow-client']],
  ['haproxy', ['--skip', 'upload-slow-client']],
])('%s keeps its promises before a real GMS, which is left as it was found', async (proxy, skip) => {
  const gms = await startGms()
  const {report, stderr} = await verifyJson([proxy, ...PARAMETERS, ...upstream(gms), ...skip])
  const [subject] = report.subjects
  expect({failed: idsWith(subject, 'failed'), errored: idsWith(subject, 'errored')}).toEqual({failed: [], errored: []})
  expect(subject?.upstream).toBe(gms.urls.join(', '))
  // What only the second witness can tell was judged.
  const passed = idsWith(subject, 'passed')
  for (const id of [
    'upstream-path-intact',
    'forwarding-host',
    'forwarding-client-address',
    'affinity-upload',
    'access-not-a-forward-proxy',
    'upgrade-chat',
  ])
    expect(passed).toContain(id)
  const because = Object.fromEntries((subject?.outcomes ?? []).map(({id, because: why}) => [id, why]))
  expect(because).toMatchObject({
    'limits-hold-idle-chats': 'a production system would notice it; allow it with --intrusive',
    'upload-largest-file': 'a production system would notice it; allow it with --intrusive',
    'upload-late-answer': 'a real GMS cannot be told what to do',
  })
  expect(stderr).not.toContain('could not be closed')
  await expectNothingLeft(gms)
})

test('what a proxy spoils on the way to a real GMS is found, with what GMS received', async () => {
  const gms = await startGms()
  const broken = 'src/verify/checks/forwarding-host/broken.nginx.conf'
  const {report, exitCode} = await verifyJson([broken, ...upstream(gms), ...QUICK])
  expect(exitCode).toBe(1)
  const [subject] = report.subjects
  expect(idsWith(subject, 'failed')).toEqual(['forwarding-host'])
  expect(outcome(subject, 'forwarding-host')?.findings[0]?.evidence.upstream.join('\n')).toMatch(
    /gms[12] received .*host: chat\.example\.com\)/,
  )
})

test('the same GMS named twice has no nodes that could be mixed up', async () => {
  const gms = await startGms()
  const [url = ''] = gms.urls
  const broken = 'src/verify/checks/affinity-same-node/broken.nginx.conf'
  const {report} = await verifyJson([broken, '--upstream', `${url},${url}/`, '--only', 'affinity-same-node'])
  expect(outcome(report.subjects[0], 'affinity-same-node')).toMatchObject({
    status: 'skipped',
    because: expect.stringContaining('one GMS stands for all nodes') as string,
  })
})

test('--intrusive also uploads the largest file, and one GMS may stand for all nodes', async () => {
  const gms = await startGms('--option', 'max-file-size=3MiB')
  const [url = ''] = gms.urls
  const ids = ['upload-largest-file', 'affinity-same-node', 'limits'].flatMap(id => ['--only', id])
  const {report} = await verifyJson(['haproxy', ...PARAMETERS, '--set', 'limits.chats=40', '--upstream', url, '--intrusive', ...ids])
  const [subject] = report.subjects
  expect(idsWith(subject, 'passed')).toEqual(['limits-hold-idle-chats', 'upload-largest-file'])
  // GMS's own limit, not the 10 MiB that were promised.
  expect(outcome(subject, 'upload-largest-file')?.detail).toContain('3.0 MiB')
  expect(subject?.promises).toMatchObject({maxFileSize: 3 * 1_048_576, source: {maxFileSize: 'GMS'}})
  expect(outcome(subject, 'affinity-same-node')?.because).toContain('one GMS stands for all nodes')
  await expectNothingLeft(gms)
})

describe.concurrent('what the deployment does not offer is skipped aloud', () => {
  test('nobody is logged in', async () => {
    const gms = await startGms('--option', 'agent=absent')
    const {report} = await verifyJson([
      'nginx',
      ...PARAMETERS,
      ...upstream(gms),
      '--only',
      'polling-chat',
      '--only',
      'polling-delivers-promptly',
      '--only',
      'affinity-transport-fallback',
    ])
    const [subject] = report.subjects
    expect(outcome(subject, 'polling-chat')).toMatchObject({
      status: 'passed',
      detail: expect.stringContaining('no agent is logged in') as string,
    })
    for (const id of ['polling-delivers-promptly', 'affinity-transport-fallback'])
      expect(outcome(subject, id)).toMatchObject({status: 'skipped', because: expect.stringContaining('no agent is logged in') as string})
  })

  test('an agent joins and says nothing', async () => {
    const gms = await startGms('--option', 'agent=silent')
    const {report} = await verifyJson([
      'nginx',
      ...PARAMETERS,
      ...upstream(gms),
      '--only',
      'polling-chat',
      '--only',
      'polling-delivers-promptly',
    ])
    const [subject] = report.subjects
    expect(outcome(subject, 'polling-chat')).toMatchObject({
      status: 'passed',
      detail: expect.stringContaining('no answer was awaited') as string,
    })
    expect(outcome(subject, 'polling-delivers-promptly')?.because).toContain('answered no message')
  })

  test('no files, no WebSocket', async () => {
    const gms = await startGms('--option', 'file-types=pdf', '--fault', 'status=503 on=upgrade')
    const {report} = await verifyJson([
      'nginx',
      ...PARAMETERS,
      ...upstream(gms),
      '--only',
      'upload-download-intact',
      '--only',
      'upgrade-chat',
      '--only',
      'upgrade-handshake',
      '--only',
      'polling-chat',
    ])
    const [subject] = report.subjects
    expect(idsWith(subject, 'passed')).toEqual(['polling-chat'])
    expect(outcome(subject, 'upload-download-intact')?.because).toMatch(/^GMS itself does not offer file transfer: fileUpload was answered/)
    for (const id of ['upgrade-chat', 'upgrade-handshake'])
      expect(outcome(subject, id)?.because).toMatch(/^GMS itself does not offer WebSocket: .*503/)
  })
})

describe.concurrent('a GMS with which no chat is to be had', () => {
  const verify = (args: readonly string[]) => runCli(['verify', 'nginx', ...PARAMETERS, ...QUICK, ...args])

  test('nothing listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const {port} = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    const {exitCode, stderr, stdout} = await verify(['--upstream', `http://127.0.0.1:${port}`])
    expect({exitCode, stdout}).toEqual({exitCode: 3, stdout: ''})
    expect(stderr).toContain(`nothing can be reached at http://127.0.0.1:${port}/: connect ECONNREFUSED`)
  })

  test('another chat service', async () => {
    const gms = await startGms('--option', 'chat-service=sales')
    const wrong = await verify(upstream(gms))
    expect(wrong.exitCode).toBe(3)
    expect(wrong.stderr).toContain('answered nothing on /service/chatV2/customer-support')
    expect(wrong.stderr).toContain('--chat-service NAME')
    expect((await verify([...upstream(gms), '--chat-service', 'sales'])).exitCode).toBe(0)
  })

  test('credentials: refused without, taken with, and never shown', async () => {
    const gms = await startGms('--option', 'auth=robot:Pa55-word')
    const without = await verify(upstream(gms))
    expect(without.exitCode).toBe(3)
    expect(without.stderr).toMatch(/refuses the chat: 401/)
    expect(without.stderr).toContain('--auth USER:PASSWORD')
    const wrong = await verify([...upstream(gms), '--auth', 'robot:Other-word'])
    expect(wrong.exitCode).toBe(3)
    expect(wrong.stderr).toContain('check the user name and password')
    const right = await verify([
      ...upstream(gms),
      '--auth=robot:Pa55-word',
      '--header',
      'X-Api-Key: k3y-of-the-gateway',
      '-v',
      '--format',
      'json',
    ])
    expect(right.exitCode).toBe(0)
    const said = [wrong, right].map(({stdout, stderr}) => stdout + stderr).join('')
    for (const secret of ['Pa55-word', 'Other-word', 'k3y-of-the-gateway', Buffer.from('robot:Pa55-word').toString('base64')])
      expect(said).not.toContain(secret)
    expect((JSON.parse(right.stdout) as {reproduce: string}).reproduce).toContain("--header 'X-Api-Key: ‹redacted›'")
    await expectNothingLeft(gms)
  })

  test('a server that is no GMS', async () => {
    const {exitCode, stderr} = await (async () => {
      const server = createServer(socket => {
        socket.on('error', () => undefined)
        socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
      }).listen(0, '127.0.0.1')
      await new Promise(resolve => server.once('listening', resolve))
      const result = await verify(['--upstream', `http://127.0.0.1:${(server.address() as AddressInfo).port}`])
      server.close()
      return result
    })()
    expect(exitCode).toBe(3)
    expect(stderr).toContain('404 to POST /genesys/cometd/handshake: this is no GMS')
  })
})

describe.concurrent('TLS', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gms-proxy-tls-'))
    const made = await generate([{name: 'commonName', value: 'throw-away'}], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        {name: 'basicConstraints', cA: true, critical: true},
        {name: 'subjectAltName', altNames: [{type: 7, ip: '127.0.0.1'}]},
      ],
    })
    await writeFile(join(folder, 'cert.pem'), made.cert)
    await writeFile(join(folder, 'key.pem'), made.private)
  })
  afterAll(() => rm(folder, {recursive: true}))
  const tls = () => ['--certificate', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')]

  test('a real GMS that speaks https', async () => {
    const gms = await startGms(...tls())
    const untrusted = await runCli(['verify', 'nginx', ...PARAMETERS, ...upstream(gms), ...QUICK])
    expect(untrusted.exitCode).toBe(3)
    expect(untrusted.stderr).toContain('its certificate is not trusted here')
    expect(untrusted.stderr).toContain('--ca ca.pem')
    const {report} = await verifyJson([
      'nginx',
      ...PARAMETERS,
      ...upstream(gms),
      '--ca',
      join(folder, 'cert.pem'),
      ...QUICK,
      '--only',
      'upgrade',
      '--only',
      'upload-download-intact',
      '--skip',
      'upgrade-idle-survives',
    ])
    const [subject] = report.subjects
    expect({failed: idsWith(subject, 'failed'), errored: idsWith(subject, 'errored')}).toEqual({failed: [], errored: []})
    expect(idsWith(subject, 'passed')).toEqual(
      expect.arrayContaining(['forwarding-host', 'polling-chat', 'upgrade-chat', 'upgrade-handshake', 'upload-download-intact']),
    )
    await expectNothingLeft(gms)
  })

  test('a URL that speaks https', async () => {
    const gms = await startGms(...tls())
    const [url = ''] = gms.urls
    const untrusted = await runCli(['verify', url, ...QUICK])
    expect(untrusted.exitCode).toBe(3)
    expect(untrusted.stderr).toContain('its certificate is not trusted here')
    const wss = url.replace('https:', 'wss:')
    const {report} = await verifyJson([wss, '--ca', join(folder, 'cert.pem'), '--set', 'polling.hold=2s', '--skip', 'upload-slow-client'])
    const [subject] = report.subjects
    expect({failed: idsWith(subject, 'failed'), errored: idsWith(subject, 'errored')}).toEqual({failed: [], errored: []})
    expect(idsWith(subject, 'passed')).toEqual(
      expect.arrayContaining(['polling-chat', 'polling-callback-chat', 'upgrade-chat', 'upgrade-handshake', 'upload-download-intact']),
    )
    await expectNothingLeft(gms)
  })
})

describe.concurrent('an end before its time leaves nothing open', () => {
  /** True when somebody is in a chat. */
  const inChat = async (gms: Gms) => (await gms.state()).chats.some(({ended}) => !ended)

  test('Ctrl-C', async () => {
    const gms = await startGms('--option', 'agent=absent')
    const child = execa(process.execPath, [entry, 'verify', 'nginx', ...PARAMETERS, ...upstream(gms)], {cwd: projectRoot, reject: false})
    // Not the chat of the preflight: the proxy's own users.
    await vi.waitFor(async () => expect((await gms.state()).chats.length).toBeGreaterThan(4), {timeout: 60_000})
    await vi.waitFor(async () => expect(await inChat(gms)).toBe(true), {timeout: 60_000, interval: 5})
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(130)
    expect(await inChat(gms)).toBe(false)
    await expectNothingLeft(gms)
  })

  test('--timeout, while the preflight waits for an agent', async () => {
    const gms = await startGms('--option', 'agent=absent')
    const {exitCode, stderr} = await runCli(['verify', 'nginx', ...PARAMETERS, ...upstream(gms), '--timeout', '3s'])
    expect({exitCode, late: stderr.includes('not finished within --timeout 3s')}).toEqual({exitCode: 3, late: true})
    await expectNothingLeft(gms)
  })

  test('a WebSocket that is cut in the middle of a chat', async () => {
    const gms = await startGms()
    const conf = join(await mkdtemp(join(tmpdir(), 'gms-proxy-cut-')), 'haproxy.cfg')
    const idle = await readFile(join(projectRoot, 'src/verify/checks/upgrade-idle-survives/broken.haproxy.cfg'), 'utf8')
    await writeFile(conf, idle.replace(/(timeout\s+(client|server|tunnel)\s+)\S+/g, '$13s'))
    const {report} = await verifyJson([conf, ...upstream(gms), '--set', 'polling.hold=2s', '--only', 'upgrade-idle-survives'])
    expect(idsWith(report.subjects[0], 'failed')).toEqual(['upgrade-idle-survives'])
    await expectNothingLeft(gms)
    await rm(conf)
  })
})
