import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {UsageError} from '../errors.ts'
import {fix} from '../diagnose/fix.ts'
import type {FileSubject} from '../diagnose/fix.ts'
import {writeBack} from '../diagnose/write-back.ts'
import {RULES} from '../lint/rules/index.ts'
import type {Fix as FixReport, Report} from '../model/report.ts'
import type {Subject} from '../verify/subject.ts'
import type {VerifyOptions} from '../verify/verify.ts'
import Verify from './verify.ts'

export default class Fix extends Verify {
  static override summary = 'Find the smallest change of a configuration after which chat works, proven by running it'
  static override description = `FILE is a configuration file or folder of nginx, Apache or HAProxy, complete or a fragment, with what it includes from its folder. It is run as verify runs it; the edits that the rules of lint know for what fails are applied to a copy and run; then everything is taken away again without which the checks still pass. What is left is printed as a diff: no hunk of it can be left out. Nothing is written without --write.

Exit codes: 0 everything is mended (or nothing was wrong), 1 something still fails, 2 wrong flags, parameters or files, 3 could not judge, 130 interrupted.`
  static override examples = [
    {description: 'Show what mends it', command: '<%= config.bin %> <%= command.id %> ./haproxy.cfg'},
    {
      description: 'Mend it; what was there before is kept as haproxy.cfg.bak',
      command: '<%= config.bin %> <%= command.id %> ./haproxy.cfg --write',
    },
    {description: 'Mend only what concerns WebSocket', command: '<%= config.bin %> <%= command.id %> ./conf --only upgrade'},
  ]
  static override args = {
    subject: Args.string({name: 'FILE', multiple: true, ignoreStdin: true, description: 'A configuration file or folder'}),
  }
  static override flags = {
    ...Verify.flags,
    write: Flags.boolean({
      env: 'GMS_PROXY_WRITE',
      summary: 'Write the mended files; what was there before is kept beside them as FILE.bak',
    }),
  }
  protected override readonly verb = 'fix'
  private written: FixReport['written'] = []

  protected override async judge(subjects: readonly Subject[], options: VerifyOptions, tell: (line: string) => void): Promise<Report> {
    const {flags} = await this.parse(Fix)
    const [subject, ...more] = subjects
    if (!subject || more.length > 0)
      throw new UsageError('fix mends one configuration at a time', {suggestions: ['name one file or folder']})
    const named = fileOf(subject)
    const {report, mended} = await fix(named, {verify: options, rules: RULES, tell})
    if (!flags.write) return report
    const written = await writeBack(named.bundle, mended, named.name)
    this.written = written
    return {
      ...report,
      subjects: report.subjects.map(each => (each.fix && written.length > 0 ? {...each, fix: {...each.fix, written}} : each)),
    }
  }

  protected override afterwards(quiet: boolean): Promise<void> {
    if (!quiet) for (const {file, backup} of this.written ?? []) this.note(`written ${file}; before: ${backup}`)
    return Promise.resolve()
  }
}

/** @throws UsageError for what is no file. */
function fileOf(subject: Subject): FileSubject {
  if (subject.kind === 'file') return subject
  throw subject.kind === 'url'
    ? new UsageError(`${subject.name} is a URL: fix mends configuration files`, {
        suggestions: ['gms-proxy diagnose URL says what is wrong there'],
      })
    : new UsageError(`${subject.name} is rendered from the parameters: there is no file to mend`, {
        suggestions: ['change the parameters', `gms-proxy verify ${subject.name} says what is wrong`],
      })
}
