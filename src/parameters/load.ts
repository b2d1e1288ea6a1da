import {readFile, stat} from 'node:fs/promises'
import {config} from 'zod'
import type {z} from 'zod'
import {UsageError} from '../errors.ts'
import {redact} from '../model/redact.ts'
import {readDocument} from './document.ts'
import type {ParameterDocument, Problem} from './document.ts'
import {contradictions} from './consistency.ts'
import {foreignParametersSchema, parametersSchema} from './schema.ts'
import type {ForeignParameters, Parameters} from './schema.ts'

// One small document is parsed once: writing a parser for it with `new Function` would cost more than it saves.
config({jitless: true})

/** Where parameters come from. */
export interface ParametersRequest {
  /** Path of a YAML or JSON file, or `-` for `stdin()`. */
  file?: string
  /** Reads all of stdin; asked only for `-`. */
  stdin(): Promise<string>
  /** `dotted.path=value`, in order; later ones win, all win over the file. */
  overrides: readonly string[]
}

/** Parameters with what a person wrote of them. */
export interface LoadedParameters<P> {
  parameters: P
  /** Dotted paths of every key that was written, `polling` as well as `polling.hold`. */
  given: ReadonlySet<string>
  /** For people: the file, `stdin`, or `--set`. */
  source: string
}

/** Bytes. More than any parameters file, less than what would hurt. */
const MAX_BYTES = 4_194_304

/**
 * Parameters for a configuration that is rendered.
 * @throws UsageError that lists every problem with its place.
 */
export function loadParameters(request: ParametersRequest): Promise<LoadedParameters<Parameters>> {
  return load(request, parametersSchema)
}

/**
 * Parameters that state what to expect of a configuration somebody else wrote: `upstream` may be missing.
 * @throws UsageError that lists every problem with its place.
 */
export function loadForeignParameters(request: ParametersRequest): Promise<LoadedParameters<ForeignParameters>> {
  return load(request, foreignParametersSchema)
}

async function load<P extends ForeignParameters>(request: ParametersRequest, schema: z.ZodType<P>): Promise<LoadedParameters<P>> {
  const source = request.file === undefined ? '--set' : request.file === '-' ? 'stdin' : request.file
  const document: ParameterDocument =
    request.file === undefined
      ? {value: {}, origins: new Map(), written: new Map(), problems: []}
      : readDocument(await read(request.file, request), source)
  const unreadable = document.problems.length > 0
  // The schema's own words are needed for flags and for errors only, and cost more than everything else here.
  const shape = async () => (await import('./shape.ts')).jsonSchemaOf(schema)
  if (request.overrides.length > 0 && !unreadable) {
    const {applyOverrides} = await import('./overrides.ts')
    applyOverrides(document, request.overrides, await shape())
  }
  const result = unreadable ? undefined : schema.safeParse(document.value)
  const problems = [...document.problems]
  if (result?.error) problems.push(...(await import('./issues.ts')).problemsOf(result.error.issues, document, await shape()))
  else if (result?.success) {
    const contradictory = contradictions(result.data)
    if (contradictory.length > 0) problems.push(...(await import('./issues.ts')).contradictoryAt(contradictory, document, await shape()))
  }
  if (!result?.success || problems.length > 0) throw complaint(problems, source, request)
  return {parameters: result.data, given: new Set(document.origins.keys()), source}
}

async function read(file: string, request: ParametersRequest): Promise<string> {
  if (file === '-') return request.stdin()
  try {
    const {size} = await stat(file)
    if (size > MAX_BYTES)
      throw new UsageError(`parameters file ${file} is ${Math.round(size / 1_048_576)} MiB: this is not a parameters file`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EISDIR'
          ? 'is a folder'
          : code === 'EACCES'
            ? 'may not be read'
            : `cannot be read (${code ?? String(error)})`
    throw new UsageError(`parameters file ${file} ${reason}`, {
      suggestions: ['name a YAML or JSON file with --params FILE, or - for stdin'],
      cause: error,
    })
  }
}

function complaint(problems: readonly Problem[], source: string, request: ParametersRequest): UsageError {
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
  const ordered = [...problems].sort((a, b) => line(a) - line(b))
  const nodesMissing = problems.some(
    ({path, message}) => (path === 'upstream' || path === 'upstream.nodes') && message.startsWith('missing'),
  )
  const where =
    request.file === undefined && request.overrides.length === 0 ? 'no file is named, and there is no gms-proxy.yaml here' : source
  return new UsageError(redact([`${count} in the parameters (${where})`, ...ordered.map(textOf)].join('\n')), {
    suggestions: [
      ...(nodesMissing && request.file === undefined
        ? ['gms-proxy init writes gms-proxy.yaml', 'name another file with --params, or give --set upstream.nodes=gms1:8080,gms2:8080']
        : []),
      'gms-proxy schema prints everything that may be written',
    ],
  })
}

const line = ({origin}: Problem) => (origin && 'line' in origin ? origin.line : Number.MAX_SAFE_INTEGER)

/** `two-nodes.yaml:4:3: listener.prot: unknown key; did you mean "port"?` and the description below. */
function textOf({path, message, origin, description}: Problem): string {
  const place = !origin ? '' : 'flag' in origin ? `${origin.flag}: ` : `${origin.file}:${origin.line}:${origin.column}: `
  return `  ${place}${path === '' ? '' : `${path}: `}${message}${description === undefined ? '' : `\n      ${description}`}`
}
