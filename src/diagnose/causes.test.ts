import {describe, expect, it} from 'vitest'
import type {Rule} from '../lint/rule.ts'
import type {Outcome, Status} from '../model/report.ts'
import {causesOf} from './causes.ts'
import type {Suspicion} from './read.ts'

function rule(id: Rule['meta']['id'], meta: Partial<Rule['meta']> = {}, inFile = true): Rule {
  return {
    meta: {
      id,
      title: `title of ${id}`,
      concern: 'polling',
      severity: 'error',
      requirement: '',
      remediation: {nginx: 'mend it', apache: 'mend it', haproxy: 'mend it'},
      references: [],
      breaks: [],
      mayBreak: [],
      ...meta,
    },
    ...(inFile ? {inspect: () => []} : {}),
  }
}

const fired = (of: Rule): Suspicion => ({
  rule: of,
  findings: [
    {
      message: 'Too short',
      expected: '45s',
      actual: '25s',
      location: {file: 'haproxy.cfg', line: 3},
      evidence: {client: [], upstream: []},
      remediation: 'timeout server 45s',
    },
  ],
})

function outcome(id: string, status: Status, {log = [], ...more}: Partial<Outcome> & {log?: readonly string[]} = {}): Outcome {
  const finding = {message: 'm', expected: 'e', actual: 'a', evidence: {client: [], upstream: [], proxyLog: log}, remediation: 'r'}
  return {
    id,
    concern: 'polling',
    title: id,
    status,
    severity: 'error',
    durationMs: 1,
    findings: status === 'failed' ? [finding] : [],
    ...more,
  }
}

const short = rule('polling-timeout-below-hold', {breaks: ['polling-hold-survives'], mayBreak: ['upload-late-answer']})

/** What is said of each cause: `id confidence explains…`. */
function said(outcomes: readonly Outcome[], suspicions: readonly Suspicion[], rules = suspicions.map(each => each.rule)) {
  const {causes, unexplained} = causesOf({proxy: 'haproxy', outcomes, suspicions, rules})
  return {causes: causes.map(({id, confidence, explains}) => [id, confidence, ...explains].join(' ')), unexplained}
}

describe('how sure a cause is', () => {
  it('is certain where the file and the check that it always breaks agree', () => {
    expect(said([outcome('polling-hold-survives', 'failed'), outcome('upload-late-answer', 'failed')], [fired(short)])).toEqual({
      causes: ['polling-timeout-below-hold certain polling-hold-survives upload-late-answer'],
      unexplained: [],
    })
  })

  it('is likely where only something failed that the defect can break', () => {
    expect(said([outcome('upload-late-answer', 'failed')], [fired(short)]).causes).toEqual([
      'polling-timeout-below-hold likely upload-late-answer',
    ])
  })

  it('is possible where the check that it always breaks passed', () => {
    expect(said([outcome('polling-hold-survives', 'passed'), outcome('upload-late-answer', 'failed')], [fired(short)]).causes).toEqual([
      'polling-timeout-below-hold possible upload-late-answer',
    ])
  })

  it('is certain, and before that the proxy does not start, where the proxy says that it stumbled over it', () => {
    const unverified = rule('tls-upstream-not-verified', {severity: 'warning', breaks: ['tls-upstream-verified']})
    const refuses = rule('listener-refuses-to-start', {breaks: ['listener-config-accepted']})
    const [finding] = outcome('listener-config-accepted', 'failed').findings
    const refusal = (actual: string) => outcome('listener-config-accepted', 'failed', {findings: finding ? [{...finding, actual}] : []})
    const suspicions = [fired(refuses), fired(unverified)]
    expect(said([refusal("'server gms/gms1' : verify is enabled by default but no CA file specified")], suspicions).causes).toEqual([
      'tls-upstream-not-verified certain listener-config-accepted',
      'listener-refuses-to-start certain listener-config-accepted',
    ])
    expect(said([refusal('unknown keyword')], suspicions).causes).toEqual([
      'listener-refuses-to-start certain listener-config-accepted',
      'tls-upstream-not-verified possible',
    ])
  })

  it('is possible where nothing failed', () => {
    expect(said([outcome('polling-hold-survives', 'passed')], [fired(short)]).causes).toEqual(['polling-timeout-below-hold possible'])
  })

  it('is only possible where a certain cause explains the same', () => {
    const other = rule('upload-timeout-too-short', {mayBreak: ['polling-hold-survives']})
    expect(said([outcome('polling-hold-survives', 'failed')], [fired(other), fired(short)]).causes).toEqual([
      'polling-timeout-below-hold certain polling-hold-survives',
      'upload-timeout-too-short possible polling-hold-survives',
    ])
  })

  it('says of a failure that no rule explains that it is unexplained', () => {
    expect(said([outcome('forwarding-host', 'failed')], [fired(short)])).toEqual({
      causes: ['polling-timeout-below-hold possible'],
      unexplained: ['forwarding-host'],
    })
  })

  it('counts what presupposes an explained failure as explained', () => {
    const outcomes = [
      outcome('polling-hold-survives', 'failed'),
      outcome('polling-delivers-promptly', 'failed', {followsFrom: 'polling-hold-survives'}),
    ]
    expect(said(outcomes, [fired(short)]).unexplained).toEqual([])
  })

  it('puts the cause first that explains more', () => {
    const wide = rule('affinity-missing', {breaksOneOf: ['polling-chat'], mayBreak: ['upload-late-answer']})
    expect(
      said(
        [outcome('polling-hold-survives', 'failed'), outcome('polling-chat', 'failed'), outcome('upload-late-answer', 'failed')],
        [fired(rule('polling-timeout-below-hold', {breaks: ['polling-hold-survives']})), fired(wide)],
      ).causes[0],
    ).toBe('affinity-missing certain polling-chat upload-late-answer')
  })
})

describe('what the log of the proxy adds', () => {
  const log = ['main bk_gms/server1 0/0/0/-1/25000 504 198 - - sH-- 1/1/0/0/0 0/0 "POST /genesys/cometd/connect HTTP/1.1"']

  it('is told beside what the file says', () => {
    const {causes} = causesOf({
      proxy: 'haproxy',
      outcomes: [outcome('polling-hold-survives', 'failed', {log})],
      suspicions: [fired(short)],
      rules: [short],
    })
    expect(causes[0]?.because.at(-1)).toMatch(/^the log: the node held the request longer than timeout server: .*sH--/)
  })

  it('is only possible where no line of the file is guilty', () => {
    expect(said([outcome('polling-hold-survives', 'failed', {log})], [], [short])).toEqual({
      causes: ['polling-timeout-below-hold possible polling-hold-survives'],
      unexplained: [],
    })
  })

  it('makes a defect likely that no file shows', () => {
    const unwritable = rule('upload-temp-unwritable', {mayBreak: ['upload-largest-file']}, false)
    const line = '2026/01/01 00:00:00 [crit] 7#7: *1 open() "/var/lib/nginx/body/0000000001" failed (13: Permission denied)'
    const {causes} = causesOf({
      proxy: 'nginx',
      outcomes: [outcome('upload-largest-file', 'failed', {log: [line]})],
      suspicions: [],
      rules: [unwritable],
    })
    expect(causes.map(({id, confidence}) => `${id} ${confidence}`)).toEqual(['upload-temp-unwritable likely'])
  })
})

it('takes the word of a proxy that refuses its configuration', () => {
  const refuses = rule('listener-refuses-to-start', {breaks: ['listener-config-accepted']})
  const place = {file: 'haproxy.cfg', line: 7}
  const refusal = outcome('listener-config-accepted', 'failed')
  const {causes} = causesOf({
    proxy: 'haproxy',
    outcomes: [{...refusal, findings: refusal.findings.map(finding => ({...finding, actual: 'unknown keyword', location: place}))}],
    suspicions: [],
    rules: [refuses],
  })
  expect(causes).toMatchObject([
    {id: 'listener-refuses-to-start', confidence: 'certain', location: place, because: ['the proxy: unknown keyword']},
  ])
})
