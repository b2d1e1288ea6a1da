import type {HeaderSource, Request} from '../site.ts'
import type {Sample, Touch} from './sample.ts'
import type {Line, Section} from './sections.ts'

/** A header as it stands at some point on its way; one that no rule touched has none. */
export interface HeaderState {
  source: HeaderSource
  /** Known value; absent: none, or not known. */
  text?: string
  exact: boolean
  touches: ReadonlySet<Touch>
  line?: Line
}

/** One request on its way through the sections: what rules have made of it so far. */
export interface Exchange {
  request: Request
  method: string
  /** `undefined`: rewritten in a way that is not followed. */
  path: string | undefined
  query: string | undefined
  host: string
  /** The host is one that the caller chose, or that the file names. */
  hostKnown: boolean
  headers: Map<string, HeaderState>
  variables: Map<string, Sample>
  peer: Sample
  listener: {tls: boolean; port?: number; name?: string; frontend: string}
  /** Section whose rules are being followed. */
  section: Section
  /** Body size, counters and status of the answer that conditions are judged with. */
  supposed: {body: number; counted: number; status?: number}
  /** Nodes of a backend, all of them taken to be up. */
  nodesOf(backend: string): number
  /** Text of a file of the bundle that a condition reads (`-f`), if it is there. */
  fileText(path: string): string | undefined
}
