/** What an error log says at warning and above, in the words of each of the three. */
const TROUBLE = /\[(?:[\w-]+:)?(?:warn|error|crit|alert|emerg)\]|^\[(?:WARNING|ALERT)\]|\bAH\d{5}/
/** Termination state of HAProxy's access log other than a normal end: `sH--`, `cD--`, `SC--`. */
const CUT_SHORT = /\s[cCsSPRILUKD][CDHLPQRT][-A-Z]{2}\s/
const MOST_LINES = 4
const LONGEST_LINE = 240

/**
 * The last lines of a proxy's logs that may explain a failure: trouble in its own words, and access lines with a status that the client
 * was answered. Every other line belongs to somebody else's traffic.
 */
export function telltaleLines({access, error}: {access: string; error: string}, client: readonly string[]): readonly string[] {
  const statuses = new Set(client.flatMap(line => /→ ([45]\d\d) /.exec(line)?.[1] ?? []))
  const speaks = (line: string) => TROUBLE.test(line) || CUT_SHORT.test(line)
  const answers = (line: string) => [...statuses].some(status => new RegExp(`\\s${status}\\s`).test(line))
  return [...last(error, speaks), ...last(access, line => speaks(line) || answers(line))].slice(-MOST_LINES).map(line => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line))
}

function last(text: string, wanted: (line: string) => boolean): readonly string[] {
  return text
    .split('\n')
    .filter(line => wanted(line) && !line.includes('gms-proxy-ready'))
    .slice(-MOST_LINES)
}
