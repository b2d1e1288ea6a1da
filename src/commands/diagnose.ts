import * as Flags from '@oclif/core/flags'
import {gmsUrl} from '../cli/access.ts'
import {readBundle} from '../bundle/disk.ts'
import {explain, explained} from '../diagnose/diagnose.ts'
import type {FileSubject} from '../diagnose/fix.ts'
import {diagnoseUrl} from '../diagnose/live/diagnose-url.ts'
import type {LiveReport} from '../diagnose/live/live.ts'
import {UsageError} from '../errors.ts'
import {RULES} from '../lint/rules/index.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import type {Report, SubjectReport} from '../model/report.ts'
import {verdictOf} from '../model/report.ts'
import {parseDuration} from '../parameters/units.ts'
import {PROXIES} from '../proxies/index.ts'
import {promisesOfUrl} from '../verify/subject.ts'
import type {Subject} from '../verify/subject.ts'
import {verify} from '../verify/verify.ts'
import type {VerifyOptions} from '../verify/verify.ts'
import Verify from './verify.ts'

export default class Diagnose extends Verify {
  static override summary = 'Say why chat does not work: ranked causes, each with its place and the change that mends it'
  static override description = `A file, folder or name of a proxy is run as verify runs it and read as lint reads it, and both are joined: a defect that stands in the file and that traffic felt is certain; a failure that a defect in the file, or a line in the log of the proxy, can explain is likely; what only one of them says is possible. A failure that nothing explains is said to be unexplained.

The URL of a proxy that already runs is looked at from outside: DNS, TCP, TLS, HTTP and the upgrade with their times, who answers (the proxy or GMS), every transport, the Host and Origin of browsers, a held poll, and how long a silent WebSocket lives, which takes a minute. --direct asks GMS itself the same, to tell whose fault it is; --config adds what the proxy's file says, with place and patch.

Exit codes: 0 as promised, 1 findings, 2 wrong flags, parameters or files, 3 could not judge, 130 interrupted.`
  static override examples = [
    {description: 'Why does this file not work?', command: '<%= config.bin %> <%= command.id %> ./haproxy.cfg'},
    {description: 'Why does chat fail behind this proxy?', command: '<%= config.bin %> <%= command.id %> https://chat.example.com'},
    {
      description: 'Is it the proxy or GMS, and which line of its file?',
      command: '<%= config.bin %> <%= command.id %> https://chat.example.com --direct http://gms1:8080 --config ./nginx.conf',
    },
    {description: 'Held to what this deployment promises', command: '<%= config.bin %> <%= command.id %> ./conf --params gms-proxy.yaml'},
    {description: 'Only what concerns WebSocket, in seconds', command: '<%= config.bin %> <%= command.id %> ./nginx.conf --only upgrade'},
  ]
  // oclif parses by what a class itself has.
  static override args = Verify.args
  static override flags = {
    ...Verify.flags,
    direct: Flags.string({
      env: 'GMS_PROXY_DIRECT',
      helpGroup: 'URL',
      helpValue: 'URL',
      summary: 'Ask GMS itself the same, without the proxy, and compare',
    }),
    config: Flags.string({
      env: 'GMS_PROXY_CONFIG',
      helpGroup: 'URL',
      helpValue: 'FILE',
      summary: 'The configuration of that proxy, a file or folder: causes get their place in it',
    }),
  }
  protected override readonly verb = 'diagnose'

  protected override async judge(subjects: readonly Subject[], options: VerifyOptions, tell: (line: string) => void): Promise<Report> {
    const began = Date.now()
    const started = subjects.filter(({kind}) => kind !== 'url')
    const looked = await this.look(subjects, options, tell)
    const judged = explained(await verify(started, options), started, RULES, {always: true})
    const rest = [...judged.subjects]
    const reports = subjects.flatMap((subject): readonly SubjectReport[] => {
      const report = subject.kind === 'url' ? looked.get(subject) : rest.shift()
      return report ? [report] : []
    })
    return {...judged, command: 'diagnose', verdict: verdictOf(reports), durationMs: Date.now() - began, subjects: reports}
  }

  /** What is seen of every URL from outside, all at once. */
  private async look(
    subjects: readonly Subject[],
    {access, signal, only, skip, timing, upstream = []}: VerifyOptions,
    tell: (line: string) => void,
  ): Promise<ReadonlyMap<Subject, LiveReport>> {
    const {flags} = await this.parse(Diagnose)
    const urls = subjects.filter(subject => subject.kind === 'url')
    const [url] = urls
    const alone = [...(flags.direct === undefined ? [] : ['--direct']), ...(flags.config === undefined ? [] : ['--config'])]
    if (alone.length > 0 && urls.length !== 1)
      throw new UsageError(
        `${alone.join(' and ')} belong${alone.length === 1 ? 's' : ''} to one URL, and ${urls.length === 0 ? 'none is' : `${urls.length} are`} named`,
        {
          suggestions: ['gms-proxy diagnose https://chat.example.com --direct http://gms1:8080 --config ./nginx.conf'],
        },
      )
    if (!url) return new Map()
    const useless = [
      ...(only.length > 0 ? ['--only'] : []),
      ...(skip.length > 0 ? ['--skip'] : []),
      ...(timing === 'compressed' ? ['--timing compressed'] : []),
      ...(upstream.length > 0 ? ['--upstream'] : []),
    ]
    if (useless.length > 0)
      throw new UsageError(`${useless.join(' and ')} cannot be used with ${url.name}, a proxy that already runs`, {
        suggestions:
          upstream.length > 0 ? ['--direct URL compares it with GMS itself'] : ['leave it out: a proxy that runs is asked everything'],
      })
    const direct = flags.direct === undefined ? undefined : gmsUrl(flags.direct, '--direct')
    const dialect = PROXY_NAMES.find(name => name === flags.proxy)
    const file: FileSubject | undefined =
      flags.config === undefined
        ? undefined
        : {
            kind: 'file',
            name: flags.config,
            ...(await readBundle(flags.config, {proxies: Object.values(PROXIES), ...(dialect ? {proxy: dialect} : {})})),
            ...(url.stated ? {stated: url.stated} : {}),
          }
    const limitMs = flags.timeout === undefined ? undefined : parseDuration(flags.timeout)
    const reports = urls.map(async (subject): Promise<readonly [Subject, LiveReport]> => [
      subject,
      await diagnoseUrl(subject.url, {
        promises: promisesOfUrl(subject),
        ...(access ? {access} : {}),
        ...(direct ? {direct} : {}),
        ...(limitMs === undefined ? {} : {limitMs}),
        ...(file ? {hosts: namesOf(file), explain: judged => explain(readBy(judged, file), file, RULES).causes} : {}),
        signal,
        onStep: step => tell(`${subject.name}: ${step}`),
      }),
    ])
    return new Map(await Promise.all(reports))
  }
}

/** The names that the file's listeners have. */
function namesOf({proxy, bundle}: FileSubject): readonly string[] {
  return proxy.listeners(proxy.parse(bundle)).flatMap(({serverName}) => serverName ?? [])
}

/** What was recognised from outside, unless the file is one of another proxy: its version says nothing then. */
function readBy({proxyVersion, ...judged}: SubjectReport, {proxy}: FileSubject): SubjectReport {
  return proxyVersion === undefined || judged.proxy !== proxy.name ? judged : {...judged, proxyVersion}
}
