import {expect, it} from 'vitest'
import {errored, failed, passed, reportOf, skipped, subject} from '../../test/support/reports.ts'
import {junit} from './junit.ts'
import {json} from './json.ts'

it('has a suite for each subject and a case for each check', () => {
  expect(junit(reportOf(subject([passed, failed, skipped, errored])))).toMatchInlineSnapshot()
})

it('stays well-formed whatever a proxy answers', () => {
  const hostile = {...failed, title: '<&>"\'', findings: failed.findings.map(finding => ({...finding, message: ']]><x a="1">\u0000\u001b\ud800\ufffe&', actual: '\u0008'}))}
  const document = junit(reportOf(subject([hostile], {name: '"><injected/>'})))
  expect(document).not.toContain('<injected')
  // Nothing that XML 1.0 forbids, whatever way it is escaped.
  // eslint-disable-next-line no-control-regex -- what must not be there
  expect(document).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/)
  expect(balanced(document)).toBe(true)
})

it('prints the report itself as JSON', () => {
  const report = reportOf(subject([failed]))
  expect(JSON.parse(json(report))).toEqual(report)
})

/** Every tag is closed in order, and every `&` begins an entity. */
function balanced(document: string): boolean {
  const open: string[] = []
  for (const [, close, name = '', empty] of document.matchAll(/<(\/?)([a-z]+)(?:\s+[a-z]+="[^"<]*")*(\/?)>/g)) {
    if (close === '/') {
      if (open.pop() !== name) return false
    } else if (empty !== '/') open.push(name)
  }
  const rest = document.replace(/<\?xml[^>]*\?>|<\/?[a-z]+(?:\s+[a-z]+="[^"<]*")*\/?>/g, '')
  return open.length === 0 && !rest.includes('<') && !/&(?!amp;|lt;|gt;|quot;|#\d+;)/.test(document)
}
