import type {ConfigTestMessage} from '../proxy.ts'

/** Lines that only say that there were other lines. */
const SUMMARY =
  /Error\(s\) found in configuration file|Fatal errors found in configuration|^\s*Warnings were found|Configuration file is valid/
const PLACE = /\[([^\]\s]+):(\d+)\]/

/** Messages of `haproxy -c`: `[ALERT] (pid) : config : parsing [file:line] : text` and variants; indented lines continue the one above. */
export function parseConfigTest(output: string): readonly ConfigTestMessage[] {
  const messages: ConfigTestMessage[] = []
  for (const line of output.split(/\r?\n/)) {
    const match = /^\[(ALERT|WARNING|DIAG|EMERG|CRIT)\]\s+(?:\S+\s+)?\(\d+\)\s*:\s*(?:config\s*:\s*)?(.*)$/.exec(line)
    const [, level, rest = ''] = match ?? []
    const last = messages.at(-1)
    if (level === undefined) {
      if (last && /^\s+\S/.test(line) && !SUMMARY.test(line))
        messages[messages.length - 1] = {...last, text: `${last.text} ${line.trim()}`.replace(/\s*\^$/, '')}
      continue
    }
    if (SUMMARY.test(rest)) continue
    const place = PLACE.exec(rest)
    messages.push({
      level: level === 'WARNING' || level === 'DIAG' ? 'warning' : 'error',
      text: rest.replace(/^parsing\s+\[[^\]]+\]\s*:?\s*/, '').trim(),
      ...(place?.[1] === undefined ? {} : {file: place[1], line: Number(place[2])}),
    })
  }
  return messages
}

/**
 * True for a line on stderr that means HAProxy itself is broken. Nodes that go down and a descriptor limit of the host are printed as
 * `[ALERT]` too (2.6.12) and are neither.
 */
export function isFatalLogLine(line: string): boolean {
  if (/\b(PANIC|BUG|FATAL)\b.*(thread|bug|haproxy)|is about to kill the process|Segmentation fault|core dumped/i.test(line)) return true
  return (
    /^\[(ALERT|EMERG)\]/.test(line) &&
    !/FD limit|has no server available|is (going )?DOWN|Fatal errors found|reached (process|system) FD limit/.test(line)
  )
}
