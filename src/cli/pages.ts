import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {RULES} from '../lint/rules/index.ts'
import type {Rule} from '../lint/rule.ts'
import type {Pages} from '../report/pages.ts'
import type {Check} from '../verify/check.ts'
import {CHECKS} from '../verify/checks/index.ts'

/** One entry of the catalogue, with the folder of the package that its page lies in. */
export type Entry = {kind: 'check'; folder: string; meta: Check['meta']} | {kind: 'rule'; folder: string; meta: Rule['meta']}

/** Checks, then rules, each in grid order. */
export const CATALOGUE: readonly Entry[] = [
  ...CHECKS.map(({meta}) => ({kind: 'check' as const, folder: `src/verify/checks/${meta.id}`, meta})),
  ...RULES.map(({meta}) => ({kind: 'rule' as const, folder: `src/lint/rules/${meta.id}`, meta})),
]

/** The page of an entry. `root`: the folder of the package. */
export function markdownOf({folder}: Entry, root: string): string {
  return readFileSync(join(root, folder, 'README.md'), 'utf8')
}

/** The pages of the package at `root`, read when they are asked for. */
export function pagesIn(root: string): Pages {
  return id => {
    const entry = CATALOGUE.find(({meta}) => meta.id === id)
    if (!entry) return undefined
    const {title, concern, severity, requirement} = entry.meta
    return {id, kind: entry.kind, title, concern, severity, requirement, markdown: markdownOf(entry, root)}
  }
}
