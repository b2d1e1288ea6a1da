import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {STDIN} from '../bundle/disk.ts'
import {assertVersion, BaseCommand} from '../cli/base-command.ts'
import {dialectFlag, formatFlag, outputFlags} from '../cli/flags.ts'
import {writeOwn} from '../cli/own-files.ts'
import {assertReadable} from '../cli/readings.ts'
import type {ReadSubject} from '../cli/readings.ts'
import {resolveSubjects} from '../cli/subjects.ts'
import {versionToJudge} from '../cli/version-to-judge.ts'
import {UsageError} from '../errors.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {redact} from '../model/redact.ts'
import {shellWord} from '../model/shell.ts'
import {parametersShape} from '../parameters/choices.ts'
import {commentedParameters} from '../parameters/commented.ts'
import {loadParameters} from '../parameters/load.ts'
import type {Imported} from '../proxies/proxy.ts'
import {pathOf, prepare} from '../verify/subject.ts'

/** One directive that was not carried over, for people and for machines. */
interface NotCarried {
  file: string
  line: number
  column: number
  because: string
}

export default class Import extends BaseCommand {
  static override summary = 'Turn an existing configuration into parameters'
  static override description = `FILE is a configuration file or folder of nginx, Apache or HAProxy, complete or a fragment, with what it includes from its folder; - reads stdin. What it says about chat becomes a parameters file, from which render writes the configuration of any proxy: so a site moves from one proxy to another. A limit that the rendered configuration keeps in a better way is not carried over, and neither is what no parameter says: each is named with its place, at the end of the file and on stderr.

A file that gms-proxy has rendered gives its parameters back. Nothing is started, and what FILE names is not changed. Exit codes: 0 parameters were written, 2 wrong flags, or a configuration that cannot be read or names no GMS node.`
  static override examples = [
    {description: 'From nginx to HAProxy', command: '<%= config.bin %> <%= command.id %> /etc/nginx/nginx.conf --out gms-proxy.yaml'},
    {description: '… and then', command: '<%= config.bin %> render haproxy --out conf'},
    {
      description: 'A fragment, whose dialect is not recognised rightly',
      command: '<%= config.bin %> <%= command.id %> chat.conf --proxy apache',
    },
    {description: 'For a program', command: '<%= config.bin %> <%= command.id %> haproxy.cfg --format json'},
  ]
  static override args = {
    file: Args.string({name: 'FILE', required: true, ignoreStdin: true, description: 'A configuration file or folder, or -'}),
  }
  static override flags = {
    ...dialectFlag,
    'proxy-version': Flags.string({
      env: 'GMS_PROXY_PROXY_VERSION',
      helpValue: 'X.Y[.Z]',
      summary: 'Read it with the defaults of this version; else of the proxy that is installed here, else of the newest',
    }),
    out: Flags.string({char: 'o', env: 'GMS_PROXY_OUT', helpValue: 'FILE', summary: 'File to write to, instead of stdout'}),
    force: Flags.boolean({char: 'f', env: 'GMS_PROXY_FORCE', default: false, summary: 'Write over a file that exists'}),
    ...formatFlag(['yaml', 'json']),
    quiet: outputFlags.quiet,
    'no-color': outputFlags['no-color'],
  }

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Import)
    assertVersion(flags['proxy-version'])
    const subject = await this.subject(args.file, flags.proxy)
    const {version, reason} = await versionToJudge(subject.proxy, {asked: flags['proxy-version'], signal: this.signal})
    const prepared = prepare(subject, {version})
    assertReadable([{...prepared, subject, version, reason}], [])
    const {importFrom, title} = subject.proxy
    if (!importFrom) throw new UsageError(`a configuration of ${title} cannot be imported yet`)
    const {parameters, left} = importFrom(prepared.config, version)
    const notCarried = left.map(({span, because}): NotCarried => {
      const file = pathOf(subject, span.file)
      return {file, line: span.line, column: span.column, because: redact(because)}
    })
    const text = flags.format === 'json' ? jsonOf(parameters, notCarried) : this.yamlOf(parameters, notCarried, args.file, title, version)
    if (!flags.quiet) for (const each of notCarried) this.note(`note: ${lineOf(each)}`)
    await assertLoads(parameters, args.file)
    if (flags.out === undefined) return this.result(text)
    await writeOwn(flags.out, text, {exclusive: !flags.force})
    if (flags.quiet) return
    this.note(`written ${flags.out}`)
    const others = PROXY_NAMES.filter(name => name !== subject.proxy.name)
    const named = flags.out === 'gms-proxy.yaml' ? '' : ` --params ${shellWord(flags.out)}`
    this.note(`next: gms-proxy verify ${subject.proxy.name}${named}    or, to move: gms-proxy render ${others[0] ?? ''}${named}`)
  }

  private async subject(word: string, dialect: string | undefined): Promise<ReadSubject> {
    const proxy = PROXY_NAMES.find(name => name === dialect)
    const [subject, ...more] = await resolveSubjects({words: [word], verb: 'import', ...(proxy ? {dialect: proxy} : {})}).catch(
      (error: unknown) => {
        // Without parameters a proxy's name cannot even be rendered: say what is wrong with the word instead.
        if ([...PROXY_NAMES, 'all'].includes(word))
          throw new UsageError(`${word} is rendered from parameters: name a configuration file`, {cause: error})
        throw error
      },
    )
    if (subject?.kind !== 'file' || more.length > 0) throw new UsageError(`${word} is rendered from parameters: name a configuration file`)
    return subject
  }

  private yamlOf(
    parameters: Imported['parameters'],
    notCarried: readonly NotCarried[],
    file: string,
    title: string,
    version: string,
  ): string {
    const heading = [
      `Imported by gms-proxy ${this.config.version} from ${file === STDIN ? 'stdin' : file}, read as ${title} ${version}.`,
      'A line that begins with # and a key is not in force: it shows the default, or an example where there is none.',
      ...(notCarried.length === 0 ? [] : ['What was not carried over stands at the end.']),
    ]
    const end = notCarried.length === 0 ? '' : `\n# not carried over:\n${notCarried.map(each => `#   ${lineOf(each)}\n`).join('')}`
    return commentedParameters(parametersShape(), parameters, heading.map(inOneLine)) + end
  }
}

function lineOf({file, line, because}: NotCarried): string {
  return inOneLine(`${file}:${line}: ${because}`)
}

/** A name of a file may hold anything; a comment ends with its line. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}

function jsonOf(parameters: Imported['parameters'], notCarried: readonly NotCarried[]): string {
  return `${JSON.stringify({parameters, notCarried}, undefined, 2)}\n`
}

/** @throws UsageError for a configuration that names no node. */
async function assertLoads(parameters: Imported['parameters'], file: string): Promise<void> {
  try {
    await loadParameters({file: '-', overrides: [], stdin: () => Promise.resolve(JSON.stringify(parameters))})
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(
      `${file} does not say enough: ${error.message
        .split('\n')
        .slice(1)
        .map(line => line.trim())
        .join(' ')}`,
      {
        suggestions: ['name the GMS nodes in it, or begin with gms-proxy init --node HOST:PORT'],
        cause: error,
      },
    )
  }
}
