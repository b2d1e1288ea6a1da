import type {Span} from '../../model/bundle.ts'
import {atLeast, compareVersions} from '../version.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {resolveInclude} from './includes.ts'
import {isComplete, loadedBy, expectedModules} from './modules.ts'
import {isNamed, walk} from './parse.ts'
import {pcre} from './site-patterns.ts'
import {Variables} from './variables.ts'

/** Sections that stand for a condition at start, and vanish from what is in force. */
const STARTING = ['IfModule', 'IfDefine', 'IfVersion', 'IfFile', 'IfDirective', 'IfSection'] as const
/** Compiled into every httpd, or loaded by every configuration that starts. */
const ALWAYS = ['core', 'so', 'http', 'http_core', 'unixd', 'log_config', 'version', 'logio', 'watchdog']
const DEEPEST = 20

/** A section that chooses requests: `<VirtualHost>`, `<Location>`, `<Proxy>`, `<If>`, `<Limit>`, … */
export interface Section {
  /** Lower case. */
  name: string
  values: readonly string[]
  directive: Directive
}

/** A directive or an opened section that takes effect, with its variables put in, in the order in which httpd reads it. */
export interface Line {
  directive: Directive
  /** Lower case. */
  name: string
  values: readonly string[]
  /** A variable stands in it that cannot be followed. */
  unknown: boolean
  /** Outermost first. */
  within: readonly Section[]
  /** Position among all lines. */
  order: number
  /** It may or may not be in force: why. */
  doubt?: string
}

/** Which modules are there. */
export interface Modules {
  /** The configuration loads its modules itself: what it does not load is not there. */
  complete: boolean
  /** `proxy_http`, without `mod_`; `undefined`: left to the surroundings. */
  has(name: string): boolean | undefined
}

/** What is in force when httpd starts, and what could not be followed. */
export interface Effective {
  lines: readonly Line[]
  modules: Modules
  variables: Variables
  unknown: readonly {span: Span; because: string}[]
}

export function modulesOf(config: ParsedConfig): Modules {
  const loaded = loadedBy(walk(config))
  const expected = expectedModules(config)
  const complete = isComplete(config)
  return {
    complete,
    has: name => {
      if (ALWAYS.includes(name) || expected.includes(name)) return true
      if (loaded.some(own => own.symbol === `${name}_module` || own.module === `mod_${name}`)) return true
      return complete ? false : undefined
    },
  }
}

/** Follows includes and the conditions that are decided at start. Never throws. */
export function effective(config: ParsedConfig, version: string): Effective {
  const modules = modulesOf(config)
  const variables = new Variables(config)
  const serverRoot = walk(config).find(({directive}) => isNamed(directive, 'ServerRoot'))?.directive.args[0]?.value
  const lines: Line[] = []
  const unknown: {span: Span; because: string}[] = []
  const macros = new Map<string, Directive>()

  const visit = (directives: readonly Directive[], within: readonly Section[], doubt: string | undefined, files: readonly string[]) => {
    for (const directive of directives) {
      const name = directive.name.toLowerCase()
      const resolved = directive.args.map(({value}) => variables.resolve(value))
      const values = resolved.map(({text}) => text)
      if (isNamed(directive, ...STARTING)) {
        const held = holds(directive, values, {modules, variables, version})
        if (held === false) continue
        const because = held ? doubt : `<${directive.name} ${values.join(' ')}> cannot be decided from the text`
        if (!held) unknown.push({span: directive.nameSpan, because: because ?? ''})
        visit(directive.block ?? [], within, because, files)
        continue
      }
      if (name === 'macro') {
        macros.set(values[0]?.toLowerCase() ?? '', directive)
        continue
      }
      if (name === 'use') {
        const macro = macros.get(values[0]?.toLowerCase() ?? '')
        const body = macro && !files.includes(macroKey(macro)) ? expanded(macro, directive) : undefined
        if (macro && body) {
          visit(body, within, doubt, [...files, macroKey(macro)])
          continue
        }
        unknown.push({span: directive.span, because: `what the macro ${values[0] ?? ''} becomes is not followed`})
      }
      if (name === 'include' || name === 'includeoptional') {
        const found = resolveInclude(values[0] ?? '', config.bundle, serverRoot)
        if (found.kind !== 'files') {
          if (name === 'include') unknown.push({span: directive.span, because: `${values[0] ?? ''} is not part of this configuration`})
          continue
        }
        for (const path of found.paths) {
          const file = config.files.find(other => other.path === path)
          if (file && !files.includes(path) && files.length < DEEPEST) visit(file.directives, within, doubt, [...files, path])
        }
        continue
      }
      const unresolved = resolved.flatMap(value => value.unknown)
      if (unresolved.length > 0) unknown.push({span: directive.span, because: `\${${unresolved[0] ?? ''}} cannot be followed`})
      lines.push({
        directive,
        name,
        values,
        unknown: unresolved.length > 0,
        within,
        order: lines.length,
        ...(doubt === undefined ? {} : {doubt}),
      })
      if (directive.block) visit(directive.block, [...within, {name, values, directive}], doubt, files)
    }
  }
  const entry = config.files.find(({path}) => path === config.bundle.entry)
  visit(entry?.directives ?? [], [], undefined, [config.bundle.entry])
  return {lines, modules, variables, unknown}
}

const macroKey = ({args}: Directive) => `<Macro ${args[0]?.value.toLowerCase() ?? ''}>`

/**
 * The lines of a macro with the words of one use in the place of its parameters, the longer names first (mod_macro); places are those in the macro.
 * `undefined` when the numbers differ, or a word would become several.
 */
function expanded(macro: Directive, use: Directive): readonly Directive[] | undefined {
  const names = macro.args.slice(1).map(({value}) => value)
  const words = use.args.slice(1).map(({value}) => value)
  if (names.length !== words.length || words.some(word => /[\s"'\\]/.test(word) || word === '')) return undefined
  const pairs = names.map((name, index) => [name, words[index] ?? ''] as const).sort(([a], [b]) => b.length - a.length)
  const put = (text: string) => {
    let done = ''
    for (let at = 0; at < text.length;) {
      const [name, word] = pairs.find(([own]) => own !== '' && text.startsWith(own, at)) ?? [text.charAt(at), text.charAt(at)]
      done += word
      at += name.length
    }
    return done
  }
  const one = (directive: Directive): Directive => ({
    ...directive,
    name: put(directive.name),
    args: directive.args.map(arg => ({...arg, value: put(arg.value), raw: put(arg.raw)})),
    ...(directive.block ? {block: directive.block.map(one)} : {}),
  })
  return (macro.block ?? []).map(one)
}

/** Whether a section that is decided at start holds; `undefined` when the text does not tell. */
function holds(
  section: Directive,
  values: readonly string[],
  {modules, variables, version}: {modules: Modules; variables: Variables; version: string},
): boolean | undefined {
  const [first = ''] = values
  const negated = first.startsWith('!')
  const name = negated ? first.slice(1) : first
  const turned = (held: boolean | undefined) => (held === undefined ? undefined : held !== negated)
  if (isNamed(section, 'IfModule')) {
    const module = name
      .replace(/\.c$/, '')
      .replace(/_module$/, '')
      .replace(/^mod_/, '')
    return turned(module === 'event' ? modules.has('mpm_event') : (modules.has(module) ?? otherMpm(module, modules)))
  }
  if (isNamed(section, 'IfDefine')) return turned(variables.isDefined(name))
  if (isNamed(section, 'IfVersion')) return turned(holdsVersion(values, version))
  return undefined
}

/** Only one of the three MPMs is loaded, and that is event where nothing else is said. */
function otherMpm(module: string, modules: Modules): boolean | undefined {
  if (module === 'mpm_event') return modules.has('mpm_worker') !== true && modules.has('mpm_prefork') !== true
  return ['mpm_worker', 'mpm_prefork', 'worker', 'prefork'].includes(module) ? false : undefined
}

/** `<IfVersion >= 2.4.10>`, `<IfVersion 2.4>`, `<IfVersion ~ ^2\.4>` (mod_version). */
function holdsVersion(values: readonly string[], version: string): boolean | undefined {
  const [operator = '', wanted = ''] =
    values.length > 1 ? values.map(value => value.replace(/^!/, '')) : ['=', (values[0] ?? '').replace(/^!/, '')]
  const inner = operator === '~' ? wanted : /^\/(.*)\/$/.exec(wanted)?.[1]
  if (inner !== undefined) return pcre(inner, false)?.test(version)
  if (!/^\d+(?:\.\d+){0,2}$/.test(wanted)) return undefined
  if (operator === '>=') return atLeast(version, wanted)
  if (operator === '>') return compareVersions(version, wanted) > 0
  if (operator === '<=') return compareVersions(version, wanted) <= 0
  if (operator === '<') return compareVersions(version, wanted) < 0
  return operator === '=' || operator === '==' ? compareVersions(version, wanted) === 0 : undefined
}
