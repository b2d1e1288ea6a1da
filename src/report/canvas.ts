/** What a terminal can show. Formats for machines ignore it. */
export interface Canvas {
  colour: boolean
  /** Columns. */
  width: number
  /** Passed details, promises' sources and the sandbox diff too. */
  verbose: boolean
}
