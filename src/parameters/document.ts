import {isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments} from 'yaml'
import type {Document, Node, ParsedNode} from 'yaml'

/** Where a value was written: a place in the parameters file, or the flag that set it. */
export type Origin = {file: string; line: number; column: number} | {flag: string}

/** One thing that is wrong with the parameters. `path` is dotted; empty for the document itself. */
export interface Problem {
  path: string
  message: string
  origin?: Origin
  /** The schema's own words about this parameter. */
  description?: string
}

/** Plain data with the place of every key. Paths are joined by dots, list items by their index. */
export interface ParameterDocument {
  value: unknown
  origins: Map<string, Origin>
  /** Numbers exactly as written, by path: `1.30` is no longer visible in the value. */
  written: Map<string, string>
  problems: Problem[]
}

/** Parameters files are a page long; anything bigger is not one. Characters. */
const MAX_CHARACTERS = 1_048_576
/** Values in one document, aliases counted as often as they are used: what stops an alias bomb. */
const MAX_VALUES = 10_000
const MAX_DEPTH = 20

/** Reads YAML or JSON (a subset of YAML). Never throws: everything that is wrong is in `problems`. */
export function readDocument(text: string, file: string): ParameterDocument {
  const document: ParameterDocument = {value: {}, origins: new Map(), written: new Map(), problems: []}
  const problem = (message: string, place?: {line: number; col: number}) => {
    document.problems.push({path: '', message, origin: {file, line: place?.line ?? 1, column: place?.col ?? 1}})
    return document
  }
  if (text.length > MAX_CHARACTERS) return problem('the file is larger than 1 MiB: this is not a parameters file')
  const nul = text.indexOf('\0')
  if (nul >= 0) return problem('the file holds binary data: this is not a parameters file')
  const counter = new LineCounter()
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: true,
    version: '1.2',
    merge: false,
  })
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : []
  for (const {errors, warnings} of documents)
    for (const error of [...errors, ...warnings]) problem(sentenceOf(error.code, error.message), counter.linePos(error.pos[0]))
  if (document.problems.length > 0) return document
  const [first, second] = documents
  if (second) return problem('several documents in one file: parameters are one document', counter.linePos(second.range[0]))
  if (!first?.contents || (isScalar(first.contents) && first.contents.value === null)) return document
  if (!isMap(first.contents)) return problem('expected keys with values, such as "upstream:"', counter.linePos(first.contents.range[0]))
  new Walker(first, document, offset => {
    const {line, col} = counter.linePos(offset)
    return {file, line, column: col}
  }).read()
  return document
}

/** The library's messages are good but for the ones that people meet first. */
function sentenceOf(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line: YAML wants spaces'
  if (code === 'DUPLICATE_KEY') return 'this key stands twice in the same place'
  if (code === 'TAG_RESOLVE_FAILED') return 'YAML tags (!…) have no meaning here'
  return message
}

/** Turns nodes into plain data and notes where each key stands. */
class Walker {
  private values = 0
  private readonly root: Document.Parsed
  private readonly into: ParameterDocument
  private readonly place: (offset: number) => Origin

  constructor(root: Document.Parsed, into: ParameterDocument, place: (offset: number) => Origin) {
    this.root = root
    this.into = into
    this.place = place
  }

  read(): void {
    try {
      this.into.value = this.plain(this.root.contents, [])
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      this.into.problems.push({path: '', message: error.message, origin: this.place(error.offset)})
    }
  }

  private plain(node: Node | ParsedNode | null, path: readonly string[]): unknown {
    const offset = node?.range?.[0] ?? 0
    if (++this.values > MAX_VALUES) throw new TooMuch(`more than ${MAX_VALUES} values: this is not a parameters file`, offset)
    if (path.length > MAX_DEPTH) throw new TooMuch(`nested deeper than ${MAX_DEPTH} levels: this is not a parameters file`, offset)
    if (isAlias(node)) return this.plain(node.resolve(this.root) ?? null, path)
    if (isSeq(node))
      return node.items.map((item, index) => {
        const inner = [...path, String(index)]
        this.note(inner, (item as Node).range?.[0] ?? offset)
        return this.plain(item as Node, inner)
      })
    if (isMap(node)) {
      const result: Record<string, unknown> = {}
      for (const {key, value} of node.items) {
        const name = isScalar(key) ? String(key.value) : '?'
        const keyOffset = (key as Node).range?.[0] ?? offset
        const inner = [...path, name]
        if (!isScalar(key)) {
          this.into.problems.push({path: path.join('.'), message: 'a key must be a plain word', origin: this.place(keyOffset)})
          continue
        }
        this.note(inner, keyOffset)
        // `__proto__` must become a key like any other, so that it is named as unknown instead of changing the object.
        Object.defineProperty(result, name, {
          value: this.plain(value as Node | null, inner),
          enumerable: true,
          configurable: true,
          writable: true,
        })
      }
      return result
    }
    if (!isScalar(node)) return null
    if (typeof node.value === 'number' && node.source !== undefined) this.into.written.set(path.join('.'), node.source)
    return node.value
  }

  private note(path: readonly string[], offset: number): void {
    this.into.origins.set(path.join('.'), this.place(offset))
  }
}

class TooMuch extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}
