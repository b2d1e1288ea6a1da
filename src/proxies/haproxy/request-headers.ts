import type {Exchange} from './exchange.ts'
import {none, NOTHING, PEER, text, unknown} from './sample.ts'
import type {Sample, Touch} from './sample.ts'

/** `Connection` without what HAProxy keeps to itself (measured on 2.6.12). */
export function connectionOf(value: string | undefined): string | undefined {
  const left = (value ?? '').split(',').filter(token => !/^\s*(?:keep-alive|close)?\s*$/i.test(token))
  return left.length === 0 ? undefined : left.join(',').trim()
}

/** What browsers send of themselves; a chat is not judged by what this one would have written. */
const OF_BROWSERS: Readonly<Record<string, string>> = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: '*/*',
  'accept-language': 'en',
  'accept-encoding': 'gzip, deflate, br',
}
/** Headers that say what a request is; others a client may send besides. */
const DECISIVE = /^(?:host|upgrade|connection|content-type|transfer-encoding|http2-settings|sec-websocket-.*)$/

/** The value of a request header at this point. */
export function header(written: string, exchange: Exchange): Sample {
  const name = written.toLowerCase()
  if (name === '') return unknown('all headers at once are not followed')
  const state = exchange.headers.get(name)
  if (state) {
    if (state.source === 'unknown' && state.text === undefined) return {...unknown(`${name} is not known here`), touches: state.touches}
    if (state.source === 'nothing') return {is: 'none', touches: state.touches}
    if (state.source === 'peer' && state.text === undefined)
      return {is: 'address', text: PEER, from: 'peer', exact: false, touches: new Set<Touch>([...state.touches, 'peer'])}
    if (state.text !== undefined) return {is: 'text', text: state.text, from: state.source, exact: state.exact, touches: state.touches}
  }
  const sent = name === 'connection' ? connectionOf(exchange.request.headers[name]) : exchange.request.headers[name]
  if (name === 'host') return {is: 'text', text: exchange.host, from: 'host', exact: exchange.hostKnown, touches: NOTHING}
  if (sent !== undefined) return text(sent, 'client')
  if (DECISIVE.test(name)) return none()
  if (name === 'authorization') return none('client', 'credentials')
  const typical = OF_BROWSERS[name] ?? (name === 'origin' ? `${exchange.listener.tls ? 'https' : 'http'}://${exchange.host}` : undefined)
  return typical === undefined ? none('client') : {is: 'text', text: typical, from: 'client', exact: false, touches: new Set(['client'])}
}
