import type {Exchange} from './site-exchange.ts'
import type {Held} from './site-expression.ts'
import {every, judge, some} from './site-expression.ts'
import type {Line, Section} from './site-lines.ts'

const GROUPS = ['requireall', 'requireany', 'requirenone'] as const

/** What the access rules say about one request. */
export interface Access {
  /** `false`: refused, whoever asks. `undefined`: depends on who asks. */
  granted: Held
  /** The line that decides. */
  line?: Line
  /** User name and password are asked for, and nothing else lets in. */
  credentials: boolean
}

/** What one `Require` says: `undefined` when it depends on the client's address or name. */
function required(line: Line, exchange: Exchange): {held: Held; credentials: boolean} {
  const negated = /^not$/i.test(line.values[0] ?? '')
  const [kind = '', ...rest] = negated ? line.values.slice(1) : line.values
  const turn = (held: Held) => ({held: held === undefined ? undefined : held !== negated, credentials: false})
  switch (kind.toLowerCase()) {
    case 'all':
      return turn(/^granted$/i.test(rest[0] ?? ''))
    case 'method':
      return turn(rest.some(method => method.toUpperCase() === exchange.request.method))
    case 'expr':
      return turn(judge(rest.join(' '), exchange))
    case 'env':
      return turn(some(rest.map(name => (exchange.env.has(name) ? (exchange.env.get(name) === undefined ? undefined : true) : false))))
    case 'valid-user':
    case 'user':
    case 'group':
    case 'ldap-user':
    case 'ldap-group':
    case 'ldap-attribute':
    case 'dbm-group':
      return {held: undefined, credentials: !negated}
    default:
      return {held: undefined, credentials: false}
  }
}

/** `<Limit>` and `<LimitExcept>` around a line let it apply to this method. */
function concerns(line: Line, exchange: Exchange): boolean {
  return line.within.every(({name, values}) => {
    const named = values.some(method => method.toUpperCase() === exchange.request.method)
    return name === 'limit' ? named : name === 'limitexcept' ? !named : true
  })
}

interface Group {
  section?: Section
  members: (Line | Group)[]
}

/** Nests lines by the `<RequireAll>` and its like around them. */
function grouped(lines: readonly Line[]): Group {
  const root: Group = {members: []}
  const known = new Map<Section['directive'], Group>()
  for (const line of lines) {
    let group = root
    for (const section of line.within.filter(({name}) => GROUPS.some(own => own === name))) {
      const inner: Group = known.get(section.directive) ?? {section, members: []}
      if (!known.has(section.directive)) {
        known.set(section.directive, inner)
        group.members.push(inner)
      }
      group = inner
    }
    group.members.push(line)
  }
  return root
}

interface Judgement {
  held: Held
  credentials: boolean
  line?: Line
}

function judgeGroup(group: Group, exchange: Exchange): Judgement {
  const parts = group.members.map((member): Judgement =>
    'members' in member ? judgeGroup(member, exchange) : {...required(member, exchange), line: member},
  )
  const held = parts.map(part => part.held)
  const culprit = (wanted: Held) => parts.find(part => part.held === wanted)?.line
  const name = group.section?.name ?? 'requireany'
  if (name === 'requireall') {
    const all = every(held)
    const line = culprit(all) ?? parts[0]?.line
    return {held: all, credentials: all === undefined && parts.some(part => part.credentials), ...(line ? {line} : {})}
  }
  const any = some(held)
  if (name === 'requirenone')
    return {held: any === undefined ? undefined : !any, credentials: false, ...(parts[0]?.line ? {line: parts[0].line} : {})}
  const line = culprit(any) ?? parts[0]?.line
  const asked = parts.filter(part => part.held !== false)
  return {held: any, credentials: any === undefined && asked.length > 0 && asked.every(part => part.credentials), ...(line ? {line} : {})}
}

/**
 * Whether a request is let in, by the innermost section that says so (`AuthMerging Off`), or by all of them together. What was
 * written for Apache 2.2 (`Order`, `Deny from`) is judged too. Nothing written lets everybody in.
 */
export function accessOf(section: readonly Line[], exchange: Exchange): Access {
  const inForce = section.filter(line => concerns(line, exchange))
  const requires = inForce.filter(({name}) => name === 'require')
  const blocks = new Map<string, Line[]>()
  for (const line of requires) {
    const around = line.within.filter(({name}) => !GROUPS.some(group => group === name) && !/^limit/.test(name)).at(-1)
    const key = around ? `${around.directive.span.file}:${around.directive.span.start}` : ''
    blocks.set(key, [...(blocks.get(key) ?? []), line])
  }
  let result: Judgement = {held: true, credentials: false}
  for (const lines of blocks.values()) {
    const own = judgeGroup(grouped(lines), exchange)
    const innermost = lines[0]?.within.filter(({name}) => !GROUPS.some(group => group === name)).at(-1)?.directive
    const merging = inForce.findLast(line => line.name === 'authmerging' && line.within.at(-1)?.directive === innermost)?.values[0] ?? 'off'
    if (/^and$/i.test(merging))
      result = own.held === false || result.held !== false ? {...own, held: every([result.held, own.held])} : result
    else if (/^or$/i.test(merging)) result = {...own, held: some([result.held, own.held])}
    else result = own
  }
  const old = deniedOfOld(inForce)
  if (old) return {granted: false, line: old, credentials: false}
  return {granted: result.held, credentials: result.credentials, ...(result.line ? {line: result.line} : {})}
}

/** `Order allow,deny` that lets nobody in, or `Deny from all` without an `Allow` (mod_access_compat). */
function deniedOfOld(lines: readonly Line[]): Line | undefined {
  const order = lines.findLast(({name}) => name === 'order')
  const allows = lines.filter(({name}) => name === 'allow')
  const deny = lines.findLast(({name, values}) => name === 'deny' && values.some(value => /^all$/i.test(value)))
  if (allows.length > 0 && !(order && /^allow,deny$/i.test(order.values[0] ?? '') && deny)) return undefined
  if (deny) return deny
  return order && /^allow,deny$/i.test(order.values[0] ?? '') ? order : undefined
}
