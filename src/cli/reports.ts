import * as Flags from '@oclif/core/flags'
import {access, constants, stat, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {EXIT, UsageError} from '../errors.ts'
import type {Severity} from '../model/catalogue.ts'
import {isHalf, reaches} from '../model/report.ts'
import type {Report} from '../model/report.ts'
import type {Canvas} from '../report/canvas.ts'
import {isLive} from '../diagnose/live/live.ts'
import {liveText} from './live-text.ts'
import {pagesIn} from './pages.ts'
import {FORMATS} from '../report/index.ts'
import {withoutCommands} from '../report/plain.ts'
import type {Format} from '../report/index.ts'

/** The formats of a report, first the default. */
export const REPORT_FORMATS = ['text', 'json', 'junit', 'sarif', 'github', 'markdown', 'html'] as const satisfies readonly Format[]

/** `--report` of the verbs that report. */
export const reportFlag = {
  report: Flags.string({
    env: 'GMS_PROXY_REPORT',
    helpValue: 'FORMAT=FILE',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'OUTPUT',
    summary: `Also write that format (${REPORT_FORMATS.join(', ')}) to FILE (repeatable)`,
  }),
}

/** `--report FORMAT=FILE`. */
export interface ReportFile {
  format: Format
  file: string
}

/**
 * Reads `--report` values and makes sure that they can be written, before anything is run.
 * @throws UsageError that names every wrong one.
 */
export async function reportFiles(values: readonly string[]): Promise<readonly ReportFile[]> {
  const problems: string[] = []
  const files: ReportFile[] = []
  for (const value of values) {
    const [, word, file] = /^([^=]*)=(.+)$/.exec(value) ?? []
    const format = REPORT_FORMATS.find(name => name === word)
    if (file === undefined) problems.push(`--report ${value}: expected FORMAT=FILE, such as junit=report.xml`)
    else if (!format) problems.push(`--report ${value}: ${JSON.stringify(word)} is not a format: ${REPORT_FORMATS.join(', ')}`)
    else {
      const reason = await unwritable(file)
      if (reason !== undefined) problems.push(`--report ${value}: ${reason}`)
      files.push({format, file})
    }
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return files
}

async function unwritable(file: string): Promise<string | undefined> {
  const folder = dirname(file)
  const existing = await stat(file).catch(() => undefined)
  if (existing?.isDirectory()) return `${file} is a folder`
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return `the folder ${folder} does not exist`
  const may = await access(existing ? file : folder, constants.W_OK).then(
    () => true,
    () => false,
  )
  return may ? undefined : `${file} may not be written`
}

/** Writes the files that were asked for beside stdout. */
export async function writeReports(report: Report, files: readonly ReportFile[], root: string): Promise<void> {
  for (const {format, file} of files) await writeFile(file, printed(report, format, {colour: false, width: 100, verbose: true}, root))
}

/** A report in the format of that name. `root`: the folder of the package, where the pages of the catalogue lie. */
export function printed(report: Report, format: string, canvas: Canvas, root: string): string {
  const name = REPORT_FORMATS.find(each => each === format) ?? 'text'
  const live = name === 'text' ? report.subjects.filter(isLive) : []
  if (live.length === 0) return FORMATS[name](report, canvas, pagesIn(root))
  const others = report.subjects.filter(subject => !isLive(subject))
  const texts = live.map(subject => withoutCommands(liveText(subject, canvas)))
  return [...texts, ...(others.length > 0 ? [FORMATS.text({...report, subjects: others}, canvas, pagesIn(root))] : [])].join('\n\n')
}

/** What the process says with its exit code: 3 wins over 1. */
export function exitCodeOf({verdict, subjects}: Report, {failOn, failOnSkip}: {failOn: Severity; failOnSkip: boolean}): number {
  if (verdict === 'errored') return EXIT.environment
  const outcomes = subjects.flatMap(subject => subject.outcomes)
  const failed = outcomes.some(({status, severity}) => status === 'failed' && reaches(severity, failOn))
  const skipped = failOnSkip && outcomes.some(isHalf)
  return failed || skipped ? EXIT.findings : EXIT.ok
}
