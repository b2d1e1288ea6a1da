import {sendFiles} from '../../../flows/send-files.ts'
import {lasting} from '../../../model/pace.ts'
import type {Promises} from '../../../model/report.ts'
import {DEFAULT_HOLD_MS} from '../../../wire/bayeux.ts'
import {withSimulator} from '../../check.ts'
import {about, evidence, nothingArrived, time, upstreamLine} from '../../evidence.ts'

/** Below every limit: what is judged here is the wait for the answer. */
const BYTES = 65_536

/** As long as GMS takes for a quiet poll, which every proxy in front of it has to wait for anyway. */
const lateMs = ({holdMs}: Promises) => Math.min(holdMs, lasting(DEFAULT_HOLD_MS))

export const check = withSimulator({
  meta: {
    id: 'upload-late-answer',
    title: 'An upload that GMS answers late gets its answer',
    concern: 'upload',
    // No source says how long a virus scan may take.
    severity: 'warning',
    requirement:
      'GMS may take as long for an upload (a virus scan) as for a quiet poll: its answer reaches the client, and GMS is asked once.',
    remediation: {
      nginx:
        'proxy_read_timeout {pollSeconds}s; or more in the location of /genesys/2/chat-ntf, and no non_idempotent in proxy_next_upstream',
      apache: 'ProxyTimeout {pollSeconds} or more, and no shorter timeout= at ProxyPass or BalancerMember',
      haproxy: 'timeout server {pollSeconds}s or more in the backend of /genesys/2/chat-ntf',
    },
    directives: {
      nginx: ['location /genesys/2/chat-ntf > proxy_read_timeout', 'proxy_read_timeout', 'proxy_pass'],
      apache: ['ProxyPass /genesys/2/chat-ntf', 'ProxyTimeout', 'Timeout', 'BalancerMember', 'ProxyPass'],
      haproxy: ['backend > timeout server', 'timeout server', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "Upload file"',
      'Field: antivirus services that scan an upload before GMS answers',
      'Measured: without timeouts of their own nginx and Apache wait 60 s for an answer',
    ],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-download-intact'],
  isolation: 'shared',
  budgetMs: promises => lateMs(promises) + 120_000,
  timed: {feels: ['traffic'], moments: promises => [lateMs(promises)]},
  longestWaitMs: lateMs,
  async run({flow, promises, upstream, gms}) {
    const {recorder} = upstream
    const late = lateMs(promises)
    const faults: string[] = []
    try {
      const result = await flow(sendFiles, {
        bytes: Math.min(BYTES, promises.maxFileSize),
        lateMs: late,
        announce: probe => faults.push(gms.faults.add({fault: {kind: 'delay', ms: late}, on: ['files'], probe})),
      })
      const [file] = result.files
      if (!file) return nothingArrived(result, recorder)
      const arrivals = recorder.requests.filter(({probe}) => probe === file.probe)
      const [arrived] = arrivals
      if (arrived && arrived.strikes.length === 0) return {status: 'errored', because: 'GMS was not late with this upload'}
      const answered = file.status === 200 && file.statusCode === 0 && arrived?.status === 200
      if (answered && arrivals.length === 1) return {status: 'passed', detail: `answered after ${time(file.tookMs)}, asked once`}
      return {
        status: 'failed',
        findings: [
          {
            message: `Expected the answer to an upload that GMS takes ${time(late)} for`,
            expected: `200 after ${time(late)}, and one upload at GMS`,
            actual: [
              `${file.status ?? file.trouble ?? 'no answer'} after ${time(file.tookMs)}`,
              arrivals.length === 0
                ? 'GMS received no upload'
                : `GMS received ${arrivals.length === 1 ? 'it once' : `it ${arrivals.length} times (${arrivals.map(({node}) => node).join(', ')})`}`,
            ].join('; '),
            evidence: {
              ...evidence(about(result, [file.probe]), recorder),
              ...(arrivals.length > 1 ? {upstream: arrivals.map(request => upstreamLine(request))} : {}),
            },
          },
        ],
      }
    } finally {
      for (const id of faults) gms.faults.remove(id)
    }
  },
})
