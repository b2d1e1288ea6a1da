import {sendFiles} from '../../../flows/send-files.ts'
import {changedOnTheWay} from '../../answer-judgement.ts'
import {withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived} from '../../evidence.ts'

/** Above GMS's limit, and no more than the fields of a form (description, user data, file names) may need beside the largest file. */
const BEYOND = 65_536

export const check = withWitnesses({
  meta: {
    id: 'upload-oversize-refused-by-gms',
    title: 'A file slightly too large is refused by GMS, not by the proxy',
    concern: 'upload',
    // Chats work without it; a customer only learns less of what is wrong.
    severity: 'warning',
    requirement: 'A file 64 KiB above the limit of GMS reaches GMS, and the client gets the JSON error of GMS, not a page of the proxy.',
    remediation: {
      nginx:
        'client_max_body_size {bodyMiB}m; (file limit + 1 MiB) in the location of /genesys/2/chat-ntf, and proxy_intercept_errors off;',
      apache: 'Raise the rule on Content-Length, or SecRequestBodyLimit, to {bodyMiB} MiB (file limit + 1 MiB), and ProxyErrorOverride Off',
      haproxy: 'Raise the rule on req.body_size to {bodyMiB} MiB (file limit + 1 MiB)',
    },
    directives: {
      nginx: ['location /genesys/2/chat-ntf > client_max_body_size', 'client_max_body_size', 'proxy_intercept_errors', 'proxy_pass'],
      apache: ['SecRequestBodyLimit', 'If', 'RewriteCond', 'ProxyErrorOverride', 'ProxyPass'],
      haproxy: ['http-request deny deny_status 413', 'http-request deny', 'http-response', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "File management": upload-max-file-size',
      'GMS Chat API response format: statusCode 2 and errors[].advice say why',
    ],
  },
  transport: 'http',
  needs: ['intrusive'],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-largest-file'],
  isolation: 'shared',
  // A busy machine moves 1 MB a second at least.
  budgetMs: ({maxFileSize}) => 120_000 + maxFileSize / 1000,
  async run({flow, promises, upstream}) {
    const bytes = promises.maxFileSize + BEYOND
    const result = await flow(sendFiles, {bytes})
    const [file] = result.files
    if (!file) return nothingArrived(result, upstream.recorder)
    const arrived = upstream.recorder.byProbe(file.probe)
    if (arrived?.body && file.statusCode === 0)
      return {status: 'skipped', because: `GMS takes a file of ${bytes} bytes: its limit is higher than what was promised`}
    const whole = arrived?.body?.sha256 === file.form.sha256
    const changed = arrived?.body && changedOnTheWay({...file, ...file.answer}, arrived)
    if (arrived && whole && changed === undefined && file.statusCode !== undefined)
      return {status: 'passed', detail: `${bytes} bytes, statusCode ${file.statusCode} of GMS`}
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected GMS to refuse a file of ${bytes} bytes itself`,
          expected: 'the whole form at GMS, and its JSON error at the client',
          actual: [
            file.status === undefined ? (file.trouble ?? 'no answer') : (changed ?? String(file.status)),
            arrived?.body ? `GMS received ${arrived.body.bytes} bytes` : 'GMS received no whole upload',
          ].join('; '),
          evidence: evidence(about(result, [file.probe]), upstream.recorder),
        },
      ],
    }
  },
})
