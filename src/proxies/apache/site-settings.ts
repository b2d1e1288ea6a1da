import type {Edit, Span} from '../../model/bundle.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Setting} from '../site.ts'
import {isNamed, walk} from './parse.ts'
import type {Line} from './site-lines.ts'
import type {Server} from './site-servers.ts'
import {find} from './site-servers.ts'

/** Makes settings: a value, where it stands, and the edits that give it another argument. */
export class Settings {
  private readonly texts = new Map<string, string>()
  private readonly entry: string
  /** Last line that is read outside of all sections, by file. */
  private readonly config: ParsedConfig

  constructor(config: ParsedConfig) {
    for (const {path, text} of config.bundle.files) this.texts.set(path, text)
    this.entry = config.bundle.entry
    this.config = config
  }

  /** What stands at a place, on one line. */
  textOf({file, start, end}: Span): string {
    return (this.texts.get(file) ?? '').slice(start, end).replace(/\\\r?\n\s*/g, ' ')
  }

  /** The opening line of a server's block; the beginning of the entry file for the main server. */
  homeOf(server: Server): Span {
    const {section} = server
    if (!section) return {file: this.entry, start: 0, end: 0, line: 1, column: 1}
    const {directive} = section
    return {...directive.span, end: (directive.args.at(-1) ?? {span: directive.nameSpan}).span.end}
  }

  /**
   * A setting of a directive of `server`: the value of the line in force, or the default. `argument` is the number of the argument that
   * `put` replaces; all of them when it is absent.
   */
  ofServer<T>(
    server: Server,
    directive: string,
    read: (values: readonly string[]) => T | undefined,
    fallback: {value: T; text: string},
    argument?: number,
  ): Setting<T> {
    const line = find(server, directive)
    const value = line && !line.unknown ? read(line.values) : undefined
    if (!line || value === undefined) return this.missing(server, directive, fallback.value, fallback.text)
    return this.written(server, line, value, argument)
  }

  /** A line that is there, seen from `server`. */
  written<T>(server: Server, line: Line, value: T, argument?: number): Setting<T> {
    const {directive} = line
    const others = !server.alone && server.section !== undefined && !server.lines.includes(line)
    return {
      value,
      directive: directive.name,
      text: this.textOf(directive.span),
      span: directive.span,
      home: others ? this.homeOf(server) : directive.span,
      put: text => {
        // what other sites share stays as it is: the virtual host gets a line of its own
        if (others) return this.insert(server, `${directive.name} ${text}`)
        const replaced =
          argument === undefined
            ? {from: directive.args[0], to: directive.args.at(-1)}
            : {from: directive.args[argument], to: directive.args[argument]}
        if (!replaced.from || !replaced.to) return []
        return [{span: {...replaced.from.span, end: replaced.to.span.end}, text, why: `${directive.name} ${text}`}]
      },
    }
  }

  /** A default: nothing is written. */
  missing<T>(server: Server, directive: string, value: T, text: string): Setting<T> {
    return {value, directive, text, home: this.homeOf(server), put: argument => this.insert(server, `${directive} ${argument}`)}
  }

  /** Something at a place that the model has no edit for. */
  fixed<T>(value: T, directive: string, text: string, home: Span, span?: Span): Setting<T> {
    return {value, directive, text, home, ...(span ? {span} : {}), put: () => []}
  }

  /** `key=value` of a `ProxyPass` or a `BalancerMember`, or its absence there. */
  parameter<T>(line: Line, key: string, value: T, fallbackText: string): Setting<T> {
    const {directive} = line
    const index = directive.args.findIndex(argument => argument.value.toLowerCase().startsWith(`${key.toLowerCase()}=`))
    const found = directive.args[index]
    const last = directive.args.at(-1)
    return {
      value,
      directive: `${directive.name} ${directive.name.toLowerCase() === 'proxyset' ? '' : '… '}${key}=`,
      text: found ? this.textOf(directive.span) : fallbackText,
      ...(found ? {span: found.span} : {}),
      home: directive.span,
      put: text => {
        const why = `${directive.name} … ${key}=${text}`
        if (found && /^route$/i.test(key)) return [{span: found.span, text: `${key}=${text}`, why}]
        if (found) return this.alike(directive, found.value).map(span => ({span, text: `${key}=${text}`, why}))
        if (!last) return []
        return this.lacking(directive, key).map(({span}) => ({span: {...span, start: span.end}, text: ` ${key}=${text}`, why}))
      },
    }
  }

  /** Where the same is written for other members of the balancer: what ails one of them ails all. A route is of one member. */
  private alike(directive: Directive, value: string): readonly Span[] {
    return this.members(directive).flatMap(({args}) => args.find(argument => argument.value === value)?.span ?? [])
  }

  private lacking(directive: Directive, key: string): readonly Argument[] {
    return this.members(directive).flatMap(({args}) => {
      const last = args.at(-1)
      return last && !args.some(({value}) => value.toLowerCase().startsWith(`${key.toLowerCase()}=`)) ? [last] : []
    })
  }

  /** The members of the balancer that one of them belongs to; any other line stands for itself. */
  private members(directive: Directive): readonly Directive[] {
    if (!isNamed(directive, 'BalancerMember')) return [directive]
    const around = walk(this.config).find(({directive: {block}}) => block?.includes(directive) === true)?.directive.block
    return around?.filter(line => isNamed(line, 'BalancerMember')) ?? [directive]
  }

  /** Lines more at the end of the block of a server, indented like their neighbours. */
  insert(server: Server, ...lines: readonly string[]): readonly Edit[] {
    const {section} = server
    if (section) return this.into(section.directive, ...lines)
    const file = this.config.files.find(({path}) => path === this.entry)
    const own = file?.directives.filter(({name}) => !/^include/i.test(name)) ?? []
    // among the lines of the server itself; behind everything where no virtual host follows
    const last = server.alone ? own.at(-1) : own.findLast(({block}) => block === undefined)
    return this.behind(last?.span ?? {file: this.entry, start: 0, end: 0, line: 1, column: 1}, lines, '')
  }

  /** Lines more at the end of a section. */
  into(
    section: {span: Span; block?: readonly {span: Span}[]; args: readonly {span: Span}[]; nameSpan: Span},
    ...lines: readonly string[]
  ): readonly Edit[] {
    const text = this.texts.get(section.span.file) ?? ''
    const last = section.block?.at(-1)
    const opening = {...section.span, end: (section.args.at(-1) ?? {span: section.nameSpan}).span.end}
    const indent = last ? indentation(text, last.span.start) : `${indentation(text, section.span.start)}    `
    return this.behind(last?.span ?? opening, lines, indent)
  }

  private behind(after: Span, lines: readonly string[], indent: string): readonly Edit[] {
    const text = this.texts.get(after.file) ?? ''
    const newline = text.includes('\r\n') ? '\r\n' : '\n'
    const why = lines.join(' ')
    if (after.end === 0)
      return [{span: {...after, start: 0, end: 0, line: 1, column: 1}, text: lines.map(line => line + newline).join(''), why}]
    const feed = text.indexOf('\n', after.end)
    const at = feed === -1 ? text.length : feed + 1
    const row = text.slice(0, at).split('\n').length
    const span = {file: after.file, start: at, end: at, line: row, column: at - (text.lastIndexOf('\n', at - 1) + 1) + 1}
    return [{span, text: lines.map(line => (feed === -1 ? `${newline}${indent}${line}` : `${indent}${line}${newline}`)).join(''), why}]
  }
}

/** White space in front of what stands at `offset`. */
function indentation(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? ''
}

/** Whole seconds, as httpd reads a duration without a unit: `60`, `60s`, `500ms`, `2min`, `1h` (ap_timeout_parameter_parse); ms. */
export function duration(text: string, unit: 's' | 'ms' = 's'): number | undefined {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim())
  const number = Number(match?.[1])
  if (!match || !Number.isFinite(number)) return undefined
  const factors: Readonly<Record<string, number>> = {ms: 1, s: 1000, mi: 60_000, min: 60_000, h: 3_600_000}
  const factor = factors[(match[2] === '' ? unit : (match[2] ?? '')).toLowerCase()]
  return factor === undefined ? undefined : number * factor
}

/** `On`, `Off`. */
export function flag(values: readonly string[]): boolean | undefined {
  const [value = ''] = values
  return /^on$/i.test(value) ? true : /^off$/i.test(value) ? false : undefined
}
