import {beforeAll, expect, test} from 'vitest'
import {idsWith, verifyJson} from '../support/cli.ts'
import {buildReal, startReal} from './real-cometd.ts'

/**
 * Every rendered proxy before a real CometD server: a GMS on CometD that nobody here wrote the sessions, transports and limits of. The tap
 * is between them, so that what arrived is judged as with the simulator.
 */
const GENERATION = 'cometd-8'
/** Judged with what reached the server, on every transport, over the hold and with files. */
const MUST_PASS = [
  'access-not-a-forward-proxy',
  'affinity-same-node',
  'affinity-upload',
  'forwarding-client-address',
  'forwarding-host',
  'polling-callback-chat',
  'polling-chat',
  'polling-hold-survives',
  'upgrade-chat',
  'upgrade-handshake',
  'upgrade-negotiated',
  'upload-download-intact',
  'upstream-path-intact',
]

beforeAll(() => buildReal(GENERATION), 600_000)

test.each(['nginx', 'apache', 'haproxy'])(
  '%s keeps its promises before a real CometD server',
  async proxy => {
    await using server = await startReal(GENERATION, {nodes: 2, holdMs: 30_000, maxIntervalMs: 10_000})
    const upstream = server.ports.map(port => `http://127.0.0.1:${port}`).join(',')
    const {report} = await verifyJson([
      proxy,
      ...['--set', 'upstream.nodes=gms1.example.com:8080,gms2.example.com:8080', '--set', 'limits.chats=100'],
      ...['--upstream', upstream, '--intrusive'],
    ])
    const [subject] = report.subjects
    const findings = subject?.outcomes.flatMap(({id, findings: own}) => own.map(({actual}) => `${id}: ${actual}`))
    expect({findings, errored: idsWith(subject, 'errored')}).toEqual({findings: [], errored: []})
    expect(idsWith(subject, 'passed')).toEqual(expect.arrayContaining(MUST_PASS))
  },
  300_000,
)
