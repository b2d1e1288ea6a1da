import {readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {RULES} from '../src/lint/rules/index.ts'
import {CATALOGUE} from './support/catalogue.ts'
import {catalogueCases, readCase} from './support/catalogue-cases.ts'
import {findingsIn} from './support/rule-files.ts'

const cases = catalogueCases()

describe('the catalogue of misconfigurations', () => {
  it('has a hundred entries, each once, and a rule for each', () => {
    expect(CATALOGUE.length).toBe(100)
    expect(new Set(CATALOGUE.map(({id}) => id)).size).toBe(100)
    const rules = new Set<string>(RULES.map(({meta}) => meta.id))
    expect(CATALOGUE.filter(({cause}) => !rules.has(cause)).map(({id}) => id)).toEqual([])
  })

  it('refers to every file of fixtures/catalogue', () => {
    const folder = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/catalogue')
    const named = cases.map(({path}) => path)
    expect(
      readdirSync(folder)
        .filter(file => !file.endsWith('.yaml'))
        .filter(file => !named.includes(`fixtures/catalogue/${file}`)),
    ).toEqual([])
  })

  it('leaves to evidence only causes that no file shows, or that no proxy makes', () => {
    const inspected = new Set<string>(RULES.filter(({inspect}) => inspect).map(({meta}) => meta.id))
    const reproduced = CATALOGUE.filter(entry => 'evidence' in entry && entry.reproduced !== false && inspected.has(entry.cause))
    expect(reproduced.map(({id}) => id)).toEqual(['sticky-cookie-client-without-jar'])
  })
})

describe('rules name the cause of every entry', () => {
  it.each(cases.map(each => [each.name, each] as const))('%s', async (_, each) => {
    const {subject, promises, version} = await readCase(each)
    const found = findingsIn(subject.bundle, RULES, {promises, version})
    const {cause} = each.entry
    const readable = RULES.some(({meta, inspect}) => meta.id === cause && inspect !== undefined)
    expect(found.map(({rule}) => rule)).toEqual(expect.arrayContaining([each.cause, ...(readable ? [cause] : [])]))
  })
})
