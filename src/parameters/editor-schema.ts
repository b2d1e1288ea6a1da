import {z} from 'zod'
import {parametersSchema} from './schema.ts'

/** Name of the file that `init` writes beside the parameters. */
export const SCHEMA_FILE = 'gms-proxy.schema.json'
/** What the schema calls itself, wherever it lies. */
export const SCHEMA_ID = 'urn:gms-proxy:parameters'

/** The parameters file as JSON Schema, text. Draft 7: what every editor knows (yaml-language-server, VS Code, IntelliJ). */
export function editorSchema(): string {
  const {$schema, ...schema} = z.toJSONSchema(parametersSchema, {io: 'input', target: 'draft-7'})
  return `${JSON.stringify({$schema, $id: SCHEMA_ID, title: 'Parameters of gms-proxy', ...schema}, undefined, 2)}\n`
}
