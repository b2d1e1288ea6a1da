import {describe, expect, it} from 'vitest'
import {diagnosed, errored, failed, fixed, lintReport, passed, reportOf, seenLive, skipped, subject} from '../../test/support/reports.ts'
import type {Report} from '../model/report.ts'
import {FORMATS} from './index.ts'
import type {Format} from './index.ts'

const ESCAPE = '\u001b[31m'
const HOSTILE = `x\n::error::pwn\n  ::stop-commands::x\r\n##[add-mask]x ${ESCAPE}\u0007 </details>\n\`\`\`\n~~~\n| \` | <script>alert(1)</script> ]]> --> & "'`
const reports: Readonly<Record<string, Report>> = {
  verify: reportOf(subject([passed, failed, skipped, errored])),
  lint: lintReport,
  diagnose: diagnosed,
  fix: fixed,
  'diagnose URL': seenLive,
}

/** Each text of a report with something behind it; what the program itself chooses from a list stays. */
function spoilt<T>(value: T, key = ''): T {
  const chosen =
    /^(?:schema|command|verdict|concern|status|severity|proxy|runtime|by|end|affinity|followsFrom|timing|confidence|who|validTo|explains|id|ids|mends|mended|rules|rule|source|unexplained|fingerprint|version)$/
  if (typeof value === 'string') return (chosen.test(key) ? value : `${value}${HOSTILE}`) as T
  if (Array.isArray(value)) return value.map(each => spoilt(each as unknown, key)) as T
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, spoilt(each as unknown, name)])) as T
  return value
}

const cases = Object.keys(FORMATS).flatMap(format => Object.keys(reports).map(name => [format as Format, name] as const))

describe('text of others', () => {
  it.each(cases)('in %s of %s is no command of a runner and steers no terminal', (format, name) => {
    const report = reports[name]
    const shown = FORMATS[format](spoilt(report!), {colour: false, width: 80, verbose: true}, () => undefined)
    expect(shown).toContain('pwn')
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
    // What the format says itself in commands stays one command a line.
    const commands = shown.split('\n').filter(line => line.trimStart().startsWith('::'))
    if (format === 'github') expect(commands.every(line => /^::(?:error|warning|notice) (?:file=|title=)/.test(line))).toBe(true)
    else expect(commands).toEqual([])
    if (format !== 'json' && format !== 'sarif' && format !== 'github') expect(shown).not.toContain('##[')
    if (format === 'markdown') expect(shown.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '')).not.toMatch(/<script|^```|^~~~/m)
    if (format === 'markdown') expect(outside(shown).match(/<details>/g)?.length).toBe(outside(shown).match(/<\/details>/g)?.length)
    if (format === 'html' || format === 'junit') expect(shown).not.toMatch(/<script|<!--/)
  })

  it('keeps a file name on its line', () => {
    const [only] = lintReport.subjects
    const named: Report = {
      ...lintReport,
      subjects: [
        {
          ...only!,
          outcomes: only!.outcomes.map(outcome => ({
            ...outcome,
            findings: outcome.findings.map(finding => ({...finding, location: {...finding.location!, file: 'a\n::error::b.conf'}})),
          })),
        },
      ],
    }
    const shown = FORMATS.text(named, {colour: false, width: 100, verbose: false}, () => undefined)
    expect(shown).toContain('a␊::error::b.conf:14:5 error')
  })
})

/** Without blocks of code. */
function outside(markdown: string): string {
  return markdown.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '')
}
