import {describe, expect, it} from 'vitest'
import {lintReport, passed, read, reportOf, subject} from '../../test/support/reports.ts'
import type {Report} from '../model/report.ts'
import {columns} from './plain.ts'
import {text} from './text.ts'

const plain = {colour: false, width: 100, verbose: false}
const readOf = (...outcomes: Parameters<typeof subject>[0]): Report => ({
  ...reportOf(subject(outcomes, {runtime: 'none'})),
  command: 'lint',
})

it('shows the line, a caret, and the change', () => {
  expect(text(lintReport, plain)).toMatchInlineSnapshot(`
    "conf/my nginx.conf:14:5 error upload-body-limit-too-small
        Expected room for the largest file
        13 │ server {
        14 │   client_max_body_size 1m;
           │   ^^^^^^^^^^^^^^^^^^^^^^^
        15 │   listen 80;
        Actual    client_max_body_size 1m
        Mend      client_max_body_size 11m;
                    server {
                  -   client_max_body_size 1m;
                  +   client_max_body_size 11m;
                      listen 80;

    conf/my nginx.conf:9:3 gms-proxy-ignore tls-obsolete suppresses nothing
    conf/my nginx.conf tls-obsolete is in the baseline and gone: ssl_protocols TLSv1;
    write the baseline anew with --write-baseline

    ✖ 1 error · 2 suppressed · 1 place not understood   2 rules · nginx 1.22.1 · 38.2 s
      gms-proxy explain upload-body-limit-too-small
    "
  `)
})

it('says more when asked', () => {
  expect(text(lintReport, {...plain, verbose: true})).toMatchInlineSnapshot(`
    "conf
      read as nginx 1.22.1 found on the PATH

    conf/my nginx.conf:14:5 error upload-body-limit-too-small
        Expected room for the largest file
        13 │ server {
        14 │   client_max_body_size 1m;
           │   ^^^^^^^^^^^^^^^^^^^^^^^
        15 │   listen 80;
        Actual    client_max_body_size 1m
        Mend      client_max_body_size 11m;
                    server {
                  -   client_max_body_size 1m;
                  +   client_max_body_size 11m;
                      listen 80;

    conf/my nginx.conf:14:5 upload-timeout-too-short suppressed: uploads go another way
    conf/my nginx.conf:14:5 upload-timeout-too-short in the baseline

    ○ upstream-name-unresolved: no file shows it

    conf/my nginx.conf:3:1 not understood: a variable of Lua

    conf/my nginx.conf:9:3 gms-proxy-ignore tls-obsolete suppresses nothing
    conf/my nginx.conf tls-obsolete is in the baseline and gone: ssl_protocols TLSv1;
    write the baseline anew with --write-baseline

    ✖ 1 error · 2 suppressed · 1 place not understood   2 rules · nginx 1.22.1 · 38.2 s
      gms-proxy explain upload-body-limit-too-small
    "
  `)
})

it('says that nothing was found in one line', () => {
  expect(text(readOf(passed), plain)).toBe('✔ nothing found   1 rule · HAProxy 2.6.12 · 38.2 s\n')
})

it('does not fail what only warns', () => {
  expect(text(readOf({...read, severity: 'warning'}), plain)).toContain('✔ 1 warning   1 rule')
})

describe('a caret', () => {
  const shown = (line: string, column: number, endColumn: number) => {
    const finding = {...read.findings[0]!, excerpt: {line: 1, lines: [line], mark: {line: 1, column, endColumn}}}
    return text(readOf({...read, findings: [finding]}), plain)
      .split('\n')
      .slice(2, 4)
  }

  it.each([
    {line: '\t\tlisten 80;', column: 3, endColumn: 9, what: 'listen'},
    {line: '    listen 80;', column: 12, endColumn: 14, what: '80'},
    {line: '名 listen 80;', column: 3, endColumn: 9, what: 'listen'},
    {line: '\u001b[31m listen', column: 7, endColumn: 13, what: 'listen'},
  ])('points at $what in $line', ({line, column, endColumn, what}) => {
    const [source = '', caret = ''] = shown(line, column, endColumn)
    expect(columns(caret.slice(0, caret.indexOf('^')))).toBe(columns(source.slice(0, source.indexOf(what))))
    expect(caret.split('^').length - 1).toBe(what.length)
  })

  it('stays within the width', () => {
    const lines = shown(`a ${'x'.repeat(400)}`, 3, 403)
    for (const line of lines) expect(columns(line)).toBeLessThanOrEqual(100)
  })
})

it('colours only when it may', () => {
  expect(text(lintReport, {...plain, colour: true})).toContain('\u001b[')
  expect(text(lintReport, plain)).not.toContain('\u001b[')
})
