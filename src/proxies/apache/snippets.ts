import type {Parameters} from '../../parameters/schema.ts'
import type {Caveat} from '../proxy.ts'
import {parseFile} from './parse.ts'

/** Lines of a snippet as they are printed: without blanks at their ends, which say nothing. */
export function snippetLines(snippet: string | undefined): readonly string[] {
  return (snippet ?? '')
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '')
}

/** Why a snippet cannot stand where it is meant to, or `undefined`: it must be whole, and end where it ends. */
function defect(snippet: string): string | undefined {
  const lines = snippetLines(snippet)
  const {problems, unclosed} = parseFile('snippet', `${lines.join('\n')}\n`)
  const [problem] = [...problems, ...unclosed]
  if (problem) return `line ${problem.span.line}: ${problem.message}`
  // httpd joins such a line with the next one, a comment too
  if (lines.at(-1)?.endsWith('\\')) return 'its last line ends in a backslash, which would swallow what follows'
  return undefined
}

/** Snippets that would break out of their place. */
export function brokenSnippets({snippets}: Parameters, fragment: boolean): readonly Caveat[] {
  const own = snippets?.apache ?? {}
  return (['main', 'virtualHost', 'balancer'] as const).flatMap(place => {
    const snippet = own[place]
    if (snippet === undefined) return []
    const path = `snippets.apache.${place}`
    if (place === 'main' && fragment) return [{path, because: 'a fragment changes nothing outside its own sections'}]
    const because = defect(snippet)
    return because === undefined ? [] : [{path, because}]
  })
}
