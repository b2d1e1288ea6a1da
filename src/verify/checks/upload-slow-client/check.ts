import {sendFiles} from '../../../flows/send-files.ts'
import {inProduction, lasting} from '../../../model/pace.ts'
import type {Promises} from '../../../model/report.ts'
import {withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived, time} from '../../evidence.ts'

/** A mobile phone with a weak signal: 120 kbit/s up. */
const BYTES_PER_SECOND = 15_000
/** Below every usual limit on the size. Longer on its way than the usual limits on a whole body (20 s, 30 s). */
const BYTES = 345_000
/** A cell is left for another. Half of what the CometD client itself grants to a network (10 s), and above the 5 s of hardening guides. */
const PAUSE_MS = 6000
const PAUSES = 2
/** Whoever promises less may give up a client that is silent for longer: well below, because a busy machine makes every silence longer. */
const pauseMs = ({stallMs = Infinity}: Promises) => Math.min(lasting(PAUSE_MS), Math.floor(stallMs / 2))
/** After so many bytes: within the first 16 kB, for which a proxy that collects a body before it forwards it waits, and in the middle. */
const pausesOf = (bytes: number, ms: number) =>
  [Math.min(9000, bytes / 4), Math.min(180_000, bytes / 2)].map(after => ({afterBytes: Math.floor(after), ms}))
const TOTAL_MS = (BYTES / BYTES_PER_SECOND) * 1000 + PAUSES * PAUSE_MS
/** A machine that lets a pause grow by more than this has not tested what was meant. */
const toleranceOf = (pause: number) => Math.min(lasting(2000), pause / 2)

export const check = withWitnesses({
  meta: {
    id: 'upload-slow-client',
    title: 'A file from a slow mobile line is not cut',
    concern: 'upload',
    severity: 'error',
    requirement:
      'A client that sends 15 kB/s, with silences of 6 s (half of upload.stallTimeout where that is less), may finish its upload: a limit is on silence, not on the whole transfer.',
    remediation: {
      nginx: 'client_body_timeout 60s; (the default: silence between two reads, whatever the whole upload takes)',
      apache:
        'RequestReadTimeout body=20,MinRate=500 (without MinRate, body= is a limit on the whole upload; with a rate that mobile lines reach), and Timeout 60',
      haproxy:
        'Take option http-buffer-request, or http-request wait-for-body, away from /genesys/2/chat-ntf; timeout server {pollSeconds}s there (it runs while the client is silent, too)',
    },
    directives: {
      nginx: ['client_body_timeout', 'proxy_pass'],
      apache: ['RequestReadTimeout', 'Timeout', 'ProxyPass'],
      haproxy: ['option http-buffer-request', 'http-request wait-for-body', 'backend > timeout server', 'timeout server', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "File management"',
      'CometD reference: a client grants the network 10 s (maxNetworkDelay)',
      'Measured: HAProxy 2.6 answers 504 when a client is silent for longer than timeout server in the middle of an upload',
      'Apache mod_reqtimeout: "body=30" ends a request body after 30 s, however steadily it comes',
    ],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-download-intact'],
  isolation: 'shared',
  budgetMs: () => TOTAL_MS + 120_000,
  // The whole body is on its way for the one, and with its silences for the other.
  timed: {feels: ['traffic', 'body'], moments: promises => [pauseMs(promises), (BYTES / BYTES_PER_SECOND) * 1000, TOTAL_MS]},
  longestWaitMs: () => TOTAL_MS,
  async run(stage) {
    const {flow, upstream, promises} = stage
    const bytes = Math.min(BYTES, promises.maxFileSize)
    const pause = pauseMs(promises)
    const rate = inProduction(BYTES_PER_SECOND)
    const result = await flow(sendFiles, {bytes, pace: {bytesPerSecond: rate, pauses: pausesOf(bytes, pause)}})
    const [file] = result.files
    if (!file) return nothingArrived(result, upstream.recorder)
    const arrived = upstream.recorder.byProbe(file.probe)
    const whole = arrived?.body?.sha256 === file.form.sha256
    if (file.status === 200 && file.statusCode === 0 && whole)
      return {status: 'passed', detail: `${file.form.bytes} bytes in ${time(file.sendingMs)}, digests equal`}
    if (file.longestPauseMs > pause + toleranceOf(pause))
      return {
        status: 'errored',
        because: `this machine was too busy: the client was silent for ${time(file.longestPauseMs)} where ${time(pause)} were meant`,
      }
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected an upload at 15 kB/s with silences of ${time(pause)} to arrive`,
          expected: `200 after ${time((file.form.bytes / rate) * 1000 + PAUSES * pause)}, and the whole form at GMS`,
          actual: [
            `${file.status === undefined ? (file.trouble ?? 'no answer') : `${file.status}${file.statusCode === undefined ? '' : ` (statusCode ${file.statusCode})`}`} after ${time(file.tookMs)}, ${file.handedOver} of ${file.form.bytes} bytes sent`,
            arrived?.body
              ? `GMS received ${arrived.body.bytes} bytes, digest ${whole ? 'equal' : 'different'}`
              : 'GMS received no whole upload',
          ].join('; '),
          evidence: evidence(about(result, [file.probe]), upstream.recorder),
        },
      ],
    }
  },
})
