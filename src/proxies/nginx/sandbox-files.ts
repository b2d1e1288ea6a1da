import type {SandboxPlan} from '../proxy.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import type {Change} from './change.ts'
import {quoted, removal} from './change.ts'
import {KNOWN_MODULES, MODULE_FOLDERS, MODULE_LISTS, MODULE_OF, STOCK_FILES} from './sandbox-table.ts'
import {includedFrom, isData, isGlob, kindOf, normalised, walk, withinBundle} from './tree.ts'

/** Includes stay beside the file or among the stock files that only declare; others are refused, or go when nothing would have matched. */
export function includeChange(directive: Directive, config: ParsedConfig, plan: SandboxPlan): Change {
  const [argument] = directive.args
  if (!argument) return {edits: []}
  const pattern = argument.value
  const inside = withinBundle(config.bundle, pattern)
  const refuse = (because: string) => ({edits: [], refused: {directive: 'include', because, span: directive.span}})
  if (/[[\]\\]/.test(pattern))
    return refuse('which files a pattern with brackets or backslashes means cannot be followed: write * or their names')
  if (inside !== undefined && /^(?:access|error)\.log$/.test(inside)) return refuse('reads a log of the sandbox as configuration')
  const replace = (path: string, why: string) => ({edits: [{span: argument.span, text: quoted(path), why}]})
  if (inside !== undefined && includedFrom(config.bundle, pattern).length > 0)
    return pattern.startsWith('/') || kindOf(config) !== 'complete'
      ? replace(`${plan.folder}/${inside}`, 'the file is read from its copy in the sandbox')
      : {edits: []}
  if (MODULE_LISTS.test(pattern))
    return {
      edits: [
        {
          span: directive.span,
          text: neededModules(config, plan),
          why: 'only the modules of this installation that the configuration uses are loaded',
        },
      ],
    }
  const name = pattern.slice(pattern.lastIndexOf('/') + 1)
  const {stockFolder, mimeTypes} = plan.installation
  if (inside !== undefined && STOCK_FILES.test(name) && stockFolder !== undefined) {
    const stock = name === 'mime.types' ? (mimeTypes ?? `${stockFolder}/mime.types`) : `${stockFolder}/${name}`
    return stock === pattern ? {edits: []} : replace(stock, 'the file of this installation is read')
  }
  if (inside !== undefined && isGlob(pattern))
    return {edits: [removal(directive, 'no file beside this one matches, and sites of this machine are not part of it')]}
  if (inside !== undefined && !pattern.startsWith('/')) return {edits: []}
  const because =
    inside === undefined
      ? 'reads a file outside the folder of the configuration'
      : 'the file is not beside this one, and it is none that only declares'
  return refuse(because)
}

function neededModules(config: ParsedConfig, {installation: {modulesFolder, loadable}}: SandboxPlan): string {
  const names = walk(config)
    .filter(place => !isData(place))
    .map(({directive}) => directive.name)
  const needed = MODULE_OF.filter(({directive}) => names.some(name => directive.test(name))).flatMap(({modules}) => modules)
  return needed
    .filter(name => loadable.includes(name))
    .map(name => `load_module ${quoted(`${modulesFolder ?? 'modules'}/${name}`)};`)
    .join(' ')
}

/** Modules come from the folder of this installation, whatever layout the file was written for; others are refused. */
export function moduleChange(directive: Directive, plan: SandboxPlan): Change {
  const [argument] = directive.args
  if (!argument) return {edits: []}
  const {modulesFolder, loadable} = plan.installation
  const path = argument.value.startsWith('/') ? `/${normalised(argument.value.slice(1)) ?? ''}` : (normalised(argument.value) ?? '..')
  const folder = path.slice(0, path.lastIndexOf('/'))
  const name = path.slice(path.lastIndexOf('/') + 1)
  const refuse = (because: string) => ({edits: [], refused: {directive: 'load_module', because, span: directive.span}})
  if (!MODULE_FOLDERS.includes(folder) && folder !== modulesFolder) return refuse('loads code from outside the folder of installed modules')
  if (modulesFolder === undefined || !loadable.includes(name)) return refuse(`${name} is not installed here`)
  if (!KNOWN_MODULES.test(name)) return refuse(`what ${name} does cannot be judged`)
  const installed = `${modulesFolder}/${name}`
  return {
    edits:
      installed === argument.value
        ? []
        : [{span: argument.span, text: quoted(installed), why: 'the module of this installation is loaded'}],
  }
}
