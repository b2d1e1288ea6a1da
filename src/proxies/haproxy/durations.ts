import type {Duration, Durations, Felt} from '../compressed.ts'
import type {Argument, ParsedConfig} from '../syntax.ts'
import type {DefaultRow} from './defaults.ts'
import {DEFAULTS, defaultOf, durationOf} from './defaults.ts'
import type {Line} from './sections.ts'
import {linesOf, PROXY_KINDS, sectionsOf} from './sections.ts'

/** `unit: 's'` is what browsers, caches and tables of TLS keep: no chat waits for it. */
const ROWS = DEFAULTS.filter(({unit}) => unit === 'ms')
const FELT: Readonly<Record<string, readonly Felt[]>> = {
  'timeout client': ['traffic'],
  'timeout server': ['traffic'],
  'timeout tunnel': ['traffic'],
  'set-timeout': ['traffic'],
  'timeout http-request': ['header', 'body'],
  'tcp-request inspect-delay': ['header', 'body'],
  time: ['body'],
  'hard-stop-after': ['drain'],
  grace: ['drain'],
  'close-spread-time': ['drain'],
}
const SERVERS = ['server', 'server-template', 'default-server']

/** Every duration of a HAProxy configuration, those that nobody wrote among them. */
export function durations(config: ParsedConfig, version: string): Durations {
  const {all} = sectionsOf(config, version)
  const found: Duration[] = []
  const unclear: {directive: string; because: string}[] = []
  if (!all.some(({kind}) => kind === 'global' || kind === 'defaults'))
    unclear.push({directive: 'timeout client', because: 'what stands around the fragment decides it'})
  for (const section of all)
    for (const line of section.own) {
      if (line.negated || line.reset) continue
      for (const {row, argument} of wordsOf(line)) {
        const ms = durationOf(argument.value)
        if (line.unclear) unclear.push({directive: row.directive, because: 'a variable of the environment decides it'})
        else if (Number.isNaN(ms)) unclear.push({directive: row.directive, because: `${argument.value} is worked out for each request`})
        else if (ms > 0) found.push(durationAt(argument.span, row.directive, ms, ''))
      }
    }
  // checks of nodes come every two seconds when nobody says more
  const inter = defaultOf('inter').without
  for (const section of all.filter(({kind}) => PROXY_KINDS.has(kind))) {
    if (linesOf(section).some(({words}) => words[0] === 'default-server' && words.includes('inter'))) continue
    for (const {words, args} of section.own) {
      const last = args.at(-1)?.span
      if (
        (words[0] === 'server' || words[0] === 'server-template') &&
        !words.includes('inter') &&
        words.includes('check') &&
        last &&
        typeof inter === 'number'
      )
        found.push(durationAt({...last, start: last.end}, 'inter', inter, ' inter '))
    }
  }
  return {found, unclear}
}

function durationAt(span: Duration['span'], directive: string, ms: number, before: string): Duration {
  return {directive, felt: FELT[directive] ?? ['other'], span, values: [ms], stepMs: 1, write: ([here = ms]) => `${before}${here}ms`}
}

/** The values of one line. */
function wordsOf(line: Line): readonly {row: DefaultRow; argument: Argument}[] {
  return ROWS.flatMap(row => {
    const at = placeOf(line, row)
    const argument = at === undefined ? undefined : line.args[at - 1]
    return argument ? [{row, argument}] : []
  })
}

/** Where in `words` the value stands. */
function placeOf({words, section: {kind}}: Line, row: DefaultRow): number | undefined {
  const {directive, within} = row
  if (!within) {
    const names = directive.split(' ')
    const fits = kind === '' || (row.contexts as readonly string[]).includes(kind)
    return fits && names.every((name, index) => words[index] === name) ? names.length : undefined
  }
  const head = within.find(name => name.split(' ').every((word, index) => words[index] === word))
  if (head === undefined) return undefined
  const from = SERVERS.includes(head) ? (head === 'default-server' ? 1 : 2) : head.split(' ').length
  const at = words.indexOf(directive, from)
  if (at === -1) return undefined
  return directive === 'set-timeout' ? at + 2 : at + 1
}
