import type {Edit} from '../../model/bundle.ts'
import type {HeaderSource, SentHeader, Setting} from '../site.ts'
import {atLeast} from '../version.ts'
import type {Exchange, HeaderState} from './exchange.ts'
import {isInNetwork} from './patterns.ts'
import {connectionOf, header} from './request-headers.ts'
import {PEER, textOf} from './sample.ts'
import type {Line, Section} from './sections.ts'
import {inForce} from './sections.ts'
import type {Settings} from './settings.ts'

/** `option forwardfor` and `option forwarded`: they come behind all rules, a line of their own behind the client's. */
export function addForwarded(exchange: Exchange, frontend: Section, backend: Section, version: string): void {
  addFor(exchange, frontend, backend)
  const forwarded = inForce(backend, 'option', 'forwarded') ?? inForce(frontend, 'option', 'forwarded')
  if (!forwarded || !atLeast(version, '2.8.0')) return
  const words = forwarded.words.slice(2)
  if (words.length === 0 || words.includes('for')) add('forwarded', forwarded, exchange)
}

function addFor(exchange: Exchange, frontend: Section, backend: Section): void {
  const lines = [inForce(backend, 'option', 'forwardfor'), inForce(frontend, 'option', 'forwardfor')].filter(line => line !== undefined)
  const [line] = lines
  if (!line) return
  const after = (word: string) => lines.map(({words}) => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined)).find(Boolean)
  const name = (after('header') ?? 'X-Forwarded-For').toLowerCase()
  const except = after('except')
  const spared = except !== undefined && isInNetwork(PEER, except) === true
  const before = exchange.headers.get(name)?.source ?? 'client'
  // with `if-none` a client that brings its own is believed
  const ifNone = line.words.includes('if-none')
  if (spared || (ifNone && before !== 'client' && before !== 'nothing')) return
  if (ifNone && before === 'client') exchange.headers.set(name, {source: 'client', exact: false, touches: new Set(['client']), line})
  else add(name, line, exchange)
}

function add(name: string, line: NonNullable<ReturnType<typeof inForce>>, exchange: Exchange): void {
  const before = exchange.headers.get(name)
  const state = (source: HeaderSource): HeaderState => ({source, exact: false, touches: new Set(['peer']), line})
  const source = before?.source ?? 'client'
  if (source === 'nothing') exchange.headers.set(name, state('peer'))
  else if (source === 'client') exchange.headers.set(name, state('client-and-peer'))
  else if (source === 'peer' || source === 'client-and-peer') exchange.headers.set(name, state(source))
  else exchange.headers.set(name, state('unknown'))
}

interface Leaving {
  exchange: Exchange
  frontend: Section
  backend: Section
  layer4: boolean
  version: string
}

/** A request header as it leaves for the node. */
export function sentHeader(name: string, {exchange, frontend, layer4, version}: Leaving, settings: Settings): SentHeader {
  const state = layer4 ? undefined : exchange.headers.get(name)
  const change = changeOf(name, state, frontend, settings)
  const give = (source: HeaderSource, sends?: string): SentHeader => ({...change(source), ...(sends === undefined ? {} : {sends})})
  if (layer4)
    return {...settings.fixed<HeaderSource>('client', 'mode', 'mode tcp', frontend.header), ...sendsOf(exchange.request.headers[name])}
  if (name === 'connection' || name === 'upgrade') {
    const kept = hopByHop(name, exchange, version)
    if (kept) return give(kept.source, kept.sends)
  }
  if (!state) {
    if (name === 'host') return give('host', exchange.hostKnown ? exchange.host : undefined)
    return give('client', exchange.request.headers[name])
  }
  const value = header(name, exchange)
  const text = state.exact && value.is !== 'unknown' && state.source !== 'nothing' ? textOf(value) : undefined
  return give(state.source, text)
}

function sendsOf(value: string | undefined): {sends?: string} {
  return value === undefined ? {} : {sends: value}
}

/**
 * `Upgrade` goes with `Connection: Upgrade` only, whatever else the client wrote there (`keep-alive, Upgrade` becomes `Upgrade`); without the one
 * the other means nothing to a node (measured on 2.6.12 and 3.0.11).
 */
function hopByHop(name: string, exchange: Exchange, version: string): {source: HeaderSource; sends?: string} | undefined {
  const upgrade = header('upgrade', exchange)
  const own = exchange.headers.get(name)
  if (upgrade.is === 'unknown') return {source: 'unknown'}
  const value = textOf(upgrade) ?? ''
  const lost = dropsH2c(version) && /^h2c?$/i.test(value)
  if (name === 'upgrade') return lost ? {source: 'nothing'} : undefined
  if (own) return undefined
  const left = connectionOf(exchange.request.headers['connection'])
  return left === undefined ? {source: 'nothing'} : {source: 'client', sends: left}
}

/** Releases that keep h2c to themselves: "h1: do not forward h2c upgrade header token" (change logs of the branches, December 2024). */
const DROPS_H2C: Readonly<Record<string, string>> = {'2.4': '2.4.29', '2.6': '2.6.22', '2.8': '2.8.13', '2.9': '2.9.13', '3.0': '3.0.7'}

function dropsH2c(version: string): boolean {
  const since = DROPS_H2C[version.split('.').slice(0, 2).join('.')]
  return atLeast(version, since ?? '3.1.0')
}

function changeOf(
  name: string,
  state: HeaderState | undefined,
  frontend: Section,
  settings: Settings,
): (source: HeaderSource) => Setting<HeaderSource> {
  const line = state?.line
  const directive = `http-request set-header ${titled(name)}`
  return source => {
    const behind = frontend.own.findLast(({words}) => words[0] === 'http-request')
    const insert = (argument: string) => {
      if (argument !== '') return settings.insert(frontend, `${directive} ${argument}`, `${directive} ${argument}`, behind)
      // what the client claims goes before the right one is added
      const first = frontend.own.findIndex(({words}) => words[0] === 'http-request' && words[2]?.toLowerCase() === name)
      return settings.insert(
        frontend,
        `http-request del-header ${titled(name)}`,
        `${titled(name)} of the client does not pass`,
        first > 0 ? frontend.own[first - 1] : first === 0 ? undefined : behind,
      )
    }
    if (!line) return {...settings.missing(source, directive, `no ${directive}`, frontend), put: insert}
    const action = line.words[1] ?? ''
    if (
      line.words[0] === 'http-request' &&
      (action === 'set-header' || action === 'add-header') &&
      !line.words.includes('if') &&
      !line.words.includes('unless')
    )
      return set(settings.written(source, `http-request ${action} ${line.words[2] ?? ''}`, line, 3, line.section), line)
    if (action === 'del-header' && (name === 'upgrade' || name === 'connection') && line.words[2]?.toLowerCase() === name)
      return {
        ...settings.fixed(
          source,
          `http-request del-header ${titled(name)}`,
          settings.textOf(line),
          line.section.header,
          line.directive.span,
        ),
        put: argument => (argument === '' ? spare(name, line) : insert(argument)),
      }
    return {
      ...settings.fixed(source, line.words.slice(0, 2).join(' '), settings.textOf(line), line.section.header, line.directive.span),
      put: argument =>
        settings.insert(
          frontend,
          `${directive} ${argument}`,
          `${directive} ${argument}`,
          line.section === frontend ? (behind ?? line) : behind,
        ),
    }
  }
}

/** Another value beside what the client has sent would not replace that: the line has to set the header, not to add one. */
function set<T>({put, ...setting}: Setting<T>, line: Line): Setting<T> {
  const [action] = line.args
  if (action?.value !== 'add-header') return {...setting, put}
  return {
    ...setting,
    put: argument => [{span: action.span, text: 'set-header', why: 'what the client has sent is replaced'}, ...put(argument)],
  }
}

/** What takes the upgrade of a WebSocket out: `Upgrade` goes only when it is for something else, `Connection` stays. */
function spare(name: string, line: Line): readonly Edit[] {
  const {nameSpan, span} = line.directive
  if (name === 'connection') return [{span: {...nameSpan, end: nameSpan.start}, text: '# ', why: 'HAProxy takes care of Connection itself'}]
  return [
    {
      span,
      text: 'http-request del-header Upgrade unless { req.hdr(Upgrade) -m str -i websocket }',
      why: 'WebSocket passes, other upgrades do not',
    },
  ]
}

function titled(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}
