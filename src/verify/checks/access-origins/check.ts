import type {PlainRequestResult} from '../../../flows/plain-request.ts'
import {plainRequest} from '../../../flows/plain-request.ts'
import type {UpgradeResult} from '../../../flows/upgrade.ts'
import {upgrade} from '../../../flows/upgrade.ts'
import {COMETD_PATH, META} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import type {Draft, WitnessedStage} from '../../check.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {evidence, nothingArrived} from '../../evidence.ts'
import {isPromised} from '../../ways-in.ts'

const MOST = 3
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])
const ALLOW_ORIGIN = 'access-control-allow-origin'

interface Tried {
  origin: string
  poll: PlainRequestResult
  socket: UpgradeResult
  /** Absent where files are not promised. */
  file?: PlainRequestResult
  preflight: PlainRequestResult
}

export const check = withWitnesses({
  meta: {
    id: 'access-origins',
    title: 'The chat can be used from the promised web origins and from no others',
    concern: 'access',
    severity: 'error',
    requirement:
      'A poll, an upgrade or a file operation whose Origin is promised reaches GMS, one with any other Origin does not; browsers are told so once: one Access-Control-Allow-Origin, and a preflight that is answered.',
    remediation: {
      nginx: 'map $http_origin $stranger with one line for each origin, anchored at both ends, and if ($stranger) { return 403; }',
      apache: 'RewriteCond "%{HTTP:Origin}" "!^(https://www\\.example\\.com)?$" and RewriteRule "^" "-" [F]',
      haproxy: 'http-request deny if { req.hdr(Origin) -m found } !{ req.hdr(Origin) -m str https://www.example.com }',
    },
    directives: {
      nginx: ['map $http_origin', 'add_header access-control-allow-origin', 'if', 'location'],
      apache: ['Header set access-control-allow-origin', 'Header always', 'RewriteCond', 'SetEnvIf', 'ProxyPass'],
      haproxy: ['http-response set-header access-control-allow-origin', 'http-response add-header', 'http-request deny', 'acl', 'frontend'],
    },
    references: [
      'RFC 6455, 10.2: the Origin of an upgrade is for the server to judge',
      'Fetch standard, CORS protocol: one Access-Control-Allow-Origin; with cookies it names the origin',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 90_000,
  async run(stage) {
    const {promises, upstream} = stage
    const own = promises.origins.slice(0, MOST)
    const [first] = own
    if (first === undefined) return notPromised('no origins were promised: access.origins says which')
    const [friends, strangers] = await Promise.all([
      Promise.all(own.map(origin => tryOrigin(stage, origin))),
      Promise.all(strangersTo(first, promises.origins).map(origin => tryOrigin(stage, origin))),
    ])
    const arrived = ({probe}: {probe: string}) => upstream.recorder.byProbe(probe) !== undefined
    if (friends.every(({poll, socket}) => !arrived(poll) && !arrived(socket)))
      return nothingArrived(
        friends.map(({poll}) => poll),
        upstream.recorder,
      )
    const findings: Draft[] = []
    const add = (message: string, expected: string, actual: string, of: readonly (PlainRequestResult | UpgradeResult)[]) =>
      findings.push({message, expected, actual, evidence: evidence(of, upstream.recorder, ['origin'])})
    const answer = ({status}: {status?: number}) => String(status ?? 'no answer')
    for (const {origin, poll, socket, file, preflight} of friends) {
      for (const [kind, seen] of [
        ['a poll', poll],
        ['an upgrade', socket],
        ['a file operation', file],
      ] as const)
        if (seen && !arrived(seen)) add(`Expected ${kind} from a promised origin to reach GMS`, `${origin} is let in`, answer(seen), [seen])
      const told = poll.headers[ALLOW_ORIGIN]
      if (told?.includes(',') === true) add('Expected one Access-Control-Allow-Origin', origin, told, [poll])
      if (promises.cors === 'proxy') {
        if (told !== undefined && !told.includes(',') && told !== origin)
          add('Expected browsers of a promised origin to be told so', `Access-Control-Allow-Origin: ${origin}`, told, [poll])
        if (told === undefined)
          add('Expected browsers of a promised origin to be told so', `Access-Control-Allow-Origin: ${origin}`, 'none', [poll])
        const flaw = flawOfPreflight(preflight, origin)
        if (flaw !== undefined)
          add('Expected the preflight of a browser to be answered', `yes to ${origin}, POST and Content-Type`, flaw, [preflight])
      }
    }
    const inside = strangers.flatMap(({origin, poll, socket, file}) => [
      ...(arrived(poll) ? [{kind: 'polls', origin, seen: poll}] : []),
      ...(arrived(socket) ? [{kind: 'upgrades', origin, seen: socket}] : []),
      ...(file && arrived(file) ? [{kind: 'file operations', origin, seen: file}] : []),
    ])
    if (inside.length > 0)
      add(
        'Expected other origins to be refused',
        `nothing but ${promises.origins.join(', ')}`,
        `${[...new Set(inside.map(({kind, origin}) => `${kind} from ${origin}`))].slice(0, 4).join(', ')} reached GMS`,
        inside.slice(0, 3).map(({seen}) => seen),
      )
    const wooed = strangers.filter(({origin, poll, preflight}) =>
      [poll, preflight].some(({headers}) => [origin, '*'].includes(headers[ALLOW_ORIGIN] ?? '')),
    )
    if (wooed.length > 0)
      add(
        'Expected browsers of other origins not to be told that they may',
        'no Access-Control-Allow-Origin for them',
        wooed.map(({origin}) => origin).join(', '),
        wooed.flatMap(({poll}) => [poll]),
      )
    if (findings.length > 0) return {status: 'failed', findings}
    return {status: 'passed', detail: `${friends.length} let in, ${strangers.length} others refused`}
  },
})

/** Origins that careless rules take for `friend`: its host as the end or the beginning of another, its other scheme, a dot that stands for any letter. */
function strangersTo(friend: string, promised: readonly string[]): readonly string[] {
  const {protocol, hostname, port} = new URL(friend)
  const end = port === '' ? '' : `:${port}`
  return [
    'https://stranger.gms-proxy.invalid',
    'null',
    `${protocol}//${hostname}.gms-proxy.invalid${end}`,
    `${protocol}//gms-proxy-${hostname}${end}`,
    `${protocol === 'https:' ? 'http:' : 'https:'}//${hostname}${end}`,
    ...(hostname.includes('.') ? [`${protocol}//${hostname.replace(/\.(?=[^.]*$)/, 'x')}${end}`] : []),
  ].filter(origin => !promised.includes(origin))
}

async function tryOrigin({flow, promises}: WitnessedStage, origin: string): Promise<Tried> {
  const [poll, socket, preflight, file] = await Promise.all([
    flow(plainRequest, {
      method: 'POST',
      target: `${COMETD_PATH}/handshake`,
      headers: [
        ['Origin', origin],
        ['Content-Type', 'application/json'],
      ],
      body: HANDSHAKE,
    }),
    flow(upgrade, {connection: 'Upgrade', upgrade: 'websocket', headers: {Origin: origin}}),
    flow(plainRequest, {
      method: 'OPTIONS',
      target: `${COMETD_PATH}/handshake`,
      headers: [
        ['Origin', origin],
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'content-type'],
      ],
    }),
    // A proxy may route them, and therefore judge them, by a rule of their own.
    isPromised(FILES_PATH, promises)
      ? flow(plainRequest, {
          method: 'POST',
          target: FILES_PATH,
          headers: [
            ['Origin', origin],
            ['Content-Type', 'application/json'],
          ],
          body: '[]',
        })
      : undefined,
  ])
  return {origin, poll, socket, preflight, ...(file ? {file} : {})}
}

function flawOfPreflight({status, headers}: PlainRequestResult, origin: string): string | undefined {
  const list = (name: string) => (headers[name] ?? '').toLowerCase().split(/\s*,\s*/)
  if (status === undefined || status >= 300) return String(status ?? 'no answer')
  if (headers[ALLOW_ORIGIN] !== origin) return `Access-Control-Allow-Origin: ${headers[ALLOW_ORIGIN] ?? 'none'}`
  // POST needs no leave (Fetch, CORS-safelisted methods), and with cookies a star is no wildcard.
  if (!list('access-control-allow-headers').includes('content-type'))
    return `Access-Control-Allow-Headers: ${headers['access-control-allow-headers'] ?? 'none'}`
  return headers['access-control-allow-credentials'] === 'true'
    ? undefined
    : `Access-Control-Allow-Credentials: ${headers['access-control-allow-credentials'] ?? 'none'}`
}
