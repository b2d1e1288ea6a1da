import {describe, expect, it} from 'vitest'
import {runCli} from '../support/cli.ts'

/** Nothing listens there (tcpmux). */
const NOBODY = 'http://127.0.0.1:1'

describe('diagnose', () => {
  it('names what refuses a connection, and fails', async () => {
    const {stdout, exitCode} = await runCli(['diagnose', NOBODY])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/✖ TCP .*ECONNREFUSED/)
    expect(stdout).toMatch(/certain · listener-unreachable/)
  })

  it('says the same as JSON', async () => {
    const {stdout, exitCode} = await runCli(['diagnose', NOBODY, '--format', 'json', '--quiet'])
    expect(exitCode).toBe(1)
    const report = JSON.parse(stdout) as {
      command: string
      subjects: readonly {causes: readonly {id: string}[]; live: {seen: {url: string}}}[]
    }
    expect(report.command).toBe('diagnose')
    expect(report.subjects[0]?.causes[0]?.id).toBe('listener-unreachable')
    expect(report.subjects[0]?.live.seen.url).toBe(`${NOBODY}/`)
  })

  it.each([
    {args: ['nginx.conf'], text: /"nginx\.conf" is neither a proxy/},
    {args: [NOBODY, '--only', 'upgrade'], text: /--only cannot be used with http:\/\/127\.0\.0\.1:1/},
    {args: [NOBODY, '--timing', 'compressed'], text: /--timing compressed cannot be used/},
    {args: [NOBODY, '--upstream', 'http://gms1:8080'], text: /--direct URL compares/},
    {args: [NOBODY, '--direct', 'http://joe:Pa55-word@gms1'], text: /^(?!.*Pa55)[^]*--direct .*credentials/},
    {args: [NOBODY, '--config', 'no/such.conf'], text: /no\/such\.conf/},
    {args: [NOBODY, '--config', 'nginx'], text: /nginx/},
    {args: [NOBODY, 'http://127.0.0.1:2', '--direct', NOBODY], text: /--direct belongs to one URL, and 2 are named/},
    {args: ['fixtures/golden/nginx/two-nodes/nginx.conf', '--direct', NOBODY], text: /--direct belongs to one URL, and none is named/},
  ])('refuses $args', async ({args, text}) => {
    const {stdout, stderr, exitCode} = await runCli(['diagnose', ...args])
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''})
    expect(stderr).toMatch(text)
  })
})
