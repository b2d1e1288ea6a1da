import {expect, it} from 'vitest'
import {diagnosed, errored, failed, fixed, lintReport, passed, reportOf, seenLive, skipped, subject} from '../../test/support/reports.ts'
import {junit} from './junit.ts'
import {json} from './json.ts'

it('has a suite for each subject and a case for each check', () => {
  expect(junit(reportOf(subject([passed, failed, skipped, errored])))).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="gms-proxy verify" tests="4" failures="1" errors="1" skipped="1" time="38.200">
      <testsuite name="./haproxy.cfg" tests="4" failures="1" errors="1" skipped="1" time="25.000">
        <properties>
          <property name="verdict" value="errored"/>
          <property name="proxy" value="haproxy"/>
          <property name="version" value="2.6.12"/>
          <property name="runtime" value="binary"/>
          <property name="source" value="./haproxy.cfg"/>
        </properties>
        <testcase classname="./haproxy.cfg.listener" name="listener-reaches-gms: Requests reach GMS" time="0.011"/>
        <testcase classname="./haproxy.cfg.polling" name="polling-hold-survives: A held poll is answered by GMS" time="25.000">
          <failure message="Expected a quiet poll to be answered by GMS" type="error">Expected a quiet poll to be answered by GMS
    Expected: 200 after 30 s
    Actual: 504 after 25.0 s
    Client: POST /genesys/cometd/connect → 504
    GMS: gms1 was still holding it
    Proxy log: bk/s1 0/0/0/-1/25000 504 sH--
    Where: haproxy.cfg:31:5
    Mend: timeout server 45s

    gms-proxy explain polling-hold-survives</failure>
        </testcase>
        <testcase classname="./haproxy.cfg.upload" name="upload-largest-file: The largest file arrives" time="0.000">
          <skipped message="a production system would notice it"/>
        </testcase>
        <testcase classname="./haproxy.cfg.limits" name="limits-hold-idle-chats: Chats are held" time="0.011">
          <error message="not judged within 60 s" type="errored"/>
        </testcase>
      </testsuite>
    </testsuites>
    "
  `)
})

it('stays well-formed whatever a proxy answers', () => {
  const hostile = {
    ...failed,
    title: '<&>"\'',
    findings: failed.findings.map(finding => ({...finding, message: ']]><x a="1">\u0000\u001b\ud800\ufffe&', actual: '\u0008'})),
  }
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
  for (const [, close, name = '', empty] of document.matchAll(/<(\/?)([a-z-]+)(?:\s+[a-z]+="[^"<]*")*(\/?)>/g)) {
    if (close === '/') {
      if (open.pop() !== name) return false
    } else if (empty !== '/') open.push(name)
  }
  const rest = document.replace(/<\?xml[^>]*\?>|<\/?[a-z-]+(?:\s+[a-z]+="[^"<]*")*\/?>/g, '')
  return open.length === 0 && !rest.includes('<') && !/&(?!amp;|lt;|gt;|quot;|#\d+;)/.test(document)
}

it('shows the lines of what was read, and the patch', () => {
  const document = junit(lintReport)
  expect(document).toContain('<testsuites name="gms-proxy lint" tests="3" failures="1" errors="0" skipped="1"')
  expect(document).toContain('Where: conf/my nginx.conf:14:5\n    13 |   server {\n    14 |     client_max_body_size 1m;')
  expect(document).toContain('\n+    client_max_body_size 11m;\n')
  expect(balanced(document)).toBe(true)
})

it('says why a check failed, what fix found, and what was seen at a URL', () => {
  const document = junit(diagnosed)
  expect(document).toContain(
    'Cause (certain): polling-timeout-below-hold: A timeout is shorter than the hold of GMS\nWhere: haproxy.cfg:31:5',
  )
  expect(document.split('Cause (certain)')).toHaveLength(2)
  expect(junit(fixed)).toContain('<system-out>1 change mends 1 check; it cannot be left out: found in 9 runs')
  expect(junit(seenLive)).toContain('failed upgrade: 9 ms: 400 by nginx 1.22.1')
  for (const report of [diagnosed, fixed, seenLive]) expect(balanced(junit(report))).toBe(true)
})
