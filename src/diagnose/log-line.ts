/** What a kind of log line means, and what may be behind it. */
export interface LogMeaning {
  /** Matches one whole line. */
  pattern: RegExp
  /** One sentence for an operator. */
  meaning: string
  /** Ids of rules that it points to, the usual one first; none: nothing in the configuration explains it. */
  causes: readonly string[]
}

/** A line of the proxy's own log with what it means. */
export interface LogRemark extends Omit<LogMeaning, 'pattern'> {
  line: string
}

/** Lines of a proxy's log that say why, each meaning once. */
export function remarksIn(lines: readonly string[], meanings: readonly LogMeaning[]): readonly LogRemark[] {
  return meanings.flatMap(({pattern, meaning, causes}) => {
    const line = lines.find(candidate => pattern.test(candidate))
    return line === undefined ? [] : [{line, meaning, causes}]
  })
}
