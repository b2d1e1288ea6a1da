import {upload} from '../../../flows/upload.ts'
import type {Check} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Below every default limit: what is judged here is the content, not the size. */
const BYTES = 262_144

export const check: Check = {
  meta: {
    id: 'upload-download-intact',
    title: 'A file comes back as it went',
    concern: 'upload',
    severity: 'error',
    requirement: 'The file an agent or the customer downloads has the digest of the file that was uploaded.',
    remediation: {
      nginx: 'Remove sub_filter, gzip and proxy_max_temp_file_size limits from the download path; proxy_temp_path must be writable',
      apache: 'Remove mod_substitute, mod_proxy_html and DEFLATE from /genesys/2/chat-ntf',
      haproxy: 'Remove compression, and http-response rules that refuse or rewrite answers, from /genesys/2/chat-ntf',
    },
    directives: {
      nginx: ['sub_filter', 'proxy_max_temp_file_size', 'gzip', 'proxy_pass'],
      apache: ['Substitute', 'SetOutputFilter', 'ProxyPass'],
      haproxy: ['compression', 'http-response', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "Download file"'],
  },
  transport: 'http',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, promises, upstream}) {
    const result = await flow(upload, {transport: 'long-polling', bytes: Math.min(BYTES, promises.maxFileSize)})
    if (result.downloadedSha256 === result.sentSha256)
      return {status: 'passed', detail: `${result.downloadedBytes ?? 0} bytes, digests equal`}
    const actual =
      result.downloadedSha256 === undefined
        ? (result.stoppedAt ?? 'no download')
        : `${result.downloadedBytes ?? 0} bytes came back, sha256 ${result.downloadedSha256.slice(0, 16)}…`
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected the downloaded file to equal the uploaded one',
          expected: `sha256 ${result.sentSha256.slice(0, 16)}…`,
          actual,
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
