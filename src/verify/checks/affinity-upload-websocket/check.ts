import {openChats} from '../../../flows/open-chats.ts'
import type {UploadResult} from '../../../flows/upload.ts'
import {upload} from '../../../flows/upload.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Four file operations each: balanced one by one at random, all users are on one node each with a chance of 1 in 16 million. */
const USERS = 8
const OPERATIONS = 4
const BYTES = 4096

export const check = withWitnesses({
  meta: {
    id: 'affinity-upload-websocket',
    title: 'The files of a WebSocket chat stay on one node',
    concern: 'affinity',
    severity: 'warning',
    requirement:
      'Limits, upload, download and deletion of one chat over WebSocket arrive at one node, although that browser made no HTTP request before the first of them and GMS set it no cookie with the 101.',
    remediation: {
      nginx:
        'Set the cookie with every answer that a browser may get first: add_header Set-Cookie … always, on the upgrade and on /genesys/2/chat-ntf too',
      apache: 'Header add Set-Cookie … env=BALANCER_ROUTE_CHANGED for the whole virtual host, not for /genesys/cometd only',
      haproxy:
        'cookie GMS_NODE insert indirect nocache httponly in the backend of the files too; a cookie of GMS (prefix, stick on) does not exist on WebSocket',
    },
    directives: {
      nginx: ['add_header', 'upstream', 'proxy_pass'],
      apache: ['Header', 'BalancerMember', 'ProxyPass'],
      haproxy: ['cookie', 'stick', 'balance', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "File management"',
      'Measured on CometD 5: the 101 of an upgrade carries no Set-Cookie, the HTTP handshake does',
      'Field traces: upload requests carry the cookies of the browser',
    ],
  },
  transport: 'websocket',
  needs: ['affinity'],
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'upgrade-handshake',
    'upgrade-chat',
    'affinity-same-node',
    'affinity-upload',
    'upload-download-intact',
  ],
  // Other traffic between two requests makes round-robin look like affinity.
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  async run({flow, promises, upstream}) {
    const {recorder} = upstream
    const results: UploadResult[] = []
    const send = async () => {
      for (let user = 0; user < USERS / 2 && results.at(-1)?.ended !== 'timed-out'; user += 1)
        results.push(
          await flow(upload, {transport: 'websocket', bytes: Math.min(BYTES, promises.maxFileSize), seed: `websocket-${results.length}`}),
        )
    }
    await send()
    // "Least connections" never chooses the node of the only socket, and so looks like affinity; with a second socket it does not.
    await flow(openChats, {chats: 1, requestChat: false, whileOpen: send})

    const seen = results.map(result => {
      const {clientId, operations} = result
      const home = clientId === undefined ? undefined : recorder.bySession(clientId)[0]?.node
      const nodes = operations.map(({probe}) => (probe === undefined ? undefined : recorder.byProbe(probe)?.node))
      return {result, home, nodes}
    })
    const flaws = seen.flatMap(({result, nodes}, user) => {
      const {operations, uploaded, stoppedAt, ended} = result
      const spread = new Set(nodes).size > 1
      if (spread)
        return [
          {
            text: `user ${user + 1}: ${operations.map(({operation}, i) => `${operation} reached ${nodes[i] ?? 'no node'}`).join(', ')}`,
            result,
          },
        ]
      const whole = uploaded && ended === 'completed' && operations.length === OPERATIONS && nodes[0] !== undefined
      return whole ? [] : [{text: `user ${user + 1}: ${stoppedAt ?? 'not every file operation reached GMS'}`, result}]
    })
    const [first] = flaws
    if (!first && results.length === USERS) {
      const elsewhere = seen.filter(({home, nodes}) => home !== nodes[0]).length
      return {
        status: 'passed',
        detail: `${USERS * OPERATIONS} file operations of ${USERS} chats${elsewhere === 0 ? '' : `; ${elsewhere} chats had all their files on another node than their socket`}`,
      }
    }
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected all file operations of a WebSocket chat at one node',
          expected: `one node for the ${OPERATIONS} file operations of each of ${USERS} chats`,
          actual: first
            ? flaws
                .slice(0, 2)
                .map(({text}) => text)
                .join('; ')
            : `only ${results.length} of ${USERS} chats were opened`,
          evidence: evidence(first ? filesOf(first.result) : results, recorder),
        },
      ],
    }
  },
})

/** The file operations, when there were any. */
function filesOf(result: UploadResult): UploadResult {
  const exchanges = result.exchanges.filter(({transport}) => transport === 'http')
  return exchanges.length === 0 ? result : {...result, exchanges}
}
