import {upload} from '../../../flows/upload.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Four file operations each: files balanced on their own, round-robin or at random, meet a wrong node with certainty or all but 1 in 10^7. */
const USERS = 6
const BYTES = 4096

export const check = withWitnesses({
  meta: {
    id: 'affinity-upload',
    title: 'An upload reaches the node that knows the session',
    concern: 'affinity',
    severity: 'error',
    requirement: 'A file that a client sends in a chat arrives at the node that holds its Bayeux session.',
    remediation: {
      nginx: 'Send /genesys/2/chat-ntf to the same upstream, with the same hash key, as /genesys/cometd',
      apache: 'Send /genesys/2/chat-ntf to the same balancer, with the same stickysession, as /genesys/cometd',
      haproxy: 'Send /genesys/2/chat-ntf to the same backend, with the same cookie, as /genesys/cometd',
    },
    directives: {
      nginx: ['upstream', 'proxy_pass'],
      apache: ['BalancerMember', 'ProxyPass'],
      haproxy: ['balance', 'cookie', 'use_backend', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "File management"', 'Field traces: upload requests carry the cookies of the CometD session'],
  },
  transport: 'long-polling',
  needs: ['affinity'],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node'],
  // Other traffic between two requests makes round-robin look like affinity.
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  async run({flow, upstream}) {
    const {recorder} = upstream
    const results = []
    for (let user = 0; user < USERS; user += 1)
      results.push(await flow(upload, {transport: 'long-polling', bytes: BYTES, seed: `affinity-${user}`}))
    const strays = results.flatMap((result, user) => {
      const home = result.clientId === undefined ? undefined : recorder.bySession(result.clientId)[0]?.node
      const astray = result.operations.flatMap(({operation, probe}) => {
        const node = probe === undefined ? undefined : recorder.byProbe(probe)?.node
        return node === home && node !== undefined
          ? []
          : [`user ${user + 1}: ${operation} reached ${node ?? 'no node'}, the session is on ${home ?? 'no node'}`]
      })
      const unfinished = result.uploaded ? [] : [`user ${user + 1}: ${result.stoppedAt ?? 'GMS did not take the file'}`]
      return [...astray, ...unfinished].map(text => ({text, result}))
    })
    const [first] = strays
    if (!first)
      return {
        status: 'passed',
        detail: `${results.reduce((sum, {operations}) => sum + operations.length, 0)} file operations of ${USERS} users`,
      }
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected the files of a chat to reach the node that holds its session',
          expected: 'every file operation at the node of the session',
          actual: strays
            .slice(0, 3)
            .map(({text}) => text)
            .join('; '),
          evidence: evidence(first.result, recorder),
        },
      ],
    }
  },
})
