import type {ConfigTestMessage} from '../proxy.ts'

const STAMP = /^(?:\[[^\]]+\] )?(?:\[([\w-]*):(\w+)\] )(?:\[pid [^\]]+\] )?/
/** Of nested includes the last place is the one that counts; the reason follows, or stands on the next line. */
const PLACE = /.*Syntax error on line (\d+) of (.+?):(?: (.*))?$/
const NOISE =
  /^(?:Syntax OK|Action '.*' failed\.|The Apache error log may have more information\.|.*configuration error: couldn't .*|.*Unable to open logs|.*no listening sockets available, shutting down|.*Configuration Failed|.*: Configuration Failed, exiting)$/

/** Reads what `httpd -t`, a start that failed, or the error log says: `Syntax error on line N of FILE:` and the line after it belong together. */
export function parseConfigTest(output: string): readonly ConfigTestMessage[] {
  const messages: ConfigTestMessage[] = []
  const lines = output.split('\n').map(line => line.trimEnd())
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    const stamp = STAMP.exec(line)
    const severity = stamp?.[2]
    const text = line.slice(stamp?.[0].length ?? 0).replace(/^(?:httpd|apache2|httpd-\w+): /, '')
    if (text === '' || NOISE.test(text)) continue
    const place = PLACE.exec(text)
    if (place?.[1] !== undefined && place[2] !== undefined) {
      const next = (lines[index + 1] ?? '').trim()
      if (!place[3]) index += 1
      messages.push({level: 'error', text: place[3] || next || text, file: place[2], line: Number(place[1])})
    } else if (severity === undefined) {
      // without a stamp: the words of a start that failed, or an AH number with a warning
      if (/^AH\d+: Warning|AH00558|^Warning:|^\[warn\]/i.test(text)) messages.push({level: 'warning', text})
      else if (
        /^(?:AH\d+:|\(\d+\)|Invalid command|Cannot |Could not|Can't |bad user|bad group|no such|Expected|.*: (?:No such file|Permission denied))/i.test(
          text,
        )
      )
        messages.push({level: 'error', text})
    } else if (/^(?:error|crit|alert|emerg)$/.test(severity)) messages.push({level: 'error', text})
    else if (severity === 'warn') messages.push({level: 'warning', text})
  }
  return messages
}

/** Lines that no healthy run leaves: alert and emergency levels, a child that crashed. */
export function isFatalLogLine(line: string): boolean {
  return (
    /\[\w*:(?:alert|emerg)\]/.test(line) ||
    /exit signal (?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception)/.test(line)
  )
}
