import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {CATALOGUE, markdownOf} from '../src/cli/pages.ts'
import {OWN_CAUSES} from '../src/diagnose/live/own-causes.ts'
import {CHECKS} from '../src/verify/checks/index.ts'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../src/verify/checks')
const ids = readdirSync(folder, {withFileTypes: true})
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)

describe('the catalogue of checks', () => {
  it('registers every folder, and nothing else', () => {
    expect(CHECKS.map(check => check.meta.id).sort()).toEqual([...ids].sort())
  })

  it.each(CHECKS.map(check => [check.meta.id, check] as const))('%s is complete', (id, {meta}) => {
    const files = readdirSync(join(folder, id))
    expect(id.startsWith(`${meta.concern}-`)).toBe(true)
    expect(files).toContain('README.md')
    expect(
      files.some(file => file.startsWith('broken.')),
      'a configuration that the check fails on',
    ).toBe(true)
    expect(meta.references.length).toBeGreaterThan(0)
    const page = readFileSync(join(folder, id, 'README.md'), 'utf8')
    for (const heading of ['## What happens', '## Why it matters for GMS chat', '## Fix']) expect(page).toContain(heading)
    expect(page.split('## What happens')[1]?.trim().length ?? 0, 'prose under the headings').toBeGreaterThan(200)
  })
})

describe('causes that no file shows', () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  const causes = CATALOGUE.filter(({kind}) => kind === 'cause')

  it('have a page each, and no page stands for nothing', () => {
    const pages = readdirSync(join(root, 'src/diagnose/live/causes')).map(file => file.replace(/\.md$/, ''))
    expect(pages.sort()).toEqual(Object.keys(OWN_CAUSES).sort())
    expect(causes.map(({meta}) => meta.id).sort()).toEqual(pages.sort())
  })

  it.each(causes.map(entry => [entry.meta.id, entry] as const))('%s is complete', (id, entry) => {
    expect(id.startsWith(`${entry.meta.concern}-`)).toBe(true)
    expect(CATALOGUE.filter(({meta}) => meta.id === id)).toHaveLength(1)
    const page = markdownOf(entry, root)
    for (const heading of [`# ${id}`, '## What happens', '## Why it matters for GMS chat', '## Fix']) expect(page).toContain(heading)
    const [, fix = ''] = page.split('## Fix')
    for (const proxy of id === 'upstream-gms-itself' ? [] : [/nginx/, /Apache/, /HAProxy/]) expect(fix).toMatch(proxy)
  })
})
