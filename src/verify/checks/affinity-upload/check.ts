import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {UploadResult} from '../../../flows/upload.ts'
import {upload} from '../../../flows/upload.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {onOneNode} from '../../homes.ts'

/** Files that all go to one node, or are balanced by address, are at home with each user in one case of two: 1 in 65,000 for all of them. */
const USERS = 16
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
  async run({flow, promises, upstream, target}) {
    const {recorder} = upstream
    const addresses = await ownAddresses(target.url, USERS)
    const results: UploadResult[] = []
    for (let user = 0; user < USERS && results.at(-1)?.ended !== 'timed-out'; user += 1) {
      const from = addresses[user]
      const own = {transport: 'long-polling', bytes: Math.min(BYTES, promises.maxFileSize), seed: `affinity-${user}`} as const
      results.push(await flow(upload, {...own, ...(from === undefined ? {} : {from})}))
    }
    const homeOf = ({clientId}: UploadResult) => (clientId === undefined ? undefined : recorder.bySession(clientId)[0]?.node)
    const strays = results.flatMap((result, user) => {
      const home = homeOf(result)
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
        detail: `${results.reduce((sum, {operations}) => sum + operations.length, 0)} file operations of ${USERS} users${onOneNode(results.map(homeOf))}`,
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
