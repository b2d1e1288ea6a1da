import type {Edit} from '../../model/bundle.ts'
import {atLeast} from '../version.ts'
import type {Directive} from '../syntax.ts'
import type {SentHeader, Setting} from '../site.ts'
import {neededTables} from './mending-tables.ts'
import type {Scope} from './site-scope.ts'
import {homeFor, inserted, mayChange, replaced, setting, textOf} from './site-setting.ts'
import {shownIn, sourceOf, textIn, TRUSTED} from './site-values.ts'
import type {Moment, Variables} from './site-values.ts'
import {has} from './versions.ts'

/** What nginx sends where no line says otherwise (ngx_http_proxy_headers). */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  host: '$proxy_host',
  connection: 'close',
  te: '',
  'keep-alive': '',
  expect: '',
  upgrade: '',
}
/** A client that wants to be taken for another. */
const FORGED = {
  'x-forwarded-for': '203.0.113.66',
  'x-real-ip': '203.0.113.66',
  'x-client-ip': '203.0.113.66',
  forwarded: 'for=203.0.113.66',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'forged.example',
}

const nameIn = ({args}: Directive) => args[0]?.value.toLowerCase() ?? ''

/** How the header `name` leaves for the node. `block` is the block whose settings are in force. */
export function sentHeader(name: string, block: Scope, moment: Moment, variables: Variables, version: string): SentHeader {
  const key = name.toLowerCase()
  const holder = block.holder('proxy_set_header')
  const lines = holder?.all('proxy_set_header') ?? []
  const line = lines.find(candidate => nameIn(candidate) === key)
  const home = holder && mayChange(holder) ? holder : homeFor(block, ['http', 'server', 'location'])
  const put = (argument: string): readonly Edit[] => [
    ...headerEdits(key, argument, {line, lines, holder, home}),
    ...neededTables(block, argument),
  ]
  const further = line ? undefined : overshadowed(key, holder)
  const common = {
    directive: `proxy_set_header ${spelled(key)}`,
    home: (further ? (lines[0]?.span ?? home.home) : undefined) ?? home.home,
    span: line?.span,
    put,
  }
  const extra = further && lines[0] ? {overshadowed: {span: further.span, by: lines[0].span}} : {}
  const written = line ? (line.args[1]?.value ?? '') : ownHeader(key, version)
  if (written === undefined) {
    const passed = block.holder('proxy_pass_request_headers')?.first('proxy_pass_request_headers')?.args[0]?.value !== 'off'
    return {
      ...setting({...common, value: passed ? 'client' : 'nothing', text: `no proxy_set_header ${spelled(key)}`}),
      sends: passed ? (moment.request.headers[key] ?? '') : '',
      ...extra,
    }
  }
  const value = variables.evaluate(written, moment)
  const sends = textIn(value)
  const text = line ? textOf(line) : `proxy_set_header ${spelled(key)} ${written === '' ? '""' : written}`
  const forged = sourceOf(
    variables.evaluate(written, {...moment, request: {...moment.request, headers: {...FORGED, ...moment.request.headers}}}),
  )
  const plain = sourceOf(value)
  const source = plain === 'peer' && (forged === 'client' || forged === 'client-and-peer') ? forged : plain
  const trust =
    source === 'client' && moment.addressOfClient && /\$\{?(?:binary_)?remote_addr\b/.test(written) ? trusting(block) : undefined
  if (trust) {
    const {span} = trust
    return {...setting({value: source, directive: trust.name, text: textOf(trust), span, home: span}), ...extra}
  }
  return {...setting({...common, value: source, text}), ...(sends === undefined ? {} : {sends}), ...extra}
}

/** The line by which the address is what a client writes; which networks it should name, no file says. */
function trusting(block: Scope): Directive | undefined {
  return block
    .holder('set_real_ip_from')
    ?.all('set_real_ip_from')
    .find(({args}) => TRUSTED.test(args[0]?.value ?? ''))
}

function ownHeader(key: string, version: string): string | undefined {
  return key === 'connection' && has(version, 'keepaliveByDefault') ? '' : OWN_HEADERS[key]
}

/** The line further out that the lines of an inner block switch off. */
function overshadowed(key: string, holder: Scope | undefined): Directive | undefined {
  for (let outer = holder?.parent?.holder('proxy_set_header'); outer; outer = outer.parent?.holder('proxy_set_header')) {
    const line = outer.all('proxy_set_header').find(candidate => nameIn(candidate) === key)
    if (line) return line
  }
  return undefined
}

interface Lines {
  line: Directive | undefined
  lines: readonly Directive[]
  holder: Scope | undefined
  home: Scope
}

/** A line of one's own switches off those further out: where they may not be changed, they are copied. */
function headerEdits(key: string, argument: string, {line, lines, holder, home}: Lines): readonly Edit[] {
  const own = `proxy_set_header ${spelled(key)} ${argument};`
  if (line && holder === home) return replaced(line, `${line.args[0]?.raw ?? spelled(key)} ${argument}`)
  if (holder === home || holder === undefined) return inserted(home, own)
  return inserted(home, ...lines.filter(other => other !== line).map(other => `${textOf(other)};`), own)
}

const SPELLINGS: Readonly<Record<string, string>> = {
  'http2-settings': 'HTTP2-Settings',
  te: 'TE',
  'x-real-ip': 'X-Real-IP',
  'x-request-id': 'X-Request-ID',
}

/** `x-forwarded-for` → `X-Forwarded-For`. */
export function spelled(key: string): string {
  return SPELLINGS[key] ?? key.replace(/(?:^|-)[a-z]/g, letters => letters.toUpperCase())
}

/** Answer headers that are taken out; `put('')` lets one through again. */
export function hiddenAnswers(block: Scope, drop: (scope: Scope, line: Directive) => readonly Edit[]): readonly Setting<string>[] {
  const holder = block.holder('proxy_hide_header')
  return (holder?.all('proxy_hide_header') ?? []).map(line =>
    setting({
      value: nameIn(line),
      directive: 'proxy_hide_header',
      text: textOf(line),
      span: line.span,
      home: line.span,
      put: argument => (holder && argument === '' ? drop(holder, line) : replaced(line, argument)),
    }),
  )
}

/** Headers that `add_header` puts into answers. From 1.29.3 on `add_header_inherit merge` keeps those further out. */
export function addedAnswers(
  block: Scope,
  moment: Moment,
  variables: Variables,
  version: string,
  drop: (scope: Scope, line: Directive) => readonly Edit[],
): readonly (Setting<string> & {name: string})[] {
  const holders = [block.holder('add_header')]
  const merges = (scope: Scope | undefined) =>
    atLeast(version, '1.29.3') && scope?.holder('add_header_inherit')?.first('add_header_inherit')?.args[0]?.value === 'merge'
  for (let holder = holders[0]; holder && merges(holder); holder = holders.at(-1)) {
    const outer = holder.parent?.holder('add_header')
    if (!outer) break
    holders.push(outer)
  }
  return holders.flatMap(holder =>
    (holder?.all('add_header') ?? []).map(line => {
      const written = line.args[1]?.value ?? ''
      return {
        ...setting({
          value: shownIn(variables.evaluate(written, moment)),
          directive: `add_header ${line.args[0]?.value ?? ''}`,
          text: textOf(line),
          span: line.span,
          home: line.span,
          put: argument => (holder && argument === '' ? drop(holder, line) : replaced(line, `${line.args[0]?.raw ?? ''} ${argument}`)),
        }),
        name: nameIn(line),
      }
    }),
  )
}
