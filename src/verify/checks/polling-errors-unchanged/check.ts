import type {Ask} from '../../../flows/answers.ts'
import {answers} from '../../../flows/answers.ts'
import {COMETD_PATH, META} from '../../../wire/bayeux.ts'
import {judgeAnswers} from '../../answer-judgement.ts'
import {withSimulator} from '../../check.ts'

const HANDSHAKE = {
  contentType: 'application/json',
  text: JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}]),
}

export const check = withSimulator({
  meta: {
    id: 'polling-errors-unchanged',
    title: 'HTTP errors of CometD reach the client',
    concern: 'polling',
    severity: 'error',
    requirement:
      'Errors of the CometD path (400 Unknown Bayeux Transport, 500 for what is no Bayeux, 503) reach the client with the status, the Content-Type and the body of GMS: a client that sees 200 in their place believes a session to be alive.',
    remediation: {
      nginx: 'proxy_intercept_errors off; (the default), and no sub_filter, in the location of /genesys/cometd',
      apache: 'ProxyErrorOverride Off (the default), and no output filter, for /genesys/cometd',
      haproxy: 'Remove http-response return, set-status and deny rules on the status of /genesys/cometd',
    },
    directives: {
      nginx: ['proxy_intercept_errors', 'error_page', 'proxy_pass'],
      apache: ['ProxyErrorOverride', 'ErrorDocument', 'ProxyPass'],
      haproxy: ['http-response', 'errorfile', 'backend'],
    },
    references: ['Measured: CometD 5.0.18 on Jetty 9.4 answers these with an error page (400), or with no body (500)'],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'polling-chat'],
  // A proxy that counts errors would take a node away from the others.
  isolation: 'own-proxy',
  budgetMs: () => 120_000,
  async run(stage) {
    const {flow, gms} = stage
    const post = (name: string, body: NonNullable<Ask['body']>): Ask => ({name, method: 'POST', path: `${COMETD_PATH}/handshake`, body})
    const failing = (status: number): Ask => ({
      ...post(`a ${status}`, HANDSHAKE),
      announce: probe => gms.faults.add({fault: {kind: 'status', status}, on: ['handshake'], probe}),
    })
    const asks: readonly Ask[] = [
      {name: 'a GET without jsonp', method: 'GET', path: COMETD_PATH},
      post('a body that is no Bayeux', {contentType: 'application/json', text: 'no Bayeux'}),
      failing(404),
      failing(500),
      failing(503),
    ]
    const result = await flow(answers, {asks})
    return judgeAnswers(result, stage, {
      message: 'Expected errors of CometD to reach the client as GMS sent them',
      expected: 'status, Content-Type and body of GMS',
      certain: ['a 404', 'a 500', 'a 503'],
    })
  },
})
