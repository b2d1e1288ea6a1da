import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Config, Plugin} from '@oclif/core/config'
import * as Errors from '@oclif/core/errors'
import type {Command} from '@oclif/core/command'
import {EnvironmentError, EXIT, UsageError} from '../errors.ts'
import {listenForInterruptions, Interruption} from './session.ts'
import {flush, isLostTerminal, quietWhenClosed, ROOM, surviveLostTerminal, unwritten} from './streams.ts'
import {VERBS} from './verbs.ts'

export {VERBS}

/**
 * The package as oclif sees it, its verbs out of the bundle. Where there is a manifest nothing is searched for: two files are read at
 * once, which is a third of what oclif's own start costs.
 */
class Verbs extends Plugin {
  override async load(): Promise<void> {
    const {root} = this.options
    const manifest =
      this.options.ignoreManifest === true ? undefined : (readJson(join(root, 'oclif.manifest.json')) as Plugin['manifest'] | undefined)
    if (!manifest) return super.load()
    const pjson = this.options.pjson ?? ({} as Plugin['pjson'])
    const {name, version} = pjson
    Object.assign(this, {
      root,
      pjson,
      name,
      version,
      manifest,
      alias: name,
      type: 'core',
      isRoot: true,
      valid: true,
      hasManifest: true,
      moduleType: 'module',
      hooks: {},
    })
    this.commandIDs = Object.keys(manifest.commands)
    this.commands = Object.values(manifest.commands).map(command => ({
      ...command,
      pluginAlias: name,
      pluginType: 'core',
      load: () => this.findCommand(command.id, {must: true}),
    }))
  }

  override findCommand(id: string, options: {must: true}): Promise<Command.Class>
  override findCommand(id: string, options?: {must: boolean}): Promise<Command.Class | undefined>
  override async findCommand(id: string): Promise<Command.Class | undefined> {
    const verb = Object.hasOwn(VERBS, id) ? VERBS[id] : undefined
    if (!verb) return undefined
    const command = (await verb()).default
    command.id = id
    command.plugin = this
    return command
  }
}

/** Runs one command line and ends the process with its exit code (errors.ts `EXIT`). `root` is the package's folder. */
export async function main(argv: readonly string[], root: string, {development = false} = {}): Promise<never> {
  surviveLostTerminal()
  quietWhenClosed(process.stdout, process.stderr)
  listenForInterruptions()
  process.on('uncaughtException', error => {
    // oclif throws it out of the stream's own event. It is told at the end.
    if (error === unwritten(process.stdout) || error === unwritten(process.stderr)) return
    // Node would end with 1, which means findings.
    void complain(error, argv, root).then(code => process.exit(code))
  })
  process.exitCode = EXIT.ok
  try {
    await dispatch(argv, root, development)
  } catch (error) {
    process.exitCode = await complain(error, argv, root)
  }
  await flush(process.stdout, process.stderr).catch(() => undefined)
  const failure = unwritten(process.stdout)
  if (failure && process.exitCode === EXIT.ok)
    process.exitCode = await complain(
      new EnvironmentError(`not everything could be written: ${failure.message}`, {suggestions: [ROOM]}),
      argv,
      root,
    )
  process.exit()
}

async function dispatch(argv: readonly string[], root: string, development: boolean): Promise<void> {
  assertFolder()
  const pjson = readJson(join(root, 'package.json')) as Plugin['pjson'] | undefined
  if (!pjson) throw new EnvironmentError(`${root} does not hold the package gms-proxy`, {suggestions: ['install it again']})
  const plugin = new Verbs({root, pjson, isRoot: true, type: 'core', ignoreManifest: development})
  await plugin.load()
  const config = await Config.load({root, plugins: new Map([[plugin.name, plugin]]), userPlugins: false, devPlugins: false})
  const [verb, ...rest] = argv
  if (verb === '--version' || verb === '-V' || verb === 'version') {
    process.stdout.write(`gms-proxy/${config.version} node/${process.versions.node} ${process.platform}-${process.arch}\n`)
    return
  }
  const options = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : undefined)
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help' || options.includes('--help') || options.includes('-h')) {
    const subject =
      verb === undefined || verb.startsWith('-') || verb === 'help' ? rest.filter(word => !word.startsWith('-')).slice(0, 1) : [verb]
    const [unknown] = subject.filter(word => !config.findCommand(word))
    if (unknown !== undefined) throw await unknownVerb(unknown)
    const {AlignedHelp} = await import('./help.ts')
    await new AlignedHelp(config, config.pjson.oclif.helpOptions).showHelp([...subject])
    return
  }
  const command = config.findCommand(verb)
  if (!command) throw await unknownVerb(verb)
  await config.runCommand(verb, [...rest], command)
}

/** @throws EnvironmentError when the folder we were started in has been removed: nothing could be started from there. */
function assertFolder(): void {
  try {
    process.cwd()
  } catch (error) {
    throw new EnvironmentError('the current folder does not exist any more', {suggestions: ['change to one that does'], cause: error})
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function unknownVerb(verb: string): Promise<UsageError> {
  const {nearest} = await import('../parameters/suggest.ts')
  const meant = nearest(verb, Object.keys(VERBS))
  return new UsageError(`${JSON.stringify(verb)} is not a command`, {
    suggestions: [...(meant === undefined ? [] : [`gms-proxy ${meant}`]), 'gms-proxy --help lists the commands'],
  })
}

/** The flags that were probably meant by the ones that do not exist. */
async function meantFlags(error: Error, verb: string, root: string): Promise<readonly string[]> {
  const unknown = 'flags' in error && Array.isArray(error.flags) ? error.flags.filter(flag => typeof flag === 'string') : []
  const known = Object.keys((readJson(join(root, 'oclif.manifest.json')) as Plugin['manifest'] | undefined)?.commands[verb]?.flags ?? {})
  const {nearest} = await import('../parameters/suggest.ts')
  return unknown.flatMap(flag => {
    const meant = nearest(flag.replace(/^-+/, '').replace(/=.*$/, ''), known)
    return meant === undefined ? [] : [`--${meant} instead of ${flag}`]
  })
}

/** Prints what went wrong, for a person, and says with which code the process ends. */
async function complain(error: unknown, argv: readonly string[], root: string): Promise<number> {
  if (error instanceof Errors.ExitError) return error.oclif.exit ?? EXIT.ok
  if (isLostTerminal(error)) return EXIT.interrupted
  const {printError} = await import('./print-error.ts')
  if (error instanceof Interruption) return error.exitCode
  if (error instanceof UsageError || error instanceof EnvironmentError) {
    printError(error.message, error.suggestions)
    return error.exitCode
  }
  if (error instanceof Errors.CLIError) {
    const verb = argv[0] ?? ''
    printError(error.message.replace(/\nSee more help with --help$/, ''), [
      ...(error.suggestions ?? []),
      ...(await meantFlags(error, verb, root)),
      `gms-proxy ${verb} --help`,
    ])
    return EXIT.usage
  }
  const {printBug} = await import('./print-error.ts')
  printBug(error, argv, (readJson(join(root, 'package.json')) as {bugs?: {url?: string}} | undefined)?.bugs?.url)
  return EXIT.bug
}
