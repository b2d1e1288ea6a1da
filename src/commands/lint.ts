import {dirname, relative, resolve} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {STDIN} from '../bundle/disk.ts'
import {assertVersion, BaseCommand} from '../cli/base-command.ts'
import {dialectFlag, formatFlag, listOf, outputFlags, parameterFlags} from '../cli/flags.ts'
import {writeOwn} from '../cli/own-files.ts'
import {printBug} from '../cli/print-error.ts'
import {assertBaselinePlace, assertReadable, readBaseline, testedBy} from '../cli/readings.ts'
import type {Reading, ReadSubject} from '../cli/readings.ts'
import {exitCodeOf, printed, REPORT_FORMATS, reportFiles, reportFlag, writeReports} from '../cli/reports.ts'
import {runtimeRequests} from '../cli/runtime-requests.ts'
import {resolveSubjects} from '../cli/subjects.ts'
import {versionToJudge} from '../cli/version-to-judge.ts'
import {EXIT} from '../errors.ts'
import {baselineOf} from '../lint/baseline.ts'
import type {Mark} from '../lint/baseline.ts'
import {lint} from '../lint/lint.ts'
import {RULES} from '../lint/rules/index.ts'
import {suppressionsOf} from '../lint/suppressions.ts'
import {PROXY_NAMES, SEVERITIES} from '../model/catalogue.ts'
import type {SubjectReport} from '../model/report.ts'
import {verdictOf} from '../model/report.ts'
import {select} from '../parameters/select.ts'
import {pathOf, prepare} from '../verify/subject.ts'

export default class Lint extends BaseCommand {
  static override summary = 'Read a configuration and say which line breaks GMS chat; starts nothing'
  static override description = `A FILE is a configuration file or folder of nginx, Apache or HAProxy, complete or a fragment, with what it includes from its folder; - reads stdin. nginx, apache, haproxy and all stand for what is rendered from the parameters. Without parameters a file is held to what it says itself: its nodes, and defaults. Defaults and words of the dialect are those of --proxy-version, else of the proxy that is installed here (or of --binary), else of the newest.

A comment "# gms-proxy-ignore RULE: REASON" switches a rule off for its own line or the directive below it, "# gms-proxy-ignore-file RULE: REASON" for the whole file; a reason is required. With --baseline only findings count that are not in that file.

What cannot be read is exit code 2 with its place. Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong flags, parameters or files, 70 a bug in a rule.`
  static override examples = [
    {description: 'A file that somebody wrote by hand', command: '<%= config.bin %> <%= command.id %> ./nginx.conf'},
    {description: 'For the version that runs elsewhere', command: '<%= config.bin %> <%= command.id %> haproxy.cfg --proxy-version 2.4'},
    {
      description: 'In CI, only what is new',
      command: '<%= config.bin %> <%= command.id %> conf --baseline gms-proxy-baseline.json --fail-on warning',
    },
    {description: 'For code scanning', command: '<%= config.bin %> <%= command.id %> conf --report sarif=gms-proxy.sarif'},
  ]
  static override args = {
    file: Args.string({
      name: 'FILE',
      multiple: true,
      ignoreStdin: true,
      description: 'A path, -, nginx, apache, haproxy or all; default: the proxy that the parameters name',
    }),
  }
  static override flags = {
    ...parameterFlags,
    ...dialectFlag,
    binary: Flags.string({
      env: 'GMS_PROXY_BINARY',
      helpValue: '[PROXY=]PATH',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Ask this proxy binary for its version (repeatable, one for each proxy)',
    }),
    only: Flags.string({
      env: 'GMS_PROXY_ONLY',
      helpValue: 'ID',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'RULES',
      summary: 'Read with these rules only: an id or a prefix such as upgrade (repeatable)',
    }),
    skip: Flags.string({
      env: 'GMS_PROXY_SKIP',
      helpValue: 'ID',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'RULES',
      summary: 'Leave these rules out (repeatable)',
    }),
    test: Flags.boolean({
      env: 'GMS_PROXY_TEST',
      helpGroup: 'RULES',
      summary: 'Also let the proxy that is installed here test the configuration, in a sandbox; it is not started',
    }),
    'allow-exec': Flags.boolean({
      env: 'GMS_PROXY_ALLOW_EXEC',
      dependsOn: ['test'],
      helpGroup: 'RULES',
      summary: 'Let a foreign configuration load code and start programs while it is tested',
    }),
    'fail-on': Flags.string({
      env: 'GMS_PROXY_FAIL_ON',
      options: [...SEVERITIES],
      default: 'error',
      helpGroup: 'RULES',
      summary: 'Findings from this severity up make the exit code 1',
    }),
    baseline: Flags.string({
      env: 'GMS_PROXY_BASELINE',
      helpValue: 'FILE',
      helpGroup: 'RULES',
      summary: 'Findings that are in FILE do not count',
    }),
    'write-baseline': Flags.boolean({
      env: 'GMS_PROXY_WRITE_BASELINE',
      dependsOn: ['baseline'],
      helpGroup: 'RULES',
      summary: 'Write the findings of this run to the file of --baseline; the exit code is 0',
    }),
    ...formatFlag(REPORT_FORMATS),
    ...reportFlag,
    ...outputFlags,
  }

  async run(): Promise<void> {
    const began = Date.now()
    const {args, flags} = await this.parse(Lint)
    assertVersion(flags['proxy-version'])
    const files = await reportFiles(listOf(flags.report))
    const words = (values: Parameters<typeof listOf>[0]) => listOf(values).flatMap(word => listOf(word))
    const rules = select(RULES, {only: words(flags.only), skip: words(flags.skip)}, 'rule')
    const writing = flags['write-baseline']
    const known = flags.baseline === undefined || writing ? undefined : await readBaseline(flags.baseline)
    if (writing && flags.baseline !== undefined) await assertBaselinePlace(flags.baseline)
    const readings = await this.read(listOf(args.file), flags)
    const ids = RULES.map(({meta}) => meta.id)
    const comments = readings.map(({config, subject}) => suppressionsOf(config, {ids, nameOf: file => pathOf(subject, file)}))
    assertReadable(
      readings,
      comments.flatMap(({problems}) => problems),
    )

    const tested = flags.test
      ? await Promise.all(
          readings.map(reading => testedBy(reading, {allowExec: flags['allow-exec'], signal: this.signal, logger: this.logger(flags)})),
        )
      : []
    const baselineFolder = dirname(resolve(flags.baseline ?? '.'))
    const marks: Mark[] = []
    const bugs: {rule: string; error: Error}[] = []
    const reports = readings.map((reading, index): SubjectReport => {
      const {subject, config, promises, version, reason, source} = reading
      const nameOf = (file: string) => pathOf(subject, file)
      const baselineNameOf = (file: string) =>
        subject.kind === 'rendered' || subject.name === STDIN ? nameOf(file) : relative(baselineFolder, resolve(nameOf(file)))
      const result = lint({
        proxy: subject.proxy,
        config,
        version,
        promises,
        rules,
        comments: comments[index]?.comments ?? [],
        nameOf,
        baselineNameOf,
        ...(known ? {baseline: known} : {}),
      })
      marks.push(...result.marks)
      bugs.push(...result.bugs)
      const read = new Set(config.bundle.files.map(({path}) => baselineNameOf(path).replaceAll('\\', '/')))
      const vanished = known?.vanished(read, new Set(rules.map(({meta}) => meta.id))) ?? []
      const test = tested[index]
      const outcomes = [...(test ? [test] : []), ...result.outcomes]
      return {
        name: subject.name,
        proxy: subject.proxy.name,
        proxyVersion: version,
        runtime: 'none',
        runtimeReason: reason,
        source,
        upstream: 'none',
        timing: 'real',
        sandboxDiff: '',
        promises,
        verdict: verdictOf(outcomes),
        longestWaitMs: 0,
        outcomes,
        causes: [],
        reading: {...result.reading, vanished},
      }
    })
    const report = {
      schema: 'gms-proxy/report/v1' as const,
      tool: {name: 'gms-proxy' as const, version: this.config.version},
      command: 'lint' as const,
      reproduce: this.reproduce(),
      verdict: verdictOf(reports),
      durationMs: Date.now() - began,
      subjects: reports,
    }
    await writeReports(report, files, this.config.root)
    const canvas = {colour: this.colour(flags), width: this.width(), verbose: flags.verbose}
    await this.result(printed(report, flags.format, canvas, this.config.root))
    for (const {rule, error} of bugs) printBug(new Error(`${rule}: ${error.message}`, {cause: error}), process.argv.slice(2), undefined)
    if (writing && flags.baseline !== undefined) {
      const baseline = baselineOf(marks)
      await writeOwn(flags.baseline, `${JSON.stringify(baseline, undefined, 2)}\n`)
      if (!flags.quiet) this.note(`written ${flags.baseline}: ${marks.length} ${marks.length === 1 ? 'finding' : 'findings'}`)
    }
    const failOn = SEVERITIES.find(severity => severity === flags['fail-on']) ?? 'error'
    process.exitCode = bugs.length > 0 ? EXIT.bug : writing ? EXIT.ok : exitCodeOf(report, {failOn, failOnSkip: false})
  }

  /** @throws UsageError for words that name nothing, and for wrong parameters. */
  private async read(words: readonly string[], flags: ReadFlags): Promise<readonly Reading[]> {
    const parameters = this.parametersRequest(flags)
    const dialect = PROXY_NAMES.find(name => name === flags.proxy)
    const subjects = await resolveSubjects({
      words,
      verb: 'lint',
      ...(dialect ? {dialect} : {}),
      ...(parameters ? {parameters} : {}),
    })
    const named = subjects.filter((subject): subject is ReadSubject => subject.kind !== 'url')
    const requestOf = runtimeRequests(named, {runtime: 'auto', binary: flags.binary, 'proxy-version': flags['proxy-version']})
    return Promise.all(
      named.map(async subject => {
        const {version: asked, binary} = requestOf(subject.proxy)
        const judged = await versionToJudge(subject.proxy, {
          asked: flags['proxy-version'] ?? (binary === undefined ? asked : undefined),
          binary,
          signal: this.signal,
        })
        return {subject, ...prepare(subject, judged), ...judged, ...(binary === undefined ? {} : {binary})}
      }),
    )
  }
}

interface ReadFlags {
  params: string | undefined
  set: string[] | undefined
  proxy: string | undefined
  binary: string[] | undefined
  'proxy-version': string | undefined
}
