import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {SentFile} from '../../../flows/send-files.ts'
import {sendFiles} from '../../../flows/send-files.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import {withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived} from '../../evidence.ts'

const USERS = 4
/** Below the least default limit on the size (nginx: 1 MB): what is judged is that they come together. */
const BYTES = 786_432
/** All are half sent for this long: together on the wire with certainty. */
const TOGETHER_MS = 1500

export const check = withWitnesses({
  meta: {
    id: 'upload-concurrent',
    title: 'Several users upload at once',
    concern: 'upload',
    severity: 'error',
    requirement: 'Files that four users send at the same time all arrive whole, each with the answer and in the chat of its own user.',
    remediation: {
      nginx: 'Raise limit_conn and limit_req (with burst) in the location of /genesys/2/chat-ntf, and cache nothing there',
      apache: 'Raise max= and acquire= at the BalancerMember lines of /genesys/2/chat-ntf, and CacheDisable there',
      haproxy: 'Raise the rule on be_conn or fe_conn, and maxconn with timeout queue at the servers, for /genesys/2/chat-ntf',
    },
    directives: {
      nginx: [
        'location /genesys/2/chat-ntf > limit_conn',
        'location /genesys/2/chat-ntf > limit_req',
        'location /genesys/2/chat-ntf > proxy_cache',
        'limit_conn',
        'limit_req',
        'proxy_cache',
        'proxy_pass',
      ],
      apache: ['ProxyPass /genesys/2/chat-ntf', 'BalancerMember', 'ProxyPass'],
      haproxy: ['http-request deny deny_status 429', 'http-request deny deny_status 503', 'http-request deny', 'timeout queue', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "Upload file"'],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-download-intact'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, promises, target, upstream}) {
    const bytes = Math.min(BYTES, promises.maxFileSize)
    const result = await flow(sendFiles, {users: USERS, bytes, togetherMs: TOGETHER_MS, from: await ownAddresses(target.url, USERS)})
    if (result.files.length < USERS) return nothingArrived(result, upstream.recorder)
    const flaws = result.files.flatMap((file, user) => {
      const flaw = flawOf(file, result.files, upstream.recorder)
      return flaw === undefined ? [] : [{probe: file.probe, text: `user ${user + 1}: ${flaw}`}]
    })
    if (flaws.length === 0 && !result.together)
      return {status: 'errored', because: 'this machine was too busy: the uploads were not on their way at the same time'}
    if (flaws.length === 0) return {status: 'passed', detail: `${USERS} × ${bytes} bytes at once, digests equal`}
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected ${USERS} uploads at the same time to arrive, each in its own chat`,
          expected: `${USERS} times 200, the form whole at GMS and the file told of in the chat of its user`,
          actual: flaws.map(({text}) => text).join('; '),
          evidence: evidence(
            about(
              result,
              flaws.map(({probe}) => probe),
            ),
            upstream.recorder,
          ),
        },
      ],
    }
  },
})

function flawOf(file: SentFile, all: readonly SentFile[], recorder: Recorder): string | undefined {
  const arrived = recorder.byProbe(file.probe)
  if (file.status !== 200) return `${file.status ?? file.trouble ?? 'no answer'}${arrived?.body ? '' : ', GMS received no whole upload'}`
  if (!arrived?.body) return '200, but GMS received no whole upload'
  if (arrived.body.sha256 !== file.form.sha256) return `GMS received ${arrived.body.bytes} bytes with another digest`
  if (file.fileId === undefined) return `200 without a file id (statusCode ${file.statusCode ?? 'none'})`
  if (arrived.sent && arrived.sent.sha256 !== file.answer?.sha256) return 'got another answer than GMS gave to this upload'
  if (!file.toldOf.includes(file.fileId)) return 'its chat was not told of the file'
  const foreign = all.filter(other => other.fileId !== undefined && other.fileId !== file.fileId && file.toldOf.includes(other.fileId))
  return foreign.length > 0 ? 'its chat was told of the file of another user' : undefined
}
