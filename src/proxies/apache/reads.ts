import type {Span} from '../../model/bundle.ts'
import type {Argument, Directive} from '../syntax.ts'
import {certificateFile} from './certificates.ts'
import {isNamed} from './parse.ts'

/** A file that a directive reads for what stands in it: addresses, or rows of a map. */
export interface DataFile {
  path: string
  span: Span
  /** What stands in front of the path in the argument. */
  prefix: string
}

/** The file of `RewriteMap` and of lists of addresses; httpd quotes them in its messages, or looks words up in them. */
export function dataFile(directive: Directive): DataFile | undefined {
  const from = (argument: Argument | undefined, prefix: string): DataFile | undefined =>
    argument && {path: argument.value.slice(prefix.length), span: argument.span, prefix}
  if (isNamed(directive, 'RemoteIPInternalProxyList', 'RemoteIPTrustedProxyList')) return from(directive.args[0], '')
  if (!isNamed(directive, 'RewriteMap')) return undefined
  const [, map] = directive.args
  if (!map || /^(?:int|prg|dbd|fastdbd):/i.test(map.value)) return undefined
  return from(map, /^(?:txt|rnd|dbm(?:=\w+)?):/i.exec(map.value)?.[0] ?? '')
}

/** Files and patterns that the directives of one file pull in: configuration, and data that only some directives read. */
export function includesOf(directives: readonly Directive[]): readonly {pattern: string; data?: boolean; optional?: boolean; span: Span}[] {
  return directives.flatMap(directive => {
    const [argument] = directive.args
    const data = dataFile(directive)
    const certificate = certificateFile(directive)
    return [
      ...(argument && isNamed(directive, 'Include', 'IncludeOptional') ? [{pattern: argument.value, span: argument.span}] : []),
      ...(data ? [{pattern: data.path, data: true, span: data.span}] : []),
      ...(certificate ? [{pattern: certificate.path, data: true, optional: true, span: certificate.span}] : []),
      ...includesOf(directive.block ?? []),
    ]
  })
}

/** Top folders of Unix systems and of their build machines: a rewrite to a path below one of them means the file, not the page. */
const TOP_FOLDERS =
  /^\/+(?:afs|app|bin|boot|builds?|cloud|config|data|dev|efs|etc|github|home|host\w*|lib\w*|lost\+found|media|mnt|net|nfs|nix|opt|private|proc|root|run|runner|s?bin|secrets?|snap|srv|sys|system|tmp|user\w*|usr|var|vault|volumes?|work\w*|library|applications)(?:\/|$)/i
const OF_THE_REQUEST = /^(?:\/?\$\d|\/?%\{REQUEST_(?:URI|FILENAME)\})/

/** Says why a directive (its arguments with variables put in) could show a file of this machine to whoever asks; `undefined` when it does not. */
export function readsFiles(directive: Directive, values: readonly string[]): string | undefined {
  const text = values.join(' ')
  const isExpression =
    isNamed(directive, 'If', 'ElseIf', 'SetEnvIfExpr', 'RewriteCond', 'Require', 'LogMessage') ||
    values.some(value => /^"?expr=/i.test(value))
  if (/%\{\s*file(?:size)?\s*:/i.test(text) || (isExpression && /\bfile(?:size)?\s*\(/i.test(text)))
    return 'reads a file of this machine into an expression'
  if (!isNamed(directive, 'RewriteRule')) return undefined
  const [, target = '', flags = ''] = values
  const isPage =
    target === '-' ||
    /^[a-z][a-z0-9+.-]*:/i.test(target) ||
    /[[,]\s*(?:P|proxy|PT|passthrough|R|redirect|F|G|forbidden|gone)\b/i.test(flags)
  if (isPage || OF_THE_REQUEST.test(target)) return undefined
  if (TOP_FOLDERS.test(target)) return 'rewrites to a file of this machine'
  return /^\/*[%$]/.test(target) ? 'rewrites to something that may be a file of this machine' : undefined
}
