import {describe, expect, it} from 'vitest'
import {loadParameters} from '../parameters/load.ts'
import {digestOf, headerDifference, headerLines} from './header.ts'
import type {Asked} from './header.ts'

const parametersOf = async (text: string) =>
  (await loadParameters({file: '-', overrides: [], stdin: () => Promise.resolve(text)})).parameters

const parameters = await parametersOf('upstream: {nodes: [gms1:8080]}')
const asked: Asked = {proxy: 'nginx', file: 'conf/gms-proxy.yaml', overrides: [], version: '1.30.0', layout: 'docker', fragment: false}
const commandOf = (more: Partial<Asked>) => headerLines('0.1.0', 'nginx', parameters, {...asked, ...more})[2]
const file = (header: readonly string[], body = 'worker_processes auto;\n# Again: said a person\n') =>
  `${header.map(line => `# ${line}\n`).join('')}${body}`

describe('the header', () => {
  it('names the tool, the parameters and the command, and no folder', () => {
    expect(headerLines('0.1.0', 'nginx', parameters, asked)).toEqual([
      'Written by gms-proxy 0.1.0 for nginx 1.30.0, layout docker: change the parameters, not this file',
      expect.stringMatching(/^Parameters: sha256 [0-9a-f]{16}$/),
      'Again: gms-proxy render nginx --params gms-proxy.yaml --proxy-version 1.30.0 --layout docker',
    ])
  })

  it('repeats every flag that matters, so that a shell understands it', () => {
    expect(commandOf({file: '-', overrides: ['polling.hold=45s', "snippets.nginx.http=a 'b'\n;"], fragment: true, layout: 'debian'})).toBe(
      String.raw`Again: gms-proxy render nginx --params - --set polling.hold=45s --set $'snippets.nginx.http=a \'b\'\n;' --proxy-version 1.30.0 --layout debian --fragment`,
    )
  })

  it('stays one line of a sane length, whatever a person wrote', () => {
    for (const file of ['a\nb\r.yaml', 'x\u2028y', '\u001b[2J', 'very'.repeat(60)])
      expect(commandOf({file})).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,1300}$/u)
    const long = commandOf({overrides: [`snippets.nginx.http=${'x'.repeat(5000)}`]})
    expect(long).toMatch(/layout docker and 1 × --set, too long to repeat here$/)
  })

  it('has the same digest for the same meaning', async () => {
    const same = [
      'upstream: {nodes: [{port: 8080, host: gms1}]}\n',
      '$schema: x\npolling: {hold: 30000ms}\nupstream: {nodes: [gms1:8080]}\n',
    ]
    for (const text of same) expect(digestOf(await parametersOf(text))).toBe(digestOf(parameters))
    expect(digestOf(await parametersOf('upstream: {nodes: [gms1:8081]}'))).not.toBe(digestOf(parameters))
  })
})

describe('a difference in the header alone', () => {
  const now = file(headerLines('0.2.0', 'nginx', parameters, asked))

  it.each([
    ['another tool', file(headerLines('0.1.0', 'nginx', parameters, asked)), 'it was written by gms-proxy 0.1.0, this is 0.2.0'],
    [
      'another command',
      file(headerLines('0.2.0', 'nginx', parameters, {...asked, overrides: ['limits.chats=1000']})),
      'another command writes it',
    ],
    ['no header', file([]), 'it has no header'],
  ])('%s', (_, present, expected) => expect(headerDifference(present, now)).toBe(expected))

  it('is said of parameters that change nothing here', async () => {
    const other = await parametersOf('upstream: {nodes: [gms1:8080]}\nsnippets: {haproxy: {global: nbthread 2}}')
    expect(headerDifference(file(headerLines('0.2.0', 'nginx', other, asked)), now)).toMatch(/^the parameters differ in something/)
  })

  it('is none when more differs, or nothing', () => {
    expect(headerDifference(now, now)).toBeUndefined()
    expect(headerDifference(file(headerLines('0.1.0', 'nginx', parameters, asked), 'worker_processes 1;\n'), now)).toBeUndefined()
    // A line of the file itself that looks like a header is not one of it.
    const far = '\n'.repeat(20)
    expect(headerDifference(`${now}${far}# Again: one\n`, `${now}${far}# Again: two\n`)).toBeUndefined()
  })
})
