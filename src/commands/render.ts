import {join} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import type {BundleDifference} from '../bundle/disk.ts'
import {headerLines} from '../bundle/header.ts'
import {render} from '../bundle/render.ts'
import {assertRenderable, notesOn, statedVersion, versionToRender} from '../bundle/renderable.ts'
import {assertVersion, BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags, parameterFlags} from '../cli/flags.ts'
import {EXIT, UsageError} from '../errors.ts'
import type {ConfigFile} from '../model/bundle.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {loadParameters} from '../parameters/load.ts'
import type {LoadedParameters} from '../parameters/load.ts'
import type {Parameters} from '../parameters/schema.ts'
import {PROXIES} from '../proxies/index.ts'
import {LAYOUTS} from '../proxies/proxy.ts'
import type {Layout} from '../proxies/proxy.ts'

export default class Render extends BaseCommand {
  static override summary = 'Write the configuration of a proxy from parameters'
  static override description = `The configuration goes to stdout, or to a folder with --out. With --check nothing is written: the exit code is 1, and a diff is printed, when the folder does not hold what would be written. What the proxy, or this version of it, cannot do is refused with the reason; what it does in a weaker way is said on stderr.

Each file begins with the version of gms-proxy, a digest of the parameters and the command that writes it again. Other files of the folder are left alone, and a file of the same name that was not written for this proxy by gms-proxy is not written over without --force.`
  static override examples = [
    {description: 'nginx, from gms-proxy.yaml, to stdout', command: '<%= config.bin %> <%= command.id %> nginx'},
    {
      description: 'HAProxy 2.6 with one parameter changed',
      command: '<%= config.bin %> <%= command.id %> haproxy --params two-nodes.yaml --set polling.hold=45s --proxy-version 2.6',
    },
    {description: "Where Debian's packages keep things", command: '<%= config.bin %> <%= command.id %> apache --layout debian --out conf'},
    {
      description: 'For a server that has other sites too: a file to include',
      command: '<%= config.bin %> <%= command.id %> nginx --fragment --layout debian --out conf',
    },
    {
      description: 'All three, each into its own folder, with a compose.yaml that runs it',
      command: '<%= config.bin %> <%= command.id %> all --compose --out conf',
    },
    {
      description: 'In CI: does the folder still hold what the parameters say?',
      command: '<%= config.bin %> <%= command.id %> all --compose --out conf --check',
    },
  ]
  static override args = {
    proxy: Args.string({
      name: 'PROXY',
      description: `${PROXY_NAMES.join(', ')} or all; default: the proxy that the parameters name`,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    ...parameterFlags,
    layout: Flags.string({
      env: 'GMS_PROXY_LAYOUT',
      options: [...LAYOUTS],
      default: 'docker',
      summary:
        'Users, modules, logs and pid files as the official image has them, the packages of Debian or of RHEL, or a build from source',
    }),
    fragment: Flags.boolean({
      env: 'GMS_PROXY_FRAGMENT',
      default: false,
      summary: 'A file to include into a configuration that serves other sites too, instead of a whole one',
    }),
    out: Flags.string({
      char: 'o',
      env: 'GMS_PROXY_OUT',
      helpValue: 'DIR',
      summary: 'Folder to write to; with all, one folder for each proxy inside it',
    }),
    compose: Flags.boolean({
      env: 'GMS_PROXY_COMPOSE',
      default: false,
      summary: 'Also write a compose.yaml that runs it in the official image; with --out',
    }),
    check: Flags.boolean({
      env: 'GMS_PROXY_CHECK',
      default: false,
      summary: 'Write nothing; exit 1 with a diff when the folder of --out differs',
    }),
    force: Flags.boolean({
      char: 'f',
      env: 'GMS_PROXY_FORCE',
      default: false,
      summary: 'Write over files that gms-proxy has not written for this proxy',
    }),
    ...formatFlag(['text', 'json']),
    ...outputFlags,
  }

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Render)
    assertVersion(flags['proxy-version'])
    if (flags.format === 'json' && !flags.check)
      throw new UsageError('--format json belongs to --check: a configuration has a format of its own')
    // What a script makes of a variable that is not set: the current folder must be meant, not hit.
    if (flags.out === '') throw new UsageError('--out is empty', {suggestions: ['name a folder; . is the current one']})
    if (flags.out === undefined && (flags.check || flags.compose))
      throw new UsageError(
        flags.check
          ? '--check needs --out: the folder that is compared'
          : '--compose needs --out: the folder that both files are written to',
        {suggestions: ['add --out DIR']},
      )
    const layout = LAYOUTS.find(name => name === flags.layout) ?? 'docker'
    if (flags.compose && (flags.fragment || layout !== 'docker'))
      throw new UsageError(
        `--compose runs a whole configuration in the official image: ${flags.fragment ? '--fragment is a part of one' : `--layout ${layout} is for another place`}`,
        {suggestions: ['leave one of the two out']},
      )
    const named = args.proxy === undefined || args.proxy === 'all' ? undefined : await proxyNamed(args.proxy)
    if (args.proxy === 'all' && flags.out === undefined)
      throw new UsageError('render all needs a folder: three configurations cannot share stdout', {
        suggestions: ['gms-proxy render all --out DIR'],
      })
    const request = this.parametersRequest(flags) ?? {overrides: [], stdin: () => Promise.resolve('')}
    const loaded = await loadParameters(request)
    const {parameters} = loaded
    const names: readonly ProxyName[] = args.proxy === 'all' ? PROXY_NAMES : [named ?? parameters.proxy ?? undecided()]
    if (names.length > 1 && flags['proxy-version'] !== undefined)
      throw new UsageError('--proxy-version with all could mean any of three proxies', {
        suggestions: ['write version: {nginx: "1.22", haproxy: "2.6"} into the parameters'],
      })
    const made = await allOrNone(names, name =>
      this.make(name, loaded, {
        ...request,
        askedVersion: flags['proxy-version'] ?? statedVersion(parameters, name),
        layout,
        fragment: flags.fragment,
        compose: flags.compose,
      }),
    )
    const folders = made.map(each => ({...each, folder: names.length > 1 ? join(flags.out ?? '', each.name) : (flags.out ?? '')}))
    if (flags.check) return this.compare(folders, flags)
    if (!flags.quiet) for (const {notes} of made) for (const note of notes) this.note(`note: ${note}`)
    if (flags.out === undefined) return this.result(made.flatMap(({files}) => files.map(({text}) => text)).join('\n'))
    const {prepareFolder, writeBundle} = await import('../bundle/disk.ts')
    for (const {folder, files} of folders) await prepareFolder(files, folder, flags)
    for (const {folder, files} of folders) {
      await writeBundle({files}, folder)
      if (!flags.quiet) for (const {path} of files) this.note(`written ${join(folder, path)}`)
    }
  }

  /** @throws UsageError for parameters that this proxy cannot honour. */
  private async make(
    name: ProxyName,
    {parameters, given}: LoadedParameters<Parameters>,
    asked: {
      file?: string
      overrides: readonly string[]
      askedVersion: string | undefined
      layout: Layout
      fragment: boolean
      compose: boolean
    },
  ): Promise<Made> {
    const proxy = PROXIES[name]
    const version = versionToRender(proxy, asked.askedVersion)
    const {layout, fragment} = asked
    const header = (more: readonly string[] = [], remark?: string) =>
      headerLines(
        this.config.version,
        proxy.title,
        parameters,
        {...asked, proxy: name, version: asked.askedVersion ?? version},
        more,
        remark,
      )
    const how = {layout, fragment, header: header()}
    assertRenderable(proxy, parameters, version, how)
    const {files, entry} = render(proxy, parameters, version, how)
    const notes = [
      ...(asked.askedVersion === undefined && (layout === 'debian' || layout === 'rhel')
        ? [`${proxy.title}: written for ${version}, the newest; where the packages are older, name theirs with --proxy-version`]
        : []),
      ...notesOn(proxy, {parameters, given}, {...how, version}, new Date().toISOString().slice(0, 10)),
    ]
    if (!asked.compose) return {name, files, notes}
    const {composeFile} = await import('../bundle/compose.ts')
    const compose = composeFile(proxy, parameters, {
      file: entry,
      ...(asked.askedVersion === undefined ? {} : {asked: asked.askedVersion}),
      header: header(['--compose', '--out', '.'], 'both files; --out is the folder of this one'),
    })
    return {name, files: [...files, compose], notes}
  }

  private async compare(
    folders: readonly {folder: string; files: readonly ConfigFile[]}[],
    flags: {format: string; quiet: boolean},
  ): Promise<void> {
    const {compareBundle} = await import('../bundle/disk.ts')
    const differences: BundleDifference[] = []
    for (const {folder, files} of folders) differences.push(...(await compareBundle({files}, folder)))
    if (flags.format === 'json')
      await this.result(JSON.stringify({schema: 'gms-proxy/render-check/v1', same: differences.length === 0, differences}, undefined, 2))
    else if (differences.length > 0)
      await this.result(
        differences
          .map(
            ({file, headerOnly, diff}) => `${headerOnly === undefined ? '' : `${file}: only the header differs: ${headerOnly}\n`}${diff}`,
          )
          .join('\n'),
      )
    else if (!flags.quiet) this.note('nothing would change')
    if (!flags.quiet) for (const {file, state} of differences) this.note(`${file} ${state === 'missing' ? 'is missing' : state}`)
    process.exitCode = differences.length > 0 ? EXIT.findings : EXIT.ok
  }
}

/** What is written for one proxy, and what is to be said about it. */
interface Made {
  name: ProxyName
  files: readonly ConfigFile[]
  notes: readonly string[]
}

/**
 * Nothing is written while one of several proxies refuses.
 * @throws UsageError with the reasons of every proxy that does.
 */
async function allOrNone(names: readonly ProxyName[], make: (name: ProxyName) => Promise<Made>): Promise<readonly Made[]> {
  const settled = await Promise.allSettled(names.map(make))
  const refused = settled.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const [first] = refused
  const usage = refused.filter(error => error instanceof UsageError)
  if (first instanceof Error && (names.length === 1 || usage.length < refused.length)) throw first
  if (usage.length > 0)
    throw new UsageError(
      ['nothing is written: not every proxy can be given these parameters', ...usage.map(({message}) => message)].join('\n'),
      {
        suggestions: names.filter((_, index) => settled[index]?.status === 'fulfilled').map(name => `gms-proxy render ${name}`),
      },
    )
  return settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
}

async function proxyNamed(word: string): Promise<ProxyName> {
  const name = PROXY_NAMES.find(proxy => proxy === word)
  if (name) return name
  const {nearest} = await import('../parameters/suggest.ts')
  const meant = nearest(word, [...PROXY_NAMES, 'all'])
  throw new UsageError(`${JSON.stringify(word)} is not a proxy: ${PROXY_NAMES.join(', ')} or all`, {
    suggestions: meant === undefined ? [] : [`gms-proxy render ${meant}`],
  })
}

function undecided(): never {
  throw new UsageError('no proxy is named, neither on the command line nor in the parameters', {
    suggestions: ['gms-proxy render nginx', 'write proxy: nginx into the parameters'],
  })
}
