import {describe, expect, it} from 'vitest'
import {diagnosed, errored, failed, fixed, lintReport, passed, reportOf, seenLive, skipped, subject} from '../../test/support/reports.ts'
import type {Finding, Outcome, Report} from '../model/report.ts'
import {html} from './html.ts'
import type {Page} from './pages.ts'

const canvas = {colour: false, width: 100, verbose: false}
const shown = (report: Report, page?: Page) => html(report, canvas, () => page)
const [finding] = failed.findings as [Finding]

/** Elements and attribute names of a page, as anybody who parses it sees them. Text cannot add to them. */
function skeleton(page: string): readonly string[] {
  return [...page.matchAll(/<\/?[a-z][a-z0-9]*(?:\s+[a-z-]+(?:="[^"]*")?)*\s*\/?>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, ''))
}

it('shows a failed check with both witnesses, the mend, and how to run it again', () => {
  const page = shown(reportOf(subject([passed, failed, skipped, errored])))
  expect(page).toContain('not judged')
  for (const text of [
    '200 after 30 s',
    '504 after 25.0 s',
    'POST /genesys/cometd/connect → 504',
    'gms1 was still holding it',
    'bk/s1 0/0/0/-1/25000 504 sH--',
    'haproxy.cfg:31:5',
    'timeout server 45s',
    'gms-proxy explain polling-hold-survives',
    'gms-proxy verify ./haproxy.cfg',
    '1 failed · 1 passed · 1 skipped',
    'a production system would notice it',
    'not judged within 60 s',
    'bind 127.0.0.1:20801',
  ])
    expect(page).toContain(text)
})

it('shows what was read, with its lines and the patch', () => {
  const page = shown(lintReport)
  for (const text of [
    '<span>1 error</span>',
    '<mark>client_max_body_size 1m</mark>',
    '<span class="removed">-    client_max_body_size 1m;\n</span>',
    '<span class="added">+    client_max_body_size 11m;\n</span>',
    'uploads go another way',
    'in the baseline',
    'suppresses nothing',
    'a variable of Lua',
  ])
    expect(page).toContain(text)
})

it('says in one word that all is well', () => {
  expect(shown(reportOf(subject([{...passed, id: 'polling-chat'}])))).toMatch(/<h1>.*<span>chat works<\/span><\/h1>/)
  expect(shown({...lintReport, subjects: [subject([passed])]})).toMatch(/<h1>.*<span>nothing found<\/span><\/h1>/)
})

it('points from the grid to each failure', () => {
  const page = shown(reportOf(subject([failed], {name: 'a.cfg'}), subject([failed], {name: 'b.cfg'})))
  const links = [...page.matchAll(/href="#(finding-\d+)"/g)].map(([, id]) => id)
  expect(links).toEqual(['finding-1', 'finding-2'])
  for (const id of links) expect(page).toContain(`id="${id}"`)
})

it('puts the cause before what follows from it, and folds that', () => {
  const consequence: Outcome = {...failed, id: 'polling-chat', title: 'A chat runs', followsFrom: failed.id}
  const page = shown(reportOf(subject([consequence, failed])))
  expect(
    [...page.matchAll(/<details class="finding error"( open)?>\s*<summary>.*?<h3>([^<]*)/gs)].map(([, open, title]) => [open, title]),
  ).toEqual([
    [' open', 'A held poll is answered by GMS'],
    [undefined, 'A chat runs'],
  ])
  expect(page).toContain('Most likely follows from <code>polling-hold-survives</code>')
})

describe('a time line', () => {
  const client = 'POST /genesys/cometd/connect → 504 in 25.0 s: Gateway Time-out'
  const upstream = 'gms1 received POST /genesys/cometd/connect over HTTP/1.1, has not answered yet'
  const timed = (evidence: Finding['evidence']) => shown(reportOf(subject([{...failed, findings: [{...finding, evidence}]}])))

  it('draws each line where it happened', () => {
    const page = timed({
      client: ['POST /handshake → 200 in 10 ms', client, 'held connect: HTTP 504'],
      upstream: [upstream],
      moments: [
        {end: 'client', text: 'POST /handshake → 200 in 10 ms', at: 0, tookMs: 10},
        {end: 'client', text: client, at: 20_000, tookMs: 20_000},
        {end: 'upstream', text: upstream, at: 30_000},
      ],
    })
    expect([...page.matchAll(/<i( class="open")? style="([^"]*)"/g)].map(([, open = '', style]) => `${style}${open}`)).toEqual([
      'left:0.00%;width:0.03%',
      'left:50.00%;width:50.00%',
      'left:75.00%;width:25.00% class="open"',
    ])
    expect([...page.matchAll(/<span style="left:[^"]*">([^<]*)/g)].map(([, tick]) => tick)).toEqual([
      '0 ms',
      '10.0 s',
      '20.0 s',
      '30.0 s',
      '40.0 s',
    ])
    expect(page).toContain(`<li class="seen trouble"><code>${client}`)
  })

  it('gives equal lines their own times', () => {
    const text = 'POST /connect → 200 in 1 ms'
    const page = timed({client: [text, text], upstream: [], moments: [0, 9].map(at => ({end: 'client' as const, text, at, tookMs: 1}))})
    expect([...page.matchAll(/style="left:([\d.]+)%;width/g)].map(([, left]) => left)).toEqual(['0.00', '90.00'])
  })

  it('survives an instant, and is absent without times', () => {
    expect(timed({client: ['x'], upstream: [], moments: [{end: 'client', text: 'x', at: 5, tookMs: 0}]})).not.toMatch(/NaN|Infinity/)
    expect(timed({client: ['x'], upstream: ['y']})).not.toMatch(/class="(?:track|axis)"|evidence timed/)
  })
})

const HOSTILE = `"'><script>alert(1)</script><img src=x onerror=alert(1)><!-- </style></title></pre></details>&lt; \u001b[2J\u0000\u202eevil javascript:alert(1) \${x} {{y}}`

/** Each text of a report with something behind it; what the program itself chooses from a list stays. */
function ending<T>(value: T, end: string, key = ''): T {
  const chosen =
    /^(?:schema|command|verdict|concern|status|severity|proxy|runtime|by|end|affinity|followsFrom|timing|confidence|who|mark|validTo|explains)$/
  if (typeof value === 'string') return (chosen.test(key) ? value : `${value}${end}`) as T
  if (Array.isArray(value)) return value.map(each => ending(each as unknown, end, key)) as T
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, ending(each as unknown, end, name)])) as T
  return value
}

describe('text of others', () => {
  const moments = [{end: 'client' as const, text: 'x', at: 0, tookMs: 1}]
  const timed = {...failed, id: 'polling-timed', findings: [{...finding, evidence: {...finding.evidence, moments, client: ['x']}}]}
  const whole = reportOf(subject([passed, failed, timed, skipped, errored], {sandboxFolder: '/tmp/x', source: 'y'}))

  it.each([
    ['verify', whole],
    ['lint', lintReport],
    ['diagnose', diagnosed],
    ['fix', fixed],
    ['diagnose URL', seenLive],
  ])('adds no element and no attribute to a page of %s', (_, report) => {
    const page: Page = {id: 'x', kind: 'check', title: 'x', concern: 'tls', severity: 'error', requirement: 'x', markdown: 'x'}
    const after = shown(ending(report, HOSTILE), ending(page, HOSTILE))
    expect(after).toContain('&lt;script&gt;alert(1)')
    expect(skeleton(after)).toEqual(skeleton(shown(ending(report, 'kind'), ending(page, 'kind'))))
    expect(after).not.toMatch(/<script|<img|<!--/)
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(after).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
  })
})

it('asks nothing of anybody', () => {
  const page = shown(reportOf(subject([failed])))
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"`)
  expect(page).not.toMatch(/<script|https?:\/\/|url\(|@import/)
})

it('tells causes first, with their lines, what they explain, and the change', () => {
  const page = shown(diagnosed)
  const order = [
    'id="causes"',
    'class="sure certain"',
    '<mark>timeout server 25s</mark>',
    'haproxy.cfg:44',
    'aria-label="The change"',
    'No cause is known for',
    'felt by no check',
    'class="grid"',
    'id="findings"',
  ].map(text => page.indexOf(text))
  expect(order).not.toContain(-1)
  expect(order).toEqual([...order].sort((a, b) => a - b))
  // What is explained is folded behind what is not, and points to its cause.
  expect([...page.matchAll(/<details class="finding error"( open)?>/g)].map(([, open]) => open)).toEqual([' open', undefined])
  for (const [, id = ''] of page.matchAll(/href="#([a-z]+-\d+)"/g)) expect(page).toContain(`id="${id}"`)
  expect(page).toContain('<a href="#cause-1"><code>polling-timeout-below-hold</code></a>')
})

it('shows each change of a fix with what it mends, and what is left', () => {
  const page = shown(fixed)
  for (const text of [
    '1 change mends 1 check; it cannot be left out',
    'mended below',
    'Without it <code>polling-hold-survives</code> fails again',
    'open the port of gms2',
    'Not changed, because no check felt it',
  ])
    expect(page).toContain(text)
  expect(page.split('+    timeout server 45s')).toHaveLength(2)
})

it('shows what was seen at a URL, with times', () => {
  const page = shown(seenLive)
  expect(page).toMatch(/<span>TLS<\/span><\/th><td class="took">31 ms<\/td>/)
  expect(page).toContain('a WebSocket is cut after 60.1 s of silence')
  expect(page).toContain('server: nginx/1.22.1')
})
