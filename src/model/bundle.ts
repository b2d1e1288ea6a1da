import type {ProxyName} from './catalogue.ts'

/** One configuration file; `path` is relative to the bundle's root, with forward slashes. */
export interface ConfigFile {
  path: string
  text: string
}

/** The configuration of one proxy, rendered or read from disk. Nothing downstream asks which. */
export interface ConfigBundle {
  proxy: ProxyName
  /** `path` of the file that the proxy is started with. */
  entry: string
  files: readonly ConfigFile[]
  origin: 'rendered' | 'read'
  /** Absolute folder the files were read from: includes may not leave it. Absent when rendered. */
  root?: string
}

/** Half-open range in one file's text. `line` and `column` count from 1, `start` and `end` are UTF-16 offsets. */
export interface Span {
  file: string
  start: number
  end: number
  line: number
  column: number
}

/** Offsets at which the lines of a text begin. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** Line and column of an offset, both from 1; `starts` are the `lineStarts` of the text. */
export function placeIn(starts: readonly number[], offset: number): Pick<Span, 'line' | 'column'> {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return {line: low + 1, column: offset - (starts[low] ?? 0) + 1}
}

/** Replaces `span` by `text` (an insertion has `start === end`). `why` is shown to the user beside the diff. */
export interface Edit {
  span: Span
  text: string
  why: string
}

/** Edits without those that another one says already: two mends may need the same line. */
export function distinctEdits(edits: readonly Edit[]): readonly Edit[] {
  return [...new Map(edits.map(edit => [JSON.stringify([edit.span.file, edit.span.start, edit.span.end, edit.text]), edit])).values()]
}

/**
 * Applies edits to the files of a bundle; one that is given twice is applied once.
 * @throws Error when two edits overlap (a bug of the caller).
 */
export function applyEdits(bundle: ConfigBundle, edits: readonly Edit[]): ConfigBundle {
  const files = bundle.files.map(file => {
    const own = [...distinctEdits(edits.filter(edit => edit.span.file === file.path))].sort(
      (a, b) => b.span.start - a.span.start || b.span.end - a.span.end,
    )
    let text = file.text
    let border = Number.POSITIVE_INFINITY
    for (const {span, text: replacement, why} of own) {
      if (span.end > border) throw new Error(`overlapping edits at ${span.file}:${span.line}:${span.column} (${why})`)
      text = text.slice(0, span.start) + replacement + text.slice(span.end)
      border = span.start
    }
    return {...file, text}
  })
  return {...bundle, files}
}
