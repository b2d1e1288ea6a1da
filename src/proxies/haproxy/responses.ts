import type {Setting, Way} from '../site.ts'
import {durationOf, sizeOf} from './defaults.ts'
import type {Exchange} from './exchange.ts'
import {applies, rulesOf} from './rule-lines.ts'
import type {Rule} from './rule-lines.ts'
import type {Notes} from './rules.ts'
import {format} from './expressions.ts'
import {textOf} from './sample.ts'
import type {Line, Section, Sections} from './sections.ts'
import {all, inForce, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'

type Responses = Pick<
  Way,
  'throttled' | 'compressed' | 'cached' | 'errorsReplaced' | 'redirectsTranslated' | 'hiddenAnswers' | 'addedAnswers'
>

interface Passed {
  frontend: Section
  backend: Section
  exchange: Exchange
  layer4: boolean
  notes: Notes
  sections: Sections
}

/** Headers of answers that a rule about a prefix of names takes out. */
const MEANT = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'set-cookie',
  'location',
  'content-type',
  'cache-control',
  'vary',
  'server',
]

/** What happens to the answers of GMS on their way back: the backend's rules, then the frontend's. */
export function responsesOf({frontend, backend, exchange, layer4, notes}: Passed, settings: Settings): Responses {
  const no = (directive: string, text = `no ${directive}`): Setting<boolean> => settings.fixed(false, directive, text, backend.header)
  const sections = layer4 ? [] : backend === frontend ? [frontend] : [backend, frontend]
  const rules = sections.flatMap(section =>
    [...rulesOf(section, 'http-response'), ...rulesOf(section, 'http-after-response')].map(rule => ({rule, section})),
  )
  const holds = (rule: Rule, section: Section, status: number) =>
    applies(rule, {...exchange, section, supposed: {...exchange.supposed, status}}).value
  const hidden: Setting<string>[] = []
  const added: (Setting<string> & {name: string})[] = []
  let replaces: Line | undefined
  let translates: Line | undefined
  for (const {rule, section} of rules) {
    const {action, arguments: args, line} = rule
    const name = (args[0] ?? '').toLowerCase()
    const place = (value: string) =>
      settings.fixed(value, line.words.slice(0, 2).join(' '), settings.textOf(line), line.section.header, line.directive.span)
    if ((action === 'replace-header' || action === 'replace-value') && name === 'location') translates = line
    if (
      (action === 'return' || action === 'deny' || action === 'set-status') &&
      [400, 402, 404, 413, 500, 503].some(status => holds(rule, section, status) === true)
    )
      replaces ??= line
    if (holds(rule, section, 200) !== true) continue
    if (action === 'del-header') {
      const kind = args.indexOf('-m')
      const gone = kind === -1 ? [name] : MEANT.filter(header => matches(args[kind + 1] ?? 'str', header, name))
      hidden.push(...gone.map(place))
    } else if (action === 'set-header' || action === 'add-header') {
      // it takes the place of what GMS has sent
      if (action === 'set-header') hidden.push(place(name))
      added.push({
        ...settings.written(
          textOf(format(args[1] ?? '', exchange)) ?? args[1] ?? '',
          line.words.slice(0, 3).join(' '),
          line,
          3,
          line.section,
          3,
        ),
        name,
      })
    }
  }
  const at = (value: boolean, line: Line | undefined, directive: string): Setting<boolean> =>
    line ? settings.fixed(value, directive, settings.textOf(line), line.section.header, line.directive.span) : no(directive)
  const compression = sections.map(compressionOf).find(line => line !== undefined)
  const store = sections.flatMap(section => all(section, 'http-response', 'cache-store'))[0]
  const caches = notes.cacheUse !== undefined && store !== undefined && exchange.method === 'GET'
  const throttle = sections.map(throttleOf).find(line => line !== undefined)
  return {
    ...(throttle
      ? {
          throttled: settings.fixed<number | undefined>(
            throttle.bytes,
            'filter bwlim-out',
            settings.textOf(throttle.line),
            throttle.line.section.header,
            throttle.line.directive.span,
          ),
        }
      : {}),
    compressed: compression
      ? {...at(true, compression, 'compression'), put: argument => (argument === 'off' || argument === '' ? takeOut(compression) : [])}
      : no('compression'),
    cached: caches ? at(true, notes.cacheUse, 'http-request cache-use') : no('http-request cache-use'),
    errorsReplaced: at(replaces !== undefined, replaces, 'http-response return'),
    redirectsTranslated: at(translates !== undefined, translates, 'http-response replace-header Location'),
    hiddenAnswers: hidden,
    addedAnswers: added,
  }
}

function takeOut(line: Line) {
  return [{span: {...line.directive.nameSpan, end: line.directive.nameSpan.start}, text: '# ', why: 'answers pass as they come'}]
}

function matches(kind: string, header: string, pattern: string): boolean {
  if (kind === 'beg') return header.startsWith(pattern)
  if (kind === 'end') return header.endsWith(pattern)
  return kind === 'sub' ? header.includes(pattern) : header === pattern
}

/** The line that has JSON compressed: an algorithm, and no list of types without it. */
function compressionOf(section: Section): Line | undefined {
  const algorithm = inForce(section, 'compression', 'algo') ?? inForce(section, 'compression', 'algo-res')
  if (!algorithm || algorithm.words.slice(2).every(word => word === 'identity')) return undefined
  const types = linesOf(section).filter(({words}) => words[0] === 'compression' && (words[1] === 'type' || words[1] === 'type-res'))
  const listed = types.flatMap(({words}) => words.slice(2))
  return listed.length === 0 || listed.some(type => 'application/json'.startsWith(type)) ? algorithm : undefined
}

/** `filter bwlim-out NAME default-limit 1m default-period 1s`, switched on by an unconditional `set-bandwidth-limit` (since 2.7). */
function throttleOf(section: Section): {bytes: number; line: Line} | undefined {
  for (const line of all(section, 'filter', 'bwlim-out')) {
    const after = (word: string) => line.words[line.words.indexOf(word) + 1] ?? ''
    const name = line.words[2] ?? ''
    const used = ['http-response', 'http-request'].some(phase =>
      all(section, phase, 'set-bandwidth-limit').some(({words}) => words[2] === name && !words.includes('if') && !words.includes('unless')),
    )
    const bytes = sizeOf(after('default-limit')) / (durationOf(after('default-period')) / 1000)
    if (used && !Number.isNaN(bytes)) return {bytes, line}
  }
  return undefined
}
