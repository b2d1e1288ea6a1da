import type {Span} from '../../model/bundle.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../import-foreign.ts'
import type {Listener, Site, Upstream, Way} from '../site.ts'
import type {ParsedConfig} from '../syntax.ts'
import {all, last, sectionsOf} from './sections.ts'
import type {Line, Section, Sections} from './sections.ts'
import {site as siteOf} from './site.ts'

/** A configuration that others wrote, as an import reads it. */
export interface Source {
  site: Site
  sections: Sections
  /** The first listener that serves the chat. */
  chat: Listener
  /** Sections that chats pass through: frontends or `listen` sections, then those of the nodes. */
  fronts: readonly Section[]
  backend?: Section
  upstream?: Upstream
  poll: Way
  upload: Way
  webSocket: Way
  /** Line and section of a listener. */
  bindOf(listener: Listener): {line: Line; section: Section} | undefined
}

/** `undefined` when nobody listens and nothing leads to a node. */
export function sourceOf(config: ParsedConfig, version: string): Source | undefined {
  const site = siteOf(config, version)
  const sections = sectionsOf(config, version)
  const chat = site.listeners.find(own => own.chat) ?? site.listeners[0]
  if (!chat) return undefined
  const bindOf = (listener: Listener) => {
    for (const section of sections.proxies)
      for (const line of section.own)
        if (line.words[0] === 'bind' && line.args.some(({span}) => same(span, listener.span))) return {line, section}
    return undefined
  }
  const [poll, upload, webSocket] = [POLL, UPLOAD, WEBSOCKET].map(request => site.trace(chat, request)) as [Way, Way, Way]
  const ends = [poll, webSocket, upload].flatMap(({end}) => (end.kind === 'upstream' ? [end.upstream] : []))
  const upstream = ends[0] ?? site.upstreams[0]
  const backend = upstream && sections.proxies.find(({header}) => same(header, upstream.span))
  const fronts = site.listeners.filter(own => own.chat).flatMap(own => bindOf(own)?.section ?? [])
  return {
    site,
    sections,
    chat,
    fronts: [...new Set(fronts)],
    ...(backend ? {backend} : {}),
    ...(upstream ? {upstream} : {}),
    poll,
    upload,
    webSocket,
    bindOf,
  }
}

export function same(a: Span, b: Span): boolean {
  return a.file === b.file && a.start === b.start
}

/** Sections that a chat passes through. */
export function chatSections({fronts, backend}: Source): readonly Section[] {
  return [...new Set([...fronts, ...(backend ? [backend] : [])])]
}

/** Networks of an ACL that looks at nothing but the address of who connects; `undefined` when it looks at more. */
export function networksOf(name: string, section: Section): readonly {network: string; span: Span}[] | undefined {
  const lines = all(section, 'acl', name)
  const found = lines.map(({words, args, unclear}) => {
    if (unclear || words[2] !== 'src' || words.includes('-f')) return undefined
    return args.slice(2).flatMap(({value, span}) => (value === '--' ? [] : [{network: value, span}]))
  })
  return lines.length > 0 && found.every(own => own !== undefined) ? found.flat() : undefined
}

/** A file as a line names it: relative ones lie in the folder that `base` (`crt-base`, `ca-base`) names, else where HAProxy keeps its own. */
export function fileOf(name: string, base: string, {global}: Sections): string {
  return name.startsWith('/') || name.startsWith('@') ? name : `${last(global, base)?.words[1] ?? '/etc/haproxy'}/${name}`
}

/** A line as it is written, for a person: its first words. */
export function shown({words, negated}: Line): string {
  const text = `${negated ? 'no ' : ''}${words.join(' ')}`
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
