import type {Edit} from '../model/bundle.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import {allOf, insertedBelow} from './source.ts'

/** Loads a module (`reqtimeout`) behind those that a configuration of httpd loads; empty where it loads none itself, or has it. */
export function loading(config: ParsedConfig, module: string): readonly Edit[] {
  const loaded = allOf(config, /^LoadModule$/i)
  const last = loaded.at(-1)
  if (!last || loads(config, module)) return []
  const folder = (last.args[1]?.value ?? '').replace(/[^/]*$/, '')
  return insertedBelow(config, last.span, [`LoadModule ${module}_module ${folder}mod_${module}.so`], `LoadModule ${module}_module`)
}

/** True when a line loads it. */
export function loads(config: ParsedConfig, module: string): boolean {
  return allOf(config, /^LoadModule$/i).some(({args}) => args[0]?.value === `${module}_module`)
}
