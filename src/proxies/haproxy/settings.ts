import type {ConfigBundle, Edit, Span} from '../../model/bundle.ts'
import type {Setting} from '../site.ts'
import {PROXY_KINDS} from './sections.ts'
import type {Line, Section, Sections} from './sections.ts'

/** Makes the settings of one configuration: values with their place, and the edits that make them others. */
export interface Settings {
  /** Lines of the `global` section. */
  global: readonly Line[]
  /** `words` of a line from `at` on are the argument; `owner` is the section that a change is meant for. */
  written<T>(value: T, directive: string, line: Line, at: number, owner?: Section, until?: number): Setting<T>
  /** A default: `put` writes `directive argument` into `owner`. */
  missing<T>(value: T, directive: string, text: string, owner: Section | undefined): Setting<T>
  /** Something that follows from the rest and cannot be changed by one argument. */
  fixed<T>(value: T, directive: string, text: string, home: Span, span?: Span): Setting<T>
  /** A line of its own at the end of a section, behind `after` when that is given. */
  insert(owner: Section | undefined, line: string, why: string, after?: Line): readonly Edit[]
  /** Words as they stand in the file. */
  textOf(line: Line): string
}

export function settingsOf(bundle: ConfigBundle, sections: Sections): Settings {
  const textOfFile = (file: string) => bundle.files.find(({path}) => path === file)?.text ?? ''
  const users = (base: Section) => sections.all.filter(section => PROXY_KINDS.has(section.kind) && builtOn(section, base))

  function insert(owner: Section | undefined, line: string, why: string, after?: Line): readonly Edit[] {
    if (!owner) return []
    const anchor = after?.directive.span ?? owner.own.at(-1)?.directive.span ?? owner.header
    const text = textOfFile(anchor.file)
    const next = text.indexOf('\n', anchor.end)
    const end = next === -1 ? text.length : next - (text[next - 1] === '\r' ? 1 : 0)
    const model = owner.own[0]?.directive.nameSpan
    const indent = model ? text.slice(model.start - model.column + 1, model.start) : '    '
    const eol = text.includes('\r\n') ? '\r\n' : '\n'
    const added = `${indent}${line}`
    // a file ends with a line break (HAProxy refuses it otherwise)
    const whole = next === -1 ? `${eol}${added}${eol}` : `${eol}${added}`
    return [{span: {file: anchor.file, start: end, end, line: anchor.line, column: anchor.column + end - anchor.start}, text: whole, why}]
  }

  function textOf(line: Line): string {
    const {span} = line.directive
    return textOfFile(span.file).slice(span.start, span.end)
  }

  function replace(line: Line, at: number, until: number, argument: string, directive: string): readonly Edit[] {
    const first = line.args[at - 1]
    const last = line.args[until - 1]
    if (!first || !last)
      return [{span: {...line.directive.span, start: line.directive.span.end}, text: ` ${argument}`, why: `${directive} ${argument}`}]
    return [{span: {...first.span, end: last.span.end}, text: argument, why: `${directive} ${argument}`}]
  }

  return {
    global: sections.global,
    insert,
    textOf,
    written(value, directive, line, at, owner = line.section, until = line.words.length - 1) {
      // what a `defaults` section says for sites that have nothing to do with this one stays as it is
      const shared = () => line.section !== owner && users(line.section).some(other => other !== owner && !pairs(other, owner))
      const words = line.words.slice(0, at).join(' ')
      return {
        value,
        directive,
        text: textOf(line),
        span: line.directive.span,
        home: owner.header,
        put: argument =>
          shared() ? insert(owner, `${words} ${argument}`, `${directive} ${argument}`) : replace(line, at, until, argument, directive),
      }
    },
    missing(value, directive, text, owner) {
      const home = owner?.header ?? {file: bundle.entry, start: 0, end: 0, line: 1, column: 1}
      return {
        value,
        directive,
        text,
        home,
        put: argument => insert(owner, `${directive} ${argument}`.trimEnd(), `${directive} ${argument}`.trimEnd()),
      }
    },
    fixed: (value, directive, text, home, span) => ({value, directive, text, ...(span ? {span} : {}), home, put: () => []}),
  }
}

function builtOn(section: Section, base: Section): boolean {
  return section.base === base || (section.base !== undefined && builtOn(section.base, base))
}

/** A section that leads to another one serves the same site. */
function pairs(other: Section, owner: Section): boolean {
  const leads = (from: Section, to: Section) =>
    from.own.some(({words}) => (words[0] === 'default_backend' || words[0] === 'use_backend') && words[1] === to.name)
  return leads(other, owner) || leads(owner, other)
}
