import {slowHeaders} from '../../../flows/slow-headers.ts'
import {lasting} from '../../../model/pace.ts'
import type {Promises} from '../../../model/report.ts'
import {chatListeners} from '../../chat-listeners.ts'
import type {Draft, Judgement, WitnessedStage} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived, time} from '../../evidence.ts'

const CLIENTS = 20
/** Each has its own time for a header in nginx and HAProxy: a plain one beside an encrypted one, and one more. */
const MOST_LISTENERS = 3
/** No longer than other checks wait anyway. */
const LONGEST_WATCH_MS = 34_000
/** Proxies count in whole seconds and look at their clocks now and then; Apache adds time for bytes that came. */
const LEAST_MARGIN_MS = 5000
/** A header that takes so long comes from a weak line: nobody is to cut it. */
const WEAK_LINE_MS = 600

/** When a header that never ends must be cut at the latest; without a promise as long as can be watched. */
function latestMs({headerTimeoutMs}: Promises): number {
  return headerTimeoutMs === undefined
    ? lasting(LONGEST_WATCH_MS)
    : headerTimeoutMs + Math.max(lasting(LEAST_MARGIN_MS), headerTimeoutMs / 4)
}

function watchMs(promises: Promises): number {
  return Math.min(lasting(LONGEST_WATCH_MS), latestMs(promises))
}

export const check = withWitnesses({
  meta: {
    id: 'access-slow-headers-cut',
    title: 'A client that never ends its header is given up, and keeps nobody out',
    concern: 'access',
    severity: 'warning',
    requirement:
      'A header that comes byte by byte and has no end costs the proxy a connection for the promised time and no longer; meanwhile others are served, and so is a slow header that does end.',
    remediation: {
      nginx: 'client_header_timeout 10s; and enough worker_connections',
      apache: 'LoadModule reqtimeout_module, RequestReadTimeout header=10, and enough workers of the event MPM',
      haproxy: 'timeout http-request 10s (without it, timeout client begins anew with every byte)',
    },
    directives: {
      nginx: ['client_header_timeout', 'server'],
      apache: ['RequestReadTimeout', 'Timeout', 'VirtualHost', 'MaxRequestWorkers'],
      haproxy: ['timeout http-request', 'timeout client', 'frontend'],
    },
    references: [
      'nginx: client_header_timeout; Apache: mod_reqtimeout; HAProxy: timeout http-request',
      'CWE-400; the attack is known as Slowloris',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  // Its clients could keep everybody else out.
  isolation: 'own-proxy',
  budgetMs: promises => watchMs(promises) + 90_000,
  timed: {feels: ['traffic', 'header'], moments: promises => [latestMs(promises), watchMs(promises), WEAK_LINE_MS]},
  longestWaitMs: watchMs,
  async run(stage) {
    const listeners = (await chatListeners(stage)).slice(0, MOST_LISTENERS)
    if (listeners.length === 0) return judge(stage)
    const judgements = await Promise.all(listeners.map(({stage: own}) => judge(own)))
    const failed = judgements.flatMap(judgement => (judgement.status === 'failed' ? judgement.findings : []))
    if (failed.length > 0) return {status: 'failed', findings: failed}
    const [first] = judgements
    // What could not be judged at one listener was not judged.
    return judgements.find(({status}) => status !== 'passed') ?? first ?? judge(stage)
  },
})

async function judge({flow, promises, upstream: {recorder}}: WitnessedStage): Promise<Judgement> {
  const watch = watchMs(promises)
  const weak = lasting(WEAK_LINE_MS)
  const result = await flow(slowHeaders, {clients: CLIENTS, watchMs: watch, completeWithinMs: weak})
  const {clients, complete, others} = result
  const whole = about(result, [complete.probe, ...others.map(({probe}) => probe)])
  if (![complete, ...others].some(({probe}) => recorder.byProbe(probe))) return nothingArrived(whole, recorder)
  const findings: Draft[] = []
  const open = clients.filter(({endedAfterMs}) => endedAfterMs === undefined)
  const latest = latestMs(promises)
  if (open.length > 0 && promises.headerTimeoutMs !== undefined && latest <= watch)
    findings.push({
      message: 'Expected a client that never ends its header to be given up',
      expected: `the connection ended after ${time(promises.headerTimeoutMs)}`,
      actual: `${open.length} of ${clients.length} were still open after ${time(watch)}`,
      evidence: evidence(
        {
          ...result,
          exchanges: result.exchanges.filter(({what, answer}) => what.includes('never ends') && answer.startsWith('still')).slice(0, 3),
        },
        recorder,
      ),
    })
  const kept = others.filter(({probe}) => recorder.byProbe(probe) === undefined)
  if (kept.length > 0)
    findings.push({
      message: `Expected others to be served while ${CLIENTS} clients send their headers slowly`,
      expected: `${others.length} of ${others.length} ordinary requests at GMS`,
      actual: `${others.length - kept.length} of ${others.length}: ${kept[0]?.trouble ?? `${kept[0]?.status ?? 'no answer'}`}`,
      evidence: evidence(
        about(
          result,
          kept.map(({probe}) => probe),
        ),
        recorder,
      ),
    })
  if (recorder.byProbe(complete.probe) === undefined)
    findings.push({
      message: `Expected a header that is complete after ${time(weak)} to be served`,
      expected: 'the request at GMS',
      actual: complete.status === undefined ? 'no answer' : `${complete.status}, and no request at GMS`,
      evidence: evidence(about(result, [complete.probe]), recorder),
    })
  if (findings.length > 0) return {status: 'failed', findings}
  if (clients.length === 0) return {status: 'errored', because: 'none of the slow clients got a connection'}
  if (open.length > 0)
    return {
      status: 'skipped',
      because:
        promises.headerTimeoutMs === undefined
          ? `a header that never ends was not cut within ${time(watch)}, and no time was promised: access.headerTimeout says which`
          : `${time(promises.headerTimeoutMs)} were promised, and ${time(watch)} are watched`,
    }
  const longest = Math.max(...clients.map(({endedAfterMs = 0}) => endedAfterMs))
  return {status: 'passed', detail: `${clients.length} clients cut after ${time(longest)} at most`}
}
