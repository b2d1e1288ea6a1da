import type {ChatNotification} from '../../wire/chat-messages.ts'
import type {FeedLine} from '../protocol.ts'
import {append, byId, clock, make} from './dom.ts'

/** Rows that are kept; a browser has enough of them then. */
const MOST = 600

interface Said {
  channel: string
  id?: string | undefined
  data?: unknown
  successful?: boolean | undefined
  error?: string | undefined
}

/** A row of the wire: on the left what the client of this page did, on the right what the nodes did. */
interface Row {
  at: number
  side: 'client' | 'gms'
  /** `→` goes to GMS, `←` to the client. */
  way: '→' | '←' | '•'
  /** Node and transport. */
  tag: string
  text: string
  detail: unknown
  kind: 'message' | 'fault' | 'failed'
  connect: boolean
  mine: boolean
}

const list = byId('lines')
const mine = byId<HTMLInputElement>('mine')
const connects = byId<HTMLInputElement>('connects')

/** What the client of this page sent or received. */
export function showClient(way: 'sent' | 'received', message: Said): void {
  show({
    at: Date.now(),
    side: 'client',
    way: way === 'sent' ? '→' : '←',
    tag: '',
    text: summaryOf(message),
    detail: message,
    kind: message.successful === false ? 'failed' : 'message',
    connect: message.channel === '/meta/connect',
    mine: true,
  })
}

/** What a node received, answered or suffered. */
export function showGms(line: FeedLine, own: boolean): void {
  const {at, node, kind, transport, messages, text} = line
  const tag = `${node}${transport === undefined ? '' : ` ${SHORT[transport] ?? transport}`} `
  if (!messages)
    show({
      at,
      side: 'gms',
      way: '•',
      tag,
      text: text ?? '',
      detail: line,
      kind: kind === 'fault' ? 'fault' : 'message',
      connect: false,
      mine: own,
    })
  for (const message of messages ?? [])
    show({
      at,
      side: 'gms',
      way: kind === 'received' ? '→' : '←',
      tag,
      text: summaryOf(message),
      detail: message,
      kind: message.successful === false ? 'failed' : 'message',
      connect: message.channel === '/meta/connect',
      mine: own,
    })
}

const SHORT: Readonly<Record<string, string>> = {websocket: 'ws', 'long-polling': 'lp', 'callback-polling': 'cb'}

function summaryOf({channel, id, data, successful, error}: Said): string {
  const name = channel.startsWith('/meta/') ? channel.slice('/meta/'.length) : channel.startsWith('/service/chatV2/') ? '' : channel
  const number = id === undefined ? '' : ` #${id}`
  if (error !== undefined) return `${name || 'publish'}${number} ${error}`
  if (successful !== undefined) return `${name || 'publish'}${number} ${successful ? 'ok' : 'failed'}`
  if (typeof data === 'object' && data !== null) {
    if ('operation' in data) return `${String(data.operation)}${number}`
    const {messages = [], errors = [], chatEnded} = data as ChatNotification
    const events = messages.map(({type, index, text}) => `${type} ${index}${text === undefined ? '' : ` “${text}”`}`)
    const failures = errors.map(({code}) => `error ${code}`)
    return [...events, ...failures, ...(chatEnded ? ['chat ended'] : [])].join(', ') || 'notification'
  }
  return `${name}${number}`
}

function show(row: Row): void {
  const body = make('pre')
  const details = make('details', {}, [
    make('summary', {title: row.tag + row.text}, [
      make('span', {class: 'way', text: `${row.way} `}),
      make('span', {class: 'tag', text: row.tag}),
      document.createTextNode(row.text),
    ]),
    body,
  ]) as HTMLDetailsElement
  details.addEventListener('toggle', () => (body.textContent = details.open ? JSON.stringify(row.detail, undefined, 2) : ''))
  const item = make('li', {class: `wire ${row.side} ${row.kind}`}, [make('time', {text: clock(row.at)}), details])
  item.dataset['connect'] = String(row.connect)
  item.dataset['mine'] = String(row.mine)
  item.dataset['at'] = String(row.at)
  judge(item)
  append(list, item, MOST)
  // What a node says comes over another connection, some milliseconds late.
  let earlier = item.previousElementSibling as HTMLElement | null
  while (earlier && Number(earlier.dataset['at']) > row.at) {
    earlier.before(item)
    earlier = item.previousElementSibling as HTMLElement | null
  }
}

function judge(item: HTMLElement): void {
  item.hidden = (mine.checked && item.dataset['mine'] === 'false') || (!connects.checked && item.dataset['connect'] === 'true')
}

for (const filter of [mine, connects])
  filter.addEventListener('change', () => {
    for (const item of list.children) judge(item as HTMLElement)
  })
byId('clear').addEventListener('click', () => list.replaceChildren())
