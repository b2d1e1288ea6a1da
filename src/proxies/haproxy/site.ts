import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {End, Listener, Request, Setting, Site, Upstream} from '../site.ts'
import {listeners as addressesOf} from './addresses.ts'
import {durationOf} from './defaults.ts'
import {forChat, NAMES_CHAT_PATH} from '../of-chat.ts'
import {last, linesOf, sectionsOf} from './sections.ts'
import type {Section, Sections} from './sections.ts'
import {settingsOf} from './settings.ts'
import type {Settings} from './settings.ts'
import {capacityOf} from './site-capacity.ts'
import {consolesOf} from './site-consoles.ts'
import {entrancesOf, layer4Of, leadsTo} from './site-listeners.ts'
import type {Entrance} from './site-listeners.ts'
import {odditiesOf} from './site-oddities.ts'
import {endOf, traceOf, visitOf} from './site-trace.ts'
import type {Model} from './site-trace.ts'
import {upstreamOf} from './site-upstreams.ts'

const JSON_TYPE = {'content-type': 'application/json'}
/** What a chat cannot do without; the first decides what a listener is for. */
const REQUESTS: readonly Request[] = [
  {title: 'the handshake', method: 'POST', path: `${COMETD_PATH}/handshake`, headers: JSON_TYPE},
  {title: 'the upload', method: 'POST', path: FILES_PATH, headers: {'content-type': 'multipart/form-data'}},
]

/** What an HAProxy configuration means for chat, with the defaults of `version` (`X.Y.Z`). Never throws. */
export function site(config: ParsedConfig, version: string): Site {
  const sections = sectionsOf(config, version)
  const settings = settingsOf(config.bundle, sections)
  const entrances = entrancesOf(config, sections, version, settings)
  const upstreams = new Map<Section, Upstream>()
  const model: Model = {
    version,
    sections,
    settings,
    entrances,
    upstreamOf(section) {
      const known = upstreams.get(section)
      if (known) return known
      const fronts = entrances.filter(({frontend}) => frontend === section || leadsTo(frontend, section.name))
      const behind = fronts.length > 0 && fronts.every(({listener}) => listener.proxyProtocol.value)
      const made = upstreamOf(
        section,
        {layer4: layer4Of(section, settings).value, behindBalancer: behind, fronts: fronts.map(({frontend}) => frontend)},
        sections,
        version,
        settings,
      )
      upstreams.set(section, made)
      return made
    },
    fileText: path =>
      config.bundle.files.find(
        file => file.path === path || `./${file.path}` === path || path === `${config.bundle.root ?? ''}/${file.path}`,
      )?.text,
  }
  const trace = traceOf(model)
  const ends: Ends = (listener, request) => endOf(model, listener, request)
  const led = ordered(config, sections, named(entrances, ends, sections), ends)
  return {
    proxy: 'haproxy',
    version,
    config,
    listeners: led.map(({listener}) => listener),
    upstreams: sections.proxies
      .filter(
        ({kind, own}) => kind !== 'frontend' && own.some(({words}) => ['server', 'server-template', 'dispatch'].includes(words[0] ?? '')),
      )
      .map(model.upstreamOf),
    trace,
    capacity: capacityOf(led, chatSections(led, ends, sections), sections, version, settings),
    drain: drainOf(sections, settings),
    consoles: consolesOf(sections, {entrances: led, visit: visitOf(model)}, settings),
    nameServers: sections.all
      .filter(({kind}) => kind === 'resolvers')
      .flatMap(({own}) =>
        own.flatMap(({words, args}) => (words[0] === 'nameserver' && args[1] ? [{address: args[1].value, span: args[1].span}] : [])),
      ),
    oddities: odditiesOf(config, sections, version, settings),
    unknown: sections.unknown,
  }
}

type Ends = (listener: Listener, request: Request) => End

/** Names that conditions compare Host with; the one that leads to GMS first. */
function named(entrances: readonly Entrance[], ends: Ends, sections: Sections): readonly Entrance[] {
  return entrances.map(entrance => {
    const {frontend, listener} = entrance
    const backends = sections.proxies.filter(({name, kind}) => kind !== 'frontend' && leadsTo(frontend, name))
    const written = [...new Set([frontend, ...backends].flatMap(hostsOf))]
    const leads = (host: string | undefined) => REQUESTS.map(request => ends(listener, host === undefined ? request : {...request, host}))
    const score = (host: string | undefined) => {
      const [first, second] = leads(host)
      if (first?.kind !== 'upstream') return 0
      const speaks = /gms|genesys|chat|cometd/i.test(
        `${host ?? ''} ${first.upstream.name} ${first.upstream.nodes.map(({address}) => address).join(' ')}`,
      )
      return 2 + (speaks ? 2 : 0) + (second?.kind === 'upstream' ? 1 : 0)
    }
    const scores = new Map([undefined, ...written].map(host => [host, score(host)]))
    const anybody = scores.get(undefined) ?? 0
    const best = Math.max(...scores.values())
    const names = anybody > 0 && anybody === best ? [] : [...written].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0))
    return {...entrance, listener: {...listener, serverNames: names}}
  })
}

/** Literal names behind `hdr(host)` in conditions and ACLs. */
function hostsOf(section: Section): readonly string[] {
  return linesOf(section).flatMap(({words}) => {
    if (!['acl', 'use_backend', 'http-request', 'redirect', 'tcp-request'].includes(words[0] ?? '')) return []
    return words.flatMap((word, at) => {
      if (!/^(?:req\.)?f?hdr(?:_dom|_end|_beg|_sub)?\(host[,)]|^(?:req\.|ssl_fc_|req_)ssl_sni|^ssl_fc_sni/i.test(word)) return []
      const names: string[] = []
      for (const candidate of words.slice(at + 1)) {
        if (candidate === '}' || candidate === '||' || candidate === 'or') break
        if (
          /^[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*(?::\d+)?$/.test(candidate) &&
          !/^(?:str|beg|end|dom|sub|reg|found)$/.test(candidate)
        )
          names.push(candidate.replace(/:\d+$/, '').toLowerCase())
      }
      return names
    })
  })
}

/** Listeners that lead chats to nodes first, in the order of `listeners` of the column; when none does, the first was meant to. */
function ordered(config: ParsedConfig, sections: Sections, entrances: readonly Entrance[], ends: Ends): readonly Entrance[] {
  const order = addressesOf(config).map(({address}) => address)
  const place = (listener: Listener) => order.indexOf(listener.address)
  const chats = forChat(
    entrances.flatMap(entrance => {
      const own = REQUESTS.map(request => ends(entrance.listener, request))
      if (own.every(({kind}) => kind !== 'upstream')) return []
      const {frontend, listener} = entrance
      const lines = [frontend, ...sections.proxies.filter(({name, kind}) => kind !== 'frontend' && leadsTo(frontend, name))].flatMap(
        linesOf,
      )
      const nodes = own.flatMap(end => (end.kind === 'upstream' ? end.upstream.nodes.map(({address}) => address) : []))
      const names = lines.some(({words}) => words.some(word => NAMES_CHAT_PATH.test(word)))
      return [{entrance, layer4: listener.layer4.value, names, nodes}]
    }),
  )
  const marked = entrances.map(entrance => ({...entrance, listener: {...entrance.listener, chat: chats.includes(entrance)}}))
  const sorted = [...marked].sort((a, b) => Number(b.listener.chat) - Number(a.listener.chat) || place(a.listener) - place(b.listener))
  return sorted.some(({listener}) => listener.chat)
    ? sorted
    : sorted.map((entrance, i) => (i === 0 ? {...entrance, listener: {...entrance.listener, chat: true}} : entrance))
}

/** Sections that chats end in. */
function chatSections(entrances: readonly Entrance[], ends: Ends, sections: Sections): readonly Section[] {
  const names = entrances
    .filter(({listener}) => listener.chat)
    .flatMap(({listener}) => {
      const [handshake] = REQUESTS
      const end = handshake && ends(listener, handshake)
      return end?.kind === 'upstream' ? [end.upstream.name] : []
    })
  return sections.proxies.filter(({name, kind}) => kind !== 'frontend' && names.includes(name))
}

function drainOf(sections: Sections, settings: Settings): Setting<number | undefined> {
  const line = last(sections.global, 'hard-stop-after')
  const owner = sections.all.find(({kind}) => kind === 'global')
  if (!line) return settings.missing<number | undefined>(undefined, 'hard-stop-after', 'no hard-stop-after', owner)
  return settings.written<number | undefined>(line.unclear ? Number.NaN : durationOf(line.words[1] ?? ''), 'hard-stop-after', line, 1)
}
