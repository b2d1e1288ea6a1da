import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {OWN_CAUSES} from '../diagnose/live/own-causes.ts'
import type {OwnCause} from '../diagnose/live/own-causes.ts'
import {RULES} from '../lint/rules/index.ts'
import type {Rule} from '../lint/rule.ts'
import type {Pages} from '../report/pages.ts'
import type {Check} from '../verify/check.ts'
import {CHECKS} from '../verify/checks/index.ts'

/** One entry of the catalogue, with its page in the folder of the package. A cause is one that no file shows. */
export type Entry =
  | {kind: 'check'; page: string; meta: Check['meta']}
  | {kind: 'rule'; page: string; meta: Rule['meta']}
  | {kind: 'cause'; page: string; meta: OwnCause & {id: string}}

/** Checks, then rules, then causes that only a look from outside finds; each in grid order. */
export const CATALOGUE: readonly Entry[] = [
  ...CHECKS.map(({meta}) => ({kind: 'check' as const, page: `src/verify/checks/${meta.id}/README.md`, meta})),
  ...RULES.map(({meta}) => ({kind: 'rule' as const, page: `src/lint/rules/${meta.id}/README.md`, meta})),
  ...Object.entries(OWN_CAUSES).map(([id, cause]) => ({
    kind: 'cause' as const,
    page: `src/diagnose/live/causes/${id}.md`,
    meta: {id, ...cause},
  })),
]

/** The page of an entry. `root`: the folder of the package. */
export function markdownOf({page}: Entry, root: string): string {
  return readFileSync(join(root, page), 'utf8')
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
