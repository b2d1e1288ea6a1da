import {readFile} from 'node:fs/promises'
import {EnvironmentError, UsageError} from '../errors.ts'
import {isReplaceable, KnownFindings, parseBaseline} from '../lint/baseline.ts'
import type {Logger} from '../log.ts'
import type {Outcome} from '../model/report.ts'
import {resolveRuntime} from '../runtime/resolve.ts'
import {check as configAccepted} from '../verify/checks/listener-config-accepted/check.ts'
import {testedConfiguration} from '../verify/configuration-test.ts'
import {pathOf} from '../verify/subject.ts'
import type {Prepared, Subject} from '../verify/subject.ts'

/** A configuration that is only read. */
export type ReadSubject = Exclude<Subject, {kind: 'url'}>

/** One subject, read, with the version whose defaults hold. */
export interface Reading extends Prepared {
  subject: ReadSubject
  version: string
  reason: string
  /** Given with --binary. */
  binary?: string
}

/**
 * What the proxy itself says of a configuration: its own test, in the sandbox. Skipped where there is none of that version.
 * @throws UsageError when the configuration would run its author's code or leave the sandbox.
 */
export async function testedBy(
  reading: Reading,
  {allowExec, signal, logger}: {allowExec: boolean; signal: AbortSignal; logger: Logger},
): Promise<Outcome> {
  const {subject, version, binary} = reading
  const {proxy, name} = subject
  try {
    const runtime = await resolveRuntime(proxy, {prefer: 'binary', version, ...(binary === undefined ? {} : {binary})}, signal)
    return await testedConfiguration({
      proxy,
      prepared: reading,
      runtime,
      allowExec: allowExec,
      name,
      pathOf: file => pathOf(subject, file),
      signal,
      logger,
    })
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error
    const {id, concern, title, severity} = configAccepted.meta
    const because = error.message.replace(/\s+/g, ' ')
    return {id, concern, title, severity, status: 'skipped', because, durationMs: 0, findings: []}
  }
}

/** @throws UsageError that lists every place that cannot be read. */
export function assertReadable(readings: readonly Reading[], wrongComments: readonly string[]): void {
  const unread = readings.flatMap(({subject, config}) =>
    config.problems.map(({message, span}) => `${pathOf(subject, span.file)}:${span.line}:${span.column}: ${message}`),
  )
  if (unread.length + wrongComments.length === 0) return
  const title = unread.length > 0 ? 'the configuration cannot be read, so nothing is said about it' : 'a comment cannot be obeyed'
  throw new UsageError([title, ...[...new Set([...unread, ...wrongComments])].map(line => `  ${line}`)].join('\n'), {
    suggestions: unread.length > 0 ? ['mend what is named; the test of the proxy itself names it too'] : ['mend the comment'],
  })
}

/** @throws UsageError when something else than a baseline stands in `file`, such as the configuration itself. */
export async function assertBaselinePlace(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (!isReplaceable(text))
    throw new UsageError(`${file} is no baseline: it is not written over`, {suggestions: ['name another file with --baseline']})
}

export async function readBaseline(file: string): Promise<KnownFindings> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`the baseline ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, {
      suggestions: [`write it first: --baseline ${file} --write-baseline`],
      cause: error,
    })
  }
  return new KnownFindings(parseBaseline(text, file))
}
