import {upload} from '../../../flows/upload.ts'
import type {Check} from '../../check.ts'
import {evidence} from '../../evidence.ts'

export const check: Check = {
  meta: {
    id: 'upload-largest-file',
    title: 'The largest file that is promised arrives whole',
    concern: 'upload',
    severity: 'error',
    requirement: 'A file of the promised size reaches GMS with the digest it left the client with; the form around it needs room too.',
    remediation: {
      nginx: 'client_max_body_size {bodyMiB}m; (file limit + 1 MiB for the form) in the location of /genesys/2/chat-ntf',
      apache:
        'Raise SecRequestBodyLimit, or the rule on Content-Length, to {bodyMiB} MiB (file limit + 1 MiB for the form); LimitRequestBody has no effect on proxied requests',
      haproxy: 'Remove the rule on req.body_size, or raise it to {bodyMiB} MiB (file limit + 1 MiB for the form)',
    },
    directives: {
      nginx: ['location /genesys/2/chat-ntf > client_max_body_size', 'client_max_body_size', 'location /genesys/2/chat-ntf', 'proxy_pass'],
      apache: ['SecRequestBodyLimit', 'If', 'RewriteCond', 'ProxyPass /genesys/2/chat-ntf', 'ProxyPass'],
      haproxy: ['http-request deny deny_status 413', 'http-request deny', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "File management": upload-max-file-size',
      'Measured: nginx answers 413 above 1 MB by default',
    ],
  },
  transport: 'http',
  needs: ['intrusive'],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat'],
  isolation: 'shared',
  // A busy machine moves 1 MB a second at least.
  budgetMs: ({maxFileSize}) => 120_000 + maxFileSize / 1000,
  async run({flow, promises, upstream}) {
    const {maxFileSize: bytes} = promises
    const result = await flow(upload, {transport: 'long-polling', bytes, uploadOnly: true})
    const operation = result.operations.find(({operation: name}) => name === 'fileUpload')
    const arrived = operation?.probe === undefined ? undefined : upstream?.recorder.byProbe(operation.probe)
    const whole = !upstream || arrived?.body?.sha256 === result.form.sha256
    if (result.uploaded && whole)
      return {status: 'passed', detail: `${(bytes / 1_048_576).toFixed(1)} MiB${upstream ? ', digests equal' : ''}`}
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected GMS to receive a file of ${bytes} bytes whole`,
          expected: '200, and the whole form at GMS with the digest it was sent with',
          actual: [
            operation?.status === undefined
              ? (result.stoppedAt ?? 'no answer')
              : `${operation.status}${operation.statusCode === undefined ? '' : ` (statusCode ${operation.statusCode})`}`,
            ...(upstream
              ? [
                  arrived?.body === undefined
                    ? 'GMS received no whole upload'
                    : `GMS received ${arrived.body.bytes} bytes, digest ${whole ? 'equal' : 'different'}`,
                ]
              : []),
          ].join('; '),
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
