import type {Setting, Way} from '../site.ts'
import {durationOf} from './defaults.ts'
import type {Exchange} from './exchange.ts'
import type {Notes} from './rules.ts'
import type {Section, Sections} from './sections.ts'
import type {Settings} from './settings.ts'

type Limits = Pick<Way, 'bodyLimit' | 'bodyBuffer' | 'connectionsPerClient' | 'requestsPerSecond'>

/** Limits that rules set for one request: sizes, and counts of one client. */
export function limitsOf(
  {
    frontend,
    backend,
    exchange,
    notes,
    sections,
  }: {frontend: Section; backend: Section; exchange: Exchange; notes: Notes; sections: Sections},
  settings: Settings,
): Limits {
  const [smallest] = [...notes.bodyLimits].sort((a, b) => a.limit - b.limit)
  const counts = notes.countLimits.flatMap(({limit, line, counters}) =>
    counters.flatMap(counter => {
      const read = counterOf(counter, notes)
      return read?.ofClient ? [{...read, limit, line}] : []
    }),
  )
  const connections = counts.filter(({what}) => what === 'conn_cur').sort((a, b) => a.limit - b.limit)[0]
  const rates = counts
    .filter(({what}) => what === 'http_req_rate' || what === 'conn_rate' || what === 'sess_rate')
    .flatMap(count => {
      const period = periodOf(count, exchange, sections)
      return period === undefined ? [] : [{...count, rate: count.limit / (period / 1000)}]
    })
    .sort((a, b) => a.rate - b.rate)
  const [slowest] = rates
  const changed = <T>(value: T, {line, limit}: {line: Notes['countLimits'][number]['line']; limit: number}) => {
    // the number that is compared with, wherever it stands in the rule
    const at = line.words.findLastIndex(word => /^\d+$/.test(word) && Math.abs(Number(word) - limit) <= 1)
    return at === -1
      ? settings.fixed(value, 'http-request deny', settings.textOf(line), line.section.header, line.directive.span)
      : relative(settings.written(value, 'http-request deny', line, at, line.section, at), Number(line.words[at]) - limit)
  }
  return {
    bodyLimit: smallest
      ? changed<number | undefined>(smallest.limit, smallest)
      : settings.fixed<number | undefined>(undefined, 'http-request deny', 'no limit for bodies', frontend.header),
    // `option http-buffer-request` waits for no more than fits a buffer, and refuses nothing
    bodyBuffer: settings.fixed<number | undefined>(
      undefined,
      'option http-buffer-request',
      'bodies are passed on as they come',
      backend.header,
    ),
    connectionsPerClient: connections
      ? changed<number | undefined>(connections.limit, connections)
      : settings.fixed<number | undefined>(undefined, 'http-request deny', 'no limit for one client', frontend.header),
    requestsPerSecond: slowest
      ? changed<{rate: number; burst: number} | undefined>({rate: slowest.rate, burst: slowest.limit}, slowest)
      : settings.fixed<{rate: number; burst: number} | undefined>(
          undefined,
          'http-request deny',
          'no limit for one client',
          frontend.header,
        ),
  }
}

/** What is written may be one more than what passes (`ge 3` lets 2 in): the same holds for what is put there. */
function relative<T>({put, ...setting}: Setting<T>, more: number): Setting<T> {
  return {...setting, put: argument => put(/^\d+$/.test(argument) ? String(Number(argument) + more) : argument)}
}

interface Counter {
  what: string
  ofClient: boolean
  table?: string
}

/** `sc0_conn_cur`, `sc_http_req_rate(0)`, `src_conn_cur(table)`. */
function counterOf(expression: string, notes: Notes): Counter | undefined {
  const [, direct, directTable] = /^src_([a-z_]+)(?:\(([^)]*)\))?/.exec(expression) ?? []
  if (direct !== undefined) return {what: direct, ofClient: true, ...(directTable ? {table: directTable} : {})}
  const [, short, shortWhat, shortTable] = /^sc(\d)_([a-z_]+)(?:\(([^)]*)\))?/.exec(expression) ?? []
  const [, longWhat, long, longTable] = /^sc_([a-z_]+)\((\d+)(?:,([^)]*))?\)/.exec(expression) ?? []
  const number = short ?? long
  const what = shortWhat ?? longWhat
  if (number === undefined || what === undefined) return undefined
  const tracked = notes.tracked.get(number)
  const table = shortTable ?? longTable ?? tracked?.table
  return {what, ofClient: tracked?.key.touches.has('peer') ?? false, ...(table ? {table} : {})}
}

/** The period that a table counts over: `store http_req_rate(10s)`. */
function periodOf({what, table}: Counter, exchange: Exchange, sections: Sections): number | undefined {
  const named = table === undefined ? undefined : sections.proxies.find(({name}) => name === table)
  const owners = named ? [named] : [exchange.section, ...sections.proxies.filter(({name}) => name === exchange.listener.frontend)]
  for (const {own} of owners)
    for (const {words} of own) {
      if (words[0] !== 'stick-table') continue
      const period = new RegExp(`\\b${what}\\(([^)]+)\\)`).exec(words.join(' '))?.[1]
      if (period !== undefined) return durationOf(period)
    }
  return undefined
}
