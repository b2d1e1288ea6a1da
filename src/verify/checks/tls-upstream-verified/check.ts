import {handshake} from '../../../flows/handshake.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import {plainRequest} from '../../../flows/plain-request.ts'
import type {Transcript} from '../../../flows/flow.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import type {Draft, Stage, Upstream, UpstreamTls} from '../../check.ts'
import {notPromised, withSimulator} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Users a node, so that each is tried whatever the proxy chooses by. */
const USERS_PER_NODE = 3
const MOST_USERS = 12

/** Nodes that nobody should talk to, and what a proxy that does has not looked at. */
const IMPOSTORS = [
  {shown: 'stranger', who: 'with a certificate of an authority that nobody named'},
  {shown: 'misnamed', who: 'with a certificate for another host name'},
] as const

export const check = withSimulator({
  meta: {
    id: 'tls-upstream-verified',
    title: 'Only a node that proves its name gets chats',
    concern: 'tls',
    severity: 'warning',
    requirement:
      'A proxy that speaks TLS to GMS checks who answers: the chain of the certificate up to an authority that the operator named, and the host name in it. Without both, whoever can answer in the place of a node reads and writes chats.',
    remediation: {
      nginx:
        'proxy_ssl_verify on; with proxy_ssl_trusted_certificate, and proxy_ssl_name for the host name in the certificate when proxy_pass names an upstream',
      apache: 'SSLProxyVerify require with SSLProxyCACertificateFile, and SSLProxyCheckPeerName on',
      haproxy: 'verify required ca-file FILE on the server lines, with verifyhost NAME or sni str(NAME): without either no name is checked',
    },
    directives: {
      nginx: ['proxy_ssl_verify', 'proxy_ssl_trusted_certificate', 'proxy_pass'],
      apache: ['SSLProxyVerify', 'SSLProxyCheckPeerName', 'SSLProxyEngine', 'BalancerMember', 'ProxyPass'],
      haproxy: ['default-server', 'server', 'backend'],
    },
    references: [
      'RFC 9110, 4.3.4 https Certificate Verification; RFC 9525, 6 Verifying Service Identity',
      'nginx: proxy_ssl_verify (default off), proxy_ssl_name; Apache: SSLProxyVerify (default none), SSLProxyCheckPeerName; HAProxy: verify, verifyhost',
    ],
  },
  isolation: 'own-proxy',
  budgetMs: () => 120_000,
  async run(stage) {
    const {upstream, another, signal, promises} = stage
    const {tls} = upstream
    if (!tls || !another) return notPromised('the proxy speaks plain text to its nodes')
    const proper = await stage.flow(handshake, {transport: 'long-polling'})
    if (proper.clientId === undefined) {
      const seen = tls.greetings()
      if (seen === 0 && !promises.upstreamTls)
        return {status: 'skipped', because: 'no chat came about, and the proxy spoke TLS to no node: other checks say why'}
      return {
        status: 'failed',
        findings: [
          {
            message: 'Expected chats to reach nodes whose certificates are right',
            expected: `a chat with a node that shows a certificate for ${hostsOf(upstream)}, signed by the authority that is trusted here`,
            actual: `${seen === 0 ? 'the proxy spoke TLS to no node' : 'the proxy looked at the certificate and hung up'}: ${proper.stoppedAt ?? 'no session'}`,
            evidence: evidence(proper, upstream.recorder),
          },
        ],
      }
    }
    if (promises.upstreamUnverified) return notPromised('upstream.tls.verify is false: no node has to prove its name')
    const judged = await Promise.all(
      IMPOSTORS.map(async ({shown, who}) => {
        await using other = await another({shown}, signal)
        return await judge(other.stage, who)
      }),
    )
    const findings = judged.flatMap(({finding}) => finding ?? [])
    if (findings.length > 0) return {status: 'failed', findings}
    if (judged.some(({seen}) => seen === 0))
      return {status: 'errored', because: 'the proxy asked no node for its certificate while it was the wrong one'}
    return {
      status: 'passed',
      detail: `refused: an unknown authority ${judged[0]?.seen ?? 0} times, another name ${judged[1]?.seen ?? 0} times`,
    }
  },
})

/** What impostors got to see of users who come in by every way. */
async function judge(stage: Stage, who: string): Promise<{seen: number; finding?: Draft}> {
  const {upstream, promises, target} = stage
  const tls: UpstreamTls | undefined = upstream?.tls
  if (!upstream || !tls) return {seen: 0}
  const count = Math.min(MOST_USERS, upstream.nodes.length * USERS_PER_NODE)
  const addresses = await ownAddresses(target.url, count)
  const transcripts: readonly Transcript[] = await Promise.all(
    Array.from({length: count}, (_, index) => {
      const from = addresses[index] === undefined ? {} : {from: addresses[index]}
      if (index % 3 === 2) return stage.flow(plainRequest, {method: 'POST', target: `${FILES_PATH}/`, body: 'operation=none', ...from})
      return stage.flow(handshake, {transport: index % 3 === 0 ? 'long-polling' : 'websocket', ...from})
    }),
  )
  const arrived = upstream.recorder.requests.filter(
    ({node, probe, target: path}) =>
      probe !== undefined && tls.nodes.includes(node) && promises.paths.some(prefix => path.startsWith(prefix)),
  )
  if (arrived.length === 0) return {seen: tls.greetings()}
  const [first] = arrived
  const shown = transcripts.filter(({exchanges}) => exchanges.some(({probe}) => arrived.some(request => request.probe === probe)))
  return {
    seen: tls.greetings(),
    finding: {
      message: `Expected no request to reach a node ${who}`,
      expected: 'the proxy refuses the connection: 502 or 503 for the client, nothing for the node',
      actual: `it got ${arrived.length} requests, the first one ${first?.method ?? ''} ${first?.target.split('?', 1)[0] ?? ''}`,
      evidence: evidence((shown.length > 0 ? shown : transcripts).slice(0, 2), upstream.recorder),
    },
  }
}

function hostsOf({written}: Upstream): string {
  return [...new Set(written.map(address => address.replace(/:\d+$/, '')))].join(', ')
}
