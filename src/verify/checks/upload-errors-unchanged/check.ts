import type {Ask} from '../../../flows/answers.ts'
import {answers} from '../../../flows/answers.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import {judgeAnswers} from '../../answer-judgement.ts'
import {withSimulator} from '../../check.ts'

const NO_SUCH_FILE = 'a download that fails'

export const check = withSimulator({
  meta: {
    id: 'upload-errors-unchanged',
    title: 'What GMS says about a file that went wrong reaches the client',
    concern: 'upload',
    severity: 'error',
    requirement:
      'Errors of file operations (500 with the referenceId, 404, 405, 503) reach the client with the status, the Content-Type and the body of GMS.',
    remediation: {
      nginx: 'proxy_intercept_errors off; (the default), and no sub_filter, in the location of /genesys/2/chat-ntf',
      apache: 'ProxyErrorOverride Off (the default), and no output filter, for /genesys/2/chat-ntf',
      haproxy: 'Remove http-response return, set-status and deny rules on the status of /genesys/2/chat-ntf',
    },
    directives: {
      nginx: ['proxy_intercept_errors', 'error_page', 'proxy_pass'],
      apache: ['ProxyErrorOverride', 'ErrorDocument', 'ProxyPass'],
      haproxy: ['http-response', 'errorfile', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "Download file": errors are an HTTP 500 page that contains the referenceId'],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-download-intact'],
  // A proxy that counts errors would take a node away from the others.
  isolation: 'own-proxy',
  budgetMs: () => 180_000,
  async run(stage) {
    const {flow, gms} = stage
    const limits = {method: 'POST', path: FILES_PATH, form: {operation: 'fileGetLimits'}} as const
    const failing = (status: number): Ask => ({
      ...limits,
      name: `a ${status}`,
      announce: probe => gms.faults.add({fault: {kind: 'status', status}, on: ['files'], probe}),
    })
    const asks: readonly Ask[] = [
      {name: NO_SUCH_FILE, method: 'POST', path: FILES_PATH, form: {operation: 'fileDownload', fileId: '00F0NOSUCHFILE'}},
      {name: 'a 405', method: 'GET', path: FILES_PATH},
      failing(404),
      failing(503),
    ]
    const result = await flow(answers, {asks, chat: true})
    return judgeAnswers(result, stage, {
      message: 'Expected errors of file operations to reach the client as GMS sent them',
      expected: 'status, Content-Type and body of GMS',
      certain: [NO_SUCH_FILE, 'a 404', 'a 503'],
    })
  },
})
