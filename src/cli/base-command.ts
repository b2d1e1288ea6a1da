import {existsSync} from 'node:fs'
import {text as readAll} from 'node:stream/consumers'
import {Command} from '@oclif/core/command'
import {UsageError} from '../errors.ts'
import type {Logger} from '../log.ts'
import type {ParametersRequest} from '../parameters/load.ts'
import {parseDuration} from '../parameters/units.ts'
import {redact} from '../model/redact.ts'
import {shellWord} from '../model/shell.ts'
import {showable} from './access.ts'
import {BETWEEN_OVERRIDES, listOf} from './flags.ts'
import {Session} from './session.ts'
import {write} from './streams.ts'

const DEFAULT_PARAMETERS = 'gms-proxy.yaml'

/** What every verb shares: the two streams, the exit code, interruption, and the meaning of the shared flags. */
export abstract class BaseCommand extends Command {
  protected readonly session = new Session()
  protected get signal(): AbortSignal {
    return this.session.signal
  }

  /** The result: the only thing that goes to stdout. */
  protected async result(text: string): Promise<void> {
    await write(process.stdout, text.endsWith('\n') || text === '' ? text : `${text}\n`)
  }

  /** Anything a person may want to know meanwhile. */
  protected note(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** Library code says nothing unless it is asked to. */
  protected logger(flags: {verbose: boolean; quiet: boolean}, say = (message: string) => this.note(message)): Logger {
    const silent = () => undefined
    const speak = (message: string) => say(redact(message))
    return {debug: flags.verbose ? speak : silent, info: flags.verbose ? speak : silent, warn: flags.quiet ? silent : speak}
  }

  /** Colour on stdout: wanted by a terminal, and not forbidden. */
  protected colour(flags: {'no-color': boolean}): boolean {
    if (flags['no-color'] || (process.env['NO_COLOR'] ?? '') !== '') return false
    if (process.env['FORCE_COLOR'] !== undefined) return process.env['FORCE_COLOR'] !== '0'
    return process.stdout.isTTY && process.env['TERM'] !== 'dumb'
  }

  /** Columns of the terminal; 110 where there is none. */
  protected width(): number {
    const columns = process.stdout.columns || Number(process.env['COLUMNS'])
    return Number.isFinite(columns) && columns > 0 ? Math.max(72, Math.min(columns, 140)) : 110
  }

  /** Where the parameters come from; `undefined` when a person gave none. */
  protected parametersRequest(flags: {
    params?: string | undefined
    set?: readonly string[] | string | undefined
  }): ParametersRequest | undefined {
    const overrides = listOf(flags.set, BETWEEN_OVERRIDES)
    const file = flags.params ?? (existsSync(DEFAULT_PARAMETERS) ? DEFAULT_PARAMETERS : undefined)
    if (file === undefined && overrides.length === 0) return undefined
    return {...(file === undefined ? {} : {file}), overrides, stdin: () => readAll(process.stdin)}
  }

  /** `--timeout` begins to run. */
  protected bound(timeout: string | undefined): void {
    if (timeout === undefined) return
    const ms = parseDuration(timeout)
    if (ms === undefined || ms === 0 || ms > 86_400_000)
      throw new UsageError(`--timeout ${timeout} is not a duration: write a number and a unit, such as 90s or 10m`)
    this.session.limit(ms, timeout)
  }

  /** The command line as a person would repeat it. */
  protected reproduce(): string {
    return ['gms-proxy', this.id ?? '', ...showable(this.argv).map(shellWord)].join(' ')
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.session[Symbol.dispose]()
    await super.finally(error)
  }

  /** Everything that is thrown is printed, and given its exit code, in one place: `main`. */
  protected override catch(error: Error): Promise<void> {
    throw this.signal.aborted && this.signal.reason instanceof Error ? this.signal.reason : error
  }
}

/** Checks `--proxy-version` after parsing. */
export function assertVersion(version: string | undefined): void {
  if (version !== undefined && !/^\d+\.\d+(\.\d+)?$/.test(version))
    throw new UsageError(`--proxy-version ${version} is not a version: write X.Y or X.Y.Z, such as 1.22`)
}
