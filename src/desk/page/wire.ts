import type {FeedLine} from '../protocol.ts'
import {append, byId, clock, make} from './dom.ts'

/** Rows that are kept; a browser has enough of them then. */
const MOST = 600

interface Said {
  channel: string
  id?: string | undefined
  clientId?: string | undefined
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
  /** Of GMS: the request that it belongs to, and the session where it is known. */
  request?: number | undefined
  session?: string | undefined
}

const list = byId('lines')
const mine = byId<HTMLInputElement>('mine')
const connects = byId<HTMLInputElement>('connects')
/** Sessions of the client of this page. */
const ownSessions = new Set<string>()

/** What the client of this page sent or received. */
export function showClient(way: 'sent' | 'received', message: Said): void {
  const {clientId} = message
  if (clientId !== undefined && !ownSessions.has(clientId)) {
    ownSessions.add(clientId)
    // GMS may have told of the session before its client knew of it.
    own(({session}) => session === clientId)
  }
  show({
    at: Date.now(),
    side: 'client',
    way: way === 'sent' ? '→' : '←',
    tag: '',
    text: summaryOf(message),
    detail: message,
    kind: message.successful === false ? 'failed' : 'message',
    connect: message.channel === '/meta/connect',
  })
}

/** What a node received, answered or suffered. */
export function showGms({at, node, kind, transport, messages, more, text, request, session}: FeedLine): void {
  const from = {at, side: 'gms', request, session} as const
  const tag = `${node}${transport === undefined ? '' : ` ${SHORT[transport] ?? transport}`} `
  if (!messages)
    show({
      ...from,
      way: '•',
      tag,
      text: text ?? '',
      detail: {node, text},
      kind: kind === 'fault' ? 'fault' : 'message',
      connect: false,
    })
  for (const message of messages ?? [])
    show({
      ...from,
      way: kind === 'received' ? '→' : '←',
      tag,
      text: summaryOf(message),
      detail: message,
      kind: message.successful === false ? 'failed' : 'message',
      connect: message.channel === '/meta/connect',
    })
  if (more !== undefined)
    show({...from, way: '•', tag, text: `and ${more} messages more`, detail: {node, more}, kind: 'message', connect: false})
  // What was said of the request before its session was known: its handshake, its upgrade, a fault.
  if (session !== undefined && ownSessions.has(session)) own(row => row.request === String(request))
}

const SHORT: Readonly<Record<string, string>> = {websocket: 'ws', 'long-polling': 'lp', 'callback-polling': 'cb'}

/** Marks rows of GMS, and those of the same requests, as the doing of this page. */
function own(isOwn: (row: DOMStringMap) => boolean): void {
  const rows = [...list.children].filter(item => item instanceof HTMLElement)
  const requests = new Set(rows.filter(({dataset}) => isOwn(dataset)).map(({dataset}) => dataset['request']))
  for (const row of rows)
    if (row.dataset['mine'] === 'false' && row.dataset['request'] !== undefined && requests.has(row.dataset['request'])) {
      row.dataset['mine'] = 'true'
      judge(row)
    }
}

/** Text of whatever a client may have sent in place of text. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Of one line, whoever wrote it: a client may send anything. */
function summaryOf({channel, id, data, successful, error}: Said): string {
  const said = plain(channel)
  const name = said.startsWith('/meta/') ? said.slice('/meta/'.length) : said.startsWith('/service/chatV2/') ? '' : said
  const number = id === undefined ? '' : ` #${plain(id)}`
  if (error !== undefined) return `${name || 'publish'}${number} ${plain(error)}`
  if (successful !== undefined) return `${name || 'publish'}${number} ${successful ? 'ok' : 'failed'}`
  if (typeof data === 'object' && data !== null) {
    if ('operation' in data) return `${plain(data.operation)}${number}`
    const {messages, errors, chatEnded} = data as {messages?: unknown; errors?: unknown; chatEnded?: unknown}
    const events = objectsOf(messages).map(
      ({type, index, text}) => `${plain(type)} ${plain(index)}${text === undefined ? '' : ` “${plain(text)}”`}`,
    )
    const failures = objectsOf(errors).map(({code}) => `error ${plain(code)}`)
    return [...events, ...failures, ...(chatEnded === true ? ['chat ended'] : [])].join(', ') || 'notification'
  }
  return `${name}${number}`
}

function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null) : []
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
  const mineAlready = row.side === 'client' || (row.session !== undefined && ownSessions.has(row.session))
  item.dataset['mine'] = String(mineAlready)
  if (row.request !== undefined) item.dataset['request'] = String(row.request)
  if (row.session !== undefined) item.dataset['session'] = row.session
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
