import type {ConfigBundle, Span} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {quoteWord, statements} from './parse.ts'
import type {Statement} from './parse.ts'
import {VALUED} from './sandbox-table.ts'

const THROW_AWAY = 'a throw-away certificate of this run: that of the deployment is not beside the configuration'
const AUTHORITY = 'users of this run have certificates of a throw-away authority'

/** Certificates of listeners that may lie beside the configuration, as patterns: HAProxy looks for the key in `<file>.key` too (since 2.2). */
export function certificateFiles(all: readonly Statement[]): readonly {pattern: string; span: Span}[] {
  const base = baseOf(all)
  return all.flatMap(({directive}) =>
    directive.name !== 'bind'
      ? []
      : wordsAfter(directive, 1).flatMap(({word, value, span}) =>
          word === 'crt' && !value.startsWith('@') ? [value, `${value}.key`].map(path => ({pattern: joined(base, path), span})) : [],
        ),
  )
}

/**
 * Files of a `bind` line: a certificate that lies beside the configuration together with its key is used, everything else becomes that of
 * the run. One certificate is enough: further ones, for old and for new clients, would be the same again.
 */
export function bindFiles(
  directive: Directive,
  config: ParsedConfig,
  {certificates, folder}: SandboxPlan,
  put: (span: Span, text: string, why: string) => void,
): void {
  if (!certificates) return
  const base = baseOf(statements(config))
  for (const {word, value, span, wordSpan} of wordsAfter(directive, 1)) {
    if (word === 'ca-file' || word === 'ca-verify-file') put(span, quoteWord(certificates.authority), AUTHORITY)
    if (!['crt', 'crt-list', 'default-crt'].includes(word)) continue
    const own = word === 'crt' ? ownFile(config.bundle, joined(base, value)) : undefined
    if (own !== undefined) put(span, quoteWord(`${folder}/${own}`), 'the file is read from its copy in the sandbox')
    else {
      if (word !== 'crt') put(wordSpan, 'crt', THROW_AWAY)
      put(span, quoteWord(certificates.bundle), THROW_AWAY)
    }
  }
}

/** Path in the bundle of a file, or of a folder of files, that brings its keys along. */
function ownFile({files, root}: ConfigBundle, path: string): string | undefined {
  const below = root !== undefined && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
  const relative = below.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
  if (relative.startsWith('/') || relative.split('/').includes('..')) return undefined
  const found = files.filter(file => file.path === relative || file.path.startsWith(`${relative}/`))
  const isKeyed = ({path: file, text}: (typeof files)[number]) =>
    /PRIVATE KEY-----/.test(text) || files.some(other => other.path === `${file}.key`)
  return found.length > 0 && found.every(isKeyed) ? relative : undefined
}

function baseOf(all: readonly Statement[]): string {
  return all.find(({section, directive}) => section === 'global' && directive.name === 'crt-base')?.directive.args[0]?.value ?? ''
}

function joined(base: string, path: string): string {
  return base === '' || path.startsWith('/') ? path : `${base.replace(/\/+$/, '')}/${path}`
}

/** Words of a line that name a file, each with the word behind it. */
function wordsAfter({args}: Directive, from: number): readonly {word: string; value: string; span: Span; wordSpan: Span}[] {
  const found: {word: string; value: string; span: Span; wordSpan: Span}[] = []
  for (let i = from; i < args.length; i++) {
    const word = args[i]
    const next = args[i + 1]
    if (!word || !next) break
    if (['crt', 'crt-list', 'default-crt', 'ca-file', 'ca-verify-file'].includes(word.value))
      found.push({word: word.value, value: next.value, span: next.span, wordSpan: word.span})
    else if (!VALUED.has(word.value)) continue
    i++
  }
  return found
}
