import {describe, expect, it} from 'vitest'
import type {AnsweredBy} from '../../model/live.ts'
import {judge} from './judge.ts'
import type {LiveAnswer, Seen} from './live.ts'
import {ladder} from './look.ts'

const PROMISES = {holdMs: 30_000, upgradeIdleMs: 3_600_000, maxFileSize: 10_485_760}
const GMS: AnsweredBy = {who: 'gms', confidence: 'certain', because: []}
const NGINX: AnsweredBy = {who: 'nginx', confidence: 'certain', because: []}
const NOBODY: AnsweredBy = {who: 'unknown', confidence: 'possible', because: []}

function answer(status: number | undefined, by: AnsweredBy, more: Partial<LiveAnswer> = {}): LiveAnswer {
  return {
    what: 'POST /genesys/cometd/handshake',
    tookMs: 5,
    ...(status === undefined ? {failure: {ended: 'closed' as const, reason: 'closed'}} : {status}),
    headers: {},
    headerNames: [],
    body: '',
    by,
    ...more,
  }
}

function seen(more: Partial<Seen>): Seen {
  return {
    url: 'http://chat.example.com/',
    resolved: {addresses: ['192.0.2.1'], tookMs: 1},
    connected: {address: '192.0.2.1', tookMs: 1},
    transports: {},
    asks: {handshake: answer(200, GMS), files: answer(200, GMS)},
    ...more,
  }
}

const suspectedIn = (what: Seen) => judge(what, PROMISES).suspected.map(({id, confidence}) => `${confidence} ${id}`)
const statusOf = (what: Seen, id: string) => judge(what, PROMISES).felt.find(felt => felt.id === id)?.status

describe('what is suspected', () => {
  it('is nothing where nothing failed', () => {
    expect(suspectedIn(seen({}))).toEqual([])
  })

  it('is nothing where somebody hangs up and nothing tells why', () => {
    const hangsUp = seen({asks: {handshake: answer(undefined, NOBODY)}})
    expect(suspectedIn(hangsUp)).toEqual([])
    expect(statusOf(hangsUp, 'listener-reaches-gms')).toBe('failed')
  })

  it.each([
    {by: NGINX, status: 504, expected: ['certain polling-timeout-below-hold']},
    {by: NOBODY, status: 504, expected: ['likely polling-timeout-below-hold']},
    {by: NGINX, status: 502, expected: ['likely polling-timeout-below-hold']},
    {by: NGINX, status: 500, expected: []},
  ])('is as sure as a poll that ended with $status by $by.who', ({by, status, expected}) => {
    const hold = {flow: 'held-poll', exchanges: [], ended: 'refused' as const, heldMs: 25_000, successful: false, status, by}
    expect(suspectedIn(seen({hold}))).toEqual(expected)
  })

  it('is not the timeout for a poll that was refused at once', () => {
    const hold = {flow: 'held-poll', exchanges: [], ended: 'refused' as const, heldMs: 20, successful: false, status: 504, by: NGINX}
    expect(suspectedIn(seen({hold}))).toEqual([])
  })

  it.each([
    {by: NGINX, status: 404, expected: ['certain upstream-route-missing']},
    {by: NOBODY, status: 404, expected: ['likely upstream-route-missing']},
    {by: GMS, status: 404, expected: ['likely upstream-path-rewritten']},
    {by: NGINX, status: 502, expected: ['likely upstream-down', 'possible tls-upstream-scheme-mismatch']},
    {by: NOBODY, status: 502, expected: ['possible upstream-down', 'possible tls-upstream-scheme-mismatch']},
    {by: GMS, status: 503, expected: []},
  ])('follows who answered $status: $by.who', ({by, status, expected}) => {
    expect(suspectedIn(seen({asks: {handshake: answer(status, by)}}))).toEqual(expected)
  })
})

describe('an idle WebSocket', () => {
  const cut = (silenceMs: number, afterMs: number, code = 1006) => ({silenceMs, alive: false, cut: {afterMs, code}})
  const alive = (silenceMs: number) => ({silenceMs, alive: true})

  it('is cut by somebody on the way when no close frame came', () => {
    const judged = judge(seen({silent: [cut(65_000, 60_010), cut(62_000, 60_020), alive(50_000)]}), PROMISES)
    expect(judged.idle).toEqual({triedMs: 65_000, survivedMs: 50_000, cutMs: 60_010, code: 1006})
    expect(judged.suspected.map(({id, confidence}) => [id, confidence])).toEqual([['upgrade-idle-cut', 'likely']])
  })

  it('is cut too soon below the heartbeat', () => {
    expect(suspectedIn(seen({silent: [cut(65_000, 25_000), alive(20_000)]}))).toEqual(['likely upgrade-cut-below-heartbeat'])
  })

  it('is ended by GMS when a close frame came', () => {
    expect(suspectedIn(seen({silent: [cut(65_000, 60_000, 1001)]}))).toEqual(['likely upstream-gms-itself'])
  })

  it('is only possibly forgotten when nobody was seen closing it', () => {
    const silent = [{silenceMs: 65_000, alive: false}, {silenceMs: 50_000, alive: false}, alive(38_000)]
    const judged = judge(seen({silent}), PROMISES)
    expect(judged.idle).toMatchObject({survivedMs: 38_000, deafAfterMs: 50_000})
    expect(judged.suspected.map(({id, confidence}) => [id, confidence])).toEqual([['upgrade-idle-cut', 'possible']])
  })

  it('is not judged where no session came about', () => {
    expect(statusOf(seen({silent: [{silenceMs: 65_000, alive: false, trouble: 'upgrade: HTTP 400'}]}), 'upgrade-idle-survives')).toBe(
      'skipped',
    )
  })

  it('is tried for lengths close enough to one another, the longest first', () => {
    const rungs = ladder(65_000)
    expect(rungs[0]).toBe(65_000)
    expect(rungs).toHaveLength(12)
    for (const [index, rung] of rungs.slice(1).entries()) expect((rungs[index] ?? 0) / rung).toBeLessThan(1.31)
  })
})

describe('what did not happen', () => {
  it('passes nothing', () => {
    const nobody = seen({asks: {handshake: answer(503, NGINX)}, affinity: {users: 0, strangers: 0}})
    expect(
      judge(nobody, PROMISES)
        .felt.filter(({status}) => status === 'passed')
        .map(({id}) => id),
    ).toEqual(['listener-name-resolves', 'listener-accepts-connections'])
  })
})
