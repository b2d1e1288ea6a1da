import {contradictions} from './consistency.ts'
import type {ParameterDocument, Problem} from './document.ts'
import {contradictoryAt, problemsOf} from './issues.ts'
import {applyOverrides} from './overrides.ts'
import {parametersSchema} from './schema.ts'
import type {Parameters} from './schema.ts'
import {jsonSchemaOf} from './shape.ts'
import type {Shape} from './shape.ts'

/** What a person has decided so far, before any file exists. */
export interface Choices {
  /** As it would be written into a parameters file. */
  written: Readonly<Record<string, unknown>>
  /** With defaults; absent while there are problems. */
  parameters?: Parameters
  problems: readonly Problem[]
}

let known: Shape | undefined

/** The schema's own words; made once. */
export function parametersShape(): Shape {
  known ??= jsonSchemaOf(parametersSchema)
  return known
}

/** Judges `dotted.path=value` choices as the parameters file that they will become. */
export function choicesOf(choices: readonly string[]): Choices {
  const document: ParameterDocument = {value: {}, origins: new Map(), written: new Map(), problems: []}
  applyOverrides(document, choices, parametersShape())
  const written = document.value as Record<string, unknown>
  const result = parametersSchema.safeParse(written)
  const problems = [
    ...document.problems,
    ...(result.success
      ? contradictoryAt(contradictions(result.data), document, parametersShape())
      : problemsOf(result.error.issues, document, parametersShape())),
  ]
  return {written, problems, ...(result.success && problems.length === 0 ? {parameters: result.data} : {})}
}
