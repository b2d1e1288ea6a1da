import type {Evidence} from '../model/report.ts'

/** What an error log says at error and above, in the words of each of the three. */
const TROUBLE = /\[(?:[\w-]+:)?(?:error|crit|alert|emerg)\]|^\[(?:WARNING|ALERT)\]|\bAH\d{5}/
/** Termination state of HAProxy's access log other than a normal end: `sH--`, `cD--`, `SC--`. */
const CUT_SHORT = /\s[cCsSPRILUKD][CDHLPQRT][-A-Z]{2}\s/
const MOST_LINES = 4
const LONGEST_LINE = 240

/**
 * The last lines of a proxy's logs that may explain what the client saw: trouble in its own words, and access lines with a status that the
 * client was answered. Where GMS gave the answer itself, or every answer was good, the log has nothing to add: its lines belong to
 * somebody else's traffic.
 */
export function telltaleLines({access, error}: {access: string; error: string}, {client, upstream}: Evidence): readonly string[] {
  const answered = client.filter(line => / → (\d{3} )?in /.test(line))
  const statuses = client
    .flatMap(line => / → ([45]\d\d) in /.exec(line)?.[1] ?? [])
    .filter(status => !upstream.some(line => line.includes(`answered ${status} `)))
  const unanswered = client.some(line => / → in /.test(line) && !line.endsWith('no answer yet'))
  if (answered.length > 0 && statuses.length === 0 && !unanswered) return []
  const speaks = (line: string) => TROUBLE.test(line) || CUT_SHORT.test(line)
  const answers = (line: string) => statuses.some(status => new RegExp(`\\s${status}\\s`).test(line))
  return [...last(error, speaks), ...last(access, line => speaks(line) || answers(line))]
    .slice(-MOST_LINES)
    .map(line => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line))
}

function last(text: string, wanted: (line: string) => boolean): readonly string[] {
  return text
    .split('\n')
    .filter(line => wanted(line) && !line.includes('gms-proxy-ready'))
    .slice(-MOST_LINES)
}
