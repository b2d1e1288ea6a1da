import {randomBytes} from 'node:crypto'
import {sendRaw} from '../client/raw.ts'
import {nextProbe} from '../client/user.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {chatChannel, FILES_PATH} from '../wire/chat.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openChat, openSession} from './probe.ts'
import {play} from './script.ts'

export interface SecretsInput {
  /** Called with the probe header of a message before it is sent, so that GMS can break its connection. */
  announce(probe: string): unknown
  /** A body that no proxy of this deployment takes, bytes. */
  oversize: number
}

/** Something that nobody but the customer and GMS may know, in every form in which it may stand in a log. */
export interface Secret {
  name: string
  forms: readonly string[]
}

export interface SecretsResult extends Transcript {
  secrets: readonly Secret[]
  /** In the path of the last request: a log that has it has everything before. */
  lastMarker: string
  /** Probe headers of the requests that carried secrets. */
  probes: readonly string[]
}

const AT_ONCE_MS = 2000

const random = () => randomBytes(9).toString('hex')

/** A value as it is, percent-encoded and in Base64: a log may have any of these. */
function forms(value: string): readonly string[] {
  const encoded = Buffer.from(value).toString('base64').replace(/=+$/, '')
  return [...new Set([value, encodeURIComponent(value), encodeURIComponent(value).replace(/%20/g, '+'), encoded])]
}

/**
 * A chat over callback-polling, which writes everything into the URL, and a message in a body, with credentials and cookies; well, then with
 * errors of several kinds.
 */
export const secrets: Flow<SecretsInput, SecretsResult> = {
  id: 'secrets',
  title: 'A chat with secrets in it',
  needs: () => ['callback-polling'],
  run: (target, {announce, oversize}, context) => {
    const found: Secret[] = []
    const probes: string[] = []
    const [password, cookie, said] = [random(), random(), `said-${random()}`]
    const lastMarker = `gms-proxy-${random()}`
    const username = `user-${random()}`
    const basic = Buffer.from(`${username}:${password}`).toString('base64')
    const authorization = `Basic ${basic}`
    found.push(
      {name: 'a password', forms: forms(password)},
      {name: 'the value of Authorization', forms: [basic.replace(/=+$/, '')]},
      {name: 'the value of a cookie', forms: forms(cookie)},
      {name: 'the message of a customer', forms: forms(said)},
    )
    const result: Omit<SecretsResult, keyof Transcript> = {secrets: found, lastMarker, probes}
    return play('secrets', target, context, result, async cast => {
      const user = cast.user({Authorization: authorization})
      user.jar.setCookieSync(`gms_proxy_probe=${cookie}; Path=/`, user.origin)
      const {bayeux} = await openSession(cast, user, 'callback-polling')
      const log = listen(bayeux)
      const polls = bayeux.keepConnected(cast.budgets.hold + cast.budgets.networkDelay + cast.budgets.answer)
      const secureKey = await openChat(cast, target, bayeux, log)
      found.push({name: 'the secureKey of a chat', forms: forms(secureKey)})
      const spoken = (message: string) => {
        const data = {operation: 'sendMessage', secureKey, message, auth: {username, password}}
        return JSON.stringify([{id: message, channel: chatChannel(target.chatService), clientId: bayeux.clientId, data}])
      }
      const query = (message: string) => `jsonp=callback&message=${encodeURIComponent(spoken(message))}`
      const head = (method: string, path: string, probe: string, more: readonly string[]) => [
        `${method} ${path} HTTP/1.1`,
        `Host: ${target.hostHeader}`,
        `Origin: ${target.origin ?? user.origin}`,
        `${PROBE_HEADER}: ${probe}`,
        `Authorization: ${authorization}`,
        `Cookie: gms_proxy_probe=${cookie}`,
        ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
        ...more,
      ]
      const send = async (
        method: string,
        path: string,
        {probe = nextProbe(), more = [] as readonly string[], body = '', deadlineMs = cast.budgets.answer} = {},
      ) => {
        probes.push(probe)
        const exchange = cast.journal.open({transport: 'http', what: `${method} ${path.split('?', 1)[0] ?? path}`, probe})
        const answer = await sendRaw(target.url, {
          head: head(method, path, probe, more),
          ...(body === '' ? {} : {body}),
          ...(target.from === undefined ? {} : {localAddress: target.from}),
          ...(target.trust ? {trust: target.trust} : {}),
          ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
          deadlineMs,
          signal: cast.signal,
        })
        const {status, failure} = answer
        cast.journal.close(exchange, failure?.reason ?? '', status === undefined ? {} : {status})
      }
      await send('GET', `${COMETD_PATH}/?${query(said)}`)
      // As long-polling has it, and every browser of today: in a body.
      const body = spoken(said)
      const ofBody = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close']
      await send('POST', `${COMETD_PATH}/`, {more: ofBody, body})
      const broken = nextProbe()
      await announce(broken)
      await send('GET', `${COMETD_PATH}/?${query(`${said} again`)}`, {probe: broken})
      await send('GET', `${COMETD_PATH}/?${query(said)}`, {more: ['this is no header']})
      // The body never comes: whoever knows its limit answers at once, all others wait in vain.
      await send('POST', FILES_PATH, {
        deadlineMs: AT_ONCE_MS,
        more: ['Content-Type: application/octet-stream', `Content-Length: ${oversize}`, 'Connection: close'],
      })
      polls.stop()
      await leave(cast, target, bayeux, log.secureKey)
      await send('GET', `${COMETD_PATH}/${lastMarker}?${query(said)}`)
    })
  },
}
