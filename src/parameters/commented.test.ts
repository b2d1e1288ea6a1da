import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {choicesOf, parametersShape} from './choices.ts'
import {commentedParameters} from './commented.ts'
import {loadParameters} from './load.ts'

const NODES = 'upstream.nodes=["gms1:8080","[fd00::1]:8080"]'
const write = (choices: readonly string[]) => commentedParameters(parametersShape(), choicesOf(choices).written, ['a heading'])
const load = (text: string) => loadParameters({file: '-', overrides: [], stdin: () => Promise.resolve(text)})
/** A key that stands commented out; explanations have an odd number of spaces. */
const KEY = /^#((?: {2})*[A-Za-z].*)$/

describe('a commented parameters file', () => {
  it('means what was chosen, and defaults', async () => {
    const choices = [
      NODES,
      'proxy=haproxy',
      'version={"nginx":"1.22"}',
      'tls.certificate=/etc/a.pem',
      'polling.hold=45s',
      'limits.chats=7',
      'listener=[{"port":81},{"port":82,"address":"[::]"}]',
    ]
    const {parameters, given} = await load(write(choices))
    expect(parameters).toEqual((await loadParameters({overrides: choices, stdin: () => Promise.resolve('')})).parameters)
    expect([...given]).toEqual(expect.arrayContaining(['proxy', 'tls.certificate', 'polling.hold']))
    expect(given.has('health')).toBe(false)
  })

  it('says of every parameter what it means', () => {
    const lines = write([NODES]).split('\n')
    const keys = lines.filter(line => KEY.test(line))
    expect(keys.length).toBeGreaterThan(60)
    lines.forEach((line, index) => {
      if (!KEY.test(line) && !/^ *[A-Za-z]+:/.test(line)) return
      expect(line.includes(' # ') || /^# *\S/.test(lines[index - 1] ?? ''), line).toBe(true)
    })
    for (const line of lines) expect(line.length, line).toBeLessThan(140)
  })

  it('shows the defaults: with every one of them in force nothing changes', async () => {
    const lines = write([NODES]).split('\n')
    const active = lines.map(line => (/\(an example\)$/.test(line) ? line : (KEY.exec(line)?.[1] ?? line)))
    // What an explanation above the line calls an example is none either, nor is what stands below such a thing.
    const examples = /^ *(?:tls|clientCertificates|snippets|nginx|apache|haproxy):/
    const kept = active.filter((_, index) => !/\(an example\)$/.test(lines[index - 1] ?? '') || !KEY.test(lines[index] ?? ''))
    const text = withoutBlocks(kept, examples).join('\n')
    expect((await load(text)).parameters).toEqual((await load(write([NODES]))).parameters)
  })

  it('shows examples that may stand where they stand', async () => {
    const lines = write([NODES])
      .split('\n')
      .map(line => KEY.exec(line)?.[1] ?? line)
    const {problems} = await load(lines.join('\n')).then(
      () => ({problems: ''}),
      (error: unknown) => ({problems: error instanceof Error ? error.message : String(error)}),
    )
    // All at once they contradict each other, which is no problem of grammar.
    const contradictions = /has no effect|needs |belongs to|a node without route|no problem|cannot be/
    for (const line of problems.split('\n').slice(1)) if (/^ {2}\S/.test(line)) expect(line).toMatch(contradictions)
  })

  it('survives every text that the schema lets through', async () => {
    const snippet = fc.string({
      unit: fc.constantFrom('a', '"', "'", '#', ':', ' ', '\n', '{', '}', '$', '%', '\\', '*', '&', '!', 'é'),
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(snippet, fc.stringMatching(/^[a-z]{1,5}$/), async (directives, name) => {
        const choices = [NODES, `snippets=${JSON.stringify({nginx: {http: directives}})}`, `listener.serverNames=["${name}","no","1e3.x"]`]
        const {parameters, problems} = choicesOf(choices)
        if (problems.length > 0) return
        expect((await load(write(choices))).parameters).toEqual(parameters)
      }),
      {numRuns: 100},
    )
  })
})

/** Leaves out keys that match, with everything that stands under them. */
function withoutBlocks(lines: readonly string[], first: RegExp): readonly string[] {
  let depth: number | undefined
  return lines.filter(line => {
    const indent = /^ */.exec(line)?.[0].length ?? 0
    if (depth !== undefined && (line === '' || line.startsWith('#') || indent > depth)) return false
    depth = first.test(line) ? indent : undefined
    return depth === undefined
  })
}
