import {strangersAddress} from '../../../flows/own-addresses.ts'
import {chatListeners, from} from '../../chat-listeners.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {seesOurAddress, waysIn} from '../../ways-in.ts'

/** Networks that everybody here belongs to, strangers too. */
const EVERYBODY = /^(?:0\.0\.0\.0\/0|::\/0|127\.)/

export const check = withWitnesses({
  meta: {
    id: 'access-networks-only',
    title: 'Only the promised networks reach the chat',
    concern: 'access',
    severity: 'error',
    requirement: 'A poll, an upgrade and a file operation from an address outside access.allow do not reach GMS, at no listener.',
    remediation: {
      nginx:
        'allow 10.0.0.0/8; deny all; in server {} (a location with rules of its own inherits none), or geo and if ($outside) { return 403; }',
      apache: 'Require ip 10.0.0.0/8 in <Location "/"> of every VirtualHost',
      haproxy: 'http-request deny unless { src 10.0.0.0/8 } in every frontend of the chat',
    },
    directives: {
      nginx: ['geo', 'deny', 'allow', 'location', 'server'],
      apache: ['Require ip', 'Require', 'Location', 'ProxyPass'],
      haproxy: ['http-request deny', 'acl', 'frontend'],
    },
    references: ['nginx: ngx_http_access_module; Apache: mod_authz_host; HAProxy: src'],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const {promises, upstream, target} = stage
    const {allow} = promises
    if (allow === undefined) return notPromised('everybody may connect: access.allow names no networks')
    const chats = await chatListeners(stage)
    if (chats.length === 0) return {status: 'skipped', because: 'no request for the chat reaches GMS (see listener-reaches-gms)'}
    const stranger = seesOurAddress(stage) ? await strangersAddress(target.url) : undefined
    if (stranger === undefined || allow.some(network => EVERYBODY.test(network)))
      return {status: 'skipped', because: 'no address of this machine is outside these networks and seen by the proxy'}
    const tried = await Promise.all(chats.map(({stage: own}) => waysIn(from(own, stranger), [], stranger)))
    const inside = tried.flat().filter(({arrived}) => arrived !== undefined)
    if (inside.length === 0) return {status: 'passed', detail: `${stranger} is refused`}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected strangers to be refused',
          expected: `nobody but ${allow.join(', ')}`,
          actual: `${[...new Set(inside.map(({name}) => name))].join(', ')} from ${stranger} reached GMS`,
          evidence: evidence(
            inside.map(({transcript}) => transcript),
            upstream.recorder,
          ),
        },
      ],
    }
  },
})
