import type {Span} from '../../model/bundle.ts'
import type {Argument, Directive} from '../syntax.ts'
import type {Statement} from './parse.ts'

/** A file that a directive reads when HAProxy starts. */
export interface FileReference {
  path: string
  /** The part of the text to replace when the file moves. */
  span: Span
  /** The span is a whole word, so the new path may be quoted. */
  quoted: boolean
  directive: Directive
  /** The configuration means the same without it (pages of errors). */
  optional: boolean
  /** The file does not stand in the text as HAProxy will read it. */
  hidden: boolean
}

const PREFIX = /^(file|opt)@/

/** Every file that directives read: maps, ACL patterns, bodies of answers, error pages, keys of tokens. */
export function fileReferences(all: readonly Statement[]): readonly FileReference[] {
  return all.flatMap(({directive}) => [...wholeWords(directive), ...insideWords(directive)])
}

function wholeWords(directive: Directive): readonly FileReference[] {
  const {name, args} = directive
  const reference = (argument: Argument | undefined, optional = false): readonly FileReference[] =>
    argument && !argument.value.startsWith('virt@')
      ? [{path: argument.value.replace(PREFIX, ''), span: argument.span, quoted: true, directive, optional, hidden: false}]
      : []
  if (name === 'errorfile') return reference(args[1], true)
  const found: FileReference[] = []
  args.forEach((argument, i) => {
    const next = args[i + 1]
    if (argument.value === '-f') found.push(...reference(next))
    else if (/^http-(request|response|after-response|error)$/.test(name) && /^(file|lf-file|errorfile)$/.test(argument.value))
      found.push(...reference(next))
    else if (name === 'filter' && argument.value === 'config') found.push(...reference(next))
  })
  return found
}

const MAP = /\b(?:map(?:_[a-z0-9_]+)?|(?:add|del|set)-(?:acl|map))\(\s*([^,)\s'"]+)/g
const TOKEN_KEY = /\bjwt_verify\(\s*[^,)]*,\s*([^,)\s'"]*\/[^,)\s'"]*)/g

/** `map(FILE,default)`, `add-acl(FILE)`, `jwt_verify(alg,FILE)` inside expressions. */
function insideWords(directive: Directive): readonly FileReference[] {
  return directive.args.flatMap(argument => {
    const named = pathsIn(argument.raw)
    const meant = pathsIn(argument.value)
    const hidden = meant.length !== named.length || meant.some(({path}, i) => path !== named[i]?.path)
    return (hidden ? meant : named).flatMap(({path, at}) => {
      if (path.startsWith('virt@')) return []
      const span = {
        ...argument.span,
        start: argument.span.start + at,
        end: argument.span.start + at + path.length,
        column: argument.span.column + at,
      }
      return [{path: path.replace(PREFIX, ''), span: hidden ? argument.span : span, quoted: false, directive, optional: false, hidden}]
    })
  })
}

function pathsIn(text: string): readonly {path: string; at: number}[] {
  return [...text.matchAll(MAP), ...text.matchAll(TOKEN_KEY)].flatMap(match => {
    const [whole, path] = match
    return path === undefined ? [] : [{path, at: match.index + whole.length - path.length}]
  })
}
