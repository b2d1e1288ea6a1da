import {EnvironmentError} from '../errors.ts'
import type {AgentHabit, Budgets, Offering, Target} from '../flows/flow.ts'
import type {SurveyResult} from '../flows/survey.ts'
import {survey} from '../flows/survey.ts'
import {tlsHandshake} from '../flows/tls-handshake.ts'
import type {Logger} from '../log.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Access} from './gms.ts'
import type {Ledger} from '../client/ledger.ts'

/** What a real GMS was seen to offer when it was asked directly, before any proxy was started. */
export interface Offer {
  agent: AgentHabit
  /** Why each of these is not to be had, in words. */
  lacks: Readonly<Partial<Record<Offering, string>>>
  /** Largest file, as GMS tells. */
  maxFileSize?: number
}

/** An agent who is a program joins at once; a person who is free, soon. ms */
const AGENT_MS = 5000

interface PreflightOptions {
  access: Access
  budgets: Budgets
  ledger: Ledger
  signal: AbortSignal
  logger: Logger
}

/** A node of a real GMS as a user reaches it without any proxy. */
export function directTarget(url: URL, access: Access, ledger?: Ledger): Target {
  return {url, hostHeader: url.host, ...access, ...(ledger ? {ledger} : {})}
}

/**
 * Opens and closes one chat at each node, one after the other, and looks around at the first.
 * @throws EnvironmentError that names the URL and the next step when a chat cannot be had there at all: no proxy could be judged.
 */
export async function preflight(urls: readonly URL[], {access, budgets, ledger, signal, logger}: PreflightOptions): Promise<Offer> {
  let offer: Offer | undefined
  for (const url of urls) {
    logger.debug(`asking ${url.origin} for a chat, without a proxy`)
    const target = directTarget(url, access, ledger)
    const seen = await survey.run(target, {agentMs: AGENT_MS, everything: offer === undefined}, {budgets, signal})
    if (!seen.opened) throw (await whyTls(target, seen, {budgets, signal})) ?? whyNoChat(url, seen, access)
    offer ??= offerOf(seen)
  }
  if (!offer) throw new Error('no URL was asked')
  return offer
}

function offerOf({agent, lacks, maxFileSize}: SurveyResult): Offer {
  const because: Partial<Record<Offering, string>> = {}
  for (const name of ['websocket', 'callback-polling', 'files'] as const) {
    const why = lacks[name]
    if (why !== undefined) because[name] = `GMS itself does not offer ${OFFERINGS[name]}: ${why}`
  }
  if (agent === 'absent') because.agent = `no agent is logged in: none joined a chat within ${AGENT_MS / 1000} s`
  if (agent === 'join') because.agent = `an agent joined, but answered no message within ${AGENT_MS / 1000} s`
  return {agent, lacks: because, ...(maxFileSize === undefined ? {} : {maxFileSize})}
}

const OFFERINGS = {websocket: 'WebSocket', 'callback-polling': 'callback-polling', files: 'file transfer'} as const

/** Why nothing could be said to this place, and what to do; `undefined` when it is there and speaks. */
export function whyUnreachable(url: URL, reason: string): EnvironmentError | undefined {
  const problem = (text: string, ...suggestions: readonly string[]) => new EnvironmentError(`${url.origin}: ${text}`, {suggestions})
  if (/CERT|certificate|SELF_SIGNED|ERR_TLS|UNABLE_TO_/i.test(reason))
    return problem(
      `its certificate is not trusted here: ${reason}`,
      'name the file of the authority that issued it: --ca ca.pem',
      'name the server by a host name that is in its certificate',
    )
  if (/EPROTO|SSL|wrong version number/i.test(reason))
    return problem(
      `it does not speak TLS (${/\((\w+)\)$/.exec(reason)?.[1] ?? reason})`,
      `write http://${url.host} if it speaks plain HTTP on that port`,
    )
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|EADDRNOTAVAIL|no TCP connection/.test(reason))
    return new EnvironmentError(`nothing can be reached at ${url.href}: ${reason}`, {
      suggestions: [
        url.port === '' ? 'check the host name, and name the port' : 'check the host name and the port',
        'check that this machine may connect to it, and that it runs',
      ],
    })
  return undefined
}

/**
 * Why plain HTTP was no way to speak to this place: it speaks TLS; `undefined` when it does not. Some say so (400), some hang up.
 * @throws the signal's reason when it aborts.
 */
export async function whyTls(
  {url, trust: _, ...users}: Target,
  {status, stoppedAt}: {status?: number; stoppedAt?: string},
  context: {budgets: Budgets; signal: AbortSignal},
): Promise<EnvironmentError | undefined> {
  if (url.protocol !== 'http:' || (status !== undefined && status !== 400) || (status === undefined && stoppedAt === undefined))
    return undefined
  const secure = new URL(url.href.replace(/^http:/, 'https:'))
  if (url.port === '') secure.port = '80'
  const {greeting} = await tlsHandshake.run({...users, url: secure}, {}, context)
  if (greeting?.version === undefined) return undefined
  return new EnvironmentError(`${url.origin}: it speaks TLS, not plain HTTP`, {suggestions: [`write ${secure.origin}`]})
}

/** Names the place, the reason and what to do. */
function whyNoChat(url: URL, {stoppedAt = 'no chat', status, refusal, ended}: SurveyResult, {chatService, auth}: Access): EnvironmentError {
  const reason = stoppedAt.replace(/^[^:]*: /, '')
  const problem = (text: string, ...suggestions: readonly string[]) => new EnvironmentError(`${url.origin}: ${text}`, {suggestions})
  if (refusal !== undefined)
    return problem(
      `GMS refuses the chat: ${refusal}`,
      auth
        ? 'check the user name and password of --auth'
        : 'give the credentials of the chat service with --auth USER:PASSWORD, or in GMS_PROXY_AUTH',
      `check the options of the chat service ${chatService}`,
    )
  const unreachable = whyUnreachable(url, reason)
  if (unreachable) return unreachable
  if (status === 401 || status === 403 || status === 407)
    return problem(`${status} to the handshake: something wants credentials`, "add what it wants with --header 'Authorization: …'")
  if (status !== undefined && status !== 200)
    return problem(
      `${status} to POST ${COMETD_PATH}/handshake: this is no GMS with chat over CometD`,
      'name the host and port of GMS itself',
      'check that GMS 8.5.1 or later runs there with CometD enabled',
    )
  if (status === 200 && stoppedAt.startsWith('handshake'))
    return problem(`what answers POST ${COMETD_PATH}/handshake is not CometD: ${reason}`, 'name the host and port of GMS itself')
  if (stoppedAt.startsWith('requestChat') && ended === 'timed-out')
    return problem(
      `GMS answered nothing on ${chatChannel(chatService)}: it has no chat service of that name, or does not send notifications`,
      'name the chat service with --chat-service NAME',
      'set enable_notification_mode to true in the options of the chat service',
    )
  return problem(`no chat could be opened: ${stoppedAt}`, 'check that a chat opens without any proxy')
}
