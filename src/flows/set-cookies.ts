import {sendRaw} from '../client/raw.ts'
import {nextProbe} from '../client/user.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'

/** A cookie as an answer sets it. Its value is nobody's business: it may be the key of a session. */
export interface SetCookie {
  name: string
  /** Names in lower case; one without a value is ''. */
  attributes: Readonly<Record<string, string>>
  /** What it came with: `a poll`, `an upgrade`, `a file operation`. */
  by: string
  probe: string
  /** The value is empty, or ends in the past: the cookie is taken away. */
  removes: boolean
}

export interface SetCookiesResult extends Transcript {
  cookies: readonly SetCookie[]
  /** Answers that came at all. */
  answered: number
}

const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])
const ASKS = [
  {by: 'a poll', method: 'POST', path: `${COMETD_PATH}/handshake`, headers: ['Content-Type: application/json'], body: HANDSHAKE},
  {
    by: 'an upgrade',
    method: 'GET',
    path: COMETD_PATH,
    // The sample nonce of RFC 6455, 1.3.
    headers: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    body: undefined,
  },
  {by: 'a file operation', method: 'POST', path: FILES_PATH, headers: ['Content-Type: application/json'], body: '[]'},
] as const

/** New visitors without a cookie, each with one kind of request: which cookies do they get, with which attributes? */
export const setCookies: Flow<object, SetCookiesResult> = {
  id: 'set-cookies',
  title: 'Cookies that new visitors get',
  run: (target, _, context) => {
    const cookies: SetCookie[] = []
    const result: Omit<SetCookiesResult, keyof Transcript> = {cookies, answered: 0}
    return play('set-cookies', target, context, result, async cast => {
      for (const {by, method, path, headers, body} of ASKS) {
        const probe = nextProbe()
        const exchange = cast.journal.open({transport: 'http', what: `${method} ${path}`, probe})
        const answer = await sendRaw(target.url, {
          head: [
            `${method} ${path} HTTP/1.1`,
            `Host: ${target.hostHeader}`,
            `Origin: ${target.origin ?? `${target.url.protocol}//${target.hostHeader}`}`,
            `${PROBE_HEADER}: ${probe}`,
            ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
            ...headers,
            ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
          ],
          ...(body === undefined ? {} : {body}),
          ...(target.from === undefined ? {} : {localAddress: target.from}),
          ...(target.trust ? {trust: target.trust} : {}),
          ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
          deadlineMs: cast.budgets.answer,
          signal: cast.signal,
        })
        const {status, failure} = answer
        cast.journal.close(exchange, failure?.reason ?? answer.statusLine ?? '', {
          ...(status === undefined ? {} : {status}),
          headers: answer.headers,
        })
        if (status !== undefined) result.answered += 1
        for (const line of answer.headers['set-cookie'] ?? []) cookies.push({...parsed(line), by, probe})
      }
    })
  },
}

/** RFC 6265, 5.2. */
function parsed(line: string): Pick<SetCookie, 'name' | 'attributes' | 'removes'> {
  const [pair = '', ...rest] = line.split(';')
  const split = (text: string) => {
    const equals = text.indexOf('=')
    return equals < 0 ? ([text.trim(), ''] as const) : ([text.slice(0, equals).trim(), text.slice(equals + 1).trim()] as const)
  }
  const [name, value] = split(pair)
  const attributes = Object.fromEntries(rest.map(part => split(part)).map(([key, text]) => [key.toLowerCase(), text]))
  const {expires, 'max-age': maxAge} = attributes
  const over = (maxAge !== undefined && Number(maxAge) <= 0) || (expires !== undefined && Date.parse(expires) < Date.now())
  return {name, attributes, removes: value === '' && over}
}
