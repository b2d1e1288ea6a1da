import type {Span} from '../../model/bundle.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {firstSpan} from './addresses.ts'
import {SECTIONS, usesEnvironment} from './parse.ts'
import {holds} from './preprocessor.ts'
import {writtenOut} from './variables.ts'

/** A line in force, its environment variables put in. */
export interface Line {
  section: Section
  directive: Directive
  /** Name and arguments without `no` and `default` in front. */
  words: readonly string[]
  /** The arguments of `words`: `args[i]` is `words[i + 1]`. */
  args: readonly Argument[]
  negated: boolean
  /** `default …`: back to what holds without it. */
  reset: boolean
  /** A variable in it is set outside the file: its values are not known. */
  unclear: boolean
}

export interface Section {
  kind: string
  name: string
  /** The section's first line; in a fragment without one, its first line. */
  header: Span
  /** Absent for lines that stand in no section. */
  directive?: Directive
  /** Lines in force of the section itself. */
  own: Line[]
  /** The `defaults` section it builds on. */
  base?: Section
}

export interface Sections {
  all: readonly Section[]
  /** Lines of every `global` section. */
  global: readonly Line[]
  /** `frontend`, `listen`, `backend`, and the lines of a fragment. */
  proxies: readonly Section[]
  unknown: readonly {span: Span; because: string}[]
}

/** Sections that requests pass through; the last is a fragment's lines without a section. */
export const PROXY_KINDS: ReadonlySet<string> = new Set(['frontend', 'listen', 'backend', ''])

/**
 * Sections with the lines that are in force for `version`. The dialect's inheritance stands here and in `linesOf`: a proxy builds on the
 * `defaults` section that `from` names, else on the last one before it, named or not; a named `defaults` builds on another only with `from`
 * (manual, chapter 4).
 */
export function sectionsOf(config: ParsedConfig, version: string): Sections {
  const written = new Map(writtenOut(config).map((entry, at) => [at, entry]))
  const all: Section[] = []
  const unknown: {span: Span; because: string}[] = []
  const environment = new Set<string>()
  const branches: {taken: boolean; done: boolean}[] = []
  let base: Section | undefined
  let index = -1

  for (const {directives, path} of config.files) {
    let current: Section | undefined
    const take = (directive: Directive, isHeader: boolean) => {
      const entry = isHeader ? undefined : written.get(++index)
      if (directive.name.startsWith('.')) {
        branch(directive, entry?.statement.directive.args ?? directive.args)
        return
      }
      if (branches.some(({taken}) => !taken)) return
      if (isHeader) {
        current = open(directive)
        return
      }
      if (!current) {
        current = {kind: '', name: '', header: path === config.bundle.entry ? directive.nameSpan : firstSpan(config), own: []}
        if (base) current.base = base
        all.push(current)
      }
      const line = lineOf(current, entry?.statement.directive ?? directive, entry?.unset ?? [])
      if (line.unclear) unknown.push({span: directive.span, because: 'a variable of the environment decides it'})
      const [name, first] = line.words
      if ((name === 'setenv' || name === 'presetenv') && first !== undefined) environment.add(first)
      current.own.push(line)
    }
    for (const top of directives) {
      const isSection = SECTIONS.has(top.name)
      take(top, isSection)
      for (const directive of top.block ?? []) take(directive, false)
    }
  }

  /** `.if`, `.elif`, `.else`, `.endif`; what cannot be told counts as not taken, and is said. */
  function branch(directive: Directive, args: readonly Argument[]): void {
    const condition = () => {
      const value = holds(
        args.map(({value: word}) => word),
        {version, isSet: name => environment.has(name)},
      )
      if (value === undefined) unknown.push({span: directive.span, because: 'the condition depends on where the file is used'})
      return value ?? false
    }
    const last = branches.at(-1)
    if (directive.name === '.if') {
      const taken = condition()
      branches.push({taken, done: taken})
    } else if (directive.name === '.endif') branches.pop()
    else if (last && (directive.name === '.elif' || directive.name === '.else')) {
      last.taken = !last.done && (directive.name === '.else' || condition())
      last.done ||= last.taken
    }
  }

  function open(directive: Directive): Section {
    const [name, word, from] = directive.args
    const header = {...directive.span, end: directive.args.at(-1)?.span.end ?? directive.nameSpan.end}
    const section: Section = {kind: directive.name, name: name?.value ?? '', header, directive, own: []}
    // `defaults from other` has no name of its own
    const unnamed = directive.name === 'defaults' && name?.value === 'from'
    const wanted = unnamed ? word?.value : word?.value === 'from' ? from?.value : undefined
    const named = wanted === undefined ? undefined : all.findLast(({kind, name: other}) => kind === 'defaults' && other === wanted)
    if (unnamed) section.name = ''
    if (directive.name === 'defaults') {
      if (named) section.base = named
      base = section
    } else if (PROXY_KINDS.has(directive.name)) {
      const inherited = named ?? base
      if (inherited) section.base = inherited
    }
    all.push(section)
    return section
  }

  return {
    all,
    global: all.filter(({kind}) => kind === 'global').flatMap(({own}) => own),
    proxies: all.filter(({kind}) => PROXY_KINDS.has(kind)),
    unknown,
  }
}

function lineOf(section: Section, directive: Directive, unset: readonly Argument[]): Line {
  // what is not known stays as it is written
  const resolved = directive.args.map(argument =>
    unset.includes(argument) ? {...argument, value: argument.raw.replaceAll('"', '')} : argument,
  )
  const prefix = (directive.name === 'no' || directive.name === 'default') && resolved.length > 0 ? directive.name : undefined
  const words = [directive.name, ...resolved.map(({value}) => value)].slice(prefix === undefined ? 0 : 1)
  return {
    section,
    directive,
    words,
    args: prefix === undefined ? resolved : resolved.slice(1),
    negated: prefix === 'no',
    reset: prefix === 'default',
    unclear: unset.length > 0 || (directive.name.includes('$') && usesEnvironment({raw: `"${directive.name}"`})),
  }
}

/** Lines of a section that has been read to its end, and by their first word. */
interface Index {
  lines: readonly Line[]
  byWord: ReadonlyMap<string, readonly Line[]>
}

const indexes = new WeakMap<Section, Index>()

function indexOf(section: Section): Index {
  const known = indexes.get(section)
  if (known) return known
  const lines = [...(section.base ? indexOf(section.base).lines : []), ...section.own]
  const byWord = new Map<string, Line[]>()
  for (const line of lines) {
    const [word = ''] = line.words
    const same = byWord.get(word)
    if (same) same.push(line)
    else byWord.set(word, [line])
  }
  const made = {lines, byWord}
  indexes.set(section, made)
  return made
}

/** All lines in force for a section, those of its `defaults` first: later ones win. */
export function linesOf(section: Section): readonly Line[] {
  return indexOf(section).lines
}

/** Lines that begin with these words, those of the section's `defaults` first. */
export function all(section: Section, first: string, ...words: readonly string[]): readonly Line[] {
  const lines = indexOf(section).byWord.get(first) ?? []
  return words.length === 0 ? lines : lines.filter(line => words.every((word, i) => line.words[i + 1] === word))
}

/** The line that decides, if any: the last one, unless it is `no …` or `default …`. */
export function last(lines: readonly Line[], ...words: readonly string[]): Line | undefined {
  const found = lines.findLast(line => startsWith(line, words))
  return found?.negated || found?.reset ? undefined : found
}

/** The line in force in a section, its `defaults` included. */
export function inForce(section: Section, first: string, ...words: readonly string[]): Line | undefined {
  return last(all(section, first), first, ...words)
}

function startsWith(line: Line, words: readonly string[]): boolean {
  return words.every((word, i) => line.words[i] === word)
}
