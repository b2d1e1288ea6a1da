import {join} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import type {BundleDifference} from '../bundle/disk.ts'
import {render} from '../bundle/render.ts'
import {assertVersion, BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags, parameterFlags} from '../cli/flags.ts'
import {assertRenderable, statedVersion, versionToRender} from '../bundle/renderable.ts'
import {EXIT, UsageError} from '../errors.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {loadParameters} from '../parameters/load.ts'
import {PROXIES} from '../proxies/index.ts'

export default class Render extends BaseCommand {
  static override summary = 'Write the configuration of a proxy from parameters'
  static override description = `The configuration goes to stdout, or to a folder with --out. With --check nothing is written: the exit code is 1, and a diff is printed, when the folder does not hold what would be written.`
  static override examples = [
    {description: 'nginx, from gms-proxy.yaml, to stdout', command: '<%= config.bin %> <%= command.id %> nginx'},
    {
      description: 'HAProxy 2.6 with one parameter changed',
      command: '<%= config.bin %> <%= command.id %> haproxy --params two-nodes.yaml --set polling.hold=45s --proxy-version 2.6',
    },
    {description: 'All three, each into its own folder', command: '<%= config.bin %> <%= command.id %> all --out conf'},
    {
      description: 'In CI: does the folder still hold what the parameters say?',
      command: '<%= config.bin %> <%= command.id %> all --out conf --check',
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
    out: Flags.string({
      char: 'o',
      env: 'GMS_PROXY_OUT',
      helpValue: 'DIR',
      summary: 'Folder to write to; with all, one folder for each proxy inside it',
    }),
    check: Flags.boolean({
      env: 'GMS_PROXY_CHECK',
      dependsOn: ['out'],
      summary: 'Write nothing; exit 1 with a diff when the folder differs',
    }),
    ...formatFlag(['text', 'json']),
    ...outputFlags,
  }

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Render)
    assertVersion(flags['proxy-version'])
    if (flags.format === 'json' && !flags.check)
      throw new UsageError('--format json belongs to --check: a configuration has a format of its own')
    const named = args.proxy === undefined || args.proxy === 'all' ? undefined : await proxyNamed(args.proxy)
    if (args.proxy === 'all' && flags.out === undefined)
      throw new UsageError('render all needs a folder: three configurations cannot share stdout', {
        suggestions: ['gms-proxy render all --out DIR'],
      })
    const request = this.parametersRequest(flags) ?? {overrides: [], stdin: () => Promise.resolve('')}
    const {parameters} = await loadParameters(request)
    const names: readonly ProxyName[] = args.proxy === 'all' ? PROXY_NAMES : [named ?? parameters.proxy ?? undecided()]
    if (names.length > 1 && flags['proxy-version'] !== undefined)
      throw new UsageError('--proxy-version with all could mean any of three proxies', {
        suggestions: ['write version: {nginx: "1.22", haproxy: "2.6"} into the parameters'],
      })
    const bundles = names.map(name => {
      const proxy = PROXIES[name]
      const version = versionToRender(proxy, flags['proxy-version'] ?? statedVersion(parameters, name))
      assertRenderable(proxy, parameters, version)
      return {folder: names.length > 1 ? join(flags.out ?? '', name) : (flags.out ?? ''), bundle: render(proxy, parameters, version)}
    })
    if (flags.check) return this.compare(bundles, flags.format)
    if (flags.out === undefined)
      return this.result(bundles.flatMap(({bundle}) => bundle.files.map(file => heading(bundle, file.path) + file.text)).join('\n'))
    const {writeBundle} = await import('../bundle/disk.ts')
    for (const {folder, bundle} of bundles) {
      await writeBundle(bundle, folder)
      if (!flags.quiet) for (const file of bundle.files) this.note(`written ${join(folder, file.path)}`)
    }
  }

  private async compare(bundles: readonly {folder: string; bundle: ConfigBundle}[], format: string): Promise<void> {
    const {compareBundle} = await import('../bundle/disk.ts')
    const differences: BundleDifference[] = []
    for (const {folder, bundle} of bundles) differences.push(...(await compareBundle(bundle, folder)))
    if (format === 'json')
      await this.result(JSON.stringify({schema: 'gms-proxy/render-check/v1', same: differences.length === 0, differences}, undefined, 2))
    else if (differences.length > 0) await this.result(differences.map(({diff}) => diff).join('\n'))
    else this.note('nothing would change')
    process.exitCode = differences.length > 0 ? EXIT.findings : EXIT.ok
  }
}

/** One file needs no heading; several on one stream do. */
function heading(bundle: ConfigBundle, path: string): string {
  return bundle.files.length === 1 ? '' : `# file: ${path}\n`
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
