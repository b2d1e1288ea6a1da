import {z} from 'zod'

/** The part of JSON Schema that is needed to speak about one parameter. */
export interface Shape {
  type?: string
  description?: string
  properties?: Record<string, Shape>
  items?: Shape
  anyOf?: readonly Shape[]
  enum?: readonly unknown[]
  pattern?: string
  const?: unknown
  additionalProperties?: Shape | boolean
  examples?: readonly unknown[]
  default?: unknown
}

/** The parameters file as JSON Schema: what `gms-proxy schema` prints, and what errors quote. */
export function jsonSchemaOf(schema: z.ZodType): Shape & Record<string, unknown> {
  return z.toJSONSchema(schema, {io: 'input'}) as unknown as Shape & Record<string, unknown>
}

/** The alternatives of a shape, itself when it has none. */
export function alternatives(shape: Shape): readonly Shape[] {
  return shape.anyOf ? shape.anyOf.flatMap(alternatives) : [shape]
}

/** The shape at a path; `undefined` when the schema knows no such key. The description of the nearest alternative wins. */
export function shapeAt(root: Shape, path: readonly string[]): Shape | undefined {
  let here: Shape | undefined = root
  for (const key of path) {
    const next: Shape | undefined = here ? step(here, key) : undefined
    if (!next) return undefined
    here = next
  }
  return here
}

/** Keys that may stand in an object at this shape (or in the items of a list of such objects). */
export function keysOf(shape: Shape): readonly string[] {
  const keys = alternatives(shape).flatMap(({properties, items}) => [...Object.keys(properties ?? {}), ...(items ? keysOf(items) : [])])
  return [...new Set(keys)]
}

/** True when a list is the natural thing to write here. */
export function wantsList(shape: Shape): boolean {
  return alternatives(shape).some(({type}) => type === 'array')
}

/** True when a value of this JSON type is allowed here. */
export function allows(shape: Shape, ...types: readonly string[]): boolean {
  return alternatives(shape).some(({type}) => type !== undefined && types.includes(type))
}

/** True when this text would do here. */
export function fits(shape: Shape, text: string): boolean {
  return alternatives(shape).some(({type, pattern}) => type === 'string' && (pattern === undefined || new RegExp(pattern, 'u').test(text)))
}

/** First example of a shape, or of one of its alternatives. */
export function exampleOf(shape: Shape): unknown {
  return shape.examples?.[0] ?? alternatives(shape).flatMap(({examples}) => examples ?? [])[0]
}

function step(shape: Shape, key: string): Shape | undefined {
  for (const alternative of alternatives(shape)) {
    const property = alternative.properties
    if (property && Object.hasOwn(property, key)) return property[key]
    if (alternative.items && /^\d+$/.test(key)) return alternative.items
    if (alternative.items && !/^\d+$/.test(key)) {
      const inner = step(alternative.items, key)
      if (inner) return inner
    }
  }
  return undefined
}
