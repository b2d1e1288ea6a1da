import {expect, test} from 'vitest'
import {plainRequest} from '../flows/plain-request.ts'
import {silentLogger} from '../log.ts'
import type {Promises} from '../model/report.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {Check, Judgement} from './check.ts'
import {check as reachesGms} from './checks/listener-reaches-gms/check.ts'
import {runCheck, whyNot} from './run-check.ts'
import {budgetsFor} from './stage.ts'

const PROMISES: Promises = {
  chats: 3,
  maxFileSize: 10_000,
  nodes: 1,
  holdMs: 1000,
  upgradeIdleMs: 1000,
  paths: [COMETD_PATH],
  affinity: 'none',
  tls: false,
  upstreamTls: false,
  origins: [],
  source: {},
}
const PASSED: Judgement = {status: 'passed'}
const failed = (actual: string): Judgement => ({
  status: 'failed',
  findings: [{message: 'Expected an answer', expected: '200', actual, evidence: {client: [], upstream: []}}],
})

/** Runs a check that sees `through` at the proxy, and without it one of `alone` after the other, each `tookMs` later. */
async function judged(through: Judgement, alone: readonly Judgement[], {tookMs = 0, blockedMs = 0, budgetMs = 10_000} = {}) {
  await using simulator = await startSimulator({nodes: 1, holdMs: PROMISES.holdMs})
  const [node] = simulator.nodes
  if (!node) throw new Error('a simulator without its node')
  const direct = {
    url: new URL(`http://${node.host}:${node.port}`),
    hostHeader: `${node.host}:${node.port}`,
    chatService: DEFAULT_CHAT_SERVICE,
  }
  const target = {...direct, hostHeader: 'chat.example.com'}
  const rest = [...alone]
  const check: Check = {
    ...reachesGms,
    budgetMs: () => budgetMs,
    run: async ({target: place, flow}) => {
      if (tookMs > 0) await new Promise(resolve => setTimeout(resolve, tookMs))
      await flow(plainRequest, {target: COMETD_PATH})
      for (const until = performance.now() + blockedMs; performance.now() < until;);
      if (blockedMs > 0) await new Promise(resolve => setTimeout(resolve, 100))
      return place.hostHeader === target.hostHeader ? through : (rest.shift() ?? PASSED)
    },
  }
  const {signal} = new AbortController()
  const budgets = budgetsFor(PROMISES)
  return await runCheck(
    check,
    {
      stage: {
        target,
        promises: PROMISES,
        budgets,
        mostChats: 10,
        signal,
        upstream: {
          recorder: simulator.recorder,
          nodes: simulator.nodes,
          written: [],
          bystander: {name: 'gms2', address: '127.0.0.1:9'},
          direct,
        },
        flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
      },
      sandbox: {diff: '', nodes: []},
      async [Symbol.asyncDispose]() {},
    },
    {name: 'nginx', signal, logger: silentLogger},
  )
}

test('what fails without the proxy in the same way is not held against it', async () => {
  expect(await judged(failed('no answer after 1.2 s'), [failed('no answer after 15 s')])).toMatchObject({
    status: 'skipped',
    because: expect.stringContaining('without the proxy either: no answer after 15 s') as string,
  })
})

test('what passes without the proxy is', async () => {
  expect(await judged(failed('502'), [PASSED])).toMatchObject({status: 'failed'})
})

test('a run without the proxy that was disturbed does not clear the proxy', async () => {
  expect(await judged(failed('502'), [failed('the connection was closed'), PASSED])).toMatchObject({status: 'failed'})
})

test('a GMS that fails in another way keeps the proxy from being judged', async () => {
  expect(await judged(failed('502'), [failed('closed'), failed('closed')])).toMatchObject({
    status: 'errored',
    because: expect.stringContaining('in another way: closed; through the proxy: 502') as string,
  })
})

test('a finding that took most of its time is not lost while GMS is asked', async () => {
  expect(await judged(failed('502'), [PASSED], {tookMs: 2000, budgetMs: 3600})).toMatchObject({status: 'failed'})
})

test('affinity is not judged where one GMS stands for all nodes', () => {
  const have = {accepted: true, affinity: true, nodes: 2, gms: 'real', intrusive: false, oneForAll: true} as const
  expect(whyNot({...reachesGms, needs: ['affinity']}, have)?.because).toContain('one GMS stands for all nodes')
})

test('a process that stood still does not judge others', async () => {
  expect(await judged(failed('no answer'), [PASSED], {blockedMs: 2300})).toMatchObject({
    status: 'errored',
    because: expect.stringContaining('too busy to judge') as string,
  })
  expect(await judged(PASSED, [], {blockedMs: 2300})).toMatchObject({status: 'passed'})
})
