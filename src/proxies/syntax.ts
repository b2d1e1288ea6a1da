import type {ConfigBundle, Span} from '../model/bundle.ts'

/** One argument as written. `value` has quotes and escapes resolved. */
export interface Argument {
  value: string
  raw: string
  quote?: '"' | "'"
  span: Span
}

/** One directive, section line or block of any of the three dialects. */
export interface Directive {
  /** As written by the user; compare case-insensitively for Apache. */
  name: string
  args: readonly Argument[]
  /** Everything from the name to the last character (closing brace or `</Section>` included). */
  span: Span
  nameSpan: Span
  /** Children of a block (`server {}`, `<VirtualHost>`, an HAProxy section). Absent for a simple directive. */
  block?: readonly Directive[]
}

/** A comment; `text` without the sign that opens it and the space around. */
export interface Comment {
  text: string
  span: Span
}

/** A directive that the reader stumbled over; the proxy's own test will name it too. */
export interface SyntaxProblem {
  message: string
  span: Span
}

/** The files of a bundle, read. `directives` of each file in order of appearance; includes are resolved within the bundle only. */
export interface ParsedConfig {
  bundle: ConfigBundle
  files: readonly {path: string; directives: readonly Directive[]; comments?: readonly Comment[]}[]
  problems: readonly SyntaxProblem[]
}
