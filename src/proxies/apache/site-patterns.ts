import {segmentMatcher} from '../../model/glob.ts'

/** POSIX classes within brackets, which JavaScript does not know. */
const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9a-fA-F',
  word: '\\w',
}

/** A regular expression of PCRE as JavaScript reads it; `undefined` when it says something that JavaScript cannot. */
export function pcre(pattern: string, caseless: boolean): RegExp | undefined {
  const flags = /^\(\?([im]+)\)/.exec(pattern)
  const body = (flags ? pattern.slice(flags[0].length) : pattern)
    .replace(/\[:(\w+):\]/g, (whole, name: string) => CLASSES[name] ?? whole)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\\h/g, '[ \\t]')
  // possessive, atomic, conditional, recursive and modifying groups; a quantifier behind another one
  if (/[*+?}]\+|\(\?[>(|&R\d+-]|\(\?[a-z]+[:)]|\\[QEKGRXg]|\(\*/.test(body)) return undefined
  try {
    return new RegExp(body, caseless || flags?.[1]?.includes('i') === true ? 'i' : '')
  } catch {
    return undefined
  }
}

/** A path of `<Location>` with `*`, `?` or brackets, which match within one segment (fnmatch with FNM_PATHNAME), from its beginning on. */
export function wildcardLocation(pattern: string): RegExp | undefined {
  try {
    const source = pattern
      .split('/')
      .map(segment =>
        segmentMatcher(segment)
          .source.replace(/^\^(?:\(\?!\\\.\))?/, '')
          .replace(/\$$/, '')
          .replaceAll('.*', '[^/]*'),
      )
      .join('/')
    return new RegExp(`^${source}$`)
  } catch {
    return undefined
  }
}

/** `chat.example.com`, `*.example.com`, `chat?.example.com` of `ServerName` and `ServerAlias`. */
export function isHostMatch(pattern: string, host: string): boolean {
  const source = pattern
    .toLowerCase()
    .replace(/[\\^$.|+(){}[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(host.toLowerCase())
}

/** One path lies below the other, or is the same. */
export function isBelowOrAbove(path: string, other: string): boolean {
  const below = (inner: string, outer: string) => inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
  return below(path, other) || below(other, path)
}
