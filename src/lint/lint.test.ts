import {describe, expect, it} from 'vitest'
import type {ConfigBundle} from '../model/bundle.ts'
import {expectationsOfForeign} from '../parameters/expectations.ts'
import {PROXIES} from '../proxies/index.ts'
import type {Directive} from '../proxies/syntax.ts'
import {baselineOf, KnownFindings} from './baseline.ts'
import {lint} from './lint.ts'
import type {LintInput} from './lint.ts'
import type {Rule, RuleDraft} from './rule.ts'
import {suppressionsOf} from './suppressions.ts'

const promises = expectationsOfForeign({name: 'nginx.conf', nodes: 2})
const META = {
  title: 'A listener is there',
  concern: 'listener' as const,
  severity: 'error' as const,
  requirement: '',
  remediation: {nginx: 'client_max_body_size {bodyMiB}m;'},
  references: [],
  breaks: [],
  mayBreak: [],
}
const all = (directives: readonly Directive[]): readonly Directive[] => directives.flatMap(each => [each, ...all(each.block ?? [])])

/** Fires on every directive of that name. */
const ruleOn = (name: string, more: Partial<RuleDraft> = {}, id: Rule['meta']['id'] = `listener-${name}`): Rule => ({
  meta: {...META, id},
  inspect: ({site}) =>
    site.config.files
      .flatMap(({directives}) => all(directives))
      .filter(directive => directive.name === name)
      .map(({span, args}) => ({
        span,
        message: `Expected no ${name}`,
        expected: 'none',
        actual: args[0]?.raw ?? '',
        edits: [{span, text: '', why: 'it goes'}],
        ...more,
      })),
})

const run = (text: string | readonly {path: string; text: string}[], rules: readonly Rule[], more: Partial<LintInput> = {}) => {
  const files = typeof text === 'string' ? [{path: 'nginx.conf', text}] : text
  const bundle: ConfigBundle = {proxy: 'nginx', entry: files[0]!.path, files, origin: 'read'}
  const config = PROXIES.nginx.parse(bundle)
  const nameOf = (file: string) => `conf/${file}`
  const {comments, problems} = suppressionsOf(config, {ids: ['listener-listen', 'listener-server'], nameOf})
  expect(problems).toEqual([])
  return lint({proxy: PROXIES.nginx, config, version: '1.22.1', promises, rules, comments, nameOf, ...more})
}

describe('a finding', () => {
  const text = 'events {}\nhttp {\n  server {\n    listen 80;\n  }\n}\n'

  it('has its place in the path of the user, its lines, its mend and its patch', () => {
    const {outcomes, bugs} = run(text, [ruleOn('listen')])
    expect(bugs).toEqual([])
    expect(outcomes).toHaveLength(1)
    expect(outcomes[0]).toMatchObject({id: 'listener-listen', status: 'failed', severity: 'error'})
    expect(outcomes[0]?.findings).toEqual([
      {
        message: 'Expected no listen',
        expected: 'none',
        actual: '80',
        location: {file: 'conf/nginx.conf', line: 4, column: 5, endLine: 4, endColumn: 15, text: 'listen 80;'},
        excerpt: {line: 3, lines: ['  server {', '    listen 80;', '  }'], mark: {line: 4, column: 5, endColumn: 15}},
        evidence: {client: [], upstream: []},
        remediation: 'client_max_body_size 11m;',
        patch: '--- a/conf/nginx.conf\n+++ b/conf/nginx.conf\n@@ -2,5 +2,5 @@\n http {\n   server {\n-    listen 80;\n+    \n   }\n }',
        replacements: [{file: 'conf/nginx.conf', line: 4, column: 5, endLine: 4, endColumn: 15, text: '', why: 'it goes'}],
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ])
  })

  it('is said once, however many requests lead to it, and in the order of the file', () => {
    const twice: Rule = {
      ...ruleOn('listen'),
      inspect: inspection => {
        const drafts = ruleOn('listen').inspect!(inspection)
        return [...drafts, ...drafts].reverse()
      },
    }
    const {outcomes} = run('listen 1;\nlisten 2;\nlisten 3;\n', [twice])
    expect(outcomes[0]?.findings.map(({location}) => location?.line)).toEqual([1, 2, 3])
  })

  it('hides secrets everywhere, and offers no text that has lost one', () => {
    const secret = 'proxy_set_header Authorization "Basic dXNlcjpwYXNz";'
    const rule = ruleOn('listen', {
      message: `Expected no "${secret}"`,
      actual: secret,
      remediation: secret,
      edits: [{span: {file: 'nginx.conf', start: 0, end: 0, line: 1, column: 1}, text: `${secret}\n`, why: 'x'}],
    })
    const result = run(`listen 80; ${secret}\n`, [rule])
    expect(JSON.stringify(result)).not.toContain('dXNl')
    expect(result.outcomes[0]?.findings[0]).not.toHaveProperty('replacements')
  })

  it('keeps its fingerprint when lines move, and has another than its twin', () => {
    const prints = (text: string) => run(text, [ruleOn('listen')]).outcomes[0]?.findings.map(({fingerprint}) => fingerprint)
    const [first, second] = prints('listen 80;\nlisten 80;\n') ?? []
    expect(first).not.toBe(second)
    expect(prints('# more\n\n  listen   80;\nx;\nlisten 80;\n')).toEqual([first, second])
  })
})

describe('a rule', () => {
  it('that throws is a bug of ours: its outcome is errored, the others are there', () => {
    const broken: Rule = {
      meta: {...META, id: 'listener-broken'},
      inspect() {
        throw new Error('oops')
      },
    }
    const {outcomes, bugs} = run('listen 80;', [broken, ruleOn('listen')])
    expect(outcomes.map(({status}) => status)).toEqual(['errored', 'failed'])
    expect(outcomes[0]?.because).toContain('oops')
    expect(bugs.map(({rule, error}) => `${rule}: ${error.message}`)).toEqual(['listener-broken: oops'])
  })

  it('whose edits overlap is one as well', () => {
    const span = {file: 'nginx.conf', start: 0, end: 6, line: 1, column: 1}
    const overlapping = ruleOn('listen', {
      edits: [
        {span, text: 'a', why: ''},
        {span: {...span, start: 3}, text: 'b', why: ''},
      ],
    })
    expect(run('listen 80;', [overlapping]).bugs).toHaveLength(1)
  })

  it('that no file shows, or this proxy cannot break, is no half of a run', () => {
    const evidence: Rule = {meta: {...META, id: 'listener-evidence', provenBy: {by: 'evidence', because: 'DNS is elsewhere'}}}
    const others: Rule = {...ruleOn('listen'), meta: {...META, id: 'listener-others', remediation: {haproxy: 'x'}}}
    const {outcomes} = run('listen 80;', [evidence, others])
    expect(outcomes.map(({status, notInFile, because}) => ({status, notInFile, because}))).toEqual([
      {status: 'skipped', notInFile: true, because: 'no file shows it: DNS is elsewhere'},
      {status: 'skipped', notInFile: true, because: 'nginx cannot have it'},
    ])
  })
})

describe('a comment', () => {
  const rules = [ruleOn('listen'), ruleOn('server')]

  it('suppresses what it names, where it stands, and the reason is kept', () => {
    const {outcomes, reading} = run('listen 1; # gms-proxy-ignore listener-listen: tested\nlisten 2;\n', rules)
    expect(outcomes[0]?.findings.map(({location}) => location?.line)).toEqual([2])
    expect(outcomes[0]?.suppressed?.map(({location, suppression}) => ({line: location?.line, suppression}))).toEqual([
      {line: 1, suppression: {by: 'comment', reason: 'tested'}},
    ])
    expect(reading.unusedSuppressions).toEqual([])
  })

  it('speaks of the block line, not of what stands in the block', () => {
    const {outcomes} = run('# gms-proxy-ignore listener-listen, listener-server: x\nserver {\n  listen 1;\n}\n', rules)
    expect(outcomes.map(({findings}) => findings.length)).toEqual([1, 0])
  })

  it('for the file suppresses all of it, and of no other file', () => {
    const {outcomes} = run(
      [
        {path: 'nginx.conf', text: '# gms-proxy-ignore-file listener-listen: x\ninclude b.conf;\nlisten 1;\nlisten 2;\n'},
        {path: 'b.conf', text: 'listen 3;\n'},
      ],
      rules,
    )
    expect(outcomes[0]?.findings.map(({location}) => location?.file)).toEqual(['conf/b.conf'])
    expect(outcomes[0]?.suppressed).toHaveLength(2)
  })

  it('that suppresses nothing is told, but for rules that were not asked', () => {
    const text = '# gms-proxy-ignore listener-listen, listener-server: x\na 1;\n'
    expect(run(text, rules).reading.unusedSuppressions).toMatchObject([
      {location: {file: 'conf/nginx.conf', line: 1}, ids: ['listener-listen', 'listener-server']},
    ])
    expect(run(text, rules.slice(0, 1)).reading.unusedSuppressions[0]?.ids).toEqual(['listener-listen'])
  })
})

describe('a baseline', () => {
  it('takes what was there, and only that', () => {
    const before = run('listen 1;\nlisten 2;\n', [ruleOn('listen')])
    const baseline = new KnownFindings(baselineOf(before.marks))
    const {outcomes} = run('x;\nlisten 2;\nlisten 3;\nlisten   1;\n', [ruleOn('listen')], {baseline})
    expect(outcomes[0]?.findings.map(({actual}) => actual)).toEqual(['3'])
    expect(outcomes[0]?.suppressed?.map(({suppression}) => suppression)).toEqual([{by: 'baseline'}, {by: 'baseline'}])
  })

  it('is named as its own folder sees the files', () => {
    const {marks} = run('listen 1;\n', [ruleOn('listen')], {baselineNameOf: file => `../elsewhere/${file}`})
    expect(marks).toEqual([{rule: 'listener-listen', file: '../elsewhere/nginx.conf', text: 'listen 1;'}])
  })

  it('does not hold what a comment suppresses', () => {
    expect(run('listen 1; # gms-proxy-ignore listener-listen: x\n', [ruleOn('listen')]).marks).toEqual([])
  })
})

it('offers no edit that puts the same words there again', () => {
  const text = 'events {} http { server {   listen 80; } }'
  const at = text.indexOf('listen 80')
  const edits = [{span: {file: 'nginx.conf', start: at, end: at + 9, line: 1, column: at + 1}, text: 'listen  80', why: 'again'}]
  const [outcome] = run(text, [ruleOn('listen', {edits})]).outcomes
  expect(outcome?.findings).toHaveLength(1)
  expect(outcome?.findings[0]?.patch).toBeUndefined()
  expect(outcome?.findings[0]?.replacements).toBeUndefined()
})

it('shows no patch that repeats a file of one line', () => {
  const [outcome] = run(`events {} http { server { listen 80; } } #${'a'.repeat(100_000)}`, [ruleOn('listen')]).outcomes
  expect(outcome?.findings[0]?.patch).toBeUndefined()
  expect(outcome?.findings[0]?.replacements).toHaveLength(1)
})

it('tells where a way of the chat cannot be followed, for no rule speaks of it', () => {
  const text = 'events {} http { server { listen 80; location ~ "^/(?>genesys)" { return 404; } location / { proxy_pass http://a:80; } } }'
  const {reading} = run(text, [ruleOn('root')])
  expect(reading.unknown).toHaveLength(1)
  expect(reading.unknown[0]?.because).toMatch(/^where the handshake goes cannot be told: the expression/)
  expect(reading.unknown[0]?.location.column).toBe(text.indexOf('location ~') + 1)
})
