import {expect, it} from 'vitest'
import {diagnosed, errored, failed, fixed, lintReport, passed, reportOf, seenLive, subject} from '../../test/support/reports.ts'
import {github} from './github.ts'

it('annotates the lines of a file', () => {
  expect(github(lintReport)).toMatchInlineSnapshot(`
    "::error file=conf/my nginx.conf,line=14,endLine=14,col=5,endColumn=27,title=upload-body-limit-too-small::Expected room for the largest file%0AExpected: 11m%0AActual: client_max_body_size 1m%0AMend: client_max_body_size 11m;%0Agms-proxy explain upload-body-limit-too-small
    gms-proxy lint: failed, 1 finding
    "
  `)
})

it('has no place for what was seen in traffic alone', () => {
  const without = {...failed, findings: failed.findings.map(({location: _, ...finding}) => finding)}
  expect(github(reportOf(subject([passed, without, errored])))).toMatchInlineSnapshot(`
    "::error title=limits-hold-idle-chats%3A not judged::./haproxy.cfg: not judged within 60 s
    ::error title=polling-hold-survives::./haproxy.cfg: A held poll is answered by GMS%0AExpected a quiet poll to be answered by GMS%0AExpected: 200 after 30 s%0AActual: 504 after 25.0 s%0AMend: timeout server 45s%0Agms-proxy explain polling-hold-survives
    gms-proxy verify: errored, 1 finding
    "
  `)
})

it('lets nothing out of its command', () => {
  const hostile = {
    ...failed,
    findings: failed.findings.map(finding => ({
      ...finding,
      message: 'a\n::error::b\r\n::set-output name=x::y % %0A',
      location: {file: 'a,b:c\n::error file=x.conf', line: 1},
    })),
  }
  const [line, ...rest] = github(reportOf(subject([hostile])))
    .trimEnd()
    .split('\n')
  expect(rest).toEqual(['gms-proxy verify: failed, 1 finding'])
  expect(line).toContain('file=a%2Cb%3Ac%0A%3A%3Aerror file=x.conf,line=1')
  expect(line).toContain('::a%0A::error::b%0A::set-output name=x::y %25 %250A%0A')
})

it('annotates a cause once, at its place, for everything that it explains', () => {
  expect(github(diagnosed)).toMatchInlineSnapshot(`
    "::error file=haproxy.cfg,line=31,endLine=31,col=5,endColumn=22,title=polling-timeout-below-hold::A timeout is shorter than the hold of GMS (certain)%0Athe file: timeout server 25s%0Atraffic: polling-hold-survives failed, as it does with this defect%0AExplains: polling-hold-survives%0AAlso: haproxy.cfg:44%0AMend: timeout server 45s%0Agms-proxy explain polling-timeout-below-hold
    ::error file=haproxy.cfg,line=31,col=5,title=polling-chat::Expected a quiet poll to be answered by GMS%0AExpected: 200 after 30 s%0AActual: 504 after 25.0 s%0AMend: timeout server 45s%0Agms-proxy explain polling-chat
    gms-proxy diagnose: failed, 1 cause, 1 finding
    "
  `)
  expect(github(seenLive)).toMatchInlineSnapshot(`
    "::error title=upgrade-headers-missing::https://chat.example.com%0AUpgrade and Connection do not reach GMS (likely)%0AGMS took it for a plain GET%0AExplains: upgrade-handshake%0AMend: proxy_set_header Upgrade $http_upgrade;%0Agms-proxy explain upgrade-headers-missing
    gms-proxy diagnose: failed, 1 cause, 0 findings
    "
  `)
})

it('is silent about what fix has written', () => {
  const [only] = fixed.subjects
  const written = {...only!, fix: {...only!.fix!, written: [{file: 'haproxy.cfg', backup: 'haproxy.cfg.bak'}]}}
  const lines = (text: string) => text.split('\n').map(line => /title=([^:]*)/.exec(line)?.[1])
  expect(lines(github(fixed))).toContain('polling-timeout-below-hold')
  expect(lines(github({...fixed, subjects: [written]}))).not.toContain('polling-timeout-below-hold')
})
