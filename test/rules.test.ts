import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {RULES} from '../src/lint/rules/index.ts'
import type {Rule} from '../src/lint/rule.ts'
import type {ConfigBundle, ConfigFile, Edit} from '../src/model/bundle.ts'
import {applyEdits} from '../src/model/bundle.ts'
import {PROXY_NAMES} from '../src/model/catalogue.ts'
import type {Promises} from '../src/model/report.ts'
import {expectationsFrom} from '../src/parameters/expectations.ts'
import {loadParameters} from '../src/parameters/load.ts'
import {PROXIES} from '../src/proxies/index.ts'
import {CHECKS} from '../src/verify/checks/index.ts'
import {CAUSES} from './support/causes.ts'
import {findingsIn, MEASURED, readRuleFile, ruleFolders, rulesFolder, told} from './support/rule-files.ts'
import {UNMENDED} from './support/unmended.ts'

const folders = await ruleFolders()
const rules = folders.map(({rule}) => rule)
const counts = (found: {severity: string}) => found.severity !== 'note'
/** More rounds than any file has findings. */
const ROUNDS = 20

describe('the catalogue of rules', () => {
  it('has a rule for every cause, as severe as the cause', () => {
    expect(Object.fromEntries(rules.map(({meta}) => [meta.id, meta.severity]))).toEqual(CAUSES)
  })

  it('registers every folder, and nothing else', () => {
    const all = readdirSync(rulesFolder, {withFileTypes: true}).filter(entry => entry.isDirectory())
    expect(RULES.map(({meta}) => meta.id).sort()).toEqual(all.map(({name}) => name).sort())
  })

  it.each(folders.map(folder => [folder.id, folder] as const))('%s is complete', (id, {rule: {meta, inspect}, files}) => {
    expect(meta.id, `${id}/rule.ts: id`).toBe(id)
    expect(id.startsWith(`${meta.concern}-`), `${id}: begins with its concern`).toBe(true)
    expect(meta.references.length, `${id}: references`).toBeGreaterThan(0)
    const known = new Set<string>(CHECKS.map(check => check.meta.id))
    const named = [...meta.breaks, ...meta.mayBreak, ...(meta.breaksOneOf ?? [])]
    expect(
      named.filter(check => !known.has(check)),
      `${id}: breaks, mayBreak and breaksOneOf name checks`,
    ).toEqual([])
    expect(
      meta.breaks.length + (meta.breaksOneOf?.length ?? 0) > 0 || meta.provenBy !== undefined,
      `${id}: something proves it: breaks, breaksOneOf or provenBy`,
    ).toBe(true)
    if (inspect) {
      const proxies = PROXY_NAMES.filter(name => meta.remediation[name] !== undefined)
      expect(proxies.length, `${id}: a proxy can have it`).toBeGreaterThan(0)
      const having = (kind: string) => PROXY_NAMES.filter(name => files.some(file => file.kind === kind && file.proxy === name))
      expect(having('fires'), `${id}: fires.* for every proxy that has a remediation, and no other`).toEqual(proxies)
      expect(having('silent'), `${id}: silent.* for every proxy that has a remediation, and no other`).toEqual(proxies)
    }
    const page = existsSync(join(rulesFolder, id, 'README.md')) ? readFileSync(join(rulesFolder, id, 'README.md'), 'utf8') : ''
    for (const heading of ['## What happens', '## Why it matters for GMS chat', '## Fix'])
      expect(page, `${id}/README.md`).toContain(heading)
    expect(page.split('## What happens')[1]?.trim().length ?? 0, `${id}/README.md: prose under the headings`).toBeGreaterThan(200)
  })
})

const files = folders.flatMap(({rule, files: own}) => own.map(file => ({rule, file})))

describe('files that a rule fires on', () => {
  const firing = files.filter(({file}) => file.kind === 'fires').map(each => [each.file.name, each] as const)

  it.each(firing)('%s', async (name, {rule, file}) => {
    const {bundle, promises} = await readRuleFile(file)
    const found = findingsIn(bundle, [rule], {promises})
    expect(found.length, `${rule.meta.id} finds nothing in ${name}`).toBeGreaterThan(0)
    for (const {finding} of found) {
      const text = bundle.files.find(({path}) => path === finding.location?.file)?.text
      expect(text, `${name}: ${finding.location?.file ?? 'no place'} is a file of the configuration`).toBeDefined()
      const line = text?.split('\n')[(finding.location?.line ?? 0) - 1]
      expect(line, `${name}: line ${finding.location?.line ?? '?'} is in the file`).toBeDefined()
      expect(finding.expected, `${name}: expected is filled`).not.toBe('')
      expect(finding.actual, `${name}: actual is filled`).not.toBe('')
    }
  })

  it('names only files that are there as those that no edit mends', () => {
    const names = new Set(firing.map(([name]) => name))
    expect(Object.keys(UNMENDED).filter(name => !names.has(name))).toEqual([])
  })

  it.each(firing)('%s is mended by the edits of its rule, or says why not', async (name, {rule, file}) => {
    const {bundle, promises} = await readRuleFile(file)
    const before = errorsIn(bundle, promises)
    const mended = mend(bundle, rule, promises)
    expect(mended === undefined, `${name}: no edit is offered (${UNMENDED[name] ?? 'and no reason is given'})`).toBe(
      UNMENDED[name] !== undefined,
    )
    if (!mended) return
    expect(told(findingsIn(mended, [rule], {promises})), `${name} after its edits`).toEqual([])
    expect(
      errorsIn(mended, promises).filter(id => !before.includes(id)),
      `${name}: rules that fire on the mended file only`,
    ).toEqual([])
  })
})

describe('files with the line ends of Windows', () => {
  const firing = files.filter(({file}) => file.kind === 'fires').map(each => [each.file.name, each] as const)

  it.each(firing)('%s is mended with the same', async (name, {rule, file}) => {
    const {bundle: read, promises} = await readRuleFile(file)
    const bundle = {...read, files: read.files.map(each => ({...each, text: each.text.replace(/\r?\n/g, '\r\n')}))}
    const proxy = PROXIES[bundle.proxy]
    const site = proxy.site?.(proxy.parse(bundle), MEASURED[bundle.proxy])
    if (!site) throw new Error(`${proxy.title} has no model of what its configuration means`)
    const drafts = rule.inspect?.({site, promises}) ?? []
    expect(drafts.length, `${rule.meta.id} finds nothing in ${name}`).toBeGreaterThan(0)
    for (const {edits = []} of drafts)
      for (const {path, text} of applyEdits(bundle, edits).files) expect(text.match(/[^\n]*(?<!\r)\n/g) ?? [], path).toEqual([])
  })
})

describe('files that look like it and are right', () => {
  const silent = files.filter(({file}) => file.kind === 'silent').map(each => [each.file.name, each] as const)

  it.each(silent)('%s', async (name, {file}) => {
    const {bundle, promises} = await readRuleFile(file)
    expect(told(findingsIn(bundle, rules, {promises}).filter(counts)), name).toEqual([])
  })
})

describe('what we render ourselves is right', () => {
  it.each(goldens())('%s', async (name, {proxy, parameters, version, bundle}) => {
    const {parameters: stated, given} = await loadParameters({file: parameters, overrides: [], stdin: () => Promise.resolve('')})
    const promises = expectationsFrom(stated, given)
    expect(told(findingsIn(bundle, rules, {promises, version: version ?? PROXIES[proxy].versions.newest})), name).toEqual([])
  })
})

function errorsIn(bundle: ConfigBundle, promises: Promises): readonly string[] {
  return findingsIn(bundle, rules, {promises}).flatMap(({rule, severity}) => (severity === 'error' ? [rule] : []))
}

/** The bundle after the edits of the rule, one finding after the other; `undefined` when it offers none for one of them. */
function mend(bundle: ConfigBundle, rule: Rule, promises: Promises): ConfigBundle | undefined {
  const proxy = PROXIES[bundle.proxy]
  let current = bundle
  for (let round = 0; round < ROUNDS; round += 1) {
    const config = proxy.parse(current)
    const site = proxy.site?.(config, MEASURED[bundle.proxy])
    if (!site) throw new Error(`${proxy.title} has no model of what its configuration means`)
    const drafts = rule.inspect?.({site, promises}) ?? []
    const [first] = drafts
    if (!first) return current
    const edits: readonly Edit[] = first.edits ?? []
    if (edits.length === 0) return undefined
    const next = applyEdits(current, edits)
    expect(JSON.stringify(next.files), `${rule.meta.id}: its edits change something`).not.toBe(JSON.stringify(current.files))
    current = next
  }
  throw new Error(`${rule.meta.id} still fires after ${ROUNDS} rounds of its own edits:\n${current.files.map(({text}) => text).join('\n')}`)
}

/** Everything in fixtures/golden that is a configuration. */
function goldens() {
  const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../fixtures')
  return PROXY_NAMES.flatMap(proxy =>
    readdirSync(join(fixtures, 'golden', proxy)).flatMap(folder => {
      const [, parameters = '', version] = /^([^@+]+)(?:@([^+]+))?/.exec(folder) ?? []
      const root = join(fixtures, 'golden', proxy, folder)
      const own: readonly ConfigFile[] = readdirSync(root, {recursive: true, withFileTypes: true})
        .filter(entry => entry.isFile() && entry.name !== 'declared.txt')
        .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
        .map(path => ({path, text: readFileSync(join(root, path), 'utf8')}))
      const [entry] = own
      if (!entry) return []
      const bundle: ConfigBundle = {proxy, entry: entry.path, files: own, origin: 'rendered'}
      return [[`${proxy}/${folder}`, {proxy, parameters: join(fixtures, 'parameters', `${parameters}.yaml`), version, bundle}] as const]
    }),
  )
}
