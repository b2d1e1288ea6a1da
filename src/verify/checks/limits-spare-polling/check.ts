import {flood, office} from '../../../flows/office.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Draft} from '../../check.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived} from '../../evidence.ts'

const CHATS = 30
/** Below the promised rate: what is counted over a second, or a few, must not matter. */
const PACE = 0.7
/** Quiet polls come on top. */
const POLLING_PACE = 0.2
const SECONDS = 6
/** Where no rate is promised. */
const USUAL_RATE = 60
/** How many seconds' worth a flood brings at once: more than any count over ten seconds lets through. */
const FLOOD_SECONDS = 15
/** A flood has to be faster than this machine can send. */
const FASTEST = 150
const ENOUGH = 5
/** Beyond the addresses of other flows. */
const AFTER = 40_000

export const check = withWitnesses({
  meta: {
    id: 'limits-spare-polling',
    title: 'Limits of one address spare an office full of chats, and stop a flood',
    concern: 'limits',
    severity: 'error',
    requirement:
      'Customers behind one address who stay below the promised requests and connections are never refused; whoever sends far more is answered 429.',
    remediation: {
      nginx:
        'limit_req_zone $binary_remote_addr zone=requests:10m rate=20r/s; limit_req zone=requests burst=100 nodelay; limit_req_status 429;',
      apache: 'httpd counts no requests of an address: leave it to a load balancer in front',
      haproxy:
        'stick-table type ipv6 size 100k expire 1m store http_req_rate(10s); http-request track-sc0 src;\nhttp-request deny deny_status 429 if { sc0_http_req_rate gt 200 }',
    },
    directives: {
      nginx: ['limit_req', 'limit_req_zone', 'limit_conn', 'server'],
      apache: ['SetOutputFilter', 'VirtualHost'],
      haproxy: ['http-request deny', 'http-request track-sc0', 'stick-table', 'frontend'],
    },
    references: [
      'RFC 6585, 4: 429 Too Many Requests',
      'nginx: ngx_http_limit_req_module, burst and nodelay; HAProxy: http_req_rate',
      'A quiet chat over long-polling sends two requests a minute',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'polling-chat'],
  needs: ['intrusive'],
  // Its address is one that others would be refused with.
  isolation: 'own-proxy',
  heavy: true,
  budgetMs: () => 180_000,
  async run({flow, promises, target, upstream: {recorder}}) {
    const {requestsPerSecond, connectionsPerClient} = promises
    if (requestsPerSecond === undefined && connectionsPerClient === undefined)
      return notPromised('no limit of one address was promised (limits.requestsPerSecond, limits.connectionsPerClient)')
    const [home, elsewhere] = await ownAddresses(target.url, 2, AFTER)
    const perSecond = Math.min(USUAL_RATE, PACE * (requestsPerSecond ?? USUAL_RATE))
    const requests = Math.floor(perSecond * SECONDS)
    // A customer has two connections while he writes.
    // Where GMS answers quiet polls soon, they are asked for again, beside everything else.
    const polling = (requestsPerSecond ?? USUAL_RATE) * (POLLING_PACE * (promises.holdMs / 1000))
    const chats = Math.max(1, Math.floor(Math.min(CHATS, requests / 3, (connectionsPerClient ?? Infinity) / 3, polling)))
    const calm = await flow(office, {chats, perSecond, requests, ...(home === undefined ? {} : {from: home})})
    const arrived = calm.answers.filter(({probe}) => probe !== undefined && recorder.byProbe(probe))
    if (arrived.length === 0) return nothingArrived(calm, recorder)
    const findings: Draft[] = []
    const refused = calm.answers.filter(({probe, status}) => status !== 200 && !(probe !== undefined && recorder.byProbe(probe)))
    if (refused.length > 0 || calm.held < chats)
      findings.push({
        message: 'Expected customers below the limits to be served',
        expected: `${chats} chats behind one address with ${Math.round(perSecond)} requests a second between them, none refused`,
        actual:
          refused.length > 0
            ? `${refused.length} of ${calm.answers.length} requests refused: ${refused[0]?.status ?? refused[0]?.trouble ?? ''}`
            : `${chats - calm.held} of ${chats} polls were not held`,
        evidence: evidence(
          about(
            calm,
            refused.flatMap(({probe}) => probe ?? []),
          ),
          recorder,
        ),
      })
    let notSeen: string | undefined
    if (requestsPerSecond !== undefined) {
      if (requestsPerSecond > FASTEST) notSeen = `a flood of far more than ${requestsPerSecond} requests a second cannot be sent from here`
      else {
        const wild = await flow(flood, {
          requests: requestsPerSecond * FLOOD_SECONDS + 100,
          enough: ENOUGH,
          ...(elsewhere === undefined ? {} : {from: elsewhere}),
        })
        if (wild.refusedAfter === undefined && wild.perSecond < 2 * requestsPerSecond)
          notSeen = `this machine sent ${Math.round(wild.perSecond)} requests a second, too few for a flood`
        else if (wild.statuses['429'] === undefined)
          findings.push({
            message: 'Expected a flood from one address to be answered 429',
            expected: `429 for some of ${wild.sent} requests at ${Math.round(wild.perSecond)} a second, where ${requestsPerSecond} are allowed`,
            actual: Object.entries(wild.statuses)
              .map(([name, count]) => `${name} ${count} times`)
              .join(', '),
            evidence: evidence(wild, recorder),
          })
      }
    }
    if (findings.length > 0) return {status: 'failed', findings}
    return {status: 'passed', detail: [`${chats} chats behind one address`, ...(notSeen === undefined ? [] : [notSeen])].join('; ')}
  },
})
