import type {Capacity, Setting} from '../site.ts'
import type {Entrance} from './site-listeners.ts'
import {nodesOf} from './site-nodes.ts'
import type {Line, Section, Sections} from './sections.ts'
import {inForce, last} from './sections.ts'
import type {Settings} from './settings.ts'

/** A WebSocket is one connection of a client: the smallest of `maxconn` in global, of the frontend, and of all nodes together. */
export function capacityOf(
  entrances: readonly Entrance[],
  chat: readonly Section[],
  sections: Sections,
  version: string,
  settings: Settings,
): Capacity {
  const bounds: {chats: number; text: string; setting: Setting<number>}[] = []
  const bound = (line: Line | undefined, directive: string, text: string, owner?: Section) => {
    const chats = Number(line?.words[1])
    if (line && !Number.isNaN(chats) && chats > 0)
      bounds.push({
        chats,
        text: `${chats.toLocaleString('en-US')} connections by ${text}`,
        setting: settings.written(chats, directive, line, 1, owner ?? line.section),
      })
  }
  bound(last(sections.global, 'maxconn'), 'maxconn', 'maxconn in global')
  const fronts = [...new Set(entrances.filter(({listener}) => listener.chat).map(({frontend}) => frontend))]
  for (const front of fronts) bound(inForce(front, 'maxconn'), 'maxconn', `maxconn of ${front.name}`, front)
  for (const line of fronts.flatMap(({own}) => own).filter(({words}) => words[0] === 'bind')) {
    const at = line.words.indexOf('maxconn', 2) + 1
    const chats = Number(line.words[at])
    if (at > 0 && chats > 0)
      bounds.push({
        chats,
        text: `${chats.toLocaleString('en-US')} connections by maxconn of bind ${line.words[1] ?? ''}`,
        setting: settings.written(chats, 'maxconn', line, at, line.section, at),
      })
  }
  for (const section of chat) {
    const nodes = nodesOf(section, version, settings).filter(({down, backup}) => !down && !backup)
    const limits = nodes.map(({maxConnections}) => maxConnections.value ?? 0)
    const [first] = nodes
    const total = limits.reduce((sum, limit) => sum + limit, 0)
    if (first && limits.every(limit => limit > 0))
      bounds.push({
        chats: total,
        text: `${total.toLocaleString('en-US')} connections by maxconn of ${nodes.length} nodes of ${section.name}`,
        setting: {...first.maxConnections, value: total},
      })
  }
  const descriptors = last(sections.global, 'ulimit-n')
  if (bounds.length === 0 && descriptors) {
    const count = Number(descriptors.words[1])
    const chats = Math.floor(count / 2)
    if (chats > 0)
      bounds.push({
        chats,
        text: `${count.toLocaleString('en-US')} descriptors / 2 a chat`,
        setting: settings.written(chats, 'ulimit-n', descriptors, 1),
      })
  }
  const [smallest] = bounds.sort((a, b) => a.chats - b.chats)
  if (smallest) return {chats: smallest.chats, arithmetic: smallest.text, setting: smallest.setting}
  const owner = sections.all.find(({kind}) => kind === 'global')
  return {
    arithmetic: 'no maxconn: as many as the descriptors of the system allow',
    setting: settings.missing(Number.NaN, 'maxconn', 'no maxconn', owner),
  }
}
