import type {Target} from '../../../flows/flow.ts'
import type {PlainRequestResult} from '../../../flows/plain-request.ts'
import {plainRequest} from '../../../flows/plain-request.ts'
import type {UpgradeResult} from '../../../flows/upgrade.ts'
import {upgrade} from '../../../flows/upgrade.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import type {Check, Draft, Stage} from '../../check.ts'
import {notPromised} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {isPromised} from '../../ways-in.ts'

// RFC 9110, 15.4.2 and 15.4.3: "For historical reasons, a user agent MAY change the request method from POST to GET for the subsequent request",
// and all browsers do. RFC 6455, 4.1, step 5: a client may follow a redirect of its opening handshake; no browser does (WHATWG, redirect mode "error").
export const check: Check = {
  meta: {
    id: 'tls-redirect-spares-chat',
    title: 'The redirect to https leaves the chat alone',
    concern: 'tls',
    severity: 'warning',
    requirement:
      'A plain listener beside a TLS one serves the chat paths or refuses them, but does not answer their POSTs and upgrades with a redirect that turns a POST into a GET or that no WebSocket client follows.',
    remediation: {
      nginx: 'location /genesys/ { … } for the chat in the plain server {}, and return 301 https://$host$request_uri; in location / only',
      apache: 'RewriteRule "!^/genesys/" "https://%{HTTP_HOST}%{REQUEST_URI}" [R=301,L] instead of Redirect permanent /',
      haproxy: 'http-request redirect scheme https code 301 unless { ssl_fc } or { path_beg /genesys/ }',
    },
    directives: {
      nginx: ['return 301', 'return', 'rewrite', 'listen'],
      apache: ['Redirect', 'RedirectMatch', 'RewriteRule', 'Listen'],
      haproxy: ['http-request redirect', 'redirect', 'bind'],
    },
    references: ['RFC 9110, 15.4', 'WHATWG WebSockets, "Obtain a WebSocket connection"', 'parameter tls.redirect'],
  },
  transport: 'http',
  needs: ['configuration'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const listeners = stage.configuration?.listeners ?? []
    const plain = listeners.filter(({url, meansTls}) => url.protocol === 'http:' && !meansTls)
    if (plain.length === 0 || plain.length === listeners.length)
      return notPromised(plain.length === 0 ? 'there is no plain listener' : 'there is no TLS listener to be redirected to')
    const outcomes = await Promise.all(plain.map(({url}) => judge(stage, url)))
    const silent = outcomes.find(outcome => typeof outcome === 'string')
    if (typeof silent === 'string') return {status: 'errored', because: silent}
    const findings = outcomes.flatMap(outcome => (typeof outcome === 'string' ? [] : outcome.findings))
    if (findings.length > 0) return {status: 'failed', findings}
    return {
      status: 'passed',
      detail: outcomes.flatMap(outcome => (typeof outcome === 'string' ? [] : [outcome.detail])).join(', '),
    }
  },
}

const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', id: '1', version: '1.0', supportedConnectionTypes: ['long-polling']}])

async function judge(stage: Stage, url: URL): Promise<{findings: readonly Draft[]; detail: string} | string> {
  const {serverName: _, trust: __, ...users} = stage.target
  const name = stage.promises.serverName
  const target: Target = {...users, url, hostHeader: name === undefined ? url.host : `${name}:${url.port}`}
  const posted = await stage.flow(
    plainRequest,
    {method: 'POST', target: `${COMETD_PATH}/handshake`, headers: [['Content-Type', 'application/json']], body: HANDSHAKE},
    target,
  )
  const upgraded = await stage.flow(upgrade, {connection: 'Upgrade', upgrade: 'websocket'}, target)
  const filed = isPromised(FILES_PATH, stage.promises)
    ? await stage.flow(
        plainRequest,
        {method: 'POST', target: FILES_PATH, headers: [['Content-Type', 'application/json']], body: '[]'},
        target,
      )
    : undefined
  const silence = [posted, upgraded, ...(filed ? [filed] : [])].find(({status, ended}) => status === undefined && ended === 'timed-out')
  if (silence) return `the plain listener gave no answer: ${silence.stoppedAt ?? 'nothing came'}`
  const findings = [
    ...(leadsAway(posted) && losesTheBody(posted.status) ? [lost(stage, posted)] : []),
    ...(filed && leadsAway(filed) && losesTheBody(filed.status) ? [lost(stage, filed)] : []),
    ...(leadsAway(upgraded) ? [unfollowed(stage, upgraded)] : []),
  ]
  const said = ({status}: {status?: number}) => (status === undefined ? 'closed' : String(status))
  return {findings, detail: `POST ${said(posted)}, upgrade ${said(upgraded)}${filed ? `, file operation ${said(filed)}` : ''}`}
}

function leadsAway({status = 0, headers}: PlainRequestResult | UpgradeResult): boolean {
  return status >= 300 && status < 400 && /^https:/i.test(headers['location'] ?? '')
}

/** 307 and 308 keep method and body. */
function losesTheBody(status: number | undefined): boolean {
  return status !== 307 && status !== 308
}

function lost({upstream}: Stage, posted: PlainRequestResult): Draft {
  return {
    message: 'Expected a POST on the chat paths not to become a GET',
    expected: 'an answer of GMS, a refusal, or a redirect that keeps the method (307, 308)',
    actual: `${posted.status ?? 0} to ${posted.headers['location'] ?? ''}`,
    evidence: evidence(posted, upstream?.recorder),
  }
}

function unfollowed({upstream}: Stage, upgraded: UpgradeResult): Draft {
  return {
    message: 'Expected an upgrade on the chat paths not to be redirected',
    expected: '101, or a refusal',
    actual: `${upgraded.status ?? 0} to ${upgraded.headers['location'] ?? ''}, which WebSocket clients do not follow`,
    evidence: evidence(upgraded, upstream?.recorder),
  }
}
