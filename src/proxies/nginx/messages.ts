import type {ConfigTestMessage} from '../proxy.ts'

/** The compiled-in error log, which a version without `-e` (before 1.19.5) opens first and need not have. */
const NOISE = /^nginx: \[alert\] could not open error log file:/
const MESSAGE = /^nginx: \[(emerg|alert|crit|error|warn|notice)\] (.*?)(?: in (\/.*?):(\d+))?$/

/** What `nginx -t` says, e.g. `nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:12`. */
export function parseConfigTest(output: string): readonly ConfigTestMessage[] {
  return output.split('\n').flatMap((line): ConfigTestMessage[] => {
    const [, level, text, file, number] = MESSAGE.exec(line.trim()) ?? []
    if (level === undefined || text === undefined || NOISE.test(line.trim())) return []
    const place = file !== undefined && number !== undefined ? {file, line: Number(number)} : {}
    return [{level: level === 'warn' || level === 'notice' ? 'warning' : 'error', text, ...place}]
  })
}

/** Limits of this machine, and a full proxy (a check of its own): written as alerts, but nothing is broken. */
const HARMLESS_ALERT = /setrlimit\(|setpriority\(|worker_connections are not enough|open socket #\d+ left in connection/

/** A line of the error log that no healthy nginx writes: `[alert]` and `[emerg]`, a worker that crashed among them. */
export function isFatalLogLine(line: string): boolean {
  return /\[(?:alert|emerg)\]/.test(line) && !HARMLESS_ALERT.test(line)
}
