import {describe, expect, it} from 'vitest'
import {errored, failed, passed, reportOf, skipped, subject} from '../../test/support/reports.ts'
import {columns} from './plain.ts'
import {text} from './text.ts'

const plain = {colour: false, width: 100, verbose: false}

describe('one subject', () => {
  it('says whether chat works, then what to change', () => {
    expect(text(reportOf(subject([passed, failed, skipped])), plain)).toMatchInlineSnapshot(`
      "✖ ./haproxy.cfg  HAProxy 2.6.12 (binary) · 2 simulated GMS nodes
        HAProxy 2.6.12 found on the PATH
        held to  2 nodes (haproxy.cfg)
                 a session stays on its node · 200 chats · files to 10 MiB · polls held 30s · WebSockets
                 silent 1h · /genesys/cometd (default)
        1 line changed to run it here (--verbose shows the diff)

        listener    ✔ Requests reach GMS                                                             11 ms
        polling     ✖ A held poll is answered by GMS                             504 after 25.0 s   25.0 s
        upload      ○ The largest file arrives                                            skipped

      ✖ polling-hold-survives  A held poll is answered by GMS
          Expected   200 after 30 s
          Actual     504 after 25.0 s
          Client     POST /genesys/cometd/connect → 504
          GMS        gms1 was still holding it
          Proxy log  bk/s1 0/0/0/-1/25000 504 sH--
          Where      haproxy.cfg:31:5
          Mend       timeout server 45s
          More       gms-proxy explain polling-hold-survives

      ○ upload-largest-file  skipped: a production system would notice it

      ────────────────────────────────────────────────────────────────────────────────────────────────────
      ✖ chat does not work as promised   1 failed · 1 passed · 1 skipped   38.2 s
        gms-proxy explain polling-hold-survives
      "
    `)
  })

  it('shows what could not be judged, and points to doctor', () => {
    const shown = text(reportOf(subject([passed, errored])), plain)
    expect(shown).toContain('! limits-hold-idle-chats  errored: not judged within 60 s')
    expect(shown).toContain('! not judged   1 errored · 0 failed · 1 passed · 0 skipped')
    expect(shown).toContain('gms-proxy doctor')
  })

  it('says that all is well in one line', () => {
    expect(text(reportOf(subject([passed])), plain)).toContain('✔ what was checked holds   0 failed · 1 passed · 0 skipped   38.2 s')
    expect(text(reportOf(subject([{...passed, id: 'polling-chat'}])), plain)).toContain('✔ chat works   0 failed')
  })

  it('shows the sandbox diff only when asked', () => {
    expect(text(reportOf(subject([passed])), plain)).toContain('1 line changed to run it here')
    expect(text(reportOf(subject([passed])), {...plain, verbose: true})).toContain('+bind 127.0.0.1:20801')
  })

  it('keeps to the width', () => {
    const long = {
      ...failed,
      title: 'word '.repeat(40),
      findings: failed.findings.map(finding => ({...finding, actual: 'x'.repeat(300), message: 'word '.repeat(60)})),
    }
    for (const width of [80, 100, 140])
      for (const line of text(reportOf(subject([passed, long, {...skipped, because: 'because '.repeat(30)}])), {...plain, width}).split(
        '\n',
      ))
        if (!line.startsWith('✖ polling')) expect(columns(line), line).toBeLessThanOrEqual(width)
  })

  it('says how many lines of a witness are left out, and shows all when asked', () => {
    const many = {
      ...failed,
      findings: failed.findings.map(finding => ({
        ...finding,
        evidence: {client: Array.from({length: 9}, (_, index) => `line ${index}`), upstream: []},
      })),
    }
    expect(text(reportOf(subject([many])), plain)).toContain('… 3 more (--verbose)')
    expect(text(reportOf(subject([many])), {...plain, verbose: true})).toContain('line 8')
  })

  it('lets no escape sequence of a proxy reach the terminal', () => {
    const hostile = {
      ...failed,
      findings: failed.findings.map(finding => ({
        ...finding,
        actual: '\u001b[2J\u001b]0;owned\u0007 \u009b31m \u202eevil',
        evidence: {client: ['\r\u001b[1Aoverwritten'], upstream: []},
      })),
    }
    const shown = text(reportOf(subject([hostile], {name: 'a\u001b[31mb', source: 'x\u0000y'})), plain)
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(shown).toContain('␛[2J')
  })

  it('colours only when it may', () => {
    expect(text(reportOf(subject([failed])), {...plain, colour: true})).toContain('\u001b[')
    expect(text(reportOf(subject([failed])), plain)).not.toContain('\u001b[')
  })
})

describe('several subjects', () => {
  it('puts the same promise side by side', () => {
    const nginx = subject([passed], {name: 'nginx', proxy: 'nginx', proxyVersion: '1.22.1', source: 'rendered'})
    const shown = text(
      reportOf(nginx, subject([{...passed, status: 'failed', findings: failed.findings}], {name: 'haproxy', source: 'rendered'})),
      plain,
    )
    expect(shown.split('\n').filter(line => /^ +nginx|Requests reach GMS {2}/.test(line))).toMatchInlineSnapshot(`
      [
        "                                                                                nginx     haproxy",
        "  listener    Requests reach GMS                                                ✔   11 ms ✖   11 ms",
      ]
    `)
    expect(shown.match(/held to/g)).toHaveLength(1)
  })

  it('lists many of them, one a line', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map(name => subject([passed], {name: `${name}.cfg`}))
    expect(text(reportOf(...many), plain)).toContain('  ✔ e.cfg  0 failed · 1 passed · 0 skipped')
  })
})
