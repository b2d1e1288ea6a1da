import {createTwoFilesPatch} from 'diff'
import {posix} from 'node:path'
import {UsageError} from '../errors.ts'
import type {ConfigBundle, Edit} from '../model/bundle.ts'
import {applyEdits} from '../model/bundle.ts'
import {redact} from '../model/redact.ts'
import type {Location} from '../model/report.ts'
import type {ConfigTestMessage, Proxy, SandboxPlan} from '../proxies/proxy.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import type {ConfigMessage, Sandboxed} from './runtime.ts'

/** The configuration as it will be run, and the way back to what the user wrote. */
export interface RunnableConfig {
  sandboxed: Sandboxed
  files: readonly {path: string; text: string}[]
  /** Entry file as the proxy sees it, absolute. */
  entry: string
  /** Puts a message of the proxy in the user's terms: no sandbox paths, secrets redacted, place in the user's file. */
  explain(message: ConfigTestMessage): ConfigMessage
}

/**
 * Applies a proxy's sandbox table, and `more` where the table changes nothing.
 * @throws UsageError when the configuration would run its author's code or leave the sandbox: every refusal with its place.
 */
export function sandbox(proxy: Proxy, config: ParsedConfig, plan: SandboxPlan, more: readonly Edit[] = []): RunnableConfig {
  const {bundle} = config
  const {edits: own, added, entry, refused} = proxy.sandbox(config, plan)
  if (refused.length > 0) {
    throw new UsageError(
      `the configuration would run code of its author or reach out of the sandbox:\n${refused.map(({span, directive, because}) => `  ${span.file}:${span.line}:${span.column} ${directive}: ${because}`).join('\n')}`,
      {
        suggestions: ['remove these directives', 'pass --allow-exec when you trust the author; --runtime docker is the safer place for it'],
      },
    )
  }
  const edits = [...own, ...more.filter(edit => !own.some(other => overlap(edit, other)))]
  const edited = applyEdits(bundle, edits)
  const files = [...edited.files, ...added]
  for (const {path} of files) refuseToLeave(path)
  const nodes = [...new Set(proxy.nodes(config).map(({address}) => address))]
  return {
    // The folder's random name says nothing to a reader, and would make every report differ.
    sandboxed: {diff: diffOf(bundle, edited, edits, added).replaceAll(plan.folder, '/sandbox'), nodes},
    files,
    entry: posix.join(plan.folder, entry),
    explain: message => explain(message, bundle, edits, plan.folder),
  }
}

/** What is changed or taken away by one cannot be changed by the other. */
function overlap({span: a}: Edit, {span: b}: Edit): boolean {
  if (a.file !== b.file) return false
  return a.start === a.end ? b.start < a.start && a.start < b.end : a.start < b.end && b.start < a.end
}

function refuseToLeave(path: string): void {
  const normal = posix.normalize(path)
  if (posix.isAbsolute(normal) || normal === '..' || normal.startsWith('../'))
    throw new UsageError(`${path} is outside the folder of the configuration`)
}

/** Reasons first (patch tools skip what stands before `---`), then the unified diff of each file of the user. */
function diffOf(before: ConfigBundle, after: ConfigBundle, edits: readonly Edit[], added: readonly {path: string}[]): string {
  const parts = before.files.flatMap(file => {
    const text = after.files.find(({path}) => path === file.path)?.text ?? file.text
    if (text === file.text) return []
    const own = edits.filter(({span}) => span.file === file.path).sort((a, b) => a.span.start - b.span.start)
    const reasons = own.map(({span, why}) => `# ${span.file}:${span.line}:${span.column} ${why}`)
    const patch = createTwoFilesPatch(`a/${file.path}`, `b/${file.path}`, file.text, text, undefined, undefined, {context: 1}).replace(
      /^=+\n/,
      '',
    )
    return [...new Set(reasons), patch.trimEnd()]
  })
  const wrappers = added.map(({path}) => `# added ${path}`)
  return redact([...parts, ...(parts.length > 0 ? wrappers : [])].join('\n'))
}

function explain(
  {level, text, file, line}: ConfigTestMessage,
  bundle: ConfigBundle,
  edits: readonly Edit[],
  folder: string,
): ConfigMessage {
  const path = file === undefined ? undefined : posix.relative(folder, posix.resolve(folder, file))
  const own = bundle.files.find(candidate => candidate.path === path)
  const location: Location | undefined =
    own && line !== undefined
      ? {
          file: own.path,
          line: originalLine(
            own.text,
            edits.filter(({span}) => span.file === own.path),
            line,
          ),
        }
      : undefined
  return {level, text: redact(text.replaceAll(`${folder}/`, '')), ...(location ? {location} : {})}
}

/** Line of the user's text that line `edited` of the edited text came from; inside a replacement, the line it replaced. */
export function originalLine(text: string, edits: readonly Edit[], edited: number): number {
  let shift = 0
  for (const {span, text: replacement} of [...edits].sort((a, b) => a.span.start - b.span.start)) {
    const first = span.line + shift
    const replaced = text.slice(span.start, span.end)
    const replacedLines = newlines(replaced)
    const newLines = newlines(replacement)
    // Whole lines put in or taken out: the first line at that place is not the one before the edit any more.
    const wholeLines = span.column === 1 && (replacement === '' ? replaced : replacement).endsWith('\n')
    if (edited < first + (wholeLines ? 0 : 1)) break
    if (edited < first + newLines) return span.line + Math.min(edited - first, replacedLines)
    shift += newLines - replacedLines
  }
  return Math.max(1, edited - shift)
}

function newlines(text: string): number {
  return text.split('\n').length - 1
}
