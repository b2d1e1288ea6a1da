import type {PlainRequestResult} from '../../../flows/plain-request.ts'
import {plainRequest} from '../../../flows/plain-request.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import type {WitnessedStage} from '../../check.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {isWithin, pathAtGms} from '../../gms-path.ts'

/** Nothing of GMS, and nobody's: what arrives there was passed on whatever it is. */
const ELSEWHERE = '/gms-proxy-elsewhere'
/** Beside the chat, as GMS has them (vendor pages: node API, services, the administration). */
const OUTSIDE = ['/', ELSEWHERE, '/genesys', `/genesys${ELSEWHERE}`, '/genesys/admin', '/genesys/2/other', '/genesys/1/admin/node/status']

/** Ways to write a path that begins with `base` and leads out of it. */
function climbing(base: string, host: string): readonly string[] {
  const up = (step: string) =>
    base
      .split('/')
      .slice(1)
      .map(() => step)
      .join('/')
  return [
    `${base}/../gms-proxy-elsewhere`,
    `${base}/${up('..')}${ELSEWHERE}`,
    `${base}/%2e%2e/gms-proxy-elsewhere`,
    `${base}/${up('%2E%2e')}${ELSEWHERE}`,
    `${base}/..%2fgms-proxy-elsewhere`,
    `${base}%2f..%2fgms-proxy-elsewhere`,
    `${base}/..;/gms-proxy-elsewhere`,
    `${base}/${up('..;x=1')}${ELSEWHERE}`,
    `${base}/%2e%2e;/gms-proxy-elsewhere`,
    `${base};/../gms-proxy-elsewhere`,
    `${base}//../../gms-proxy-elsewhere`,
    `${base}/./../gms-proxy-elsewhere`,
    `/${ELSEWHERE}`,
    `http://${host}${ELSEWHERE}`,
    `http://${host}${base}/../gms-proxy-elsewhere`,
  ]
}

interface Attempt {
  target: string
  transcript: PlainRequestResult
  /** The path that GMS was asked for, when it was. */
  arrivedAs?: string
}

export const check = withWitnesses({
  meta: {
    id: 'access-paths-only',
    title: 'Nothing but the paths of the chat reaches GMS',
    concern: 'access',
    severity: 'warning',
    requirement:
      'A request for any other path is answered by the proxy, however it is written: dot segments, parameters, encoded letters and slashes do not lead out of the paths of the chat.',
    remediation: {
      nginx: 'location ~ "^/genesys/cometd(/[^;]*)?$" { proxy_pass http://gms; } for each path, and location / { return 404; }',
      apache:
        'ProxyPass for each path of the chat alone, AllowEncodedSlashes Off,\nand RewriteCond "%{THE_REQUEST}" "^\\S+ [^? ]*(/|%2f)(\\.|%2e){1,2}([/;? ]|%2f|%3b)" [NC] with RewriteRule "^" "-" [R=404]',
      haproxy:
        'http-request deny deny_status 404 unless { path /genesys/cometd } or { path_beg /genesys/cometd/ } …,\nand http-request deny if { path,url_dec -m sub /.. }',
    },
    directives: {
      nginx: ['location', 'proxy_pass'],
      apache: ['ProxyPass', 'ProxyPassMatch', 'RewriteRule'],
      haproxy: ['http-request deny', 'acl', 'use_backend', 'default_backend', 'frontend'],
    },
    references: [
      'RFC 3986, 5.2.4 Remove Dot Segments and 6.2.2 normalization',
      'Jetty: path parameters are taken off before dot segments are resolved',
      'GMS Chat API V2 over CometD: the two paths of a chat',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 90_000,
  async run(stage) {
    const {flow, target, promises, upstream} = stage
    const bases = promises.paths.filter(path => path !== '/')
    const [base = COMETD_PATH] = bases.includes(COMETD_PATH) ? [COMETD_PATH] : bases
    const control = await flow(plainRequest, {target: base})
    if (!upstream.recorder.byProbe(control.probe))
      return {status: 'skipped', because: 'not even a plain request for the chat reaches GMS (see listener-reaches-gms)'}
    const outside = [...OUTSIDE, ...bases.map(path => `${path}-elsewhere`)]
    // A rule may name methods as well, and forget one.
    const plain = await Promise.all(outside.flatMap(path => [attempt(stage, path), attempt(stage, path, 'POST')]))
    const tricks = await Promise.all(climbing(base, target.hostHeader).map(path => attempt(stage, path)))
    const through = new Set(plain.flatMap(({arrivedAs}) => arrivedAs ?? []))
    if (promises.onlyPaths !== true && through.has(ELSEWHERE))
      return notPromised('every path is passed on, and none were promised to be the only ones: access.paths says which')
    const isOutside = (path: string) => !isWithin(path, promises.paths)
    // Where nobody promised anything, a path that is passed on anyway was not reached by a trick; and parameters, which only servlet
    // containers take off, are left alone by nearly every rule that was not written for one.
    const gaveWay = (path: string) => !through.has(path) && !through.has(path.replace(/^\/+/, '/'))
    const wrong =
      promises.onlyPaths === true
        ? [...plain, ...tricks].filter(({arrivedAs}) => arrivedAs !== undefined && isOutside(arrivedAs))
        : tricks.filter(
            ({target: asked, arrivedAs}) => arrivedAs !== undefined && !asked.includes(';') && isOutside(arrivedAs) && gaveWay(arrivedAs),
          )
    if (wrong.length === 0) return {status: 'passed', detail: `${outside.length + tricks.length} other paths`}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected no other path than those of the chat to reach GMS',
          expected: `${promises.paths.join(' and ')}, and an answer of the proxy itself to everything else`,
          actual: `${wrong
            .slice(0, 4)
            .map(({target: asked, arrivedAs}) => (asked === arrivedAs ? asked : `${asked} as ${arrivedAs ?? ''}`))
            .join(', ')}${wrong.length > 4 ? ` and ${wrong.length - 4} more` : ''} reached GMS`,
          evidence: evidence(
            wrong.slice(0, 4).map(({transcript}) => transcript),
            upstream.recorder,
          ),
        },
      ],
    }
  },
})

async function attempt({flow, upstream}: WitnessedStage, path: string, method: 'GET' | 'POST' = 'GET'): Promise<Attempt> {
  const transcript = await flow(plainRequest, {
    target: path,
    ...(method === 'GET' ? {} : {method, headers: [['Content-Type', 'application/json']], body: '[]'}),
  })
  const arrived = upstream.recorder.byProbe(transcript.probe)
  return {target: path, transcript, ...(arrived ? {arrivedAs: pathAtGms(arrived.target)} : {})}
}
