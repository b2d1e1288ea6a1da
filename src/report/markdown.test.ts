import {expect, it} from 'vitest'
import {diagnosed, errored, failed, fixed, lintReport, passed, reportOf, seenLive, skipped, subject} from '../../test/support/reports.ts'
import {markdown} from './markdown.ts'

it('shows what was read, with its lines and the patch', () => {
  expect(markdown(lintReport)).toMatchInlineSnapshot(`
    "## ❌ gms-proxy lint: 1 error

    ### ❌ <code>conf</code> <sub>nginx 1.22.1</sub>

    **1 error** · 1 passed · 2 suppressed

    #### ❌ <code>upload-body-limit-too-small</code> <code>conf/my nginx.conf:14:5</code>

    Files that GMS accepts are refused by the proxy. Expected room for the largest file

    \`\`\`
      13 |   server {
    > 14 |     client_max_body_size 1m;
      15 |     listen 80;
    \`\`\`

    | expected | actual |
    | --- | --- |
    | <code>11m</code> | <code>client&#95;max&#95;body&#95;size 1m</code> |

    **Mend:** client&#95;max&#95;body&#95;size 11m;

    \`\`\`diff
    --- a/conf/my nginx.conf
    +++ b/conf/my nginx.conf
    @@ -13,3 +13,3 @@
       server {
    -    client_max_body_size 1m;
    +    client_max_body_size 11m;
         listen 80;
    \`\`\`

    <sub><code>gms-proxy lint conf</code> · 38.2 s</sub>
    "
  `)
})

it('shows what was seen in traffic, concern by concern', () => {
  expect(markdown(reportOf(subject([passed, failed, skipped, errored])))).toMatchInlineSnapshot(`
    "## ⚠️ gms-proxy verify: errored

    ### ⚠️ <code>./haproxy.cfg</code> <sub>haproxy 2.6.12 · binary</sub>

    **1 error** · 1 passed · 1 errored · 1 skipped

    | listener | polling | upload | limits |
    | :-: | :-: | :-: | :-: |
    | ✅ 1/1 | ❌ 0/1 | ⚪ 0/1 | ⚠️ 0/1 |

    #### ❌ <code>polling-hold-survives</code> <code>haproxy.cfg:31:5</code>

    A held poll is answered by GMS. Expected a quiet poll to be answered by GMS

    | expected | actual |
    | --- | --- |
    | <code>200 after 30 s</code> | <code>504 after 25.0 s</code> |

    **Mend:** timeout server 45s

    <details><summary>What each end of the proxy saw</summary>

    \`\`\`
    client     POST /genesys/cometd/connect → 504
    GMS        gms1 was still holding it
    proxy log  bk/s1 0/0/0/-1/25000 504 sH--
    \`\`\`

    </details>

    <details><summary>2 checks not judged</summary>

    - <code>upload-largest-file</code> skipped: a production system would notice it
    - <code>limits-hold-idle-chats</code> errored: not judged within 60 s

    </details>

    <sub><code>gms-proxy verify ./haproxy.cfg</code> · 38.2 s</sub>
    "
  `)
})

it('is not steered by what a proxy answers', () => {
  const hostile = {
    ...failed,
    findings: failed.findings.map(finding => ({
      ...finding,
      message: '<img src=x onerror=alert(1)> [x](javascript:1) | `tick`',
      actual: '</code><script>',
      evidence: {client: ['````\n</details>'], upstream: []},
    })),
  }
  const shown = markdown(reportOf(subject([hostile], {name: '</h3>'})))
  expect(shown).not.toMatch(/<(img|script)/)
  expect(shown).not.toContain('[x](')
  expect(shown).toContain('&lt;/h3&gt;')
  expect(shown).toContain('`````\nclient     ````')
})

it('stays small, however much was found', () => {
  const many = {...failed, findings: Array.from({length: 5000}, () => failed.findings[0]!)}
  expect(markdown(reportOf(subject([many]))).length).toBeLessThan(500_000)
})

it('tells causes before what they explain', () => {
  const shown = markdown(diagnosed)
  const places = [
    '#### Causes',
    '**certain** · <code>polling-timeout-below-hold</code> · <code>haproxy.cfg:31:5</code>',
    '<summary>The change</summary>',
    '**No cause is known for** <code>polling-chat</code>',
    '#### ❌ <code>polling-chat</code>',
    '1 failed check explained by the causes above',
  ].map(text => shown.indexOf(text))
  expect(places).not.toContain(-1)
  expect(places).toEqual([...places].sort((a, b) => a - b))
})

it('shows the diff of a fix once, with what each change mends', () => {
  const shown = markdown(fixed)
  expect(shown.split('+    timeout server 45s')).toHaveLength(2)
  expect(shown).toContain('| <code>haproxy.cfg:31</code> | <code>polling-timeout-below-hold</code> | <code>polling-hold-survives</code> |')
  expect(shown).toContain('open the port of gms2')
})

it('shows what was seen at a URL as a table', () => {
  const shown = markdown(seenLive)
  expect(shown).toContain('| ❌ | upgrade | 9 ms | 400 by nginx 1.22.1 |')
  expect(shown).toContain('cut after 60.1 s of silence (close 1006), alive after 59.0 s')
  expect(shown).toContain('server: nginx/1.22.1\n\n<html><center>')
})

it('calls nobody and links nowhere', () => {
  const message = 'see https://evil.example/x, www.evil.example, mail@evil.example or ask @octocat, #1'
  const shown = markdown(
    reportOf(subject([{...failed, findings: failed.findings.map(finding => ({...finding, message, actual: message}))}])),
  )
  const outside = shown.replace(/`{3,}[\s\S]*?`{3,}/g, '')
  expect(outside.replace(/&#\d+;/g, '')).not.toMatch(/https?:\/\/|www\.|#\d|@/)
  // What is rendered has no name behind its sign but in code.
  expect(outside.replace(/<code>.*?<\/code>/g, '')).not.toMatch(/&#64;\w/)
})
