import type {Span} from '../../model/bundle.ts'
import type {Oddity} from '../site.ts'
import {slipOf} from '../slips.ts'
import type {Place} from './known-words.ts'
import {placesOf, standingOf, wordsOf} from './known-words.ts'
import type {Line, Section, Sections} from './sections.ts'
import {PROXY_KINDS} from './sections.ts'

/** Words that others stand behind, and how many words further. */
const LEADING: ReadonlySet<string> = new Set<Place>([
  'option',
  'timeout',
  'http-request',
  'http-response',
  'http-after-response',
  'tcp-request',
  'tcp-response',
  'http-check',
  'tcp-check',
])
const TITLE: Readonly<Partial<Record<Place, string>>> = {global: 'the global section', proxy: 'frontend, listen, backend and defaults'}

/**
 * Words that this release does not know: misspelt, of a later one, no longer there, or in a section that does not take them. Modules of HAProxy
 * Enterprise bring words and sections of their own, and a fragment may belong to any section: only a slip of the finger is told there.
 */
export function unknownWords(sections: Sections, version: string): readonly Oddity[] {
  const foreign = sections.global.some(({words}) => words[0] === 'module-load')
  if (foreign) return []
  return sections.all.flatMap(section => [...header(section, version), ...linesJudged(section, version)])
}

/** A section that this release does not have. */
function header({kind, directive}: Section, version: string): readonly Oddity[] {
  if (!directive) return []
  const standing = standingOf('section', kind, version)
  if (standing?.kind === 'later') return [later(directive.nameSpan, kind, version, standing.after)]
  return standing?.kind === 'gone' ? [gone(directive.nameSpan, kind, standing.before)] : []
}

function linesJudged(section: Section, version: string): readonly Oddity[] {
  if (!PROXY_KINDS.has(section.kind) && section.kind !== 'defaults' && section.kind !== 'global') return []
  const place: Place = section.kind === 'global' ? 'global' : 'proxy'
  const indented = section.own.some(({directive}) => directive.span.column > 1)
  const found: Oddity[] = []
  for (const line of section.own) {
    const [word = ''] = line.words
    const standing = standingOf(place, word, version)
    // A word at the margin among others that are not begins a section that nobody here knows, whose lines are its own.
    if (standing?.kind === 'nobody' && indented && line.directive.span.column === 1) {
      const meant = slipOf(word, SECTION_WORDS)
      if (meant !== undefined) found.push(misspelt(line.directive.nameSpan, word, meant))
      break
    }
    found.push(...judged(line, {place, at: 0, fragment: section.kind === ''}, version))
  }
  return found
}

const SECTION_WORDS = ['global', 'defaults', 'frontend', 'backend', 'listen', 'resolvers', 'peers', 'userlist', 'mailers', 'cache']

/** The word at `at`, and those behind it when it leads others. */
function judged(line: Line, {place, at, fragment}: {place: Place; at: number; fragment: boolean}, version: string): readonly Oddity[] {
  const word = line.words[at]
  const span = at > 0 ? line.args[at - 1]?.span : line.negated || line.reset ? undefined : line.directive.nameSpan
  if (word === undefined || word.includes('$') || line.unclear) return []
  const name = plain(word)
  const leads = at === 0 ? name : `${place} ${name}`
  const standing = standingOf(place, name, version)
  if (standing === undefined) return []
  if (standing.kind === 'known')
    return isPlace(leads) && (place === 'proxy' || place === leads.split(' ')[0])
      ? judged(line, {place: leads, at: at + 1, fragment}, version)
      : []
  if (standing.kind === 'later' || standing.kind === 'gone')
    return [
      standing.kind === 'later'
        ? later(span ?? line.directive.span, said(place, name), version, standing.after)
        : gone(span ?? line.directive.span, said(place, name), standing.before),
    ]
  const elsewhere = placesOf(name, version).filter(other => other === 'global' || other === 'proxy')
  const meant = slipOf(name, wordsOf(place, version))
  if (fragment && at === 0 && (elsewhere.length > 0 || meant === undefined)) return []
  if (elsewhere.length > 0 && at === 0)
    return [
      unknown(span ?? line.directive.span, word, `it stands in ${elsewhere.map(other => TITLE[other] ?? other).join(' and ')}, not here`),
    ]
  if (meant !== undefined && span) return [misspelt({...span, end: span.start + name.length}, said(place, name), meant)]
  return [unknown(span ?? line.directive.span, said(place, name), 'no release of HAProxy knows it here')]
}

/** `set-var(txn.a)` is `set-var`, `track-sc1` is `track-sc`. */
function plain(word: string): string {
  return word.replace(/\(.*$/, '').replace(/^track-sc\d+$/, 'track-sc')
}

function isPlace(words: string): words is Place {
  return LEADING.has(words) || /^tcp-request (?:connection|session|content)$|^tcp-response content$/.test(words)
}

function said(place: Place, name: string): string {
  return place === 'proxy' || place === 'global' ? name : `${place} ${name}`
}

function misspelt(span: Span, name: string, meant: string): Oddity {
  return {
    kind: 'word-unknown',
    span,
    name,
    because: `HAProxy does not know it: did you mean ${meant}?`,
    mend: [{span, text: meant, why: meant}],
  }
}

function unknown(span: Span, name: string, because: string): Oddity {
  return {kind: 'word-unknown', span, name, because, mend: []}
}

function later(span: Span, name: string, version: string, after: string): Oddity {
  return unknown(span, name, `it came after ${after}: ${version} does not know it yet`)
}

function gone(span: Span, name: string, before: string): Oddity {
  return {kind: 'word-removed', span, name, because: `${before} no longer has it`, mend: []}
}
