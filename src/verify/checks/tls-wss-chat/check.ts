import {upload} from '../../../flows/upload.ts'
import {judgeChat} from '../../chat-judgement.ts'
import type {Check} from '../../check.ts'
import {notPromised} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {NO_TLS, overTls, stageOverTls} from '../../over-tls.ts'

/** Below every default limit: what is judged here is the way over TLS, not the size. */
const BYTES = 65_536

export const check: Check = {
  meta: {
    id: 'tls-wss-chat',
    title: 'A chat with a file runs over wss and https',
    concern: 'tls',
    severity: 'error',
    requirement: 'A page that was loaded over https opens its WebSocket with wss, sends its files over https, and both reach GMS.',
    remediation: {
      nginx:
        'Give the server {} with listen … ssl the same locations and headers as the plain one: proxy_http_version 1.1, Upgrade and Connection, and origins that begin with https://',
      apache:
        'Give the <VirtualHost *:443> the same ProxyPass, upgrade=websocket and headers as the plain one, and origins that begin with https://',
      haproxy:
        'Let the frontend with bind … ssl use the same backend and rules as the plain one, and take origins that begin with https://',
    },
    directives: {
      nginx: ['if', 'proxy_set_header upgrade', 'proxy_pass', 'listen'],
      apache: ['RewriteCond', 'RewriteRule', 'ProxyPass', 'VirtualHost'],
      haproxy: ['http-request deny', 'use_backend', 'default_backend', 'bind'],
    },
    references: ['RFC 6455, 3 (wss)', 'RFC 6454, 4: the scheme is a part of the origin', 'GMS Chat API V2 over CometD, "Transport"'],
  },
  transport: 'websocket',
  needs: [],
  presupposes: ['tls-terminates', 'upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 240_000,
  async run(stage) {
    const secure = overTls(stage)
    if (!secure) return notPromised(NO_TLS)
    const chat = await judgeChat(stageOverTls(stage, secure), 'websocket')
    if (chat.status !== 'passed') return chat
    const file = await stage.flow(upload, {transport: 'websocket', bytes: Math.min(BYTES, stage.promises.maxFileSize)}, secure)
    if (file.downloadedSha256 === file.sentSha256)
      return {status: 'passed', detail: `${chat.detail ?? 'a chat'}, ${file.downloadedBytes ?? 0} bytes there and back`}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected a file to go to GMS and back over https',
          expected: `${BYTES} bytes with the same digest`,
          actual: file.stoppedAt ?? `${file.downloadedBytes ?? 0} bytes with another digest`,
          evidence: evidence(file, stage.upstream?.recorder),
        },
      ],
    }
  },
}
