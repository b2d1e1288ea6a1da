import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {assertRenderable, statedVersion, versionToRender} from '../bundle/renderable.ts'
import {BaseCommand} from '../cli/base-command.ts'
import {BETWEEN_OVERRIDES, listOf, outputFlags} from '../cli/flags.ts'
import {writeOwn} from '../cli/own-files.ts'
import {ask, problemsOfFlags, refusals, typedList, typedText} from '../cli/questions.ts'
import {EXIT, UsageError} from '../errors.ts'
import {shellWord} from '../model/shell.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {choicesOf, parametersShape} from '../parameters/choices.ts'
import {commentedParameters} from '../parameters/commented.ts'
import {editorSchema, SCHEMA_FILE, SCHEMA_ID} from '../parameters/editor-schema.ts'
import {loadParameters} from '../parameters/load.ts'
import type {Parameters} from '../parameters/schema.ts'
import type {Shape} from '../parameters/shape.ts'
import {PROXIES} from '../proxies/index.ts'

const DEFAULT_FILE = 'gms-proxy.yaml'

export default class Init extends BaseCommand {
  static override summary = 'Write a parameters file to begin with'
  static override description = `A gms-proxy.yaml with what you choose, and every other parameter commented out with its default and its description. On a terminal a few questions are asked; elsewhere, and with --yes, the flags decide. Beside it goes ${SCHEMA_FILE}, which the first line names: editors then complete and check the file, offline.`
  static override examples = [
    {description: 'Answer a few questions', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Two nodes behind HTTPS, without any question',
      command:
        '<%= config.bin %> <%= command.id %> --proxy nginx --node gms1:8080 --node gms2:8080 --server-name chat.example.com --tls-certificate /etc/ssl/chat.pem --yes',
    },
    {
      description: 'To stdout, with any other parameter',
      command: '<%= config.bin %> <%= command.id %> - --node gms1:8080 --set limits.chats=300 --set polling.hold=45s',
    },
  ]
  static override args = {
    file: Args.string({name: 'FILE', ignoreStdin: true, description: `File to write; default ${DEFAULT_FILE}; - means stdout`}),
  }
  static override flags = {
    proxy: Flags.string({env: 'GMS_PROXY_PROXY', options: [...PROXY_NAMES], helpValue: 'PROXY', summary: 'The proxy in front of GMS'}),
    node: Flags.string({
      env: 'GMS_PROXY_NODE',
      helpValue: 'HOST:PORT',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'A GMS node (repeatable)',
    }),
    'server-name': Flags.string({
      env: 'GMS_PROXY_SERVER_NAME',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'A host name that clients use (repeatable)',
    }),
    'tls-certificate': Flags.string({
      env: 'GMS_PROXY_TLS_CERTIFICATE',
      helpValue: 'PATH',
      summary: 'Serve HTTPS and WSS with this certificate: its path where the proxy runs',
    }),
    'tls-key': Flags.string({
      env: 'GMS_PROXY_TLS_KEY',
      helpValue: 'PATH',
      summary: 'Its private key, when it is not in the same file',
    }),
    set: Flags.string({
      env: 'GMS_PROXY_SET',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Choose any other parameter: polling.hold=45s (repeatable)',
    }),
    yes: Flags.boolean({char: 'y', env: 'GMS_PROXY_YES', summary: 'Ask nothing: what no flag decides keeps its default'}),
    force: Flags.boolean({char: 'f', env: 'GMS_PROXY_FORCE', summary: 'Write over files that exist'}),
    schema: Flags.boolean({
      env: 'GMS_PROXY_SCHEMA',
      default: true,
      allowNo: true,
      summary: `Write ${SCHEMA_FILE} beside it, for editors`,
    }),
    quiet: outputFlags.quiet,
  }

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Init)
    const file = args.file ?? DEFAULT_FILE
    const toStdout = file === '-'
    const schemaFile = toStdout || !flags.schema ? undefined : join(dirname(file), SCHEMA_FILE)
    // Before anything is asked: no answer should be given for nothing.
    await assertFree(toStdout ? [] : [file], schemaFile, flags.force)
    const typed = [
      ...(flags.proxy === undefined ? [] : [{flag: '--proxy', values: [flags.proxy], choice: `proxy=${flags.proxy}`}]),
      ...typedList('--node', 'upstream.nodes', listOf(flags.node)),
      ...typedList('--server-name', 'listener.serverNames', listOf(flags['server-name'])),
      ...typedText('--tls-certificate', 'tls.certificate', flags['tls-certificate']),
      ...typedText('--tls-key', 'tls.key', flags['tls-key']),
    ]
    const decided = [...typed.map(({choice}) => choice), ...listOf(flags.set, BETWEEN_OVERRIDES)]
    const problems = problemsOfFlags(decided, typed)
    if (problems.length > 0)
      throw new UsageError([`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the flags`, ...problems].join('\n'), {
        suggestions: ['gms-proxy schema prints everything that may be written'],
      })
    const asks = !flags.yes && process.stdin.isTTY && process.stderr.isTTY
    const choices = asks ? await this.askFor(decided) : decided
    if (!choices.some(choice => choice.startsWith('upstream')))
      throw new UsageError('the GMS nodes are not named, and nobody can be asked', {
        suggestions: ['gms-proxy init --node gms1:8080 --node gms2:8080'],
      })
    const {parameters} = await loadParameters({overrides: choices, stdin: () => Promise.resolve('')})
    if (parameters.proxy !== undefined) {
      const proxy = PROXIES[parameters.proxy]
      assertRenderable(proxy, parameters, versionToRender(proxy, statedVersion(parameters, proxy.name)))
    }
    const schemaName = schemaFile === undefined ? SCHEMA_FILE : basename(schemaFile)
    const plain = plainBesideTls(parameters)
    const text = commentedParameters(shapeWith(plain), choicesOf(choices).written, [
      `yaml-language-server: $schema=${schemaName}`,
      ...(schemaFile === undefined ? [`(for editors; gms-proxy schema --out ${SCHEMA_FILE} writes it)`] : []),
      '',
      'Parameters of gms-proxy. A line that begins with # and a key is not in force: it shows the default, or an example where there is none.',
      'To change one, remove the # from it and from the keys that it stands under.',
    ])
    if (toStdout) return this.result(text)
    await writeOwn(file, text, {exclusive: !flags.force})
    if (schemaFile !== undefined) await writeOwn(schemaFile, editorSchema())
    if (flags.quiet) return
    this.note(`written ${file}`)
    if (schemaFile !== undefined) this.note(`written ${schemaFile}`)
    if (plain !== undefined) this.note(`note: ${plain}`)
    for (const name of parameters.proxy === undefined ? PROXY_NAMES : [])
      for (const {path, because} of refusals(choices, name))
        this.note(`note: ${PROXIES[name].title} cannot be rendered from it: ${path}: ${because}`)
    const named = file === DEFAULT_FILE ? '' : ` --params ${shellWord(file)}`
    this.note(
      `next: gms-proxy render ${parameters.proxy ?? 'nginx'}${named}    or, with real traffic: gms-proxy verify ${parameters.proxy ?? 'all'}${named}`,
    )
  }

  private async askFor(decided: readonly string[]): Promise<readonly string[]> {
    // Should the terminal go away, nobody is left to answer and the process ends by itself: it must not look like success.
    process.exitCode = EXIT.interrupted
    const choices = await ask(decided)
    process.exitCode = EXIT.ok
    return choices
  }
}

/** What a person who names a certificate may not expect; `undefined` where everything is encrypted, or nothing. */
function plainBesideTls({listener, tls = []}: Parameters): string | undefined {
  if (listener.length === 0 || tls.length === 0) return undefined
  const ports = [...new Set(listener.map(({port}) => port))]
  const where = `port ${ports.join(', ')}`
  return tls.some(({redirect}) => redirect)
    ? `${where} redirects to HTTPS, but still serves the chat paths in plain text: their clients follow no redirect; listener: [] closes it`
    : `${where} serves the chat in plain text beside HTTPS: tls.redirect: true sends all but the chat paths to HTTPS, listener: [] closes it`
}

/** The schema's own words, and what is to be said where the plain listener is described. */
function shapeWith(plain: string | undefined): Shape {
  const shape = parametersShape()
  const {listener} = shape.properties ?? {}
  if (plain === undefined || !listener) return shape
  return {...shape, properties: {...shape.properties, listener: {...listener, description: `${listener.description ?? ''}. Here ${plain}`}}}
}

/** @throws UsageError when something of somebody else stands where a file shall be. */
async function assertFree(files: readonly string[], schemaFile: string | undefined, force: boolean): Promise<void> {
  if (force) return
  for (const file of files)
    if (existsSync(file)) throw new UsageError(`${file} exists`, {suggestions: ['write over it with --force, or name another file']})
  if (schemaFile === undefined || !existsSync(schemaFile)) return
  const present = await readFile(schemaFile, 'utf8').catch(() => '')
  if (!present.includes(JSON.stringify(SCHEMA_ID)))
    throw new UsageError(`${schemaFile} exists and is not the schema of gms-proxy`, {
      suggestions: ['write over it with --force, or leave it with --no-schema'],
    })
}
