import type {Directive, ParsedConfig} from '../syntax.ts'
import {expectedModules, loadedBy} from './modules.ts'
import {isNamed, walk} from './parse.ts'
import {Variables} from './variables.ts'

/** Compiled into every httpd, or loaded by every configuration that starts. */
const ALWAYS = ['core', 'so', 'http', 'unixd', 'log_config', 'version', 'mpm_event']

/** Says whether the sections around a directive let it take effect, as far as the text tells. */
export function activity(config: ParsedConfig): (within: readonly Directive[]) => boolean {
  const variables = new Variables(config)
  const loaded = loadedBy(walk(config))
  const others = [...ALWAYS, ...expectedModules(config)]
  const isLoaded = (name: string) => {
    const module = name
      .replace(/\.c$/, '')
      .replace(/_module$/, '')
      .replace(/^mod_/, '')
    return (
      others.includes(module) ||
      loaded.some(own => own.symbol === name || own.module === `mod_${module}` || own.symbol === `${module}_module`)
    )
  }
  const holds = (section: Directive): boolean => {
    const condition = section.args[0]?.value ?? ''
    const negated = condition.startsWith('!')
    const name = negated ? condition.slice(1) : condition
    if (isNamed(section, 'IfModule')) return isLoaded(name) !== negated
    if (isNamed(section, 'IfDefine')) return variables.isDefined(name) !== negated
    return true
  }
  return within => within.every(holds)
}
