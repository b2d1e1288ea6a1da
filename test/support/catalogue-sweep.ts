import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import process from 'node:process'
import pLimit from 'p-limit'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {CATALOGUE} from './catalogue.ts'
import {catalogueCases} from './catalogue-cases.ts'
import type {CatalogueResult} from './catalogue-run.ts'
import {runCase} from './catalogue-run.ts'

const {
  GMS_PROXY_CATALOGUE_CACHE: cache,
  GMS_PROXY_CATALOGUE_ONLY: only = '',
  GMS_PROXY_CATALOGUE_AT_ONCE: atOnce = '2',
  GMS_PROXY_CATALOGUE_CHECKS: breadth = 'most',
} = process.env
if (breadth !== 'felt' && breadth !== 'most' && breadth !== 'all')
  throw new Error(`GMS_PROXY_CATALOGUE_CHECKS=${breadth}: felt, most or all`)
const words = only.split(',').filter(word => word !== '')
const cases = catalogueCases().filter(
  ({name, cause}) => words.length === 0 || words.some(word => name.includes(word) || cause.includes(word)),
)
const results: Record<string, CatalogueResult> =
  cache !== undefined && existsSync(cache) ? (JSON.parse(readFileSync(cache, 'utf8')) as Record<string, CatalogueResult>) : {}
const interrupted = new AbortController()
const {signal} = interrupted
// Proxies are taken down, and their folders with them.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)))
const began = Date.now()
const lane = pLimit(Number(atOnce))

await Promise.all(
  cases.map(each =>
    lane(async () => {
      if (signal.aborted) return
      if (!results[each.name]) {
        try {
          results[each.name] = await runCase(each, {breadth, signal})
        } catch (error) {
          process.stdout.write(`${each.name}: ${error instanceof Error ? error.message : String(error)}\n`)
          return
        }
        // Others may write to the same file.
        if (cache !== undefined) {
          const others = existsSync(cache) ? (JSON.parse(readFileSync(cache, 'utf8')) as Record<string, CatalogueResult>) : {}
          writeFileSync(cache, JSON.stringify({...others, [each.name]: results[each.name]}, undefined, 1))
        }
      }
      const result = results[each.name]
      if (result) process.stdout.write(`${lineOf(each.name, each.cause, result)}\n`)
    }),
  ),
)

function lineOf(
  name: string,
  cause: string,
  {detected, first, fixed, causes, failed, left, unexplained, hunks, again = [], errored, ms}: CatalogueResult,
): string {
  const words = [
    detected ? 'detected' : 'MISSED',
    first ? 'first' : `NOT FIRST (${cause})`,
    fixed === 'no' ? 'NOT FIXED' : `fixed by ${fixed === 'run' ? 'running' : 'reading'}`,
  ]
  const more = [
    first ? '' : `causes ${causes.slice(0, 4).join(', ')}`,
    fixed === 'no' || !first ? `failed ${failed.slice(0, 6).join(', ')}${failed.length > 6 ? ` and ${failed.length - 6} more` : ''}` : '',
    left.length > 0 ? `left ${left.slice(0, 6).join(', ')}` : '',
    unexplained.length > 0 ? `unexplained ${unexplained.join(', ')}` : '',
    hunks.length > 0 ? `hunks ${hunks.join(' ')}` : '',
    again.length > 0 ? `held when asked alone ${again.join(', ')}` : '',
    errored.length > 0 ? `errored ${errored.join('; ')}` : '',
  ].filter(text => text !== '')
  return `${name}: ${words.join(', ')}, ${Math.round(ms / 1000)} s${more.map(text => `\n    ${text}`).join('')}`
}

const row = (cells: readonly (string | number)[]) =>
  cells.map((cell, index) => String(cell)[index === 0 ? 'padEnd' : 'padStart'](index === 0 ? 10 : 12)).join('')
const count = (some: readonly CatalogueResult[], which: (result: CatalogueResult) => boolean) => some.filter(which).length
const rows = [...PROXY_NAMES, undefined].map(proxy => {
  const chosen = cases.filter(each => proxy === undefined || each.proxy === proxy)
  const run = chosen.flatMap(({name}) => results[name] ?? [])
  const seconds = run.reduce((sum, {ms}) => sum + ms, 0) / 1000
  return row([
    proxy ?? 'all',
    chosen.length,
    run.length,
    count(run, ({detected}) => detected),
    count(run, ({first}) => first),
    count(run, ({fixed}) => fixed === 'run'),
    count(run, ({fixed}) => fixed === 'read'),
    seconds.toFixed(0),
  ])
})
const byEntry = CATALOGUE.filter(({id}) => cases.some(({entry}) => entry.id === id)).map(({id}) =>
  cases.filter(({entry}) => entry.id === id).map(({name}) => results[name]),
)
const every = (which: (result: CatalogueResult) => boolean) =>
  byEntry.filter(runs => runs.every(result => result !== undefined && which(result))).length
process.stdout.write(
  [
    '',
    row(['', 'files', 'run', 'detected', 'cause first', 'fix run', 'fix read', 'seconds']),
    ...rows,
    '',
    `entries with a file: ${byEntry.length} of ${CATALOGUE.length}; detected ${every(({detected}) => detected)}, right cause first ${every(({first}) => first)}, mended ${every(({fixed}) => fixed !== 'no')}, each on every proxy that can have it`,
    `left to evidence: ${CATALOGUE.filter(entry => 'evidence' in entry).length}`,
    `${((Date.now() - began) / 1000).toFixed(0)} s for what was run now, ${atOnce} at once`,
    '',
  ].join('\n'),
)
