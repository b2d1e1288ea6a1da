import type {Span} from '../../model/bundle.ts'
import type {Duration, Durations, Felt} from '../compressed.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Placed} from './parse.ts'
import {isNamed, walk} from './parse.ts'
import {duration} from './site-settings.ts'
import {defaultOf} from './site-timeouts.ts'
import {Variables} from './variables.ts'

/** Whole seconds: `500ms` is accepted, and waits like a second (measured on 2.4.71). */
const STEP_MS = 1000
/** mod_reqtimeout looks at its clock once a second. */
const LOOK_MS = 1000
const OF_A_SERVER = ['Timeout', 'KeepAliveTimeout', 'ProxyTimeout', 'H2StreamTimeout', 'GracefulShutdownTimeout']
const OF_A_POOL = ['timeout', 'connectiontimeout', 'retry', 'ttl', 'ping', 'addressttl', 'hcinterval']
const FELT: Readonly<Record<string, readonly Felt[]>> = {
  timeout: ['traffic'],
  proxytimeout: ['traffic'],
  'timeout=': ['traffic'],
  h2streamtimeout: ['traffic'],
  gracefulshutdowntimeout: ['drain'],
}
/** Sections that are there or not, and change nothing of where a line stands. */
const TRANSPARENT = ['IfModule', 'IfDefine', 'IfVersion', 'IfFile', 'IfDirective', 'IfSection']

/** Every duration of an httpd configuration, those that nobody wrote among them. */
export function durations(config: ParsedConfig, version: string): Durations {
  const variables = new Variables(config)
  const unclear: {directive: string; because: string}[] = []
  const places = walk(config)
  const read = (name: string, text: string): number | undefined => {
    const {text: resolved, unknown} = variables.resolve(text)
    const ms = duration(resolved)
    if (unknown.length > 0) unclear.push({directive: name, because: `\${${unknown[0] ?? ''}} is not known`})
    return ms !== undefined && ms > 0 ? ms : undefined
  }
  const found = places.flatMap(({directive}): readonly Duration[] => {
    const [first] = directive.args
    if (first && isNamed(directive, ...OF_A_SERVER)) {
      const ms = read(directive.name, first.value)
      return ms === undefined ? [] : [durationAt(first.span, directive.name, ms)]
    }
    if (isNamed(directive, 'RequestReadTimeout')) return directive.args.flatMap(argument => stageOf(argument, variables, unclear))
    if (!isNamed(directive, 'ProxyPass', 'ProxyPassMatch', 'BalancerMember', 'ProxySet', 'Proxy')) return []
    return directive.args.flatMap(argument => {
      const [, name = '', text = ''] = /^(\w+)=(.*)$/.exec(argument.value) ?? []
      if (!OF_A_POOL.includes(name.toLowerCase())) return []
      const ms = read(name.toLowerCase(), text)
      return ms === undefined ? [] : [durationAt(argument.span, `${name}=`, ms, `${name}=`)]
    })
  })
  return {found: [...found, ...ofPools(places, version), ...ofServer(config, places, version)], unclear}
}

function durationAt(span: Span, directive: string, ms: number, before = '', after = ''): Duration {
  return {
    directive,
    felt: FELT[directive.toLowerCase()] ?? ['other'],
    span,
    values: [ms],
    stepMs: STEP_MS,
    write: ([here = ms]) => `${before}${here / 1000}${after}`,
  }
}

/** `header=20-40,MinRate=500`: both limits are divided, and the rate grows by as much. */
function stageOf(argument: Argument, variables: Variables, unclear: {directive: string; because: string}[]): readonly Duration[] {
  const {text} = variables.resolve(argument.value)
  const match = /^(\w+)=(\d+)(?:-(\d+))?(?:,\s*MinRate=(\d+))?$/i.exec(text)
  if (!match) {
    unclear.push({directive: 'RequestReadTimeout', because: `${argument.value} is not understood`})
    return []
  }
  const [, name = '', from = '0', to, rate] = match
  if (Number(from) === 0) return []
  return [stage(argument.span, name, from, to, rate)]
}

function stage(
  span: Span,
  name: string,
  from: string,
  to: string | undefined,
  rate: string | undefined,
  before = '',
  after = '',
): Duration {
  return {
    directive: `RequestReadTimeout ${name}`,
    felt: [/^header$/i.test(name) ? 'header' : /^body$/i.test(name) ? 'body' : 'other'],
    span,
    values: [from, ...(to === undefined ? [] : [to])].map(text => Number(text) * 1000),
    stepMs: STEP_MS,
    lagMs: LOOK_MS,
    write: (values, factor) =>
      `${before}${name}=${values.map(ms => ms / 1000).join('-')}${rate === undefined ? '' : `,MinRate=${Number(rate) * factor}`}${after}`,
  }
}

/** A node that failed is left alone for a minute, and asked how it is every half of one, when nobody says more. */
function ofPools(places: readonly Placed[], version: string): readonly Duration[] {
  const said = (name: string) =>
    places.some(
      ({directive}) =>
        isNamed(directive, 'ProxySet', 'Proxy') && directive.args.some(({value}) => value.toLowerCase().startsWith(`${name}=`)),
    )
  return places.flatMap(({directive}) => {
    if (!isPool(directive)) return []
    const has = (name: string) => directive.args.some(({value}) => value.toLowerCase().startsWith(`${name}=`))
    const last = directive.args.at(-1)?.span
    const wanted = [...(has('retry') || said('retry') ? [] : ['retry']), ...(has('hcmethod') && !has('hcinterval') ? ['hcinterval'] : [])]
    return wanted.flatMap(name => {
      const {value} = defaultOf(`${name}=`, version)
      return last && value !== undefined ? [durationAt({...last, start: last.end}, `${name}=`, value, ` ${name}=`)] : []
    })
  })
}

function isPool(directive: Directive): boolean {
  if (isNamed(directive, 'BalancerMember')) return true
  return isNamed(directive, 'ProxyPass') && directive.args.some(({value}) => /^(?:https?|wss?):\/\//i.test(value))
}

/** What the whole server has by default, said behind the last line of the entry file. */
function ofServer(config: ParsedConfig, places: readonly Placed[], version: string): readonly Duration[] {
  const {entry, files} = config.bundle
  const text = files.find(({path}) => path === entry)?.text ?? ''
  const lines = text.split('\n')
  const end: Span = {file: entry, start: text.length, end: text.length, line: lines.length, column: (lines.at(-1) ?? '').length + 1}
  const said = (name: string) =>
    places.some(({directive, within}) => isNamed(directive, name) && within.every(section => isNamed(section, ...TRANSPARENT)))
  const server = ['Timeout', 'KeepAliveTimeout'].flatMap(name => {
    const {value} = defaultOf(name, version)
    return said(name) || value === undefined ? [] : [durationAt(end, name, value, `\n${name} `, '\n')]
  })
  if (said('RequestReadTimeout')) return server
  const around = (own: string) => [`\n<IfModule reqtimeout_module>\nRequestReadTimeout ${own}`, '\n</IfModule>\n'] as const
  const [before, after] = around('')
  return [...server, stage(end, 'header', '20', '40', '500', before, after), stage(end, 'body', '20', undefined, '500', before, after)]
}
