import {expect, test} from 'vitest'
import {startSimulator} from '../simulator/simulator.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE, FILES_PATH} from '../wire/chat.ts'
import {answers} from './answers.ts'
import type {Target} from './flow.ts'
import {lostSession} from './lost-session.ts'
import {sendFiles} from './send-files.ts'

const context = () => ({budgets: {answer: 5000, hold: 500, networkDelay: 500}, signal: new AbortController().signal})

function targetOf({nodes: [node]}: Simulator): Target {
  const url = new URL(`http://127.0.0.1:${node?.port ?? 0}`)
  return {url, hostHeader: url.host, chatService: DEFAULT_CHAT_SERVICE}
}

test('a paced upload takes as long as its line, and arrives whole', async () => {
  await using simulator = await startSimulator({nodes: 1, holdMs: 500})
  const {files} = await sendFiles.run(
    targetOf(simulator),
    {bytes: 20_000, pace: {bytesPerSecond: 20_000, pauses: [{afterBytes: 10_000, ms: 700}]}},
    context(),
  )
  const [file] = files
  expect(file).toMatchObject({status: 200, statusCode: 0, handedOver: file?.form.bytes})
  expect(file?.sendingMs).toBeGreaterThan(1500)
  expect(file?.longestPauseMs).toBeGreaterThanOrEqual(700)
  expect(simulator.recorder.byProbe(file?.probe ?? '')?.body?.sha256).toBe(file?.form.sha256)
})

test('a small form is interrupted in the middle, too', async () => {
  await using simulator = await startSimulator({nodes: 1, holdMs: 500})
  const {files} = await sendFiles.run(
    targetOf(simulator),
    {bytes: 1024, pace: {bytesPerSecond: 15_000, pauses: [256, 512].map(afterBytes => ({afterBytes, ms: 400}))}},
    context(),
  )
  expect(files[0]).toMatchObject({status: 200, statusCode: 0})
  expect(files[0]?.sendingMs).toBeGreaterThanOrEqual(800)
})

test('users who upload together are all half done before one of them is done', async () => {
  await using simulator = await startSimulator({nodes: 1, holdMs: 500})
  const {files, together} = await sendFiles.run(targetOf(simulator), {users: 3, bytes: 200_000, togetherMs: 300}, context())
  expect(together).toBe(true)
  expect(files.map(({status, statusCode}) => [status, statusCode])).toEqual([
    [200, 0],
    [200, 0],
    [200, 0],
  ])
  expect(new Set(files.map(({form}) => form.sha256)).size).toBe(3)
  for (const {fileId, toldOf} of files) expect(toldOf).toEqual([fileId])
  const arrived = files.map(({probe}) => simulator.recorder.byProbe(probe))
  const lastBegin = Math.max(...arrived.map(request => request?.at ?? Infinity))
  for (const request of arrived) expect(request?.answeredAt).toBeGreaterThan(lastBegin)
})

test('an upload that is announced is sent once, and GMS can be told what to do with it', async () => {
  await using simulator = await startSimulator({nodes: 1, holdMs: 500})
  const {files} = await sendFiles.run(
    targetOf(simulator),
    {bytes: 1000, announce: probe => simulator.faults.add({fault: {kind: 'drop'}, on: ['files'], probe})},
    context(),
  )
  expect(files[0]?.status).toBeUndefined()
  expect(files[0]?.trouble).toContain('closed before an answer')
  expect(simulator.recorder.requests.filter(({target}) => target === FILES_PATH)).toHaveLength(1)
})

test('answers are kept as they came, and GMS knows what it sent', async () => {
  await using simulator = await startSimulator({nodes: 1, holdMs: 500})
  const {answers: seen, ended} = await answers.run(
    targetOf(simulator),
    {
      chat: true,
      asks: [
        {name: 'no file', method: 'POST', path: FILES_PATH, form: {operation: 'fileDownload', fileId: 'none'}},
        {name: 'no transport', method: 'GET', path: COMETD_PATH},
        {name: 'a message', method: 'POST', path: `${COMETD_PATH}/`, publish: {operation: 'sendMessage', message: 'Hello.'}},
      ],
    },
    context(),
  )
  expect(ended).toBe('completed')
  expect(seen.map(({status}) => status)).toEqual([500, 400, 200])
  for (const {probe, sha256, bytes, contentType} of seen)
    expect(simulator.recorder.byProbe(probe)?.sent).toEqual({sha256, bytes, contentType})
})

test.each(['websocket', 'long-polling', 'callback-polling'] as const)(
  'a session that GMS does not know is told so over %s',
  async transport => {
    await using simulator = await startSimulator({nodes: 1, holdMs: 500})
    const {replies} = await lostSession.run(targetOf(simulator), {transport}, context())
    expect(replies.map(({step, error, advice}) => [step, error, advice?.reconnect])).toEqual([
      ['connect', '402::session_unknown', 'handshake'],
      ['publish', '402::session_unknown', undefined],
    ])
    const [connect] = replies
    if (transport !== 'websocket') expect(simulator.recorder.byProbe(connect?.probe ?? '')?.sent?.sha256).toBe(connect?.sha256)
    expect(simulator.nodes[0]?.sessions).toBe(0)
  },
)
