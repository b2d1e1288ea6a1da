import type {Affinity} from '../site.ts'
import type {Line, Section} from './sections.ts'
import {all, inForce, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'

/** Ways to choose a node that are the same for all requests of one client, or of one session. */
const ADDRESS = /^(?:src|fc_src|hdr_ip\(|req\.hdr_ip\()/i
const FORWARDED = /(?:x-forwarded-for|x-real-ip|forwarded|true-client-ip|cf-connecting-ip|x-client-ip)/i
/** Headers that are the same for many browsers, or for all. */
const SHARED = /^(?:host|user-agent|accept|accept-encoding|accept-language|origin|connection|x-forwarded-(?:host|port|proto))$/i
/** What differs between the requests of one session. */
const UNSTABLE =
  /^(?:path|url|uri|base|query|pathq|unique-id|uuid|rand|date|src_port|req\.body|method|url_param\(message|urlp\(message|urlp\(jsonp)/i

/** How requests of a session find their node: a cookie first, then a table, then the way of balancing (manual, "cookie", "stick on", "balance"). */
export function affinityOf(
  section: Section,
  {layer4, behindBalancer, fronts}: {layer4: boolean; behindBalancer: boolean; fronts: readonly Section[]},
  settings: Settings,
): Affinity {
  return (
    (layer4 ? undefined : byCookie(section, settings)) ??
    byTable(section, behindBalancer, layer4, settings) ??
    byBalance(section, behindBalancer, fronts, settings)
  )
}

function byCookie(section: Section, settings: Settings): Affinity | undefined {
  const line = inForce(section, 'cookie')
  if (!line) return undefined
  const [, name = '', ...words] = line.words
  const kind = words.includes('insert') ? 'inserted-cookie' : words.includes('prefix') ? 'prefixed-cookie' : 'application-cookie'
  return {kind, setting: settings.written<string>(words.join(' '), 'cookie', line, 1, section), cookie: name, unstable: false}
}

function byTable(section: Section, behindBalancer: boolean, layer4: boolean, settings: Settings): Affinity | undefined {
  const sticks = linesOf(section).filter(
    ({words}) => words[0] === 'stick' && ['on', 'match', 'store-request', 'store-response'].includes(words[1] ?? ''),
  )
  const line = sticks.find(({words}) => words[1] === 'on' || words[1] === 'match')
  if (!line) return undefined
  const expression = line.words[2] ?? ''
  const found = byExpression(expression, line, behindBalancer, layer4)
  // a cookie that nobody tells the table of is never found there
  const untold = found.kind === 'application-cookie' && !sticks.some(({words}) => words[1] === 'store-response')
  return {
    ...found,
    unstable: found.unstable || untold,
    setting: settings.written(expression, `stick ${line.words[1] ?? ''}`, line, 2, section, 2),
  }
}

function byExpression(expression: string, line: Line, behindBalancer: boolean, layer4: boolean): Omit<Affinity, 'setting'> {
  const [fetch = '', ...converters] = expression.split(/,(?![^(]*\))/)
  const cookie = /^(?:req\.|res\.)?(?:cook|scook)\(([^),]+)/.exec(fetch)?.[1]
  const unstable = UNSTABLE.test(fetch)
  if (cookie !== undefined) return {kind: layer4 ? 'none' : 'application-cookie', cookie, unstable}
  if (FORWARDED.test(fetch) && /hdr/.test(fetch)) return {kind: 'address', of: 'forwarded', unstable}
  if (ADDRESS.test(fetch) && !converters.some(converter => /rand|concat/.test(converter)))
    return {kind: 'address', of: behindBalancer || line.section.own.some(setsSource) ? 'forwarded' : 'peer', unstable}
  const header = /^(?:req\.hdr|hdr|req\.fhdr)\(([^),]+)/.exec(fetch)?.[1]
  if ((header !== undefined && SHARED.test(header)) || /^(?:str|dst|dst_port|fe_id|fe_name|always_true)\b/.test(fetch))
    return {kind: 'other', unstable, shared: true}
  if (/^(?:url_param|urlp|req\.hdr|hdr|req\.fhdr)\(/.test(fetch)) return {kind: 'session-text', unstable}
  return {kind: 'other', unstable}
}

/** `http-request set-header X-Real-IP %[src]`, whatever the client has sent. */
function writesPeer(section: Section, header: string): boolean {
  return all(section, 'http-request', 'set-header').some(
    ({words}) => words[2]?.toLowerCase() === header.toLowerCase() && words[3] === '%[src]' && words.length === 4,
  )
}

function setsSource({words}: Line): boolean {
  return words[0] === 'http-request' && words[1] === 'set-src'
}

function byBalance(section: Section, behindBalancer: boolean, fronts: readonly Section[], settings: Settings): Affinity {
  const line = inForce(section, 'balance')
  const [, first = 'roundrobin', second = ''] = line?.words ?? []
  const setting = line
    ? settings.written(line.words.slice(1).join(' '), 'balance', line, 1, section)
    : settings.missing('roundrobin', 'balance', 'balance roundrobin', section)
  const cookieLine: Affinity['setting'] = {
    ...settings.missing(first, 'cookie', line ? settings.textOf(line) : 'balance roundrobin', section),
    ...(line ? {span: line.directive.span} : {}),
  }
  const from = [...all(section, 'http-request', 'set-src')].length > 0 || behindBalancer ? 'forwarded' : 'peer'
  if (first === 'source') return {kind: 'address', of: from, setting, unstable: false}
  if (first === 'hash' && second !== '') return {...byExpression(second, line ?? unreachable(section), behindBalancer, false), setting}
  const header = /^hdr\(([^)]+)\)/i.exec(first)?.[1]
  if (header !== undefined) {
    if (FORWARDED.test(header))
      return {
        kind: 'address',
        of: [section, ...fronts].some(writer => writesPeer(writer, header)) ? from : 'forwarded',
        setting,
        unstable: false,
      }
    if (SHARED.test(header)) return {kind: 'other', setting, unstable: false, shared: true}
    return {kind: 'session-text', setting, unstable: false}
  }
  if (first === 'uri' || first === 'url_param' || first.startsWith('rdp-cookie')) return {kind: 'other', setting, unstable: true}
  // roundrobin, static-rr, leastconn, first, random: by the state of the nodes
  return {kind: 'none', setting: cookieLine, unstable: false}
}

function unreachable(section: Section): Line {
  return {
    section,
    directive: {name: '', args: [], span: section.header, nameSpan: section.header},
    words: [],
    args: [],
    negated: false,
    reset: false,
    unclear: false,
  }
}
