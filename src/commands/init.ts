import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {assertRenderable, statedVersion, versionToRender} from '../bundle/renderable.ts'
import {BaseCommand} from '../cli/base-command.ts'
import {BETWEEN_OVERRIDES, listOf, outputFlags} from '../cli/flags.ts'
import {writeOwn} from '../cli/own-files.ts'
import {ask, listChoice, objection, refusals} from '../cli/questions.ts'
import {EXIT, UsageError} from '../errors.ts'
import {shellWord} from '../model/shell.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {choicesOf, parametersShape} from '../parameters/choices.ts'
import {commentedParameters} from '../parameters/commented.ts'
import {editorSchema, SCHEMA_FILE, SCHEMA_ID} from '../parameters/editor-schema.ts'
import {loadParameters} from '../parameters/load.ts'
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
    const decided = [
      ...(flags.proxy === undefined ? [] : [`proxy=${flags.proxy}`]),
      ...listChoices('upstream.nodes', listOf(flags.node)),
      ...listChoices('listener.serverNames', listOf(flags['server-name'])),
      ...(flags['tls-certificate'] === undefined ? [] : [`tls.certificate=${flags['tls-certificate']}`]),
      ...(flags['tls-key'] === undefined ? [] : [`tls.key=${flags['tls-key']}`]),
      ...listOf(flags.set, BETWEEN_OVERRIDES),
    ]
    // In the words of the flag, which a person knows, rather than of the parameter that it becomes.
    for (const node of listOf(flags.node)) {
      const because = objection([listChoice('upstream.nodes', [node])], 'upstream.nodes')
      if (because !== undefined) throw new UsageError(`--node ${node}: ${because}`)
    }
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
    const text = commentedParameters(parametersShape(), choicesOf(choices).written, [
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

function listChoices(key: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [listChoice(key, items)]
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
