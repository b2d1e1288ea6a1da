import type {Console} from '../site.ts'
import type {Span} from '../../model/bundle.ts'
import type {Verdict} from './rules.ts'
import type {Line, Section, Sections} from './sections.ts'
import {all, inForce} from './sections.ts'
import type {Entrance} from './site-listeners.ts'
import type {Settings} from './settings.ts'

const LOCAL = /^(?:ipv[46]@)?(?:127\.|localhost\b|\[?::1\]?)/
const PRIVATE = /^(?:unix@|abns@|abnsz@|fd@|\/)/

/** Sockets and pages that administer HAProxy. */
/** Where strangers come in, and what becomes of a GET of theirs. */
export interface Doors {
  entrances: readonly Entrance[]
  visit(entrance: Entrance, path: string): {verdict: Verdict | undefined; guarded: boolean}
}

export function consolesOf(sections: Sections, doors: Doors, settings: Settings): readonly Console[] {
  return [
    ...sections.global
      .filter(({words, negated}) => !negated && words[0] === 'stats' && words[1] === 'socket')
      .map(line => socketOf(line, settings)),
    ...sections.proxies.flatMap(section => pagesOf(section, doors, settings)),
  ]
}

/** `stats socket /path mode 660 level admin`: whoever may write to it uses it (manual, "stats socket"; measured: 777 lets everybody in). */
function socketOf(line: Line, settings: Settings): Console {
  const address = line.words[2] ?? ''
  const after = (word: string) => {
    const at = line.words.indexOf(word, 3)
    return at === -1 ? undefined : {value: line.words[at + 1] ?? '', at: at + 1}
  }
  const mode = after('mode')
  const level = after('level')
  const isFile = PRIVATE.test(address) || !/:\d+$/.test(address)
  // without a mode the umask of whoever starts it decides, which lets no others write
  const open = isFile ? mode !== undefined && (Number.parseInt(mode.value, 8) & 0o2) !== 0 : true
  const place = isFile ? (mode ?? level) : undefined
  return {
    what: 'stats socket',
    open,
    changes: level?.value === 'admin',
    setting: place
      ? settings.written(place.value, 'stats socket', line, place.at, line.section, place.at)
      : settings.written(address, 'stats socket', line, 2, line.section, 2),
  }
}

/** `stats uri`, `stats enable`, and counters for Prometheus: open when a stranger who asks for them gets them. */
function pagesOf(section: Section, {entrances, visit}: Doors, settings: Settings): readonly Console[] {
  const open = (path: string, span: Span) =>
    entrances.some(entrance => {
      const {address} = entrance.listener
      if (LOCAL.test(address) || PRIVATE.test(address)) return false
      const {verdict, guarded} = visit(entrance, path)
      return !guarded && verdict?.kind === 'answer' && verdict.span.file === span.file && verdict.span.start === span.start
    })
  const found: Console[] = []
  const line = inForce(section, 'stats', 'uri') ?? inForce(section, 'stats', 'enable')
  const asks =
    inForce(section, 'stats', 'auth') !== undefined ||
    all(section, 'stats', 'http-request').some(({words}) => words[2] === 'auth' || words[2] === 'deny')
  if (line) {
    const path = line.words[1] === 'uri' ? (line.words[2] ?? '') : '/haproxy?stats'
    found.push({
      what: 'stats page',
      open: !asks && open(path, line.directive.span),
      changes: inForce(section, 'stats', 'admin') !== undefined,
      setting: settings.written(line.words.slice(2).join(' '), line.words.slice(0, 2).join(' '), line, 2, section),
    })
  }
  for (const rule of all(section, 'http-request', 'use-service')) {
    if (rule.words[2] !== 'prometheus-exporter') continue
    const at = rule.words.findIndex(word => /^path(?:_beg)?$/.test(word))
    const path = rule.words.slice(at + 1).find(word => word.startsWith('/'))
    found.push({
      what: 'prometheus-exporter',
      open: open(path ?? '/metrics', rule.directive.span),
      changes: false,
      setting: settings.written(rule.words[2] ?? '', 'http-request use-service', rule, 2, section, 2),
    })
  }
  return found
}
