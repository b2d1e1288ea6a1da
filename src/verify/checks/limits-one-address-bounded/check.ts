import type {HandshakeResult} from '../../../flows/handshake.ts'
import {handshake} from '../../../flows/handshake.ts'
import {openChats} from '../../../flows/open-chats.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** More than were promised, a share of them: a limit that is much too high is none. */
const BEYOND = 0.2
const BEYOND_AT_LEAST = 5
/** The limit is felt only when it is not the rate that refuses. */
const PACE = 0.6
/** Where no rate is promised. */
const USUAL_RATE = 200
/** A crowd that comes in slower than that is not waited for, s. */
const PATIENCE_S = 180
/** Several workers that count for themselves, and a connection that is just being closed. */
const NEARLY = 0.9
/** Beyond the addresses of other flows. */
const AFTER = 41_000

export const check = withWitnesses({
  meta: {
    id: 'limits-one-address-bounded',
    title: 'One address gets the connections it was promised, and no more',
    concern: 'limits',
    severity: 'error',
    requirement:
      'As many connections of one address as limits.connectionsPerClient grants are served at once; the next one is refused, and other addresses are served still.',
    remediation: {
      nginx:
        'limit_conn_zone $binary_remote_addr zone=connections:10m; limit_conn connections 500; limit_conn_status 429;\nin the server, so that the locations of WebSocket count too',
      apache: 'httpd counts no connections of an address: leave it to the firewall (nftables: ct count over 500 drop)',
      haproxy:
        'stick-table type ipv6 size 100k expire 1m store conn_cur; tcp-request session track-sc0 src;\nhttp-request deny deny_status 429 if { sc0_conn_cur gt 500 }',
    },
    directives: {
      nginx: ['limit_conn', 'limit_conn_zone', 'server'],
      apache: ['VirtualHost', 'ServerLimit'],
      haproxy: ['http-request deny', 'tcp-request session', 'stick-table', 'frontend'],
    },
    references: ['nginx: ngx_http_limit_conn_module', 'HAProxy: stick-table, conn_cur', 'RFC 6585, 4: 429 Too Many Requests'],
  },
  transport: 'websocket',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  needs: ['intrusive'],
  // Its address is one that others would be refused with.
  isolation: 'own-proxy',
  heavy: true,
  budgetMs: () => 60_000 + 2 * PATIENCE_S * 1000,
  async run({flow, promises, target, mostChats, upstream: {recorder}}) {
    const {connectionsPerClient: granted, requestsPerSecond} = promises
    if (granted === undefined) return notPromised('no limit of one address was promised (limits.connectionsPerClient)')
    const crowd = granted + Math.max(BEYOND_AT_LEAST, Math.ceil(granted * BEYOND))
    const perSecond = PACE * (requestsPerSecond ?? USUAL_RATE)
    if (crowd > mostChats) return {status: 'skipped', because: `${crowd} connections cannot be opened from here, ${mostChats} can`}
    if (crowd / perSecond > PATIENCE_S)
      return {
        status: 'skipped',
        because: `below limits.requestsPerSecond: ${requestsPerSecond}, ${crowd} connections would take longer than ${PATIENCE_S} s`,
      }
    const [home, elsewhere] = await ownAddresses(target.url, 2, AFTER)
    const strangers: HandshakeResult[] = []
    const result = await flow(
      openChats,
      {
        chats: crowd,
        perSecond,
        // One that is being refused counts as well until it is gone.
        concurrency: 1,
        requestChat: false,
        whileOpen: async () => {
          // Where all users have one address for the proxy, nobody can come from another one.
          if (elsewhere !== undefined) strangers.push(await flow(handshake, {transport: 'long-polling', from: elsewhere}))
        },
      },
      home === undefined ? target : {...target, from: home},
    )
    const {opened, failure} = result
    if (result.hostLimit)
      return {status: 'skipped', because: `this host itself cannot: ${opened} of ${crowd} were opened (${failure ?? 'a limit'})`}
    const [stranger] = strangers
    const othersServed = stranger === undefined || stranger.clientId !== undefined
    // Nobody was promised more than the proxy holds at all.
    const due = Math.min(granted, promises.chats)
    const unanswered = failure?.startsWith('no answer') === true
    if (opened <= granted && opened >= Math.floor(due * NEARLY)) {
      if (othersServed && !unanswered) return {status: 'passed', detail: `${opened} at once from one address; then ${failure ?? 'refused'}`}
      if (granted >= promises.chats)
        return {
          status: 'skipped',
          because: `${opened} connections of one address are as many as the proxy holds at all: limits.chats is ${promises.chats}`,
        }
    }
    // It was not refused, it was only not answered.
    if (opened < crowd && unanswered) return {status: 'errored', because: `${opened} of ${crowd} were opened: ${failure}`}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected one address to get the connections it was promised, and no more',
          expected: `${granted} connections at once from one address, the next refused, other addresses served`,
          actual: [
            opened === crowd ? `all of ${crowd} were let in` : `${opened} were let in, then ${failure ?? 'refused'}`,
            ...(othersServed ? [] : [`another address was refused too: ${stranger.stoppedAt ?? 'no session'}`]),
          ].join('; '),
          evidence: evidence([result, ...strangers], recorder),
        },
      ],
    }
  },
})
