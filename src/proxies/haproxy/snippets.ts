import type {Parameters} from '../../parameters/schema.ts'
import type {Caveat, RenderTarget} from '../proxy.ts'
import {parse, SECTIONS, usesEnvironment} from './parse.ts'

type Snippets = NonNullable<NonNullable<Parameters['snippets']>['haproxy']>
const PLACES = ['global', 'defaults', 'frontend', 'backend'] as const

/** Lines of each place, trimmed at their ends, without blank ones around. */
export function snippetLines(parameters: Parameters, place: keyof Snippets): readonly string[] {
  const text = parameters.snippets?.haproxy?.[place] ?? ''
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}

/** Snippets that would not stay where they are put, or that do not parse. Paths are `snippets.haproxy.<place>`. */
export function strayingSnippets(parameters: Parameters, {fragment}: RenderTarget): readonly Caveat[] {
  return PLACES.flatMap(place => {
    if (snippetLines(parameters, place).length === 0) return []
    const because =
      place === 'global' && fragment ? 'a fragment has no global section: put it into the file around it' : stray(parameters, place)
    return because === undefined ? [] : [{path: `snippets.haproxy.${place}`, because}]
  })
}

function stray(parameters: Parameters, place: keyof Snippets): string | undefined {
  const lines = snippetLines(parameters, place)
  const {files, problems} = parse({
    proxy: 'haproxy',
    entry: 'snippet.cfg',
    origin: 'rendered',
    files: [{path: 'snippet.cfg', text: lines.join('\n')}],
  })
  const [problem] = problems
  if (problem) return `line ${problem.span.line}: ${problem.message}`
  for (const directive of files.flatMap(file => file.directives)) {
    const at = `line ${directive.span.line}:`
    if (SECTIONS.has(directive.name)) return `${at} ${directive.name} begins a section of its own`
    if (directive.name.startsWith('.')) return `${at} ${directive.name} decides about lines outside the snippet`
    if ([directive, ...directive.args].some(word => ('name' in word ? word.name : word.value).includes('\0')))
      return `${at} a NUL character hides the end of the line`
    const line = lines[directive.span.line - 1] ?? ''
    const first = /^\S+/.exec(line)?.[0] ?? ''
    if (usesEnvironment({raw: first})) return `${at} a variable hides what the line does`
  }
  const swallowing = lines.findIndex(line => line.endsWith('\\'))
  return swallowing === -1 ? undefined : `line ${swallowing + 1}: a backslash at its end reaches into the next line`
}
