import type {Span} from '../../model/bundle.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {includedFrom, kindOf, startOf} from './tree.ts'

/** Where a directive stands, in the words of "Context" of the vendor's pages. `stream` has servers and upstreams of its own. */
export type Level =
  'main' | 'events' | 'http' | 'server' | 'location' | 'if' | 'limit_except' | 'upstream' | 'stream' | 'stream-server' | 'stream-upstream'

/** Deepest nesting of includes; nginx itself ends with "too many open files". */
const DEEPEST_INCLUDE = 10

/** One block with the lines that stand in it, those of included files among them, and the block around. */
export class Scope {
  private readonly byName = new Map<string, Directive[]>()

  constructor(
    readonly config: ParsedConfig,
    readonly level: Level,
    readonly lines: readonly Directive[],
    readonly parent: Scope | undefined,
    /** Absent for the file itself, and for what a fragment will be put into. */
    readonly block?: Directive,
  ) {
    for (const line of lines) {
      const known = this.byName.get(line.name)
      if (known) known.push(line)
      else this.byName.set(line.name, [line])
    }
  }

  /** Lines of this name in this very block. */
  all(name: string): readonly Directive[] {
    return this.byName.get(name) ?? []
  }

  first(name: string): Directive | undefined {
    return this.byName.get(name)?.[0]
  }

  has(name: string): boolean {
    return this.byName.has(name)
  }

  /** The nearest block, this one first, that has a line of one of these names: nginx inherits from there and from nowhere else. */
  holder(...names: readonly string[]): Scope | undefined {
    return names.some(name => this.has(name)) ? this : this.parent?.holder(...names)
  }

  /** This block and those around it, innermost first. */
  chain(): readonly Scope[] {
    return [this, ...(this.parent?.chain() ?? [])]
  }

  up(...levels: readonly Level[]): Scope | undefined {
    return this.chain().find(({level}) => levels.includes(level))
  }

  /** What a finding points at: the line that opens the block, or the start of a fragment. */
  get home(): Span {
    return this.block ? headOf(this.block) : (this.parent?.home ?? startOf(this.config))
  }
}

/** From the name of a directive to its last argument. */
export function headOf({nameSpan, args}: Directive): Span {
  return {...nameSpan, end: args.at(-1)?.span.end ?? nameSpan.end}
}

/** Lines with those of included files in their places. */
export function expanded(config: ParsedConfig, lines: readonly Directive[], open: readonly string[] = []): readonly Directive[] {
  if (!lines.some(({name}) => name === 'include')) return lines
  return lines.flatMap(line => {
    if (line.name !== 'include') return [line]
    if (open.length >= DEEPEST_INCLUDE) return []
    return includedFrom(config.bundle, line.args[0]?.value ?? '')
      .filter(path => !open.includes(path))
      .flatMap(path => expanded(config, config.files.find(file => file.path === path)?.directives ?? [], [...open, path]))
  })
}

/** The block `line` as a scope within `parent`. */
export function within(parent: Scope, line: Directive, level: Level): Scope {
  return new Scope(parent.config, level, expanded(parent.config, line.block ?? []), parent, line)
}

/** The blocks of a configuration that matter to chat. For a fragment the blocks around it are empty. */
export interface Layout {
  main: Scope
  events?: Scope
  http: Scope
  /** Servers of `http`, in order. */
  servers: readonly Scope[]
  stream?: Scope
  streamServers: readonly Scope[]
  /** The file is meant to be included: what stands around it is not known. */
  fragment: boolean
}

export function layoutOf(config: ParsedConfig): Layout {
  const kind = kindOf(config)
  const entry = config.files.find(file => file.path === config.bundle.entry)?.directives ?? []
  const lines = expanded(config, entry, [config.bundle.entry])
  const blocksOf = (scope: Scope, name: string, level: Level) =>
    scope.all(name).flatMap(line => (line.block ? [within(scope, line, level)] : []))
  if (kind !== 'complete') {
    const main = new Scope(config, 'main', [], undefined)
    const http = new Scope(config, 'http', kind === 'http' ? lines : [], main)
    const servers = kind === 'http' ? blocksOf(http, 'server', 'server') : [new Scope(config, 'server', lines, http)]
    return {main, http, servers, streamServers: [], fragment: true}
  }
  const main = new Scope(config, 'main', lines, undefined)
  const [events] = blocksOf(main, 'events', 'events')
  const http = blocksOf(main, 'http', 'http')[0] ?? new Scope(config, 'http', [], main)
  const [stream] = blocksOf(main, 'stream', 'stream')
  return {
    main,
    http,
    servers: blocksOf(http, 'server', 'server'),
    streamServers: stream ? blocksOf(stream, 'server', 'stream-server') : [],
    fragment: false,
    ...(events ? {events} : {}),
    ...(stream ? {stream} : {}),
  }
}
