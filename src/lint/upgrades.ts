import type {Span} from '../model/bundle.ts'
import type {Directive} from '../proxies/syntax.ts'
import type {Listener, SentHeader, Setting, Site, Way} from '../proxies/site.ts'
import {WEBSOCKET} from './requests.ts'
import {directivesOf} from './source.ts'
import type {WayToGms} from './settings.ts'

/**
 * Ways to write one upgrade (RFC 9110, 7.8 and RFC 6455, 4.2.1: lists of tokens without regard to case), the usual one first. Made once: a
 * request that several rules ask for is traced once.
 */
const SPELLINGS = ['Upgrade', 'keep-alive, Upgrade', 'upgrade'].flatMap(connection =>
  ['websocket', 'WebSocket'].map(upgrade => ({
    connection,
    upgrade,
    request: {
      ...WEBSOCKET,
      title: `Connection: ${connection}, Upgrade: ${upgrade}`,
      headers: {...WEBSOCKET.headers, connection, upgrade},
    },
  })),
)

/** An upgrade as one client writes it. */
export interface Spelt {
  connection: string
  upgrade: string
  way: Way
  /** It reaches GMS, and GMS can see that it is one; `undefined`: cannot be told. */
  works: boolean | undefined
}

/** Every legal spelling of the upgrade at every chat listener. */
export function upgradesOf({listeners, trace}: Site): readonly {listener: Listener; spelt: readonly Spelt[]}[] {
  return listeners
    .filter(({chat}) => chat)
    .map(listener => ({
      listener,
      spelt: SPELLINGS.map(({connection, upgrade, request}) => {
        const way = trace(listener, request)
        return {connection, upgrade, way, works: works(way)}
      }),
    }))
}

/** True when the upgrade reaches GMS as one, over whichever HTTP version. */
export function works(way: Way): boolean | undefined {
  if (way.end.kind !== 'upstream') return way.end.kind === 'unknown' ? undefined : false
  const {lost, untold} = partsOf(way)
  return lost.length > 0 ? false : untold ? undefined : true
}

/** What an upgrade needs to reach GMS, and does not get. */
export function lostParts(way: WayToGms): readonly (SentHeader | Setting<boolean>)[] {
  return partsOf(way).lost
}

function partsOf(way: Way): {lost: readonly (SentHeader | Setting<boolean>)[]; untold: boolean} {
  const headers = [
    {sent: way.sent('upgrade'), token: 'websocket'},
    {sent: way.sent('connection'), token: 'upgrade'},
  ]
  const told = headers.map(({sent, token}) => ({sent, carries: carries(sent, token)}))
  // What an old HTTP version prevents is said of that version.
  const tunnels = way.tunnels.value || way.httpVersion.value === '1.0'
  const lost = [...told.filter(({carries}) => carries === false).map(({sent}) => sent), ...(tunnels ? [] : [way.tunnels])]
  return {lost, untold: told.some(({carries}) => carries === undefined)}
}

/** A list has a token; `undefined` when the header that is sent cannot be told. */
export function carries({value, sends}: SentHeader, token: string): boolean | undefined {
  if (sends !== undefined) return sends.split(',').some(item => item.trim().toLowerCase() === token)
  if (value === 'nothing') return false
  return value === 'client' ? true : undefined
}

/** A line or block further down that would pass the upgrade on, and does not get the request. */
export function routeInShade({config}: Site, way: WayToGms): Span | undefined {
  const taken = new Set(way.route.map(({file, start}) => `${file}:${start}`))
  const {span} =
    directivesOf(config).find(directive => {
      const {file, start} = directive.span
      return (
        !taken.has(`${file}:${start}`) && takesUpgrades(directive, way.request.path) && (directive.block || isBehind(directive.span, way))
      )
    }) ?? {}
  return span
}

function isBehind({file, start}: Span, {end}: WayToGms): boolean {
  return file === end.span.file && start > end.span.start
}

/** nginx: a location with the header; Apache: a rule to `ws://`, or with `upgrade=`. HAProxy passes upgrades on from everywhere. */
function takesUpgrades({name, args, block}: Directive, path: string): boolean {
  const values = args.map(({value}) => value)
  switch (name.toLowerCase()) {
    case 'location': {
      const sets = block?.some(({name: inner, args: [header]}) => inner === 'proxy_set_header' && header?.value.toLowerCase() === 'upgrade')
      return sets === true && matches(values.at(-1) ?? '', values.length > 1 && !['=', '^~'].includes(values[0] ?? ''), path)
    }
    case 'proxypass':
      return matches(values[0] ?? '', false, path) && values.some(value => /^(wss?:|upgrade=)/i.test(value))
    case 'proxypassmatch':
    case 'rewriterule':
      return matches(values[0] ?? '', true, path) && values.some(value => /^wss?:/i.test(value))
    default:
      return false
  }
}

function matches(pattern: string, isExpression: boolean, path: string): boolean {
  if (!isExpression) return path.startsWith(pattern)
  try {
    return new RegExp(pattern).test(path)
  } catch {
    return false
  }
}
