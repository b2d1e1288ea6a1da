import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {assertVersion, BaseCommand} from '../cli/base-command.ts'
import {accessOf, upstreamUrls} from '../cli/access.ts'
import {
  dialectFlag,
  formatFlag,
  gmsFlags,
  listOf,
  outputFlags,
  parameterFlags,
  runtimeFlags,
  selectionFlags,
  timeoutFlag,
  timingFlag,
} from '../cli/flags.ts'
import {noProgress, showProgress} from '../cli/progress.ts'
import {PLAIN} from '../bundle/render.ts'
import {assertRenderable, statedVersion, versionToRender} from '../bundle/renderable.ts'
import {exitCodeOf, printed, REPORT_FORMATS, reportFiles, reportFlag, writeReports} from '../cli/reports.ts'
import {runtimeRequests} from '../cli/runtime-requests.ts'
import {resolveSubjects} from '../cli/subjects.ts'
import type {Verb} from '../cli/subjects.ts'
import {explained} from '../diagnose/diagnose.ts'
import {RULES} from '../lint/rules/index.ts'
import {PROXY_NAMES, SEVERITIES} from '../model/catalogue.ts'
import type {ParametersRequest} from '../parameters/load.ts'
import type {Report} from '../model/report.ts'
import type {Subject} from '../verify/subject.ts'
import {verify} from '../verify/verify.ts'
import type {VerifyOptions} from '../verify/verify.ts'

export default class Verify extends BaseCommand {
  static override summary = 'Run a proxy in front of GMS and drive real chat traffic through it'
  static override description = `A SUBJECT is nginx, apache or haproxy (rendered from the parameters), all (the three), a configuration file or folder, complete or a fragment (--proxy says its dialect when it is not recognised), or the URL of a proxy that already runs. GMS is simulated, strictly, unless --upstream names a real one: then a chat is opened there first without any proxy, and what passes between the proxy and GMS is recorded. A foreign configuration is run in a sandbox: what was changed for that is shown, and what would run code of its author is refused.

Exit codes: 0 as promised, 1 findings, 2 wrong flags, parameters or files, 3 could not judge, 130 interrupted.`
  static override examples = [
    {description: 'All three proxies, rendered from one file', command: '<%= config.bin %> <%= command.id %> all --params two-nodes.yaml'},
    {description: 'A configuration that somebody wrote by hand', command: '<%= config.bin %> <%= command.id %> ./haproxy.cfg'},
    {description: 'A proxy that already runs', command: '<%= config.bin %> <%= command.id %> http://chat.example.com'},
    {
      description: 'In front of a real GMS of two nodes',
      command: '<%= config.bin %> <%= command.id %> ./nginx.conf --upstream http://gms1:8080,http://gms2:8080 --chat-service sales',
    },
    {description: 'In CI', command: '<%= config.bin %> <%= command.id %> nginx --report junit=report.xml --fail-on-skip --timeout 5m'},
    {
      description: 'Only what concerns WebSocket, in Docker',
      command: '<%= config.bin %> <%= command.id %> nginx --only upgrade --runtime docker --image nginx=nginx:1.30',
    },
  ]
  static override args = {
    subject: Args.string({
      name: 'SUBJECT',
      multiple: true,
      ignoreStdin: true,
      description: 'nginx, apache, haproxy, all, a path or a URL; default: the proxy that the parameters name',
    }),
  }
  static override flags = {
    ...parameterFlags,
    ...dialectFlag,
    ...runtimeFlags,
    ...gmsFlags,
    ...selectionFlags,
    ...timeoutFlag,
    ...timingFlag,
    keep: Flags.boolean({env: 'GMS_PROXY_KEEP', helpGroup: 'RUNTIME', summary: 'Keep the sandbox folder and print its path'}),
    ...formatFlag(REPORT_FORMATS),
    ...reportFlag,
    ...outputFlags,
  }

  /** The other verbs that run subjects do so in the same way. */
  protected readonly verb: Verb = 'verify'

  async run(): Promise<void> {
    const {args, flags} = await this.parse(this.ctor as typeof Verify)
    assertVersion(flags['proxy-version'])
    const files = await reportFiles(listOf(flags.report))
    this.bound(flags.timeout)
    const upstream = upstreamUrls(flags.upstream)
    const access = await accessOf(flags)
    const words = listOf(args.subject)
    const parameters = this.parametersRequest(flags) ?? nodesAt(upstream, words)
    const dialect = PROXY_NAMES.find(name => name === flags.proxy)
    const subjects = await resolveSubjects({
      words,
      verb: this.verb,
      ...(dialect ? {dialect} : {}),
      ...(parameters ? {parameters} : {}),
    })
    const runtimeFor = runtimeRequests(subjects, flags)
    for (const subject of subjects)
      if (subject.kind === 'rendered') {
        const {proxy, stated} = subject
        const asked = flags['proxy-version'] ?? statedVersion(stated.parameters, proxy.name)
        // Unasked, the version that will run decides, and is not known before it was found: only what none can do is refused here.
        const versions = asked === undefined ? [proxy.versions.oldest, proxy.versions.newest] : [versionToRender(proxy, asked)]
        if (versions.every(version => proxy.unsupported(stated.parameters, {...PLAIN, version}).length > 0))
          assertRenderable(proxy, stated.parameters, versions.at(-1) ?? proxy.versions.newest)
      }
    using progress = flags.quiet ? noProgress : showProgress(process.stderr)
    const report = await this.judge(
      subjects,
      {
        runtimeFor,
        timing: flags.timing === 'compressed' ? 'compressed' : 'real',
        only: listOf(flags.only).flatMap(word => listOf(word)),
        skip: listOf(flags.skip).flatMap(word => listOf(word)),
        upstream,
        access,
        allowExec: flags['allow-exec'],
        intrusive: flags.intrusive,
        keep: flags.keep,
        signal: this.signal,
        logger: this.logger(flags, line => progress.note(line)),
        toolVersion: this.config.version,
        reproduce: this.reproduce(),
        onProgress: event => progress.on(event),
      },
      line => (flags.quiet ? undefined : progress.note(line)),
    )
    progress[Symbol.dispose]()
    await writeReports(report, files, this.config.root)
    const canvas = {colour: this.colour(flags), width: this.width(), verbose: flags.verbose}
    await this.result(printed(report, flags.format, canvas, this.config.root))
    process.exitCode = exitCodeOf(report, {
      failOn: SEVERITIES.find(severity => severity === flags['fail-on']) ?? 'error',
      failOnSkip: flags['fail-on-skip'],
    })
    await this.afterwards(flags.quiet)
  }

  /** What this verb makes of its subjects. */
  protected async judge(subjects: readonly Subject[], options: VerifyOptions, _tell: (line: string) => void): Promise<Report> {
    return explained(await verify(subjects, options), subjects, RULES)
  }

  /** What is left to do when the report is out. */
  protected async afterwards(_quiet: boolean): Promise<void> {}
}

/** A proxy that is rendered without any parameters for a real GMS stands in front of its nodes. */
function nodesAt(upstream: readonly URL[], words: readonly string[]): ParametersRequest | undefined {
  const rendered = words.length > 0 && words.every(word => word === 'all' || PROXY_NAMES.some(name => name === word))
  if (upstream.length === 0 || !rendered) return undefined
  const nodes = upstream.map(({hostname, port, protocol}) => `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`)
  return {overrides: [`upstream.nodes=${nodes.join(',')}`], stdin: () => Promise.resolve('')}
}
