import {structuredPatch} from 'diff'
import type {ConfigBundle, Edit} from '../model/bundle.ts'
import {applyEdits} from '../model/bundle.ts'
import {redact} from '../model/redact.ts'
import type {Lines} from './lines.ts'

const CONTEXT = 2
/** Lines around the edits that are compared; the rest of a large file cannot differ. */
const AROUND = 5

/**
 * Edits as a unified diff, secrets hidden; empty when they change nothing. `nameOf` gives a file as the command line would name it.
 * @throws Error when two edits overlap (a bug of the rule).
 */
export function patchOf(
  bundle: ConfigBundle,
  edits: readonly Edit[],
  {linesOf, nameOf}: {linesOf(file: string): Lines; nameOf(file: string): string},
): string {
  const files = [...new Set(edits.map(({span}) => span.file))]
  const parts = files.flatMap(file => {
    const own = edits.filter(({span}) => span.file === file)
    const lines = linesOf(file)
    const first = Math.max(1, lines.at(Math.min(...own.map(({span}) => span.start))).line - AROUND)
    const last = Math.min(lines.count, lines.at(Math.max(...own.map(({span}) => span.end))).line + AROUND)
    const from = lines.offset(first)
    const to = lines.offset(last + 1)
    const after = applyEdits({...bundle, files: bundle.files.filter(({path}) => path === file)}, own).files[0]?.text ?? lines.text
    const before = lines.text.slice(from, to)
    const changed = after.slice(from, after.length - (lines.text.length - to))
    if (before === changed) return []
    const {hunks} = structuredPatch(file, file, before, changed, '', '', {context: CONTEXT})
    return [
      `--- ${label('a', nameOf(file))}`,
      `+++ ${label('b', nameOf(file))}`,
      ...hunks.flatMap(hunk => [
        `@@ -${hunk.oldStart + first - 1},${hunk.oldLines} +${hunk.newStart + first - 1},${hunk.newLines} @@`,
        ...safeLines(hunk.lines, hunk.oldStart + first - 1, lines),
      ]),
    ]
  })
  return redact(parts.join('\n'))
}

/** Lines of a hunk; those of the file as it would show them, because a secret may begin above the hunk. */
function safeLines(hunk: readonly string[], start: number, lines: Lines): readonly string[] {
  const safeOnes = lines.safeLines(start, start + hunk.filter(line => /^[ -]/.test(line)).length - 1)
  const hidden = new Map<string, string>()
  let index = 0
  return hunk.map(line => {
    const [sign, text] = [line.charAt(0), line.slice(1)]
    if (sign === '+') return `+${hidden.get(text) ?? text}`
    if (sign !== ' ' && sign !== '-') return line
    const safe = safeOnes[index] ?? ''
    index += 1
    if (safe === text.replace(/\r$/, '')) return line
    hidden.set(text, safe)
    return `${sign}${safe}`
  })
}

/** As git writes it; an absolute path says where it lies without that. */
function label(side: 'a' | 'b', name: string): string {
  return name.startsWith('/') || /^[A-Za-z]:/.test(name) ? name : `${side}/${name.replace(/^(\.\/)+/, '')}`
}
