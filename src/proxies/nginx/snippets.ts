import type {Parameters} from '../../parameters/schema.ts'
import type {Caveat, RenderTarget} from '../proxy.ts'
import {parse} from './parse.ts'

const PLACES = ['main', 'http', 'upstream', 'server', 'location'] as const

/** Directives of the operator, as they are printed; `''` where there are none. */
export function snippetsOf({snippets}: Parameters): Record<(typeof PLACES)[number], string> {
  const own = snippets?.nginx
  const text = (snippet = '') => snippet.replace(/\s+$/, '')
  return {
    main: text(own?.main),
    http: text(own?.http),
    upstream: text(own?.upstream),
    server: text(own?.server),
    location: text(own?.location),
  }
}

/** A snippet must be whole directives: one that ends in the middle of a directive, a string or a block would swallow what follows it. */
export function refusedSnippets(parameters: Parameters, {fragment}: RenderTarget): readonly Caveat[] {
  const snippets = snippetsOf(parameters)
  return PLACES.flatMap((place): Caveat[] => {
    const path = `snippets.nginx.${place}`
    const text = snippets[place]
    if (text === '') return []
    if (place === 'main' && fragment)
      return [{path, because: 'a fragment stands in http {}: put it into the file that includes the fragment'}]
    const [problem] = parse({proxy: 'nginx', entry: path, origin: 'rendered', files: [{path, text: `${text}\n`}]}).problems
    return problem ? [{path, because: `line ${problem.span.line}: ${problem.message}`}] : []
  })
}
